select cron.schedule('nightly', '0 3 * * *', 'delete from places');
