//! `/admin/*` and `/invite`: accounts as the team's own servers manage them. Only the service role gets here.

mod create;
mod link;
mod list;
mod update;

pub use create::create_user;
pub use link::{generate_link, invite};
pub use list::list_users;
pub use update::update_user;

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::password::is_supported_hash;
use crate::store::{one_time_tokens, sessions, users};
use crate::user::User;
use crate::{Auth, address};
use axum::http::StatusCode;
use axum::response::Response;
use pando_kernel::{Role, Secret, Timestamp, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The body of a creation or update.
#[derive(Deserialize)]
struct Account {
    id: Option<String>,
    role: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
    email_confirm: Option<bool>,
    phone_confirm: Option<bool>,
    user_metadata: Option<Map<String, Value>>,
    app_metadata: Option<Map<String, Value>>,
    ban_duration: Option<String>,
}

impl Account {
    fn email(&self) -> Result<Option<String>, AuthError> {
        self.email
            .as_deref()
            .filter(|email| !email.is_empty())
            .map(address::email)
            .transpose()
    }

    fn phone(&self) -> Result<Option<String>, AuthError> {
        self.phone
            .as_deref()
            .filter(|phone| !phone.is_empty())
            .map(address::phone)
            .transpose()
    }

    /// The role its tokens will bear. One no request may take would lock the account out.
    fn role(&self) -> Result<Option<String>, AuthError> {
        match self.role.as_deref().filter(|role| !role.is_empty()) {
            Some(role) if Role::from_name(role).is_none() => Err(AuthError::validation(
                "role has to be authenticated, anon or service_role",
            )),
            role => Ok(role.map(str::to_owned)),
        }
    }

    /// A hash brought from elsewhere.
    fn brought_hash(&self) -> Result<Option<Secret<String>>, AuthError> {
        match self
            .password_hash
            .as_deref()
            .filter(|hash| !hash.is_empty())
        {
            Some(hash) if !is_supported_hash(hash) => Err(AuthError::validation(
                "password_hash has to be an Argon2 PHC string or a bcrypt hash",
            )),
            hash => Ok(hash.map(|hash| Secret::new(hash.to_owned()))),
        }
    }

    /// The end of a ban: none when not mentioned, the inner none when it is lifted.
    fn banned_until(&self, now: Timestamp) -> Result<Option<Option<String>>, AuthError> {
        match self.ban_duration.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some("none") => Ok(Some(None)),
            Some(text) => {
                let seconds = seconds_of(text).ok_or_else(|| {
                    AuthError::validation(
                        "invalid format for ban duration: write 300s, 90m or 24h30m, or none",
                    )
                })?;
                Ok(Some(Some(now.plus_seconds(seconds).to_string())))
            }
        }
    }
}

/// A duration such as `24h`, `1h30m` or `1.5h`, in seconds, at most a thousand years.
fn seconds_of(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let number: f64 = rest[..number_end].parse().ok()?;
        rest = &rest[number_end..];
        let unit_end = rest
            .find(|char: char| char.is_ascii_digit())
            .unwrap_or(rest.len());
        total += number
            * match &rest[..unit_end] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (!text.is_empty() && total <= 31_557_600_000.0).then_some(total as i64)
}

fn not_found() -> AuthError {
    AuthError::new(StatusCode::NOT_FOUND, "user_not_found", "User not found")
}

/// The id in the path.
fn id_of(ask: &Ask) -> Result<UserId, AuthError> {
    ask.last_segment().parse().map_err(|_| {
        AuthError::new(
            StatusCode::NOT_FOUND,
            "validation_failed",
            "user_id must be an UUID",
        )
    })
}

/// `GET /admin/users/{id}`.
pub async fn get_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let id = id_of(&ask)?;
    let user = auth
        .read(ask.deadline, move |tx| {
            Ok(users::by_id(tx, id)?.ok_or_else(not_found))
        })
        .await?;
    Ok(answer(&user.to_json()))
}

/// The body of a deletion.
#[derive(Deserialize)]
struct Deletion {
    should_soft_delete: Option<bool>,
}

/// `DELETE /admin/users/{id}`: with all that hangs on it, or softly: the row stays for those that refer to it, and
/// nothing about the person does.
pub async fn delete_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let id = id_of(&ask)?;
    let softly = ask.json::<Deletion>()?.should_soft_delete.unwrap_or(false);
    let now = auth.now();
    auth.write(ask.deadline, move |tx| {
        let Some(user) = users::by_id(tx, id)? else {
            return Ok(Err(not_found()));
        };
        if !softly {
            users::delete(tx, id)?;
            return Ok(Ok(()));
        }
        if user.deleted_at.is_some() {
            return Ok(Ok(()));
        }
        let mut blank = User::new(id, now);
        blank.created_at = user.created_at;
        blank.role = user.role;
        blank.deleted_at = Some(now.to_string());
        users::save(tx, &blank)?;
        crate::store::identities::drop_all(tx, id)?;
        sessions::end_of_user(tx, id, None)?;
        one_time_tokens::drop_all(tx, id)?;
        Ok(Ok(()))
    })
    .await?;
    Ok(answer(&json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_their_units_say() {
        for (text, seconds) in [
            ("24h", Some(86_400)),
            ("1h30m", Some(5_400)),
            ("1.5h", Some(5_400)),
            ("300s", Some(300)),
            ("1500ms", Some(1)),
            ("", None),
            ("h", None),
            ("12", None),
            ("-1h", None),
            ("1d", None),
            ("99999999999h", None),
            ("1..5h", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text:?}");
        }
    }
}
