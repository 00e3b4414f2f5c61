//! `auth.sessions` and the chain of refresh tokens of each.

use super::jsonb_text;
use crate::token::hash_of;
use pando_db::Tx;
use pando_kernel::{Secret, SessionId, Timestamp, UserId};
use pando_sql::{SqlError, Value};

/// How long a session whose token was stolen is remembered, seconds.
const REVOKED_KEPT_SECONDS: i64 = 30 * 86_400;
/// How long a used refresh token is remembered, seconds. Used again within it, the whole session ends.
const USED_KEPT_SECONDS: i64 = 90 * 86_400;

/// A row of `auth.sessions`.
#[derive(Clone, Debug)]
pub struct Session {
    /// `session_id` of its tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Assurance level; `aal` of its tokens.
    pub aal: String,
    /// How the user signed in, a JSON array of method and moment; `amr` of its tokens.
    pub amr: String,
    /// A refresh token of it was stolen: it is dead.
    pub revoked: bool,
}

/// A row of `auth.refresh_tokens`.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The hash of the token.
    pub hash: String,
    /// Its session.
    pub session_id: SessionId,
    /// The hash of the token it replaced.
    pub parent: Option<String>,
    /// It was used.
    pub revoked: bool,
    /// When it was first used, once it was.
    pub updated_at: String,
}

/// What a new session is made of.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its first refresh token.
    pub refresh_token: Secret<String>,
    /// How the user signed in: `password`, `otp`, `anonymous`, ..
    pub method: std::borrow::Cow<'static, str>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Where it came from.
    pub ip: String,
}

/// Starts a session and forgets those of the account that were stolen long ago.
pub fn start(
    tx: &Tx<'_>,
    user: UserId,
    new: &NewSession,
    now: Timestamp,
) -> Result<Session, SqlError> {
    let moment = now.to_string();
    tx.execute(
        "delete from \"auth.sessions\" where user_id = ?1 and revoked_at < ?2",
        &[
            user.to_string().into(),
            now.plus_seconds(-REVOKED_KEPT_SECONDS).to_string().into(),
        ],
    )?;
    let amr = format!(
        "[{{\"method\":\"{}\",\"timestamp\":{}}}]",
        new.method,
        now.seconds()
    );
    let values: [Value; 6] = [
        new.id.to_string().into(),
        user.to_string().into(),
        moment.clone().into(),
        jsonb_text(&amr)?,
        new.user_agent.clone().into(),
        new.ip.clone().into(),
    ];
    tx.execute(
        "insert into \"auth.sessions\" (id, user_id, created_at, updated_at, aal, amr, user_agent, ip) \
         values (?1, ?2, ?3, ?3, 'aal1', ?4, ?5, ?6)",
        &values,
    )?;
    add_token(tx, new.id, new.refresh_token.expose(), None, &moment)?;
    Ok(Session {
        id: new.id,
        user_id: user,
        aal: "aal1".into(),
        amr,
        revoked: false,
    })
}

/// The session with an id.
pub fn by_id(tx: &Tx<'_>, id: SessionId) -> Result<Option<Session>, SqlError> {
    let row = tx.query_one(
        "select user_id, aal, amr, revoked_at from \"auth.sessions\" where id = ?1",
        &[id.to_string().into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let user: String = row.get(0)?;
    Ok(Some(Session {
        id,
        user_id: user
            .parse()
            .map_err(|_| SqlError::new("XX001", "a stored user id is not a uuid"))?,
        aal: row.get(1)?,
        amr: row.get(2)?,
        revoked: row.get::<Option<String>>(3)?.is_some(),
    }))
}

/// Ends all sessions of an account, but for `except`.
pub fn end_of_user(tx: &Tx<'_>, user: UserId, except: Option<SessionId>) -> Result<u64, SqlError> {
    let except = except.map(|id| id.to_string()).unwrap_or_default();
    tx.execute(
        "delete from \"auth.sessions\" where user_id = ?1 and id <> ?2",
        &[user.to_string().into(), except.into()],
    )
}

/// Ends one session.
pub fn end(tx: &Tx<'_>, id: SessionId) -> Result<u64, SqlError> {
    tx.execute(
        "delete from \"auth.sessions\" where id = ?1",
        &[id.to_string().into()],
    )
}

/// Kills a session whose token was stolen: no token of it works again, and each is answered as used.
pub fn revoke(tx: &Tx<'_>, id: SessionId, now: Timestamp) -> Result<(), SqlError> {
    tx.execute(
        "update \"auth.sessions\" set revoked_at = coalesce(revoked_at, ?2), updated_at = ?2 where id = ?1",
        &[id.to_string().into(), now.to_string().into()],
    )?;
    Ok(())
}

/// The refresh token with a hash.
pub fn token(tx: &Tx<'_>, hash: &str) -> Result<Option<RefreshToken>, SqlError> {
    token_where(tx, "token_hash = ?1", hash.into())
}

/// The one token of a session that was not used yet.
pub fn active_token(tx: &Tx<'_>, session: SessionId) -> Result<Option<RefreshToken>, SqlError> {
    token_where(
        tx,
        "session_id = ?1 and revoked = 0",
        session.to_string().into(),
    )
}

fn token_where(
    tx: &Tx<'_>,
    condition: &str,
    value: Value,
) -> Result<Option<RefreshToken>, SqlError> {
    let sql = format!(
        "select token_hash, session_id, parent, revoked, updated_at from \"auth.refresh_tokens\" where {condition}"
    );
    let Some(row) = tx.query_one(&sql, &[value])? else {
        return Ok(None);
    };
    let session: String = row.get(1)?;
    Ok(Some(RefreshToken {
        hash: row.get(0)?,
        session_id: session
            .parse()
            .map_err(|_| SqlError::new("XX001", "a stored session id is not a uuid"))?,
        parent: row.get(2)?,
        revoked: row.get(3)?,
        updated_at: row.get(4)?,
    }))
}

/// Marks `used` as used and makes `next` the active token of its session.
pub fn rotate(
    tx: &Tx<'_>,
    used: &RefreshToken,
    next: &Secret<String>,
    now: Timestamp,
) -> Result<(), SqlError> {
    let moment = now.to_string();
    tx.execute(
        "update \"auth.refresh_tokens\" set revoked = 1, updated_at = ?2 where token_hash = ?1",
        &[used.hash.clone().into(), moment.clone().into()],
    )?;
    tx.execute(
        "delete from \"auth.refresh_tokens\" where session_id = ?1 and revoked = 1 and updated_at < ?2",
        &[used.session_id.to_string().into(), now.plus_seconds(-USED_KEPT_SECONDS).to_string().into()],
    )?;
    add_token(
        tx,
        used.session_id,
        next.expose(),
        Some(&used.hash),
        &moment,
    )?;
    touch(tx, used.session_id, &moment)
}

/// Notes that a session was refreshed.
pub fn touch(tx: &Tx<'_>, id: SessionId, moment: &str) -> Result<(), SqlError> {
    tx.execute(
        "update \"auth.sessions\" set refreshed_at = ?2, updated_at = ?2 where id = ?1",
        &[id.to_string().into(), moment.into()],
    )?;
    Ok(())
}

fn add_token(
    tx: &Tx<'_>,
    session: SessionId,
    token: &str,
    parent: Option<&str>,
    moment: &str,
) -> Result<(), SqlError> {
    let sql = "insert into \"auth.refresh_tokens\" (id, token_hash, session_id, parent, revoked, created_at, updated_at) \
               values (pando_nextval('auth.refresh_tokens_id_seq'), ?1, ?2, ?3, 0, ?4, ?4)";
    tx.execute(
        sql,
        &[
            hash_of(token).into(),
            session.to_string().into(),
            parent.into(),
            moment.into(),
        ],
    )?;
    Ok(())
}
