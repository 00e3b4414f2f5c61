//! `POST /recover`: a link to choose a new password.

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::gate::pass_all;
use crate::mail::template::Occasion;
use crate::mailing::Challenge;
use crate::store::one_time_tokens::Kind;
use crate::store::users;
use crate::{Auth, address, settle};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The body.
#[derive(Deserialize)]
struct Recover {
    email: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Mails a link, if the address is an account's; the answer is the same if not.
pub async fn recover(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Recover = ask.json()?;
    let email = body.email.filter(|email| !email.is_empty());
    let email =
        email.ok_or_else(|| AuthError::validation("Password recovery requires an email"))?;
    let email = address::email(&email)?;
    let challenge = Challenge::read(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let place = auth.mailer.reserve()?;
    let gates = auth.mail_gates(&ask, "recovery", &email);
    let now = auth.now();
    let mailing = auth.mailing(&email, challenge);
    let put = mailing.clone();
    let user = auth
        .write(ask.deadline, move |tx| {
            settle!(pass_all(tx, &gates)?);
            let Some(mut user) = users::by_email(tx, &email)? else {
                return Ok(Ok(None));
            };
            put.put(tx, user.id, Kind::Recovery, now)?;
            user.recovery_sent_at = Some(now.to_string());
            users::save(tx, &user)?;
            Ok(Ok(Some(user)))
        })
        .await?;
    if let Some(user) = user {
        let redirect_to = auth.allow.choose(ask.query("redirect_to"));
        place.fill(auth.letter(Occasion::Recovery, &user, &mailing, redirect_to));
    }
    Ok(answer(&json!({})))
}
