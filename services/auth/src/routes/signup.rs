//! `POST /signup`: by address and password, or, with neither, anonymously.

use super::answer;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::gate::pass_all;
use crate::mail::template::Occasion;
use crate::mailing::Challenge;
use crate::password::check_strength;
use crate::session::begin;
use crate::store::one_time_tokens::Kind;
use crate::store::sessions::Session;
use crate::store::users;
use crate::user::{AUDIENCE, Identity, User, wire_time};
use crate::{Auth, address, settle};
use axum::response::Response;
use pando_kernel::{Secret, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The body.
#[derive(Deserialize)]
struct Signup {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Map<String, Value>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// What became of it.
enum Outcome {
    SignedIn(User, Session),
    Pending(User),
    /// The address is somebody's: the answer looks as if it were not.
    Taken,
}

/// Makes an account; signs in at once unless the address must be confirmed.
pub async fn signup(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    if auth.config.disable_signup {
        return Err(AuthError::unprocessable(
            "signup_disabled",
            "Signups not allowed for this instance",
        ));
    }
    let body: Signup = ask.json()?;
    let email = body.email.as_deref().unwrap_or_default();
    if body.phone.as_deref().is_some_and(|phone| !phone.is_empty()) {
        return Err(AuthError::bad_request(
            "phone_provider_disabled",
            "Phone signups are disabled",
        ));
    }
    let data = body.data.unwrap_or_default();
    if email.is_empty() {
        return sign_in_anonymously(auth, ask, data).await;
    }
    let password = body.password.filter(|password| !password.is_empty());
    let password =
        password.ok_or_else(|| AuthError::validation("Signup requires a valid password"))?;
    check_strength(&password, auth.config.password_length_min)?;
    let challenge = Challenge::read(
        body.code_challenge.as_deref(),
        body.code_challenge_method.as_deref(),
    )?;
    let email = address::email(email)?;

    let autoconfirm = auth.config.autoconfirms();
    let place = if autoconfirm {
        None
    } else {
        Some(auth.mailer.reserve()?)
    };
    // Hashed whether or not the address is taken, so that the time taken does not tell.
    let hash = auth.hash(password, ask.deadline).await?;

    let now = auth.now();
    let mut gates = vec![auth.gate(
        "signup.from",
        &ask.network,
        auth.config.limits.sign_up_by_address,
    )];
    if !autoconfirm {
        gates.extend(auth.mail_gates(&ask, "signup", &email));
    }
    let (user_id, identity_id) = (UserId::generate(), Uuid::now_v7());
    let new_session = auth.new_session(&ask, "password");
    let mailing = auth.mailing(&email, challenge);
    let refresh_token = new_session.refresh_token.clone();
    let (letter_mailing, fake_data, fake_email) = (mailing.clone(), data.clone(), email.clone());
    let outcome = auth
        .write(ask.deadline, move |tx| {
            settle!(pass_all(tx, &gates)?);
            let known = users::by_email(tx, &email)?;
            if autoconfirm && known.is_some() {
                return Ok(Err(AuthError::unprocessable(
                    "user_already_exists",
                    "User already registered",
                )));
            }
            let mut user = match known {
                Some(user) if user.is_confirmed() => return Ok(Ok(Outcome::Taken)),
                // Somebody wrote this address before and never proved it. Who asks now may be another: the account
                // stays as it is, and only the holder of the address gets the new mail.
                Some(user) => user,
                None => {
                    let mut user = User::new(user_id, now);
                    user.email = Some(email.clone());
                    user.password_hash = Some(hash.clone());
                    user.user_metadata = data.clone();
                    let mut identity =
                        Identity::own(identity_id, &user, "email", &email, false, now);
                    for (key, value) in &data {
                        identity
                            .data
                            .entry(key.clone())
                            .or_insert_with(|| value.clone());
                    }
                    user.identities.push(identity);
                    user.note_providers();
                    users::insert(tx, &user)?;
                    user
                }
            };
            if autoconfirm {
                user.confirm_email(now);
                let session = begin(tx, &mut user, &new_session, now)?;
                return Ok(Ok(Outcome::SignedIn(user, session)));
            }
            mailing.put(tx, user.id, Kind::Confirmation, now)?;
            user.confirmation_sent_at = Some(now.to_string());
            users::save(tx, &user)?;
            Ok(Ok(Outcome::Pending(user)))
        })
        .await
        .map_err(|error| error.saving("Database error saving new user"))?;

    match outcome {
        Outcome::SignedIn(user, session) => Ok(answer(&auth.session_json(
            &user,
            &session,
            &refresh_token,
        )?)),
        Outcome::Pending(user) => {
            if let Some(place) = place {
                let redirect_to = auth.allow.choose(ask.query("redirect_to"));
                place.fill(auth.letter(Occasion::Signup, &user, &letter_mailing, redirect_to));
            }
            Ok(answer(&user.to_json()))
        }
        Outcome::Taken => {
            let moment = wire_time(&now.to_string());
            Ok(answer(&json!({
                "id": Uuid::now_v7(), "aud": AUDIENCE, "role": "", "email": fake_email, "phone": "",
                "confirmation_sent_at": moment, "created_at": moment, "updated_at": moment,
                "app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": fake_data,
                "identities": [], "is_anonymous": false,
            })))
        }
    }
}

/// An account without any credential, which may get one later.
async fn sign_in_anonymously(
    auth: Arc<Auth>,
    ask: Ask,
    data: Map<String, Value>,
) -> Result<Response, AuthError> {
    if !auth.config.anonymous_enabled {
        return Err(AuthError::unprocessable(
            "anonymous_provider_disabled",
            "Anonymous sign-ins are disabled",
        ));
    }
    let now = auth.now();
    let gate = auth.gate(
        "signup.from",
        &ask.network,
        auth.config.limits.sign_up_by_address,
    );
    let user_id = UserId::generate();
    let new_session = auth.new_session(&ask, "anonymous");
    let refresh_token = new_session.refresh_token.clone();
    let (user, session) = auth
        .write(ask.deadline, move |tx| {
            settle!(gate.pass(tx)?);
            let mut user = User::new(user_id, now);
            user.is_anonymous = true;
            user.user_metadata = data.clone();
            users::insert(tx, &user)?;
            let session = begin(tx, &mut user, &new_session, now)?;
            Ok(Ok((user, session)))
        })
        .await
        .map_err(|error| error.saving("Database error creating anonymous user"))?;
    Ok(answer(&auth.session_json(
        &user,
        &session,
        &refresh_token,
    )?))
}

impl Auth {
    /// Hashes a new password and notes how long that took.
    pub(super) async fn hash(
        &self,
        password: String,
        deadline: std::time::Instant,
    ) -> Result<Secret<String>, AuthError> {
        let began = std::time::Instant::now();
        let hash = self.hasher.hash(Secret::new(password), deadline).await;
        self.metrics.observe_hash(began.elapsed().as_secs_f64());
        hash
    }
}
