ALTER TYPE delivery_status ADD VALUE 'failed';
ALTER TYPE delivery_status ADD VALUE 'on_the_way' BEFORE 'delivered';
ALTER TABLE deliveries ADD COLUMN signature bytea;
ALTER TABLE deliveries ADD COLUMN delivered_at timestamptz;
ALTER TABLE deliveries ALTER COLUMN weight_kg TYPE double precision;
ALTER TABLE deliveries ADD COLUMN "deliver after" timestamptz, ADD COLUMN "deliver before" timestamptz;
ALTER TABLE deliveries ADD CONSTRAINT window_is_forward CHECK ("deliver after" < "deliver before");
ALTER TABLE ONLY deliveries ADD CONSTRAINT signed_when_delivered CHECK (octet_length(signature) <= 1024);
