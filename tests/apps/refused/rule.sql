create rule keep as on delete to places do instead nothing;
