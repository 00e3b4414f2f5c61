-- Parcels, who carries them, and where they are.
CREATE TYPE delivery_status AS ENUM ('created', 'assigned', 'picked_up', 'delivered');

CREATE TABLE couriers (
  user_id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
  name varchar(60) NOT NULL,
  vehicle text NOT NULL DEFAULT 'bike' CHECK (vehicle IN ('bike', 'car', 'van')),
  active boolean NOT NULL DEFAULT true,
  deliveries_done integer NOT NULL DEFAULT 0
);

CREATE TABLE deliveries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  reference text NOT NULL UNIQUE,
  customer_id uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users ON DELETE CASCADE,
  courier_id uuid REFERENCES couriers (user_id) ON DELETE SET NULL,
  status delivery_status NOT NULL DEFAULT 'created',
  weight_kg real NOT NULL CHECK (weight_kg > 0),
  from_lat double precision NOT NULL CHECK (from_lat BETWEEN -90 AND 90),
  from_lng double precision NOT NULL CHECK (from_lng BETWEEN -180 AND 180),
  to_address text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT assigned_to_somebody CHECK (status = 'created' OR courier_id IS NOT NULL)
);
CREATE INDEX deliveries_open ON deliveries (created_at) WHERE status IN ('created', 'assigned');
CREATE INDEX deliveries_courier ON deliveries (courier_id, status);

ALTER TABLE couriers ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
