//! The change of an address, from the wish to the proof.

use crate::Settled;
use crate::error::AuthError;
use crate::store::one_time_tokens::{self, Kind};
use crate::store::users;
use crate::user::{Identity, User};
use pando_db::Tx;
use pando_kernel::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// Makes the wanted address the account's, proven. An anonymous account becomes a permanent one by it. The caller saves.
pub fn finish(tx: &Tx<'_>, user: &mut User, identity_id: Uuid, now: Timestamp) -> Settled<()> {
    let Some(email) = user.email_change.take() else {
        return Ok(Err(AuthError::otp_expired()));
    };
    if users::email_taken(tx, &email, Some(user.id))? {
        return Ok(Err(AuthError::email_exists()));
    }
    let moment = now.to_string();
    match user.identity("email") {
        Some(identity) => {
            identity
                .data
                .insert("email".into(), Value::String(email.clone()));
            identity
                .data
                .insert("email_verified".into(), Value::Bool(true));
            identity.updated_at = Some(moment.clone());
        }
        None => {
            let identity = Identity::own(identity_id, user, "email", &email, true, now);
            user.identities.push(identity);
        }
    }
    user.email = Some(email);
    user.email_confirmed_at = Some(moment.clone());
    user.updated_at = Some(moment);
    user.email_change_half_done = false;
    user.is_anonymous = false;
    user.note_providers();
    one_time_tokens::drop_kind(tx, user.id, Kind::EmailChangeNew)?;
    one_time_tokens::drop_kind(tx, user.id, Kind::EmailChangeCurrent)?;
    Ok(Ok(()))
}
