//! `/user`: the account of who asks.

use super::answer;
use crate::ask::Ask;
use crate::email_change;
use crate::error::AuthError;
use crate::gate::{Gate, pass_all};
use crate::mail::Place;
use crate::mail::template::Occasion;
use crate::mailing::{Challenge, Mailing};
use crate::password::{Verdict, check_strength};
use crate::session::Subject;
use crate::store::one_time_tokens::{self, Kind};
use crate::store::{sessions, users};
use crate::user::{Identity, User, merge};
use crate::{Auth, Settled, address, settle};
use axum::response::Response;
use pando_db::Tx;
use pando_kernel::{Secret, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

/// The body of `PUT /user`.
#[derive(Deserialize)]
struct Update {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    app_metadata: Option<Value>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Everything an update needs inside its write.
struct Changes {
    subject: Subject,
    password_hash: Option<Secret<String>>,
    data: Option<Map<String, Value>>,
    email: Option<EmailChange>,
    identity_id: Uuid,
    now: Timestamp,
}

/// A wanted address, and the tokens that will prove it.
struct EmailChange {
    email: String,
    gates: Vec<Gate>,
    to_new: Mailing,
    to_current: Option<Mailing>,
    /// An account without any credential takes its first address at once, as a sign-up would.
    at_once_if_anonymous: bool,
}

/// `GET /user`.
pub async fn get_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let subject = Subject::of(&ask)?;
    let now = auth.now();
    let user = auth
        .read(ask.deadline, move |tx| subject.load(tx, now))
        .await?;
    Ok(answer(&user.to_json()))
}

/// `PUT /user`: a new password, a new address, more data.
pub async fn update_user(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let subject = Subject::of(&ask)?;
    let body: Update = ask.json()?;
    let wanted_email = match body.email.as_deref() {
        Some(email) if !email.is_empty() => Some(address::email(email)?),
        _ => None,
    };
    let password = body.password.filter(|password| !password.is_empty());
    if let Some(password) = &password {
        check_strength(password, auth.config.password_length_min)?;
    }
    let challenge = Challenge::read(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    if body.app_metadata.is_some_and(|value| !value.is_null()) {
        return Err(AuthError::forbidden(
            "not_admin",
            "Updating app_metadata requires admin privileges",
        ));
    }
    let now = auth.now();
    let user = auth
        .read(ask.deadline, move |tx| subject.load(tx, now))
        .await?;
    if body.phone.is_some_and(|phone| {
        !phone.is_empty() && Some(phone.trim_start_matches('+')) != user.phone.as_deref()
    }) {
        return Err(AuthError::bad_request(
            "phone_provider_disabled",
            "Phone signups are disabled",
        ));
    }
    let wanted_email = wanted_email.filter(|email| Some(email) != user.email.as_ref());
    if user.is_anonymous
        && password.is_some()
        && wanted_email.is_none()
        && user.email_change.is_none()
    {
        return Err(AuthError::unprocessable(
            "validation_failed",
            "Updating password of an anonymous user without an email or phone is not allowed",
        ));
    }
    let password_hash = match password {
        Some(password) => Some(auth.hash_if_new(password, &user, &ask).await?),
        None => None,
    };

    let email = wanted_email.map(|email| {
        let secure = auth.config.secure_email_change;
        EmailChange {
            gates: auth.mail_gates(&ask, "email_change", &user.id.to_string()),
            to_new: auth.mailing(&email, challenge.clone()),
            to_current: user
                .email
                .as_ref()
                .filter(|_| secure)
                .map(|current| auth.mailing(current, challenge)),
            at_once_if_anonymous: auth.config.autoconfirms(),
            email,
        }
    });
    let mut places: Vec<(Place, Mailing)> = Vec::new();
    if let Some(change) = &email {
        places.push((auth.mailer.reserve()?, change.to_new.clone()));
        if let Some(current) = &change.to_current {
            places.push((auth.mailer.reserve()?, current.clone()));
        }
    }
    let changes = Changes {
        subject,
        password_hash,
        data: body.data,
        email,
        identity_id: Uuid::now_v7(),
        now,
    };
    let (user, mailed) = auth
        .write(ask.deadline, move |tx| changes.apply(tx))
        .await?;
    if mailed {
        let redirect_to = auth.allow.choose(ask.query("redirect_to"));
        for (place, mailing) in places {
            place.fill(auth.letter(Occasion::EmailChange, &user, &mailing, redirect_to));
        }
    }
    Ok(answer(&user.to_json()))
}

impl Auth {
    /// Hashes a password that must differ from the account's present one.
    async fn hash_if_new(
        &self,
        password: String,
        user: &User,
        ask: &Ask,
    ) -> Result<Secret<String>, AuthError> {
        if let Some(present) = &user.password_hash {
            let verdict = self
                .hasher
                .verify(
                    Secret::new(password.clone()),
                    Some(present.clone()),
                    ask.deadline,
                )
                .await?;
            if verdict != Verdict::Wrong {
                return Err(AuthError::unprocessable(
                    "same_password",
                    "New password should be different from the old password.",
                ));
            }
        }
        self.hash(password, ask.deadline).await
    }
}

impl Changes {
    /// The changed account, and whether mails are due.
    fn apply(&self, tx: &Tx<'_>) -> Settled<(User, bool)> {
        let mut user = settle!(self.subject.load(tx, self.now)?);
        // All refusals first: what follows is committed.
        if let Some(change) = &self.email {
            if users::email_taken(tx, &change.email, Some(user.id))? {
                return Ok(Err(AuthError::email_exists()));
            }
            if !(change.at_once_if_anonymous && user.is_anonymous) {
                settle!(pass_all(tx, &change.gates)?);
            }
        }
        let mut mailed = false;
        if let Some(change) = &self.email {
            user.email_change = Some(change.email.clone());
            if change.at_once_if_anonymous && user.is_anonymous {
                settle!(email_change::finish(
                    tx,
                    &mut user,
                    self.identity_id,
                    self.now
                )?);
            } else {
                one_time_tokens::drop_kind(tx, user.id, Kind::EmailChangeCurrent)?;
                change
                    .to_new
                    .put(tx, user.id, Kind::EmailChangeNew, self.now)?;
                if let Some(current) = &change.to_current {
                    current.put(tx, user.id, Kind::EmailChangeCurrent, self.now)?;
                }
                user.email_change_sent_at = Some(self.now.to_string());
                user.email_change_half_done = false;
                mailed = true;
            }
        }
        if let Some(hash) = &self.password_hash {
            user.password_hash = Some(hash.clone());
            if let Some(email) = user
                .email
                .clone()
                .filter(|_| user.identity("email").is_none())
            {
                let verified = user.is_confirmed();
                user.identities.push(Identity::own(
                    self.identity_id,
                    &user,
                    "email",
                    &email,
                    verified,
                    self.now,
                ));
                user.note_providers();
            }
            // Who knew the old password, or holds an old link, is out.
            sessions::end_of_user(tx, user.id, self.subject.session_id)?;
            one_time_tokens::drop_kind(tx, user.id, Kind::Recovery)?;
        }
        if let Some(data) = &self.data {
            merge(&mut user.user_metadata, data.clone());
        }
        user.updated_at = Some(self.now.to_string());
        users::save(tx, &user)?;
        Ok(Ok((user, mailed)))
    }
}
