//! `auth.identities`.

use super::{jsonb, object};
use crate::user::{Identity, User};
use pando_db::Tx;
use pando_kernel::UserId;
use pando_sql::{SqlError, Value};
use uuid::Uuid;

/// An account's identities, oldest first.
pub fn of_user(tx: &Tx<'_>, user: UserId) -> Result<Vec<Identity>, SqlError> {
    let rows = tx.query(
        "select id, provider_id, identity_data, provider, last_sign_in_at, created_at, updated_at \
         from \"auth.identities\" where user_id = ?1 order by created_at, id",
        &[user.to_string().into()],
    )?;
    let mut identities = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.get(0)?;
        identities.push(Identity {
            id: Uuid::parse_str(&id)
                .map_err(|_| SqlError::new("XX001", "a stored identity id is not a uuid"))?,
            provider_id: row.get(1)?,
            user_id: user,
            data: object(row.get(2)?),
            provider: row.get(3)?,
            last_sign_in_at: row.get(4)?,
            created_at: row.get(5)?,
            updated_at: row.get(6)?,
        });
    }
    Ok(identities)
}

/// Writes all identities an account holds: new ones are added, known ones updated.
pub fn save(tx: &Tx<'_>, user: &User) -> Result<(), SqlError> {
    for identity in &user.identities {
        let values: [Value; 9] = [
            identity.id.to_string().into(),
            identity.provider_id.clone().into(),
            user.id.to_string().into(),
            jsonb(&identity.data)?,
            identity.provider.clone().into(),
            identity.last_sign_in_at.clone().into(),
            identity.created_at.clone().into(),
            identity.updated_at.clone().into(),
            identity.email().map(str::to_lowercase).into(),
        ];
        tx.execute(
            "insert into \"auth.identities\" (id, provider_id, user_id, identity_data, provider, last_sign_in_at, \
             created_at, updated_at, email) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             on conflict (id) do update set provider_id = excluded.provider_id, identity_data = excluded.identity_data, \
             last_sign_in_at = excluded.last_sign_in_at, updated_at = excluded.updated_at, email = excluded.email",
            &values,
        )?;
    }
    Ok(())
}

/// Drops all identities of an account.
pub fn drop_all(tx: &Tx<'_>, user: UserId) -> Result<(), SqlError> {
    tx.execute(
        "delete from \"auth.identities\" where user_id = ?1",
        &[user.to_string().into()],
    )?;
    Ok(())
}
