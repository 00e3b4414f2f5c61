CREATE OR REPLACE VIEW weekly_totals WITH (security_invoker = on) AS
SELECT
    user_id,
    date_trunc('week', started_at) AS week,
    kind,
    COUNT(*) AS sessions,
    SUM(metres) AS metres,
    SUM(duration) AS total_time
FROM workouts
GROUP BY user_id, date_trunc('week', started_at), kind;

CREATE OR REPLACE FUNCTION distance_since(since TIMESTAMPTZ DEFAULT '-infinity', of_kind workout_kind DEFAULT NULL)
RETURNS DOUBLE PRECISION
LANGUAGE SQL STABLE
AS 'SELECT COALESCE(SUM(metres), 0) FROM workouts WHERE started_at >= since AND (of_kind IS NULL OR kind = of_kind)';

CREATE OR REPLACE FUNCTION weight_change()
RETURNS TABLE (first_on DATE, last_on DATE, days INT, kilograms NUMERIC)
LANGUAGE SQL STABLE
AS $fn$
    SELECT f.measured_on, l.measured_on, l.measured_on - f.measured_on, l.kilograms - f.kilograms
    FROM (SELECT * FROM weigh_ins ORDER BY measured_on LIMIT 1) f
    CROSS JOIN (SELECT * FROM weigh_ins ORDER BY measured_on DESC LIMIT 1) l;
$fn$;
