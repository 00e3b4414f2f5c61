alter role anon set statement_timeout = '1s';
