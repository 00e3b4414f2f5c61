//! `/verify`: a mailed token comes back, as a followed link, as its token, or as six digits.

use super::{answer, see_other};
use crate::ask::Ask;
use crate::email_change;
use crate::error::AuthError;
use crate::redirect::{with_fragment, with_query};
use crate::session::begin;
use crate::store::flows::{self, Flow};
use crate::store::one_time_tokens::{self, Kind, OneTimeToken};
use crate::store::sessions::{NewSession, Session};
use crate::store::users;
use crate::token::{digits_hash, hash_of, random_token, same};
use crate::user::User;
use crate::{Auth, Settled, address, settle};
use axum::http::StatusCode;
use axum::response::Response;
use pando_db::Tx;
use pando_kernel::{Secret, Timestamp};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// What the first of two addresses that agree to a change is told.
const HALF_DONE: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/// The body of `POST /verify`.
#[derive(Deserialize)]
struct Verify {
    #[serde(rename = "type")]
    kind: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// How the token came back.
enum Proof {
    /// The hash of the link's token.
    Link(String),
    /// An address and the keyed hash of the digits.
    Digits(String, String),
}

/// Everything a verification needs inside its write.
struct Verification {
    kinds: &'static [Kind],
    method: &'static str,
    proof: Proof,
    code: Option<(Uuid, Secret<String>)>,
    new_session: NewSession,
    identity_id: Uuid,
    now: Timestamp,
    oldest: Timestamp,
    oldest_flow: Timestamp,
    attempts_max: i64,
    both_must_agree: bool,
}

/// What became of it.
enum Outcome {
    SignedIn(Box<(User, Session)>),
    Code(Secret<String>),
    HalfDone,
}

/// Which tokens a `type` may mean, and what the session by it is called.
fn kinds_of(name: &str) -> Result<(&'static [Kind], &'static str), AuthError> {
    match name {
        "" => Err(AuthError::validation("Verify requires a verification type")),
        "signup" => Ok((&[Kind::Confirmation], "email/signup")),
        "invite" => Ok((&[Kind::Confirmation], "invite")),
        "recovery" => Ok((&[Kind::Recovery], "recovery")),
        "magiclink" => Ok((&[Kind::Recovery], "magiclink")),
        "email" => Ok((&[Kind::Recovery, Kind::Confirmation], "magiclink")),
        "email_change" => Ok((
            &[Kind::EmailChangeNew, Kind::EmailChangeCurrent],
            "email_change",
        )),
        _ => Err(AuthError::validation("Invalid email verification type")),
    }
}

impl Auth {
    fn verification(&self, ask: &Ask, kind: &str, proof: Proof) -> Result<Verification, AuthError> {
        let (kinds, method) = kinds_of(kind)?;
        let now = self.now();
        Ok(Verification {
            kinds,
            method,
            proof,
            code: None,
            new_session: self.new_session(ask, "otp"),
            identity_id: Uuid::now_v7(),
            now,
            oldest: now.plus_seconds(-(self.config.otp_lifetime.as_secs() as i64)),
            oldest_flow: now.plus_seconds(-(self.config.auth_code_lifetime.as_secs() as i64)),
            attempts_max: self.config.otp_attempts_max,
            both_must_agree: self.config.secure_email_change && !self.config.autoconfirms(),
        })
    }

    async fn run_verification(
        &self,
        ask: &Ask,
        verification: Verification,
    ) -> Result<Outcome, AuthError> {
        let gate = self.gate(
            "verify.from",
            &ask.network,
            self.config.limits.verify_by_address,
        );
        self.write(ask.deadline, move |tx| {
            settle!(gate.pass(tx)?);
            verification.run(tx)
        })
        .await
    }
}

impl Verification {
    fn run(&self, tx: &Tx<'_>) -> Settled<Outcome> {
        let token = settle!(self.find(tx)?);
        let Some(mut user) =
            users::by_id(tx, token.user_id)?.filter(|user| user.deleted_at.is_none())
        else {
            return Ok(Err(AuthError::otp_expired()));
        };
        if user.is_banned(self.now) {
            return Ok(Err(AuthError::banned()));
        }
        match token.kind {
            Kind::Confirmation | Kind::Recovery => {
                one_time_tokens::drop_kind(tx, user.id, token.kind)?;
                user.confirm_email(self.now);
            }
            Kind::EmailChangeNew | Kind::EmailChangeCurrent => {
                if self.both_must_agree && user.email.is_some() && !user.email_change_half_done {
                    one_time_tokens::drop_kind(tx, user.id, token.kind)?;
                    user.email_change_half_done = true;
                    users::save(tx, &user)?;
                    return Ok(Ok(Outcome::HalfDone));
                }
                settle!(email_change::finish(
                    tx,
                    &mut user,
                    self.identity_id,
                    self.now
                )?);
            }
        }
        user.note_providers();
        if let (Some((id, code)), Some((challenge, challenge_method))) =
            (&self.code, token.challenge)
        {
            users::save(tx, &user)?;
            let flow = Flow {
                id: *id,
                user_id: user.id,
                code_hash: hash_of(code.expose()),
                challenge,
                challenge_method,
                method: self.method.into(),
                created_at: self.now.to_string(),
            };
            flows::insert(tx, &flow, self.oldest_flow)?;
            return Ok(Ok(Outcome::Code(code.clone())));
        }
        let session = begin(tx, &mut user, &self.new_session, self.now)?;
        Ok(Ok(Outcome::SignedIn(Box::new((user, session)))))
    }

    fn find(&self, tx: &Tx<'_>) -> Settled<OneTimeToken> {
        match &self.proof {
            Proof::Link(hash) => {
                let found = one_time_tokens::by_hash(tx, hash)?;
                let live = |token: &OneTimeToken| {
                    self.kinds.contains(&token.kind) && token.created_at > self.oldest.to_string()
                };
                Ok(found.filter(live).ok_or_else(|| {
                    AuthError::forbidden("otp_expired", "Email link is invalid or has expired")
                }))
            }
            Proof::Digits(address, hash) => {
                let mut candidates = one_time_tokens::mailed_to(tx, address, self.oldest)?;
                candidates.retain(|token| self.kinds.contains(&token.kind));
                if let Some(found) = candidates.iter().find(|token| same(&token.otp_hash, hash)) {
                    return Ok(Ok(found.clone()));
                }
                for token in &candidates {
                    one_time_tokens::count_wrong(tx, token, self.attempts_max)?;
                }
                Ok(Err(AuthError::otp_expired()))
            }
        }
    }
}

/// `POST /verify`.
pub async fn verify(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let body: Verify = ask.json()?;
    let [kind, token, token_hash, email, phone] = [
        body.kind,
        body.token,
        body.token_hash,
        body.email,
        body.phone,
    ]
    .map(Option::unwrap_or_default);
    kinds_of(&kind)?;
    let proof = match (token.is_empty(), token_hash.is_empty()) {
        (false, true) if !phone.is_empty() => {
            return Err(AuthError::bad_request(
                "phone_provider_disabled",
                "Phone logins are disabled",
            ));
        }
        (false, true) if email.is_empty() => {
            return Err(AuthError::validation(
                "Only an email address or phone number should be provided on verify",
            ));
        }
        (false, true) => {
            let email = address::email(&email)?;
            let hash = digits_hash(&*auth.keys, &email, token.trim());
            Proof::Digits(email, hash)
        }
        (true, false) if !email.is_empty() || !phone.is_empty() => {
            return Err(AuthError::validation(
                "Only the token_hash and type should be provided",
            ));
        }
        (true, false) => Proof::Link(hash_of(&token_hash)),
        _ => {
            return Err(AuthError::validation(
                "Verify requires either a token or a token hash",
            ));
        }
    };
    let verification = auth.verification(&ask, &kind, proof)?;
    let refresh_token = verification.new_session.refresh_token.clone();
    match auth.run_verification(&ask, verification).await? {
        Outcome::SignedIn(signed_in) => {
            let (user, session) = *signed_in;
            Ok(answer(&auth.session_json(
                &user,
                &session,
                &refresh_token,
            )?))
        }
        Outcome::HalfDone | Outcome::Code(_) => {
            Ok(answer(&json!({"msg": HALF_DONE, "code": "200"})))
        }
    }
}

/// `GET /verify`: the link in a mail. Leads to the app with the session, a code, or what went wrong.
pub async fn follow_link(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let redirect_to = auth.allow.choose(ask.query("redirect_to")).to_owned();
    let kind = ask.query("type").unwrap_or_default().to_owned();
    kinds_of(&kind)?;
    let token = ask.query("token").or_else(|| ask.query("token_hash"));
    let token =
        token.ok_or_else(|| AuthError::validation("Verify requires a token or a token hash"))?;
    let wants_code = token.starts_with("pkce_");
    let mut verification = auth.verification(&ask, &kind, Proof::Link(hash_of(token)))?;
    if wants_code {
        verification.code = Some((Uuid::now_v7(), random_token()));
    }
    let refresh_token = verification.new_session.refresh_token.clone();
    match auth.run_verification(&ask, verification).await {
        Ok(Outcome::SignedIn(signed_in)) => {
            let (user, session) = *signed_in;
            let body = auth.session_json(&user, &session, &refresh_token)?;
            let text = |name: &str| {
                body[name]
                    .as_str()
                    .map_or_else(|| body[name].to_string(), str::to_owned)
            };
            let (access_token, expires_in, expires_at) =
                (text("access_token"), text("expires_in"), text("expires_at"));
            see_other(&with_fragment(
                &redirect_to,
                &[
                    ("access_token", &access_token),
                    ("expires_at", &expires_at),
                    ("expires_in", &expires_in),
                    ("refresh_token", refresh_token.expose()),
                    ("sb", ""),
                    ("token_type", "bearer"),
                    ("type", &kind),
                ],
            ))
        }
        Ok(Outcome::Code(code)) => see_other(&with_query(&redirect_to, &[("code", code.expose())])),
        Ok(Outcome::HalfDone) => {
            let target = if wants_code {
                with_query(&redirect_to, &[("message", HALF_DONE)])
            } else {
                redirect_to
            };
            see_other(&with_fragment(
                &target,
                &[("message", HALF_DONE), ("sb", "")],
            ))
        }
        Err(refusal)
            if refusal.status.is_client_error()
                && refusal.status != StatusCode::TOO_MANY_REQUESTS =>
        {
            let error = if refusal.status == StatusCode::FORBIDDEN {
                "access_denied"
            } else {
                "invalid_request"
            };
            let pairs = [
                ("error", error),
                ("error_code", &*refusal.code),
                ("error_description", &*refusal.message),
            ];
            let target = if wants_code {
                with_query(&redirect_to, &pairs)
            } else {
                redirect_to
            };
            let [a, b, c] = pairs;
            see_other(&with_fragment(&target, &[a, b, c, ("sb", "")]))
        }
        Err(failure) => Err(failure),
    }
}
