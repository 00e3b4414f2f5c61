//! `auth.one_time_tokens`: what a mail carries, once as a link and once as six digits.

use pando_db::{Row, Tx};
use pando_kernel::{Timestamp, UserId};
use pando_sql::{SqlError, Value};
use uuid::Uuid;

/// What a token proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new account's address.
    Confirmation,
    /// The address of an account whose password is lost, or who signs in by mail.
    Recovery,
    /// The address an account moves to.
    EmailChangeNew,
    /// The address an account moves from.
    EmailChangeCurrent,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Confirmation => "confirmation_token",
            Kind::Recovery => "recovery_token",
            Kind::EmailChangeNew => "email_change_token_new",
            Kind::EmailChangeCurrent => "email_change_token_current",
        }
    }

    fn from_name(name: &str) -> Result<Kind, SqlError> {
        [
            Kind::Confirmation,
            Kind::Recovery,
            Kind::EmailChangeNew,
            Kind::EmailChangeCurrent,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| SqlError::new("XX001", "a stored token is of no known kind"))
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct OneTimeToken {
    /// The row.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// What it proves.
    pub kind: Kind,
    /// The hash of the link's token.
    pub token_hash: String,
    /// The keyed hash of the digits.
    pub otp_hash: String,
    /// The address it was mailed to.
    pub relates_to: String,
    /// Wrong digits so far.
    pub attempts: i64,
    /// The app's challenge and its method (RFC 7636), if the app wants a code instead of tokens.
    pub challenge: Option<(String, String)>,
    /// When it was mailed.
    pub created_at: String,
}

const COLUMNS: &str = "id, user_id, token_type, token_hash, otp_hash, relates_to, attempts, code_challenge, code_challenge_method, created_at";

fn read(row: &Row) -> Result<OneTimeToken, SqlError> {
    let corrupt = |_| SqlError::new("XX001", "a stored token's id is not a uuid");
    let (id, user_id, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(OneTimeToken {
        id: Uuid::parse_str(&id).map_err(corrupt)?,
        user_id: user_id.parse().map_err(corrupt)?,
        kind: Kind::from_name(&kind)?,
        token_hash: row.get(3)?,
        otp_hash: row.get(4)?,
        relates_to: row.get(5)?,
        attempts: row.get(6)?,
        challenge: row
            .get::<Option<String>>(7)?
            .zip(row.get::<Option<String>>(8)?),
        created_at: row.get(9)?,
    })
}

/// Puts a token in the place of the one of its kind that the account had.
pub fn put(tx: &Tx<'_>, token: &OneTimeToken) -> Result<(), SqlError> {
    drop_kind(tx, token.user_id, token.kind)?;
    let (challenge, method) = token.challenge.clone().unzip();
    let values: [Value; 9] = [
        token.id.to_string().into(),
        token.user_id.to_string().into(),
        token.kind.name().into(),
        token.token_hash.clone().into(),
        token.otp_hash.clone().into(),
        token.relates_to.clone().into(),
        challenge.into(),
        method.into(),
        token.created_at.clone().into(),
    ];
    tx.execute(
        "insert into \"auth.one_time_tokens\" (id, user_id, token_type, token_hash, otp_hash, relates_to, attempts, \
         code_challenge, code_challenge_method, created_at) values (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9)",
        &values,
    )?;
    Ok(())
}

/// The token behind a link.
pub fn by_hash(tx: &Tx<'_>, hash: &str) -> Result<Option<OneTimeToken>, SqlError> {
    let sql = format!("select {COLUMNS} from \"auth.one_time_tokens\" where token_hash = ?1");
    tx.query_one(&sql, &[hash.into()])?
        .as_ref()
        .map(read)
        .transpose()
}

/// The live tokens mailed to an address.
pub fn mailed_to(
    tx: &Tx<'_>,
    address: &str,
    since: Timestamp,
) -> Result<Vec<OneTimeToken>, SqlError> {
    let sql = format!(
        "select {COLUMNS} from \"auth.one_time_tokens\" where relates_to = ?1 and created_at > ?2"
    );
    tx.query(&sql, &[address.into(), since.to_string().into()])?
        .iter()
        .map(read)
        .collect()
}

/// Counts wrong digits against a token, and drops it when there were too many.
pub fn count_wrong(tx: &Tx<'_>, token: &OneTimeToken, attempts_max: i64) -> Result<(), SqlError> {
    let sql = if token.attempts + 1 >= attempts_max {
        "delete from \"auth.one_time_tokens\" where id = ?1"
    } else {
        "update \"auth.one_time_tokens\" set attempts = attempts + 1 where id = ?1"
    };
    tx.execute(sql, &[token.id.to_string().into()])?;
    Ok(())
}

/// Drops the account's token of a kind.
pub fn drop_kind(tx: &Tx<'_>, user: UserId, kind: Kind) -> Result<(), SqlError> {
    tx.execute(
        "delete from \"auth.one_time_tokens\" where user_id = ?1 and token_type = ?2",
        &[user.to_string().into(), kind.name().into()],
    )?;
    Ok(())
}

/// Drops all tokens of an account.
pub fn drop_all(tx: &Tx<'_>, user: UserId) -> Result<(), SqlError> {
    tx.execute(
        "delete from \"auth.one_time_tokens\" where user_id = ?1",
        &[user.to_string().into()],
    )?;
    Ok(())
}
