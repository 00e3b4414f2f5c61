//! Signing and verifying tokens (JWS, RFC 7515; ES256 and HS256 of RFC 7518).
//!
//! The algorithm is bound to the key, never taken from the token: `alg: none`, or a public key offered as an HS256
//! secret, verify nothing.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pando_kernel::{Caller, Role, Timestamp};
use serde_json::{Map, Value, json};

/// The clocks of those who make tokens for us may be ahead this far.
const NOT_BEFORE_LEEWAY_S: i64 = 30;
/// A longer token is not looked at.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url JSON.
    #[error("the token is malformed")]
    Malformed,
    /// Another algorithm than its key's, `none` for instance, or a key that is not ours.
    #[error("the token is signed with an algorithm or a key that is not ours")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature is wrong")]
    Signature,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYet,
    /// It names no role a request may take.
    #[error("the token names no role that is known")]
    Role,
}

/// A verified token: who it speaks for, and until when, seconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Verified {
    pub caller: Caller,
    pub expires_s: Option<i64>,
}

/// A key pair for ES256, and the secret of legacy HS256 tokens.
pub struct TokenKeys {
    kid: String,
    public: (String, String),
    es256: EncodingKey,
    es256_verify: DecodingKey,
    hs256: EncodingKey,
    hs256_verify: DecodingKey,
}

/// A new ES256 key pair, PKCS #8.
pub fn generate_pair() -> Option<Vec<u8>> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .ok()?;
    Some(document.as_ref().to_vec())
}

impl TokenKeys {
    /// From the key's id, its PKCS #8 form and the HS256 secret; none if the form is wrong.
    pub fn new(kid: &str, pkcs8: &[u8], secret: &[u8]) -> Option<TokenKeys> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        // An uncompressed point (SEC 1, section 2.3.3): a four, then both coordinates.
        let point = pair.public_key().as_ref();
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        let public = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Some(TokenKeys {
            kid: kid.to_owned(),
            es256: EncodingKey::from_ec_der(pkcs8),
            es256_verify: DecodingKey::from_ec_components(&public.0, &public.1).ok()?,
            public,
            hs256: EncodingKey::from_secret(secret),
            hs256_verify: DecodingKey::from_secret(secret),
        })
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> String {
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"],
            "kid": self.kid, "x": self.public.0, "y": self.public.1,
        }]})
        .to_string()
    }

    /// Signs claims with ES256.
    pub fn sign(&self, claims: &Value) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.es256)
    }

    /// Signs claims with the legacy secret.
    pub fn sign_legacy(&self, claims: &Value) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.hs256)
    }

    /// Who the token speaks for at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > TOKEN_BYTES_MAX || token.bytes().filter(|byte| *byte == b'.').count() != 2
        {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::UnknownKey)?;
        let (algorithm, key) = match header.alg {
            Algorithm::ES256 if header.kid.as_ref().is_none_or(|kid| *kid == self.kid) => {
                (Algorithm::ES256, &self.es256_verify)
            }
            Algorithm::HS256 => (Algorithm::HS256, &self.hs256_verify),
            _ => return Err(TokenError::UnknownKey),
        };
        // Times are checked below, by the clock we were given.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => TokenError::Signature,
                _ => TokenError::Malformed,
            })?
            .claims;

        let expires_s = time(&claims, "exp")?;
        if expires_s.is_some_and(|expires| expires <= now.seconds()) {
            return Err(TokenError::Expired);
        }
        if time(&claims, "nbf")?.is_some_and(|from| from > now.seconds() + NOT_BEFORE_LEEWAY_S) {
            return Err(TokenError::NotYet);
        }
        let role = match claims.get("role") {
            None => Role::Anon,
            Some(role) => role
                .as_str()
                .and_then(Role::from_name)
                .ok_or(TokenError::Role)?,
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let payload = token
            .split('.')
            .nth(1)
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let payload = payload
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(TokenError::Malformed)?;
        Ok(Verified {
            caller: Caller::with_claims(role, text("sub"), text("session_id"), &payload),
            expires_s,
        })
    }
}

/// A time of the claims (NumericDate of RFC 7519), rounded down. One that is there and is no number is refused: taking it
/// for absent would make an eternal token of it.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => Ok(Some(seconds)),
            (None, Some(seconds)) => Ok(Some(seconds.floor() as i64)),
            (None, None) => Err(TokenError::Malformed),
        },
        Some(_) => Err(TokenError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
    const SECRET: &[u8] = b"a secret of at least thirty-two bytes, for tests";

    fn keys() -> TokenKeys {
        TokenKeys::new("k1", &generate_pair().expect("a pair"), SECRET).expect("keys")
    }

    fn claims() -> Value {
        json!({"sub": "u", "role": "authenticated", "session_id": "s", "exp": 1_700_000_001, "é": 1.50})
    }

    fn check(keys: &TokenKeys, token: &str, expected: Result<Role, TokenError>) {
        assert_eq!(
            keys.verify(token, NOW)
                .map(|verified| verified.caller.role()),
            expected,
            "{token}"
        );
    }

    #[test]
    fn our_tokens_speak_for_their_subject_with_their_claims_verbatim() {
        let keys = keys();
        for token in [keys.sign(&claims()), keys.sign_legacy(&claims())] {
            let verified = keys.verify(&token.expect("signed"), NOW).expect("verified");
            assert_eq!(verified.caller.role(), Role::Authenticated);
            assert_eq!(verified.caller.subject().map(|sub| &**sub), Some("u"));
            assert_eq!(
                verified.caller.session().map(|session| &**session),
                Some("s")
            );
            assert_eq!(
                serde_json::from_str::<Value>(verified.caller.claims()).expect("JSON"),
                claims()
            );
            assert_eq!(verified.expires_s, Some(1_700_000_001));
        }
    }

    #[test]
    fn keys_and_algorithms_that_are_not_ours_prove_nothing() {
        let (keys, others) = (keys(), keys());
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = |header: Value| format!("{}.{}.", part(header), part(claims()));
        check(
            &keys,
            &others.sign(&claims()).expect("signed"),
            Err(TokenError::Signature),
        );
        check(
            &keys,
            &unsigned(json!({"alg": "none", "typ": "JWT"})),
            Err(TokenError::UnknownKey),
        );
        check(
            &keys,
            &unsigned(json!({"alg": "HS256"})),
            Err(TokenError::Signature),
        );
        check(
            &keys,
            &unsigned(json!({"alg": "HS512"})),
            Err(TokenError::UnknownKey),
        );
        check(
            &keys,
            &unsigned(json!({"alg": "ES256", "kid": "other"})),
            Err(TokenError::UnknownKey),
        );

        // The public key as an HS256 secret, the classic confusion.
        let forged = jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims(),
            &EncodingKey::from_secret(keys.public.0.as_bytes()),
        );
        check(&keys, &forged.expect("signed"), Err(TokenError::Signature));

        let token = keys.sign(&claims()).expect("signed");
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let header = head.split('.').next().expect("a header");
        let other = json!({"sub": "u", "role": "service_role"});
        check(
            &keys,
            &format!("{header}.{}.{signature}", part(other)),
            Err(TokenError::Signature),
        );
        check(
            &keys,
            &format!("{head}.{}", &signature[..80]),
            Err(TokenError::Signature),
        );
        for text in ["", "a", "a.b", "a.b.c.d", "..", "é.é.é"] {
            assert!(keys.verify(text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_roles_are_checked() {
        let keys = keys();
        let with = |claims: Value| keys.sign(&claims).expect("signed");
        check(
            &keys,
            &with(json!({"role": "anon", "exp": 1_700_000_000})),
            Err(TokenError::Expired),
        );
        check(
            &keys,
            &with(json!({"role": "anon", "exp": 1_700_000_000.5})),
            Err(TokenError::Expired),
        );
        check(
            &keys,
            &with(json!({"role": "anon", "exp": "4102444800"})),
            Err(TokenError::Malformed),
        );
        check(
            &keys,
            &with(json!({"role": "anon", "nbf": 1_700_000_031})),
            Err(TokenError::NotYet),
        );
        check(
            &keys,
            &with(json!({"role": "anon", "nbf": 1_700_000_030})),
            Ok(Role::Anon),
        );
        check(
            &keys,
            &with(json!({"role": "postgres"})),
            Err(TokenError::Role),
        );
        check(&keys, &with(json!({"role": 1})), Err(TokenError::Role));
        check(&keys, &with(json!({})), Ok(Role::Anon));
        check(
            &keys,
            &with(json!({"role": "service_role"})),
            Ok(Role::Service),
        );
    }

    #[test]
    fn the_key_set_shows_the_public_part_alone() {
        let keys = keys();
        let set: Value = serde_json::from_str(&keys.jwks()).expect("JSON");
        assert_eq!(set["keys"][0]["kid"], "k1");
        assert!(set["keys"][0].get("d").is_none());
    }
}
