//! `POST /admin/users`.

use super::{Account, answer};
use crate::ask::Ask;
use crate::error::AuthError;
use crate::password::check_strength;
use crate::store::users;
use crate::user::{Identity, User, merge};
use crate::{Auth, Settled};
use axum::response::Response;
use pando_kernel::UserId;
use std::sync::Arc;
use uuid::Uuid;

/// Makes an account, confirmed or not, with a password, a hash brought from elsewhere, or neither.
pub async fn create_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let mut body: Account = ask.json()?;
    let (email, phone, role) = (body.email()?, body.phone()?, body.role()?);
    if email.is_none() && phone.is_none() {
        return Err(AuthError::validation(
            "Cannot create a user without either an email or phone",
        ));
    }
    let password = body.password.take().filter(|password| !password.is_empty());
    let brought = body.brought_hash()?;
    let hash = match (password, brought) {
        (Some(_), Some(_)) => {
            return Err(AuthError::validation(
                "Only a password or a password hash should be provided",
            ));
        }
        (Some(password), None) => {
            check_strength(&password, auth.config.password_length_min)?;
            Some(auth.hash(password, ask.deadline).await?)
        }
        (None, brought) => brought,
    };
    let id = match body.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => id.parse().ok().filter(|id: &UserId| !id.0.is_nil()),
        None => Some(UserId::generate()),
    };
    let id = id.ok_or_else(|| AuthError::validation("ID must conform to the uuid v4 format"))?;
    let now = auth.now();

    let mut user = User::new(id, now);
    user.role = role.unwrap_or(user.role);
    user.email = email.clone();
    user.phone = phone.clone();
    user.password_hash = hash;
    user.user_metadata = body.user_metadata.take().unwrap_or_default();
    if let Some(email) = &email {
        user.identities.push(Identity::own(
            Uuid::now_v7(),
            &user,
            "email",
            email,
            false,
            now,
        ));
    }
    if let Some(phone) = &phone {
        let verified = body.phone_confirm == Some(true);
        user.identities.push(Identity::own(
            Uuid::now_v7(),
            &user,
            "phone",
            phone,
            verified,
            now,
        ));
        user.phone_confirmed_at = verified.then(|| now.to_string());
    }
    user.note_providers();
    merge(
        &mut user.app_metadata,
        body.app_metadata.take().unwrap_or_default(),
    );
    if body.email_confirm == Some(true) && email.is_some() {
        user.confirm_email(now);
    }
    user.banned_until = body.banned_until(now)?.flatten();
    let user = auth
        .write(ask.deadline, move |tx| insert(tx, &user))
        .await
        .map_err(|error| error.saving("Database error creating new user"))?;
    Ok(answer(&user.to_json()))
}

/// Writes a new account unless its address, number or id is taken.
pub fn insert(tx: &pando_db::Tx<'_>, user: &User) -> Settled<User> {
    if let Some(email) = &user.email
        && users::email_taken(tx, email, None)?
    {
        return Ok(Err(AuthError::email_exists()));
    }
    if let Some(phone) = &user.phone
        && users::phone_taken(tx, phone, None)?
    {
        return Ok(Err(AuthError::unprocessable(
            "phone_exists",
            "Phone number already registered by another user",
        )));
    }
    if users::by_id(tx, user.id)?.is_some() {
        return Ok(Err(AuthError::unprocessable(
            "user_already_exists",
            "A user with this id already exists",
        )));
    }
    users::insert(tx, user)?;
    Ok(Ok(user.clone()))
}
