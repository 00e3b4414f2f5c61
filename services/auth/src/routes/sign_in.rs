//! `POST /token?grant_type=password`.

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::gate::pass_all;
use crate::password::{Verdict, check_strength};
use crate::session::begin;
use crate::store::users;
use crate::{Auth, settle};
use axum::response::Response;
use pando_kernel::Secret;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// Longest password that is compared, bytes. No account has a longer one.
const COMPARED_BYTES_MAX: usize = 1_024;

/// The body.
#[derive(Deserialize)]
struct Credentials {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
}

/// Signs in with address and password.
///
/// The attempt is counted before the password is compared and taken back when it was right: so many at once can't slip
/// past the limit together.
pub async fn sign_in(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Credentials = ask.json()?;
    let (email, phone) = (
        body.email.unwrap_or_default(),
        body.phone.unwrap_or_default(),
    );
    if !email.is_empty() && !phone.is_empty() {
        return Err(AuthError::validation(
            "Only an email address or phone number should be provided on login.",
        ));
    }
    if !phone.is_empty() {
        return Err(AuthError::unprocessable(
            "phone_provider_disabled",
            "Phone logins are disabled",
        ));
    }
    if email.is_empty() {
        return Err(AuthError::validation("missing email or phone"));
    }
    let email = email.to_ascii_lowercase();
    let password = body.password.unwrap_or_default();

    let limits = &auth.config.limits;
    let gates = vec![
        auth.gate("sign-in.account", &email, limits.sign_in_by_account),
        auth.gate("sign-in.from", &ask.network, limits.sign_in_by_address),
    ];
    let counted = gates.clone();
    let known = auth
        .write(ask.deadline, move |tx| {
            settle!(pass_all(tx, &counted)?);
            Ok(Ok(users::by_email(tx, &email)?))
        })
        .await?;

    let stored = known.as_ref().and_then(|user| user.password_hash.clone());
    let compared = stored
        .clone()
        .filter(|_| password.len() <= COMPARED_BYTES_MAX);
    let began = Instant::now();
    let verdict = auth
        .hasher
        .verify(Secret::new(password.clone()), compared, ask.deadline)
        .await?;
    auth.metrics.observe_hash(began.elapsed().as_secs_f64());
    let (Some(user), Verdict::Right | Verdict::Outdated) = (known, verdict) else {
        auth.metrics.count_sign_in("wrong");
        return Err(AuthError::invalid_credentials());
    };
    let now = auth.now();
    // Only who knows the password learns about the account.
    if user.is_banned(now) {
        auth.metrics.count_sign_in("refused");
        return Err(AuthError::bad_request("user_banned", "User is banned"));
    }
    if !user.is_confirmed() {
        auth.metrics.count_sign_in("refused");
        return Err(AuthError::bad_request(
            "email_not_confirmed",
            "Email not confirmed",
        ));
    }
    let weak = check_strength(&password, auth.config.password_length_min).err();
    let better = match verdict {
        Verdict::Outdated => Some(auth.hash(password, ask.deadline).await?),
        _ => None,
    };

    let new_session = auth.new_session(&ask, "password");
    let refresh_token = new_session.refresh_token.clone();
    let user_id = user.id;
    let (user, session) = auth
        .write(ask.deadline, move |tx| {
            // Read again: the password may have been changed or the account deleted while the hash was computed.
            let Some(mut user) =
                users::by_id(tx, user_id)?.filter(|user| user.password_hash == stored)
            else {
                return Ok(Err(AuthError::invalid_credentials()));
            };
            for gate in &gates {
                gate.refund(tx)?;
            }
            if let Some(better) = &better {
                user.password_hash = Some(better.clone());
            }
            if let Some(identity) = user.identity("email") {
                identity.last_sign_in_at = Some(now.to_string());
            }
            let session = begin(tx, &mut user, &new_session, now)?;
            Ok(Ok((user, session)))
        })
        .await?;
    auth.metrics.count_sign_in("ok");
    let mut body = auth.session_json(&user, &session, &refresh_token)?;
    if let Some(weak) = weak.filter(|weak| weak.code == "weak_password") {
        body["weak_password"] = json!({"message": weak.message, "reasons": weak.reasons});
    }
    Ok(answer(&body))
}
