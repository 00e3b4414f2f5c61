//! A session as it begins, and the answer that hands it over.

use crate::ask::Ask;
use crate::error::AuthError;
use crate::store::sessions::{NewSession, Session};
use crate::store::{sessions, users};
use crate::token::random_token;
use crate::user::{AUDIENCE, User};
use crate::{Auth, Settled, settle};
use pando_db::Tx;
use pando_kernel::{Secret, SessionId, Timestamp, UserId};
use pando_sql::SqlError;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Begins a session for an account and notes it there.
pub fn begin(
    tx: &Tx<'_>,
    user: &mut User,
    new: &NewSession,
    now: Timestamp,
) -> Result<Session, SqlError> {
    let moment = now.to_string();
    user.last_sign_in_at = Some(moment.clone());
    user.updated_at = Some(moment);
    users::save(tx, user)?;
    sessions::start(tx, user.id, new, now)
}

/// Who a token says is asking.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// `sub`.
    pub user_id: UserId,
    /// `session_id`; absent in tokens made by hand.
    pub session_id: Option<SessionId>,
}

impl Subject {
    /// Reads the caller's token.
    ///
    /// # Errors
    /// 403 `bad_jwt` for a token that names no account.
    pub fn of(ask: &Ask) -> Result<Subject, AuthError> {
        let bad = |message: &'static str| AuthError::forbidden("bad_jwt", message);
        let caller = ask
            .caller
            .as_ref()
            .ok_or_else(|| bad("invalid token: missing claims"))?;
        let sub = caller
            .subject()
            .ok_or_else(|| bad("invalid claim: missing sub claim"))?;
        let user_id = sub
            .parse()
            .map_err(|_| bad("invalid claim: sub claim must be a UUID"))?;
        let session_id = match caller.session() {
            Some(id) => Some(
                id.parse()
                    .map_err(|_| bad("invalid claim: session_id claim must be a UUID"))?,
            ),
            None => None,
        };
        Ok(Subject {
            user_id,
            session_id,
        })
    }

    /// The account, if it still is and its session still lives. A token outlives both by up to its own life.
    pub fn load(self, tx: &Tx<'_>, now: Timestamp) -> Settled<User> {
        let Some(user) = users::by_id(tx, self.user_id)?.filter(|user| user.deleted_at.is_none())
        else {
            return Ok(Err(AuthError::forbidden(
                "user_not_found",
                "User from sub claim in JWT does not exist",
            )));
        };
        if let Some(id) = self.session_id {
            let session = sessions::by_id(tx, id)?;
            if !session.is_some_and(|session| session.user_id == user.id && !session.revoked) {
                let message = "Session from session_id claim in JWT does not exist";
                return Ok(Err(AuthError::forbidden("session_not_found", message)));
            }
        }
        settle!(if user.is_banned(now) {
            Err(AuthError::banned())
        } else {
            Ok(())
        });
        Ok(Ok(user))
    }
}

impl Auth {
    /// The makings of a session for who asks.
    pub(crate) fn new_session(
        &self,
        ask: &Ask,
        method: impl Into<Cow<'static, str>>,
    ) -> NewSession {
        NewSession {
            id: SessionId::generate(),
            refresh_token: random_token(),
            method: method.into(),
            user_agent: ask.user_agent.clone(),
            ip: ask.network.clone(),
        }
    }

    /// What a client gets when it is signed in: both tokens and the account.
    pub(crate) fn session_json(
        &self,
        user: &User,
        session: &Session,
        refresh_token: &Secret<String>,
    ) -> Result<Value, AuthError> {
        let issued = self.now().seconds();
        let life = self.config.access_token_lifetime.as_secs() as i64;
        let amr: Value = serde_json::from_str(&session.amr).map_err(AuthError::internal)?;
        let claims = json!({
            "iss": self.config.external_url,
            "sub": user.id,
            "aud": AUDIENCE,
            "exp": issued + life,
            "iat": issued,
            "email": user.email.as_deref().unwrap_or_default(),
            "phone": user.phone.as_deref().unwrap_or_default(),
            "app_metadata": user.app_metadata,
            "user_metadata": user.user_metadata,
            "role": user.role,
            "aal": session.aal,
            "amr": amr,
            "session_id": session.id,
            "is_anonymous": user.is_anonymous,
        });
        let access_token = self.keys.sign(&claims).map_err(AuthError::internal)?;
        Ok(json!({
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": life,
            "expires_at": issued + life,
            "refresh_token": refresh_token.expose(),
            "user": user.to_json(),
        }))
    }
}
