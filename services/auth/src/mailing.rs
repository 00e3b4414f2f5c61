//! A mailed token in the making: its secrets, the row that proves them, and the letter that carries them.

use crate::Auth;
use crate::error::AuthError;
use crate::mail::template::{self, Letter, Occasion};
use crate::redirect::encode;
use crate::store::one_time_tokens::{self, Kind, OneTimeToken};
use crate::token::{digits_hash, hash_of, random_digits, random_token};
use crate::user::User;
use pando_db::Tx;
use pando_kernel::{Secret, Timestamp, UserId};
use pando_sql::SqlError;
use uuid::Uuid;

/// What an app adds when it wants a code for its link instead of tokens (RFC 7636).
#[derive(Clone, Debug)]
pub struct Challenge {
    challenge: String,
    method: &'static str,
}

impl Challenge {
    /// Checks what came with the request: both or neither, of the form of RFC 7636 section 4.2.
    ///
    /// # Errors
    /// 400 `validation_failed`.
    pub fn read(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Challenge>, AuthError> {
        let (challenge, method) = match (challenge.unwrap_or_default(), method.unwrap_or_default())
        {
            ("", "") => return Ok(None),
            ("", _) | (_, "") => {
                return Err(AuthError::validation(
                    "PKCE flow requires code_challenge_method and code_challenge",
                ));
            }
            both => both,
        };
        if !(43..=128).contains(&challenge.len()) {
            return Err(AuthError::validation(
                "code challenge has to be between 43 and 128 characters",
            ));
        }
        if !challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        {
            return Err(AuthError::validation(
                "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes",
            ));
        }
        let method = match method.to_ascii_lowercase().as_str() {
            "s256" => "s256",
            "plain" => "plain",
            _ => {
                return Err(AuthError::validation(
                    "code challenge method has to be s256 or plain",
                ));
            }
        };
        Ok(Some(Challenge {
            challenge: challenge.to_owned(),
            method,
        }))
    }
}

/// A token not yet mailed.
#[derive(Clone, Debug)]
pub struct Mailing {
    id: Uuid,
    /// The link's token.
    pub token: Secret<String>,
    /// The six digits.
    pub digits: Secret<String>,
    /// Where it goes.
    pub address: String,
    otp_hash: String,
    challenge: Option<Challenge>,
}

impl Mailing {
    /// Writes the row that will prove the token.
    pub fn put(
        &self,
        tx: &Tx<'_>,
        user: UserId,
        kind: Kind,
        now: Timestamp,
    ) -> Result<(), SqlError> {
        let token = OneTimeToken {
            id: self.id,
            user_id: user,
            kind,
            token_hash: hash_of(self.token.expose()),
            otp_hash: self.otp_hash.clone(),
            relates_to: self.address.clone(),
            attempts: 0,
            challenge: self
                .challenge
                .as_ref()
                .map(|one| (one.challenge.clone(), one.method.to_owned())),
            created_at: now.to_string(),
        };
        one_time_tokens::put(tx, &token)
    }
}

impl Auth {
    /// Makes a token for an address.
    pub(crate) fn mailing(&self, address: &str, challenge: Option<Challenge>) -> Mailing {
        let token = random_token();
        // The prefix tells the client library, which reads it in the link, that a code will come back.
        let token = if challenge.is_some() {
            Secret::new(format!("pkce_{}", token.expose()))
        } else {
            token
        };
        let digits = random_digits();
        Mailing {
            id: Uuid::now_v7(),
            otp_hash: digits_hash(&*self.keys, address, digits.expose()),
            token,
            digits,
            address: address.to_owned(),
            challenge,
        }
    }

    /// The link a mail carries.
    pub(crate) fn link(
        &self,
        occasion: Occasion,
        token: &Secret<String>,
        redirect_to: &str,
    ) -> String {
        let query = encode(&[
            ("token", token.expose()),
            ("type", occasion.link_type()),
            ("redirect_to", redirect_to),
        ]);
        format!("{}/verify?{query}", self.config.external_url)
    }

    /// The letter for a token.
    pub(crate) fn letter(
        &self,
        occasion: Occasion,
        user: &User,
        mailing: &Mailing,
        redirect_to: &str,
    ) -> Letter {
        let link = self.link(occasion, &mailing.token, redirect_to);
        template::write(occasion, user.id, &mailing.address, &link, &mailing.digits)
    }
}
