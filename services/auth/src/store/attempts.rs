//! `auth.attempts`: the limits on credential routes, exact because they live where the writes are in one line.

use crate::limit::Limit;
use pando_db::Tx;
use pando_kernel::Timestamp;
use pando_sql::SqlError;

/// Counts one event, or gives the seconds to wait. A refused event is not counted.
pub fn charge(
    tx: &Tx<'_>,
    key: &str,
    limit: Limit,
    now: Timestamp,
) -> Result<Result<(), u64>, SqlError> {
    if limit.events == 0 {
        return Ok(Ok(()));
    }
    let idle_at = idle_at(tx, key)?;
    let next = match limit.charge(idle_at, now.0) {
        Ok(next) => next,
        Err(seconds) => return Ok(Err(seconds)),
    };
    tx.execute(
        "insert into \"auth.attempts\" (key, idle_at) values (?1, ?2) on conflict (key) do update set idle_at = excluded.idle_at",
        &[key.into(), next.into()],
    )?;
    // Each event sweeps up to two idle rows, so the table holds no more than what is being limited.
    tx.execute(
        "delete from \"auth.attempts\" where key in (select key from \"auth.attempts\" where idle_at < ?1 order by idle_at limit 2)",
        &[now.0.into()],
    )?;
    Ok(Ok(()))
}

/// Takes back one event counted before.
pub fn refund(tx: &Tx<'_>, key: &str, limit: Limit) -> Result<(), SqlError> {
    if limit.events > 0 {
        tx.execute(
            "update \"auth.attempts\" set idle_at = idle_at - ?2 where key = ?1",
            &[key.into(), limit.cost().into()],
        )?;
    }
    Ok(())
}

fn idle_at(tx: &Tx<'_>, key: &str) -> Result<i64, SqlError> {
    tx.query_one(
        "select idle_at from \"auth.attempts\" where key = ?1",
        &[key.into()],
    )?
    .map_or(Ok(0), |row| row.get::<i64>(0))
}
