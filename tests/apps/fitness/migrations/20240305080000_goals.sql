ALTER TYPE workout_kind ADD VALUE IF NOT EXISTS 'hike' BEFORE 'ride';
ALTER TYPE workout_kind RENAME VALUE 'swim' TO 'swimming';

CREATE TABLE goals (
    user_id UUID DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    kind workout_kind NOT NULL,
    weekly_metres INTEGER NOT NULL,
    from_time TIME NOT NULL DEFAULT '06:00',
    until_time TIME WITHOUT TIME ZONE NOT NULL DEFAULT TIME '22:00',
    weekdays SMALLINT[] NOT NULL DEFAULT ARRAY[1, 2, 3, 4, 5],
    CONSTRAINT goals_pkey PRIMARY KEY (user_id, kind),
    CONSTRAINT sensible_times CHECK (from_time < until_time)
);
ALTER TABLE goals ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own goals" ON goals TO authenticated USING ((SELECT auth.uid()) = user_id);

CREATE FUNCTION set_goal(goal_kind workout_kind, metres INTEGER)
RETURNS goals
LANGUAGE SQL
AS $$
    INSERT INTO goals (kind, weekly_metres) VALUES (goal_kind, metres)
    ON CONFLICT (user_id, kind) DO UPDATE SET weekly_metres = EXCLUDED.weekly_metres
    RETURNING *;
$$;
