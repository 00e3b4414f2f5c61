select vault.create_secret('s3cret', 'api_key');
