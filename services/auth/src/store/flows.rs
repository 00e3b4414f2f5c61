//! `auth.flow_state`: confirmed links whose app has yet to prove that it is the one that asked.

use pando_db::Tx;
use pando_kernel::{Timestamp, UserId};
use pando_sql::{SqlError, Value};
use uuid::Uuid;

/// A row.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The row.
    pub id: Uuid,
    /// Who will be signed in.
    pub user_id: UserId,
    /// The hash of the code in the redirect.
    pub code_hash: String,
    /// The app's challenge.
    pub challenge: String,
    /// `s256` or `plain`.
    pub challenge_method: String,
    /// What the link was for; the session's method.
    pub method: String,
    /// When the link was followed.
    pub created_at: String,
}

/// Writes a flow, and forgets those older than `before`.
pub fn insert(tx: &Tx<'_>, flow: &Flow, before: Timestamp) -> Result<(), SqlError> {
    let stale = "delete from \"auth.flow_state\" where id in \
                 (select id from \"auth.flow_state\" where created_at < ?1 order by created_at limit 4)";
    tx.execute(stale, &[before.to_string().into()])?;
    let values: [Value; 7] = [
        flow.id.to_string().into(),
        flow.user_id.to_string().into(),
        flow.code_hash.clone().into(),
        flow.challenge.clone().into(),
        flow.challenge_method.clone().into(),
        flow.method.clone().into(),
        flow.created_at.clone().into(),
    ];
    tx.execute(
        "insert into \"auth.flow_state\" (id, user_id, auth_code_hash, code_challenge, code_challenge_method, \
         authentication_method, created_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &values,
    )?;
    Ok(())
}

/// The flow behind a code.
pub fn by_code_hash(tx: &Tx<'_>, hash: &str) -> Result<Option<Flow>, SqlError> {
    let sql = "select id, user_id, code_challenge, code_challenge_method, authentication_method, created_at \
               from \"auth.flow_state\" where auth_code_hash = ?1";
    let Some(row) = tx.query_one(sql, &[hash.into()])? else {
        return Ok(None);
    };
    let corrupt = |_| SqlError::new("XX001", "a stored flow's id is not a uuid");
    let (id, user_id): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(Some(Flow {
        id: Uuid::parse_str(&id).map_err(corrupt)?,
        user_id: user_id.parse().map_err(corrupt)?,
        code_hash: hash.to_owned(),
        challenge: row.get(2)?,
        challenge_method: row.get(3)?,
        method: row.get(4)?,
        created_at: row.get(5)?,
    }))
}

/// Forgets a flow: a code works once.
pub fn delete(tx: &Tx<'_>, id: Uuid) -> Result<(), SqlError> {
    tx.execute(
        "delete from \"auth.flow_state\" where id = ?1",
        &[id.to_string().into()],
    )?;
    Ok(())
}
