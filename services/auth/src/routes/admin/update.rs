//! `PUT /admin/users/{id}`.

use super::{Account, answer, id_of, not_found};
use crate::Auth;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::password::check_strength;
use crate::store::{one_time_tokens, sessions, users};
use crate::user::{Identity, merge};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Changes what the body mentions. A new password ends all sessions.
pub async fn update_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let id = id_of(&ask)?;
    let mut body: Account = ask.json()?;
    let (email, phone, role) = (body.email()?, body.phone()?, body.role()?);
    let now = auth.now();
    let banned_until = body.banned_until(now)?;
    let brought = body.brought_hash()?;
    let hash = match body.password.take().filter(|password| !password.is_empty()) {
        Some(password) => {
            check_strength(&password, auth.config.password_length_min)?;
            Some(auth.hash(password, ask.deadline).await?)
        }
        None => brought,
    };
    let identity_ids = [Uuid::now_v7(), Uuid::now_v7()];
    let user = auth
        .write(ask.deadline, move |tx| {
            let Some(mut user) = users::by_id(tx, id)? else {
                return Ok(Err(not_found()));
            };
            if let Some(email) = &email
                && users::email_taken(tx, email, Some(id))?
            {
                return Ok(Err(AuthError::email_exists()));
            }
            if let Some(phone) = &phone
                && users::phone_taken(tx, phone, Some(id))?
            {
                return Ok(Err(AuthError::unprocessable(
                    "phone_exists",
                    "Phone number already registered by another user",
                )));
            }
            for (provider, value, confirm, identity_id) in [
                ("email", &email, body.email_confirm, identity_ids[0]),
                ("phone", &phone, body.phone_confirm, identity_ids[1]),
            ] {
                let Some(value) = value else { continue };
                let verified = confirm == Some(true);
                match user.identity(provider) {
                    Some(identity) => {
                        identity.data.insert(provider.into(), json!(value));
                        identity
                            .data
                            .insert(format!("{provider}_verified"), json!(verified));
                        identity.updated_at = Some(now.to_string());
                    }
                    None => {
                        let identity =
                            Identity::own(identity_id, &user, provider, value, verified, now);
                        user.identities.push(identity);
                    }
                }
                if verified {
                    user.is_anonymous = false;
                }
            }
            user.email = email.clone().or(user.email);
            user.phone = phone.clone().or(user.phone);
            user.role = role.clone().unwrap_or(user.role);
            user.note_providers();
            if body.email_confirm == Some(true) && user.email.is_some() {
                user.confirm_email(now);
            }
            if body.phone_confirm == Some(true) && user.phone.is_some() {
                user.phone_confirmed_at
                    .get_or_insert_with(|| now.to_string());
            }
            merge(
                &mut user.app_metadata,
                body.app_metadata.clone().unwrap_or_default(),
            );
            merge(
                &mut user.user_metadata,
                body.user_metadata.clone().unwrap_or_default(),
            );
            if let Some(banned_until) = &banned_until {
                user.banned_until = banned_until.clone();
            }
            if let Some(hash) = &hash {
                user.password_hash = Some(hash.clone());
                sessions::end_of_user(tx, id, None)?;
                one_time_tokens::drop_all(tx, id)?;
            }
            user.updated_at = Some(now.to_string());
            users::save(tx, &user)?;
            Ok(Ok(user))
        })
        .await?;
    Ok(answer(&user.to_json()))
}
