//! `auth.users`, each read with its identities.

use super::{identities, jsonb, object};
use crate::user::{AUDIENCE, User};
use pando_db::{Row, Tx};
use pando_kernel::{Secret, UserId};
use pando_sql::{SqlError, Value};

/// The columns of a [`User`], in the order in which [`read`] takes them.
const COLUMNS: &str = "id, role, email, phone, encrypted_password, email_confirmed_at, phone_confirmed_at, invited_at, \
    confirmation_sent_at, recovery_sent_at, email_change, email_change_sent_at, email_change_confirm_status, \
    last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, banned_until, deleted_at, is_anonymous";

fn read(row: &Row) -> Result<User, SqlError> {
    let id: String = row.get(0)?;
    Ok(User {
        id: parse_id(&id)?,
        role: row
            .get::<Option<String>>(1)?
            .unwrap_or_else(|| "authenticated".into()),
        email: row
            .get::<Option<String>>(2)?
            .filter(|text| !text.is_empty()),
        phone: row
            .get::<Option<String>>(3)?
            .filter(|text| !text.is_empty()),
        password_hash: row
            .get::<Option<String>>(4)?
            .filter(|text| !text.is_empty())
            .map(Secret::new),
        email_confirmed_at: row.get(5)?,
        phone_confirmed_at: row.get(6)?,
        invited_at: row.get(7)?,
        confirmation_sent_at: row.get(8)?,
        recovery_sent_at: row.get(9)?,
        email_change: row
            .get::<Option<String>>(10)?
            .filter(|text| !text.is_empty()),
        email_change_sent_at: row.get(11)?,
        email_change_half_done: row.get::<Option<i64>>(12)?.unwrap_or(0) != 0,
        last_sign_in_at: row.get(13)?,
        app_metadata: object(row.get(14)?),
        user_metadata: object(row.get(15)?),
        created_at: row.get(16)?,
        updated_at: row.get(17)?,
        banned_until: row.get(18)?,
        deleted_at: row.get(19)?,
        is_anonymous: row.get::<Option<bool>>(20)?.unwrap_or(false),
        identities: Vec::new(),
    })
}

fn parse_id(text: &str) -> Result<UserId, SqlError> {
    text.parse()
        .map_err(|_| SqlError::new("XX001", "a stored user id is not a uuid"))
}

fn with_identities(tx: &Tx<'_>, row: Option<Row>) -> Result<Option<User>, SqlError> {
    let Some(row) = row else { return Ok(None) };
    let mut user = read(&row)?;
    user.identities = identities::of_user(tx, user.id)?;
    Ok(Some(user))
}

/// The account with an id.
pub fn by_id(tx: &Tx<'_>, id: UserId) -> Result<Option<User>, SqlError> {
    let sql = format!("select {COLUMNS} from \"auth.users\" where id = ?1");
    let row = tx.query_one(&sql, &[id.to_string().into()])?;
    with_identities(tx, row)
}

/// The account with an address, given in lower case.
pub fn by_email(tx: &Tx<'_>, email: &str) -> Result<Option<User>, SqlError> {
    let sql =
        format!("select {COLUMNS} from \"auth.users\" where email = ?1 and deleted_at is null");
    let row = tx.query_one(&sql, &[email.into()])?;
    with_identities(tx, row)
}

/// Whether another account than `except` has the address.
pub fn email_taken(tx: &Tx<'_>, email: &str, except: Option<UserId>) -> Result<bool, SqlError> {
    let except = except.map(|id| id.to_string()).unwrap_or_default();
    Ok(tx
        .query_one(
            "select 1 from \"auth.users\" where email = ?1 and id <> ?2",
            &[email.into(), except.into()],
        )?
        .is_some())
}

/// Whether another account than `except` has the number.
pub fn phone_taken(tx: &Tx<'_>, phone: &str, except: Option<UserId>) -> Result<bool, SqlError> {
    let except = except.map(|id| id.to_string()).unwrap_or_default();
    Ok(tx
        .query_one(
            "select 1 from \"auth.users\" where phone = ?1 and id <> ?2",
            &[phone.into(), except.into()],
        )?
        .is_some())
}

/// A page of accounts, newest first, whose address, number or name holds `filter`.
pub fn page(
    tx: &Tx<'_>,
    filter: Option<&str>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<User>, i64), SqlError> {
    // `instr` and not `like`: what was asked for is text, not a pattern.
    let holds = "(?1 is null or instr(coalesce(email, ''), ?1) > 0 or instr(coalesce(phone, ''), ?1) > 0 \
        or instr(lower(coalesce(raw_user_meta_data, '')), ?1) > 0)";
    let filter: Value = filter.map(str::to_lowercase).into();
    let total = tx
        .query_one(
            &format!("select count(*) from \"auth.users\" where {holds}"),
            std::slice::from_ref(&filter),
        )?
        .map_or(Ok(0), |row| row.get::<i64>(0))?;
    let sql = format!(
        "select {COLUMNS} from \"auth.users\" where {holds} order by created_at desc, id desc limit ?2 offset ?3"
    );
    let mut users = Vec::new();
    for row in tx.query(&sql, &[filter, limit.into(), offset.into()])? {
        let mut user = read(&row)?;
        user.identities = identities::of_user(tx, user.id)?;
        users.push(user);
    }
    Ok((users, total))
}

/// The most that an account's metadata may take as JSON, bytes: all of it is in each access token, which must fit into a header.
const METADATA_MAX: usize = 16 << 10;

fn values(user: &User) -> Result<Vec<Value>, SqlError> {
    let (of_app, of_user) = (jsonb(&user.app_metadata)?, jsonb(&user.user_metadata)?);
    let length = |value: &Value| match value {
        Value::Text(text) => text.len(),
        _ => 0,
    };
    if length(&of_app) + length(&of_user) > METADATA_MAX {
        return Err(SqlError::new(
            "54000",
            format!(
                "The metadata of a user is in every access token and may have {} KiB; keep more in a table",
                METADATA_MAX >> 10
            ),
        ));
    }
    Ok(vec![
        user.id.to_string().into(),
        user.role.clone().into(),
        user.email.clone().into(),
        user.phone.clone().into(),
        user.password_hash
            .as_ref()
            .map(|hash| hash.expose().clone())
            .into(),
        user.email_confirmed_at.clone().into(),
        user.phone_confirmed_at.clone().into(),
        user.invited_at.clone().into(),
        user.confirmation_sent_at.clone().into(),
        user.recovery_sent_at.clone().into(),
        user.email_change.clone().unwrap_or_default().into(),
        user.email_change_sent_at.clone().into(),
        i64::from(user.email_change_half_done).into(),
        user.last_sign_in_at.clone().into(),
        of_app,
        of_user,
        user.created_at.clone().into(),
        user.updated_at.clone().into(),
        user.banned_until.clone().into(),
        user.deleted_at.clone().into(),
        user.is_anonymous.into(),
        user.confirmed_at().cloned().into(),
    ])
}

/// Writes a new account and its identities.
pub fn insert(tx: &Tx<'_>, user: &User) -> Result<(), SqlError> {
    let mut values = values(user)?;
    values.push(AUDIENCE.into());
    let sql = format!(
        "insert into \"auth.users\" ({COLUMNS}, confirmed_at, aud, confirmation_token, recovery_token, \
         email_change_token_new, email_change_token_current, is_sso_user) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
         ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, '', '', '', '', 0)"
    );
    tx.execute(&sql, &values)?;
    identities::save(tx, user)
}

/// Writes an account back, with its identities.
pub fn save(tx: &Tx<'_>, user: &User) -> Result<(), SqlError> {
    tx.execute(
        "update \"auth.users\" set role = ?2, email = ?3, phone = ?4, encrypted_password = ?5, email_confirmed_at = ?6, \
         phone_confirmed_at = ?7, invited_at = ?8, confirmation_sent_at = ?9, recovery_sent_at = ?10, email_change = ?11, \
         email_change_sent_at = ?12, email_change_confirm_status = ?13, last_sign_in_at = ?14, raw_app_meta_data = ?15, \
         raw_user_meta_data = ?16, created_at = ?17, updated_at = ?18, banned_until = ?19, deleted_at = ?20, \
         is_anonymous = ?21, confirmed_at = ?22 where id = ?1",
        &values(user)?,
    )?;
    identities::save(tx, user)
}

/// Deletes an account with everything that hangs on it.
pub fn delete(tx: &Tx<'_>, id: UserId) -> Result<u64, SqlError> {
    tx.execute(
        "delete from \"auth.users\" where id = ?1",
        &[id.to_string().into()],
    )
}
