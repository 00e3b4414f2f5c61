//! All SQL of this crate: one table, a row for each key, its private part sealed.

use pando_db::{Db, DbError, Migration};
use pando_sql::Value;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// A key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    pub id: String,
    pub kind: String,
    /// Base64, see `seal`.
    pub sealed: String,
    /// When it was made, seconds since the Unix epoch.
    pub made_s: i64,
}

impl StoredKey {
    /// What its sealed part is bound to.
    pub fn seal_name(&self) -> String {
        format!("{}:{}", self.kind, self.id)
    }
}

/// The table, in the schema `pando`.
pub fn migrations() -> &'static [Migration] {
    static MIGRATIONS: [Migration; 1] = [Migration {
        version: Cow::Borrowed("0001"),
        name: Cow::Borrowed("keys"),
        file: Cow::Borrowed("foundation/keys/0001_keys.sql"),
        sql: Cow::Borrowed(
            "create schema if not exists pando;
create table pando.keys (
  id text primary key,
  kind text not null unique check (kind in ('es256', 'hs256', 'publishable', 'secret')),
  sealed text not null,
  made_s bigint not null
);",
        ),
    }];
    &MIGRATIONS
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Every key.
pub async fn read_all(db: &Db) -> Result<Vec<StoredKey>, DbError> {
    db.read(deadline(), |tx| {
        let rows = tx.query("select id, kind, sealed, made_s from \"pando.keys\"", &[])?;
        rows.iter()
            .map(|row| {
                Ok(StoredKey {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    sealed: row.get(2)?,
                    made_s: row.get(3)?,
                })
            })
            .collect()
    })
    .await
}

/// Inserts those whose kind is not there yet. Another process may be first; its keys stay.
pub async fn insert_missing(db: &Db, keys: Vec<StoredKey>) -> Result<(), DbError> {
    db.write(deadline(), move |tx| {
        for key in &keys {
            let row = [
                Value::text(key.id.as_str()),
                Value::text(key.kind.as_str()),
                Value::text(key.sealed.as_str()),
                Value::Int(key.made_s),
            ];
            tx.execute(
                "insert into \"pando.keys\" (id, kind, sealed, made_s) values (?1, ?2, ?3, ?4) on conflict (kind) do nothing",
                &row,
            )?;
        }
        Ok(())
    })
    .await
}
