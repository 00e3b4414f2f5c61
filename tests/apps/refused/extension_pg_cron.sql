create extension pg_cron;
