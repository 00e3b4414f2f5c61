CREATE TABLE positions (
  courier_id uuid NOT NULL DEFAULT auth.uid() REFERENCES couriers ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lat double precision NOT NULL,
  lng double precision NOT NULL,
  PRIMARY KEY (courier_id, at)
);
ALTER TABLE positions ENABLE ROW LEVEL SECURITY;
CREATE POLICY write_own ON positions FOR INSERT TO authenticated WITH CHECK (courier_id = auth.uid());
CREATE POLICY read_own ON positions FOR SELECT TO authenticated USING (courier_id = auth.uid());
-- A customer follows the courier who has the parcel, while it is on its way.
CREATE POLICY follow ON positions FOR SELECT TO authenticated USING (
  EXISTS (
    SELECT 1 FROM deliveries d
    WHERE d.courier_id = positions.courier_id AND d.customer_id = auth.uid() AND d.status IN ('picked_up', 'on_the_way')
  )
);

CREATE FUNCTION open_near(lat double precision, lng double precision, degrees double precision DEFAULT 0.1)
RETURNS TABLE (reference text, distance double precision)
LANGUAGE sql STABLE AS $$
  SELECT d.reference, sqrt(power(d.from_lat - open_near.lat, 2) + power(d.from_lng - open_near.lng, 2)) AS distance
  FROM deliveries d
  WHERE d.status = 'created'
    AND d.from_lat BETWEEN open_near.lat - degrees AND open_near.lat + degrees
    AND d.from_lng BETWEEN open_near.lng - degrees AND open_near.lng + degrees
  ORDER BY 2, 1;
$$;

CREATE FUNCTION take_delivery(ref text) RETURNS TABLE (reference text, status delivery_status) LANGUAGE sql AS $$
  UPDATE deliveries SET courier_id = auth.uid(), status = 'assigned' 
  WHERE deliveries.reference = ref AND courier_id IS NULL RETURNING deliveries.reference, deliveries.status;
$$;

CREATE VIEW latest_positions WITH (security_invoker = true) AS
  SELECT DISTINCT ON (courier_id) courier_id, at, lat, lng FROM positions ORDER BY courier_id, at DESC;

ALTER PUBLICATION supabase_realtime ADD TABLE deliveries, positions;
ALTER TABLE deliveries REPLICA IDENTITY FULL;
