CREATE POLICY couriers_self ON couriers FOR SELECT TO authenticated USING (user_id = auth.uid());
CREATE POLICY couriers_update ON couriers FOR UPDATE TO authenticated USING (user_id = auth.uid()) WITH CHECK (user_id = auth.uid());
REVOKE UPDATE ON couriers FROM authenticated;
GRANT UPDATE (vehicle, active) ON couriers TO authenticated;

CREATE POLICY customers_read ON deliveries FOR SELECT TO authenticated USING (customer_id = auth.uid());
CREATE POLICY customers_create ON deliveries FOR INSERT TO authenticated
  WITH CHECK (customer_id = auth.uid() AND status = 'created' AND courier_id IS NULL);
CREATE POLICY customers_cancel ON deliveries FOR DELETE TO authenticated
  USING (customer_id = auth.uid() AND status = 'created');
CREATE POLICY couriers_read ON deliveries FOR SELECT TO authenticated
  USING (courier_id = auth.uid() OR (status = 'created' AND EXISTS (SELECT 1 FROM couriers c WHERE c.user_id = auth.uid() AND c.active)));
CREATE POLICY couriers_take ON deliveries FOR UPDATE TO authenticated
  USING (courier_id = auth.uid() OR (courier_id IS NULL AND EXISTS (SELECT 1 FROM couriers c WHERE c.user_id = auth.uid() AND c.active)))
  WITH CHECK (courier_id = auth.uid());
CREATE POLICY not_done ON deliveries AS RESTRICTIVE FOR UPDATE TO public USING (status <> 'delivered') WITH CHECK (true);
