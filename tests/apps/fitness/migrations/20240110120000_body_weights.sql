CREATE TABLE IF NOT EXISTS body_weights (
    id BIGSERIAL PRIMARY KEY,
    user_id UUID NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    measured_on DATE NOT NULL DEFAULT CURRENT_DATE,
    weight INT NOT NULL CHECK (weight > 0),
    UNIQUE (user_id, measured_on)
);

ALTER TABLE body_weights ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON body_weights FOR ALL TO authenticated USING (user_id = auth.uid()) WITH CHECK (user_id = auth.uid());

INSERT INTO auth.users (id, email) VALUES ('22222222-2222-4222-8222-222222222222', 'tester@example.com') ON CONFLICT DO NOTHING;
INSERT INTO body_weights (user_id, measured_on, weight) VALUES
    ('22222222-2222-4222-8222-222222222222', '2024-01-08', 805),
    ('22222222-2222-4222-8222-222222222222', '2024-01-09', 798);
