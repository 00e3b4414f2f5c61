//! `POST /otp` and `/magiclink`: sign in by mail, making the account if there is none.

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::gate::pass_all;
use crate::mail::template::Occasion;
use crate::mailing::Challenge;
use crate::store::one_time_tokens::Kind;
use crate::store::users;
use crate::user::{Identity, User};
use crate::{Auth, address, settle};
use axum::response::Response;
use pando_kernel::UserId;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The body.
#[derive(Deserialize)]
struct Otp {
    email: Option<String>,
    phone: Option<String>,
    create_user: Option<bool>,
    data: Option<Map<String, Value>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Mails a link and digits that sign in.
pub async fn otp(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Otp = ask.json()?;
    if body.phone.is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::bad_request(
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    let email = body.email.filter(|email| !email.is_empty());
    let email = email.ok_or_else(|| AuthError::validation("One of email or phone must be set"))?;
    let email = address::email(&email)?;
    let challenge = Challenge::read(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let create = body.create_user.unwrap_or(true) && !auth.config.disable_signup;
    let data = body.data.unwrap_or_default();
    // The first is the address of mail's own.
    let mut gates = auth.mail_gates(&ask, "recovery", &email);
    gates.push(auth.gate(
        "signup.from",
        &ask.network,
        auth.config.limits.sign_up_by_address,
    ));
    let place = auth.mailer.reserve()?;
    let now = auth.now();
    let mailing = auth.mailing(&email, challenge);
    let put = mailing.clone();
    let (user_id, identity_id) = (UserId::generate(), Uuid::now_v7());
    let user = auth
        .write(ask.deadline, move |tx| {
            settle!(pass_all(tx, &gates)?);
            let mut user = match users::by_email(tx, &email)? {
                Some(user) => user,
                None if !create => {
                    // No letter was sent, so one may be: who learns this here signs up next.
                    gates[0].refund(tx)?;
                    return Ok(Err(AuthError::unprocessable(
                        "otp_disabled",
                        "Signups not allowed for otp",
                    )));
                }
                None => {
                    let mut user = User::new(user_id, now);
                    user.email = Some(email.clone());
                    user.user_metadata = data.clone();
                    user.identities.push(Identity::own(
                        identity_id,
                        &user,
                        "email",
                        &email,
                        false,
                        now,
                    ));
                    user.note_providers();
                    users::insert(tx, &user)?;
                    user
                }
            };
            put.put(tx, user.id, Kind::Recovery, now)?;
            user.recovery_sent_at = Some(now.to_string());
            users::save(tx, &user)?;
            Ok(Ok(user))
        })
        .await
        .map_err(|error| error.saving("Database error saving new user"))?;
    let redirect_to = auth.allow.choose(ask.query("redirect_to"));
    place.fill(auth.letter(Occasion::MagicLink, &user, &mailing, redirect_to));
    Ok(answer(&json!({})))
}
