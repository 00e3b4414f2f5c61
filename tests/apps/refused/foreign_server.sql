create server far foreign data wrapper postgres_fdw options (host 'example.com');
