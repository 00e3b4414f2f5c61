//! `POST /resend`: the last mail again, with new secrets.

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
struct Resend {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Mails the confirmation of a new account or of a change of address again, if one is due; the answer is the same if not.
pub async fn resend(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Resend = ask.json()?;
    let kind = match body.kind.as_deref() {
        Some("signup") => Kind::Confirmation,
        Some("email_change") => Kind::EmailChangeNew,
        Some("sms" | "phone_change") => {
            return Err(AuthError::bad_request(
                "phone_provider_disabled",
                "Phone logins are disabled",
            ));
        }
        _ => {
            let message = "Missing one of these types: signup, email_change, sms, phone_change";
            return Err(AuthError::validation(message));
        }
    };
    if body.phone.is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::validation(
            "Only an email address or phone number should be provided.",
        ));
    }
    let email = body.email.filter(|email| !email.is_empty());
    let email =
        email.ok_or_else(|| AuthError::validation("Type provided requires an email address"))?;
    let email = address::email(&email)?;
    let challenge = Challenge::read(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;

    let scope = if kind == Kind::Confirmation {
        "signup"
    } else {
        "email_change"
    };
    let gates = auth.mail_gates(&ask, scope, &email);
    let now = auth.now();
    let redirect_to = auth.allow.choose(ask.query("redirect_to")).to_owned();
    let place = auth.mailer.reserve()?;
    if kind == Kind::Confirmation {
        let mailing = auth.mailing(&email, challenge);
        let put = mailing.clone();
        let user = auth
            .write(ask.deadline, move |tx| {
                settle!(pass_all(tx, &gates)?);
                let Some(mut user) =
                    users::by_email(tx, &email)?.filter(|user| !user.is_confirmed())
                else {
                    return Ok(Ok(None));
                };
                put.put(tx, user.id, kind, now)?;
                user.confirmation_sent_at = Some(now.to_string());
                users::save(tx, &user)?;
                Ok(Ok(Some(user)))
            })
            .await?;
        if let Some(user) = user {
            place.fill(auth.letter(Occasion::Signup, &user, &mailing, &redirect_to));
        }
        return Ok(answer(&json!({})));
    }
    let known = auth.read(ask.deadline, {
        let email = email.clone();
        move |tx| Ok(Ok(users::by_email(tx, &email)?))
    });
    let target = known.await?.and_then(|user| user.email_change);
    // An account without a pending change costs the same write, so that the time taken does not tell.
    let mailing = auth.mailing(target.as_deref().unwrap_or(&email), challenge);
    let put = mailing.clone();
    let user = auth
        .write(ask.deadline, move |tx| {
            settle!(pass_all(tx, &gates)?);
            let Some(mut user) = users::by_email(tx, &email)?
                .filter(|user| user.email_change.is_some() && user.email_change == target)
            else {
                return Ok(Ok(None));
            };
            put.put(tx, user.id, kind, now)?;
            user.email_change_sent_at = Some(now.to_string());
            users::save(tx, &user)?;
            Ok(Ok(Some(user)))
        })
        .await?;
    if let Some(user) = user {
        place.fill(auth.letter(Occasion::EmailChange, &user, &mailing, &redirect_to));
    }
    Ok(answer(&json!({})))
}
