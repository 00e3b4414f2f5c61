//! `POST /token?grant_type=pkce`: the app that asked for a link proves it, and gets the session (RFC 7636).

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::session::begin;
use crate::store::{flows, users};
use crate::token::{hash_of, proves};
use crate::{Auth, settle};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// The body.
#[derive(Deserialize)]
struct Exchange {
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

/// Exchanges the code of a followed link for a session.
pub async fn exchange_code(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Exchange = ask.json()?;
    let (code, verifier) = (
        body.auth_code.unwrap_or_default(),
        body.code_verifier.unwrap_or_default(),
    );
    if code.is_empty() || verifier.is_empty() {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(AuthError::validation(message));
    }
    let now = auth.now();
    let oldest = now
        .plus_seconds(-(auth.config.auth_code_lifetime.as_secs() as i64))
        .to_string();
    let gate = auth.gate(
        "verify.from",
        &ask.network,
        auth.config.limits.verify_by_address,
    );
    let new_session = auth.new_session(&ask, "otp");
    let refresh_token = new_session.refresh_token.clone();
    let (user, session) = auth
        .write(ask.deadline, move |tx| {
            let Some(flow) = flows::by_code_hash(tx, &hash_of(&code))? else {
                settle!(gate.pass(tx)?);
                let message = "invalid flow state, no valid flow state found";
                return Ok(Err(AuthError::new(
                    StatusCode::NOT_FOUND,
                    "flow_state_not_found",
                    message,
                )));
            };
            if flow.created_at < oldest {
                flows::delete(tx, flow.id)?;
                let message = "invalid flow state, flow state has expired";
                return Ok(Err(AuthError::unprocessable("flow_state_expired", message)));
            }
            if !proves(&verifier, &flow.challenge, &flow.challenge_method) {
                settle!(gate.pass(tx)?);
                let message = "code challenge does not match previously saved code verifier";
                return Ok(Err(AuthError::bad_request("bad_code_verifier", message)));
            }
            flows::delete(tx, flow.id)?;
            let Some(mut user) = users::by_id(tx, flow.user_id)? else {
                return Ok(Err(AuthError::forbidden(
                    "user_not_found",
                    "User not found",
                )));
            };
            if user.is_banned(now) {
                return Ok(Err(AuthError::banned()));
            }
            let mut new_session = new_session.clone();
            new_session.method = flow.method.into();
            let session = begin(tx, &mut user, &new_session, now)?;
            Ok(Ok((user, session)))
        })
        .await?;
    Ok(answer(&auth.session_json(
        &user,
        &session,
        &refresh_token,
    )?))
}
