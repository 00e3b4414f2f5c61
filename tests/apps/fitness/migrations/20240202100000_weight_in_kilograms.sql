-- It was tenths of a kilogram; nobody understood that.
ALTER TABLE body_weights
    ALTER COLUMN weight TYPE NUMERIC(5, 1) USING (weight::numeric / 10);
ALTER TABLE body_weights RENAME COLUMN weight TO kilograms;
ALTER TABLE body_weights RENAME TO weigh_ins;
ALTER TABLE weigh_ins ADD CONSTRAINT plausible CHECK (kilograms BETWEEN 20 AND 400);

ALTER TABLE workouts RENAME COLUMN distance TO metres;
ALTER TABLE workouts ALTER COLUMN metres TYPE DOUBLE PRECISION;
ALTER TABLE workouts ADD COLUMN IF NOT EXISTS heart_rate SMALLINT;
ALTER TABLE workouts ADD CHECK (heart_rate IS NULL OR (heart_rate >= 30 AND heart_rate <= 250));
