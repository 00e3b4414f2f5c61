CREATE TYPE workout_kind AS ENUM ('run', 'ride', 'swim');

CREATE TABLE workouts (
    id SERIAL PRIMARY KEY,
    user_id UUID NOT NULL DEFAULT auth.uid() REFERENCES auth.users ON DELETE CASCADE,
    kind workout_kind NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration INTERVAL NOT NULL,
    distance INTEGER, -- metres
    notes TEXT
);

CREATE INDEX workouts_user_started ON workouts (user_id, started_at DESC NULLS LAST);

ALTER TABLE workouts ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Users can view own workouts" ON workouts FOR SELECT USING (auth.uid() = user_id);
CREATE POLICY "Users can insert own workouts" ON workouts FOR INSERT WITH CHECK (auth.uid() = user_id);
CREATE POLICY "Users can update own workouts" ON workouts FOR UPDATE USING (auth.uid() = user_id);
CREATE POLICY "Users can delete own workouts" ON workouts FOR DELETE USING (auth.uid() = user_id);
