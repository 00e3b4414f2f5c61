CREATE TABLE status_changes (
  id bigserial PRIMARY KEY,
  delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
  old_status delivery_status,
  new_status delivery_status NOT NULL,
  changed_by uuid DEFAULT auth.uid(),
  changed_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE status_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_with_delivery ON status_changes FOR SELECT TO authenticated
  USING (EXISTS (SELECT 1 FROM deliveries d WHERE d.id = delivery_id));

CREATE FUNCTION log_status() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO status_changes (delivery_id, old_status, new_status)
  VALUES (NEW.id, OLD.status, NEW.status);
  RETURN NEW;
END $$;

CREATE TRIGGER status_changed
AFTER UPDATE OF status ON deliveries
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION log_status();

CREATE FUNCTION count_delivery() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NEW.status = 'delivered' AND OLD.status <> 'delivered' THEN
    UPDATE couriers SET deliveries_done = deliveries_done + 1 WHERE user_id = NEW.courier_id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER count_delivery AFTER UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION count_delivery();
