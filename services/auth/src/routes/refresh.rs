//! `POST /token?grant_type=refresh_token`: rotation, and what becomes of a token that was used before.

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::store::sessions::{self, RefreshToken, Session};
use crate::store::users;
use crate::token::{hash_of, successor};
use crate::user::User;
use crate::{Auth, Settled, settle};
use axum::response::Response;
use pando_db::Tx;
use pando_kernel::{Secret, Timestamp};
use serde::Deserialize;
use std::sync::Arc;

/// How far the chain is followed from a token used within the grace. More refreshes in ten seconds are no client's.
const CHAIN_MAX: usize = 32;

/// The body.
#[derive(Deserialize)]
struct Refresh {
    refresh_token: Option<String>,
}

/// What became of it.
struct Refreshed {
    user: User,
    session: Session,
    refresh_token: Secret<String>,
    result: &'static str,
}

/// Exchanges a refresh token for its successor and a new access token.
pub async fn refresh(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Refresh = ask.json()?;
    let token = body.refresh_token.filter(|token| !token.is_empty());
    let token =
        token.ok_or_else(|| AuthError::oauth("invalid_request", "refresh_token required"))?;

    let now = auth.now();
    let limits = &auth.config.limits;
    let unknown = auth.gate("refresh.from", &ask.network, limits.refresh_by_address);
    // The chain's next members can be computed beforehand; which of them is active only the database knows.
    let mut chain = Vec::with_capacity(CHAIN_MAX);
    let mut last = Secret::new(token.clone());
    for _ in 0..CHAIN_MAX {
        last = successor(&*auth.keys, last.expose());
        chain.push(last.clone());
    }
    let grace_seconds = auth.config.refresh_grace.as_secs() as i64;
    let hash = hash_of(&token);
    let service = Arc::clone(&auth);
    let refreshed = auth
        .write(ask.deadline, move |tx| {
            let Some(token) = sessions::token(tx, &hash)? else {
                settle!(unknown.pass(tx)?);
                let message = "Invalid Refresh Token: Refresh Token Not Found";
                return Ok(Err(AuthError::bad_request(
                    "refresh_token_not_found",
                    message,
                )));
            };
            let session_gate = service.gate(
                "refresh.session",
                &token.session_id.to_string(),
                service.config.limits.refresh_by_session,
            );
            settle!(session_gate.pass(tx)?);
            exchange(tx, &token, &chain, grace_seconds, now)
        })
        .await;
    match &refreshed {
        Ok(refreshed) => auth.metrics.count_refresh(refreshed.result),
        Err(refusal) if refusal.code == "refresh_token_already_used" => {
            auth.metrics.count_refresh("reused");
            tracing::warn!(
                request.id = ask.id.map(tracing::field::display),
                "a refresh token was used again after its grace: its session was ended"
            );
        }
        Err(_) => auth.metrics.count_refresh("refused"),
    }
    let refreshed = refreshed?;
    Ok(answer(&auth.session_json(
        &refreshed.user,
        &refreshed.session,
        &refreshed.refresh_token,
    )?))
}

fn exchange(
    tx: &Tx<'_>,
    token: &RefreshToken,
    chain: &[Secret<String>],
    grace_seconds: i64,
    now: Timestamp,
) -> Settled<Refreshed> {
    let no_session = || {
        AuthError::bad_request(
            "session_not_found",
            "Invalid Refresh Token: No Valid Session Found",
        )
    };
    let already_used = || {
        AuthError::bad_request(
            "refresh_token_already_used",
            "Invalid Refresh Token: Already Used",
        )
    };
    let Some(session) = sessions::by_id(tx, token.session_id)? else {
        return Ok(Err(no_session()));
    };
    if session.revoked {
        return Ok(Err(already_used()));
    }
    let Some(user) = users::by_id(tx, session.user_id)?.filter(|user| user.deleted_at.is_none())
    else {
        return Ok(Err(no_session()));
    };
    if user.is_banned(now) {
        return Ok(Err(AuthError::bad_request(
            "user_banned",
            "Invalid Refresh Token: User Banned",
        )));
    }
    if !token.revoked {
        let next = chain[0].clone();
        sessions::rotate(tx, token, &next, now)?;
        return Ok(Ok(Refreshed {
            user,
            session,
            refresh_token: next,
            result: "ok",
        }));
    }
    // Used before. The active token descends from it; hand that one out again where that is safe.
    let Some(active) = sessions::active_token(tx, session.id)? else {
        return Ok(Err(no_session()));
    };
    let is_parent = active.parent.as_deref() == Some(token.hash.as_str());
    let within_grace = token.updated_at >= now.plus_seconds(-grace_seconds).to_string();
    let descendant = chain
        .iter()
        .find(|candidate| hash_of(candidate.expose()) == active.hash);
    match descendant {
        Some(next) if is_parent || within_grace => {
            sessions::touch(tx, session.id, &now.to_string())?;
            Ok(Ok(Refreshed {
                user,
                session,
                refresh_token: next.clone(),
                result: "repeated",
            }))
        }
        _ => {
            sessions::revoke(tx, session.id, now)?;
            Ok(Err(already_used()))
        }
    }
}
