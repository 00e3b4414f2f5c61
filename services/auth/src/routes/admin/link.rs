//! `POST /admin/generate_link` and `POST /invite`: mailed tokens made by the team's own servers.

use super::{answer, not_found};
use crate::ask::Ask;
use crate::error::AuthError;
use crate::mail::template::Occasion;
use crate::mailing::Mailing;
use crate::password::check_strength;
use crate::store::one_time_tokens::Kind;
use crate::store::users;
use crate::user::{Identity, User, merge};
use crate::{Auth, Settled, address};
use axum::response::Response;
use pando_db::Tx;
use pando_kernel::{Secret, Timestamp, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The body of both.
#[derive(Deserialize)]
struct Link {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    new_email: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    redirect_to: Option<String>,
}

/// Everything a link needs inside its write.
struct Making {
    occasion: Occasion,
    kind: Kind,
    /// Whether an account is made when there is none.
    creates: bool,
    email: String,
    new_email: Option<String>,
    mailing: Mailing,
    password_hash: Option<Secret<String>>,
    data: Map<String, Value>,
    user_id: UserId,
    identity_id: Uuid,
    now: Timestamp,
}

impl Making {
    fn run(&self, tx: &Tx<'_>) -> Settled<User> {
        let now = self.now;
        let mut user = match users::by_email(tx, &self.email)? {
            Some(user) => user,
            None if !self.creates => return Ok(Err(not_found())),
            None => {
                let mut user = User::new(self.user_id, now);
                user.email = Some(self.email.clone());
                user.password_hash = self.password_hash.clone();
                user.user_metadata = self.data.clone();
                user.identities.push(Identity::own(
                    self.identity_id,
                    &user,
                    "email",
                    &self.email,
                    false,
                    now,
                ));
                user.note_providers();
                users::insert(tx, &user)?;
                user
            }
        };
        if self.kind == Kind::Confirmation && user.is_confirmed() {
            return Ok(Err(AuthError::email_exists()));
        }
        if let Some(new_email) = &self.new_email {
            if users::email_taken(tx, new_email, Some(user.id))? {
                return Ok(Err(AuthError::email_exists()));
            }
            user.email_change = Some(new_email.clone());
            user.email_change_sent_at = Some(now.to_string());
            user.email_change_half_done = false;
        }
        let moment = Some(now.to_string());
        match self.occasion {
            Occasion::Invite => {
                user.invited_at = moment.clone();
                user.confirmation_sent_at = moment;
            }
            Occasion::Signup => {
                user.confirmation_sent_at = moment;
                merge(&mut user.user_metadata, self.data.clone());
            }
            Occasion::Recovery | Occasion::MagicLink => user.recovery_sent_at = moment,
            Occasion::EmailChange => {}
        }
        self.mailing.put(tx, user.id, self.kind, now)?;
        users::save(tx, &user)?;
        Ok(Ok(user))
    }
}

/// `POST /admin/generate_link`: a link and digits, given to the caller instead of mailed.
pub async fn generate_link(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Link = ask.json()?;
    let email = address::email(body.email.as_deref().unwrap_or_default())?;
    let wanted = body.kind.unwrap_or_default();
    let (occasion, kind, creates) = match wanted.as_str() {
        "signup" => (Occasion::Signup, Kind::Confirmation, true),
        "invite" => (Occasion::Invite, Kind::Confirmation, true),
        "magiclink" => (Occasion::MagicLink, Kind::Recovery, true),
        "recovery" => (Occasion::Recovery, Kind::Recovery, false),
        "email_change_current" => (Occasion::EmailChange, Kind::EmailChangeCurrent, false),
        "email_change_new" => (Occasion::EmailChange, Kind::EmailChangeNew, false),
        other => {
            let message = format!("Invalid email action link type requested: {other}");
            return Err(AuthError::validation(message));
        }
    };
    let new_email = match occasion {
        Occasion::EmailChange => Some(address::email(
            body.new_email.as_deref().unwrap_or_default(),
        )?),
        _ => None,
    };
    let password_hash = match body.password.filter(|password| !password.is_empty()) {
        Some(password) => {
            check_strength(&password, auth.config.password_length_min)?;
            Some(auth.hash(password, ask.deadline).await?)
        }
        None if occasion == Occasion::Signup => {
            return Err(AuthError::validation("Signup requires a valid password"));
        }
        None => None,
    };
    let target = if kind == Kind::EmailChangeNew {
        new_email.as_deref().unwrap_or(&email)
    } else {
        &email
    };
    let mailing = auth.mailing(target, None);
    let making = Making {
        occasion,
        kind,
        creates,
        mailing: mailing.clone(),
        new_email,
        email,
        password_hash,
        data: body.data.unwrap_or_default(),
        user_id: UserId::generate(),
        identity_id: Uuid::now_v7(),
        now: auth.now(),
    };
    let user = auth
        .write(ask.deadline, move |tx| making.run(tx))
        .await
        .map_err(|error| error.saving("Database error saving new user"))?;
    let redirect_to = auth.allow.choose(
        body.redirect_to
            .as_deref()
            .or_else(|| ask.query("redirect_to")),
    );
    let mut link = user.to_json();
    link["action_link"] = json!(auth.link(occasion, &mailing.token, redirect_to));
    link["email_otp"] = json!(mailing.digits.expose());
    link["hashed_token"] = json!(mailing.token.expose());
    link["verification_type"] = json!(wanted);
    link["redirect_to"] = json!(redirect_to);
    Ok(answer(&link))
}

/// `POST /invite`: makes an account and mails its link.
pub async fn invite(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Link = ask.json()?;
    let email = address::email(body.email.as_deref().unwrap_or_default())?;
    let place = auth.mailer.reserve()?;
    let mailing = auth.mailing(&email, None);
    let making = Making {
        occasion: Occasion::Invite,
        kind: Kind::Confirmation,
        creates: true,
        mailing: mailing.clone(),
        new_email: None,
        email,
        password_hash: None,
        data: body.data.unwrap_or_default(),
        user_id: UserId::generate(),
        identity_id: Uuid::now_v7(),
        now: auth.now(),
    };
    let user = auth
        .write(ask.deadline, move |tx| making.run(tx))
        .await
        .map_err(|error| error.saving("Database error saving new user"))?;
    let redirect_to = auth.allow.choose(ask.query("redirect_to"));
    place.fill(auth.letter(Occasion::Invite, &user, &mailing, redirect_to));
    Ok(answer(&user.to_json()))
}
