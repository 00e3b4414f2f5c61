//! All keys of a deployment, opened once at the start.

use crate::MasterKey;
use crate::api_key;
use crate::seal;
use crate::store::{self, StoredKey};
use crate::token::{self, TokenError, TokenKeys, Verified};
use aws_lc_rs::{hmac, rand};
use pando_db::{Db, DbError};
use pando_kernel::{Caller, Clock, Role, Secret};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Memory for verified tokens, bytes, estimated: a verification costs some 100 µs, a look-up less than one.
const VERIFIED_BYTES_MAX: u64 = 8 << 20;
/// The legacy tokens of the roles live ten years, as clients expect of them.
const LEGACY_LIFETIME_S: i64 = 315_360_000;

/// Why the keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database failed.
    #[error("the keys in the database can't be read or written")]
    Db(#[from] DbError),
    /// Sealed with another master key.
    #[error(
        "the master key does not open the keys in this database: it was made with another one (PANDO_MASTER_KEY, or the \
         file master.key in the data directory)"
    )]
    OtherMasterKey,
    /// A database without keys was opened for reading.
    #[error("there are no keys yet: they are made at the first start of the server")]
    Absent,
    /// The legacy secret is too short to be one.
    #[error("the JWT secret must have at least 32 bytes")]
    ShortSecret,
    /// A key in the database is damaged.
    #[error("the key {0} in the database is damaged")]
    Damaged(&'static str),
    /// The system gives no random bytes.
    #[error("the system's random source does not work")]
    Random,
    /// Claims that can't be signed.
    #[error("claims can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// The keys people see: `pando keys` prints them.
#[derive(Clone)]
pub struct ShownKeys {
    /// For apps; public.
    pub publishable: String,
    /// For the team's servers.
    pub secret: String,
    /// The legacy form of the publishable key.
    pub anon: String,
    /// The legacy form of the secret key.
    pub service_role: String,
}

impl fmt::Debug for ShownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownKeys")
            .field("publishable", &self.publishable)
            .finish_non_exhaustive()
    }
}

/// Signs, verifies and tells whose key a key is.
pub struct Keys {
    tokens: TokenKeys,
    jwks: Arc<str>,
    shown: ShownKeys,
    mac_master: MasterKey,
    clock: Arc<dyn Clock>,
    verified: Cache<Box<str>, Arc<Entry>, ByBytes>,
}

struct Entry {
    caller: Arc<Caller>,
    expires_s: Option<i64>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Box<str>, Arc<Entry>> for ByBytes {
    fn weight(&self, token: &Box<str>, entry: &Arc<Entry>) -> u64 {
        (token.len() + entry.caller.claims().len() + 256) as u64
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Opens the keys in the database, making those that are missing. The tables of [`crate::migrations`] must be there.
    /// `jwt_secret` takes the place of the generated secret of legacy tokens.
    pub async fn open(
        db: &Db,
        master: MasterKey,
        jwt_secret: Option<Secret<String>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Keys>, KeysError> {
        let mut stored = store::read_all(db).await?;
        if KINDS
            .iter()
            .any(|kind| !stored.iter().any(|key| key.kind == *kind))
        {
            let made_s = clock.now().seconds();
            let made = KINDS
                .iter()
                .map(|kind| make(kind, &master, made_s))
                .collect::<Result<Vec<_>, _>>()?;
            store::insert_missing(db, made).await?;
            stored = store::read_all(db).await?;
        }
        Keys::from_stored(&stored, master, jwt_secret, clock)
    }

    /// New keys that are kept nowhere, for a server that lives as long as a test.
    pub fn ephemeral(clock: Arc<dyn Clock>) -> Result<Arc<Keys>, KeysError> {
        let master = MasterKey::generate().map_err(|_| KeysError::Random)?;
        let made_s = clock.now().seconds();
        let made = KINDS
            .iter()
            .map(|kind| make(kind, &master, made_s))
            .collect::<Result<Vec<_>, _>>()?;
        Keys::from_stored(&made, master, None, clock)
    }

    /// Opens the keys in the database without making any.
    pub async fn open_existing(
        db: &Db,
        master: MasterKey,
        jwt_secret: Option<Secret<String>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Keys>, KeysError> {
        Keys::from_stored(&store::read_all(db).await?, master, jwt_secret, clock)
    }

    fn from_stored(
        stored: &[StoredKey],
        master: MasterKey,
        jwt_secret: Option<Secret<String>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Keys>, KeysError> {
        let find = |kind: &'static str| {
            stored
                .iter()
                .find(|key| key.kind == kind)
                .ok_or(KeysError::Absent)
        };
        let open = |kind: &'static str| -> Result<Vec<u8>, KeysError> {
            let key = find(kind)?;
            seal::open(&master, &key.seal_name(), &key.sealed)
                .map_err(|_| KeysError::OtherMasterKey)
        };
        let text = |kind| String::from_utf8(open(kind)?).map_err(|_| KeysError::Damaged(kind));

        let legacy_secret = match jwt_secret {
            Some(secret) if secret.expose().len() < 32 => return Err(KeysError::ShortSecret),
            Some(secret) => secret.expose().clone(),
            None => text(LEGACY)?,
        };
        let tokens = TokenKeys::new(
            &find(SIGNING)?.id,
            &open(SIGNING)?,
            legacy_secret.as_bytes(),
        )
        .ok_or(KeysError::Damaged(SIGNING))?;
        let made_s = find(LEGACY)?.made_s;
        let legacy = |role: Role| {
            tokens.sign_legacy(&json!({
                "iss": "pando", "role": role.name(), "iat": made_s, "exp": made_s + LEGACY_LIFETIME_S,
            }))
        };
        let shown = ShownKeys {
            publishable: text(PUBLISHABLE)?,
            secret: text(SECRET)?,
            anon: legacy(Role::Anon)?,
            service_role: legacy(Role::Service)?,
        };
        Ok(Arc::new(Keys {
            jwks: tokens.jwks().into(),
            tokens,
            shown,
            mac_master: master,
            clock,
            verified: Cache::with_weighter(8_192, VERIFIED_BYTES_MAX, ByBytes),
        }))
    }

    /// Who the token speaks for, now. A token verified before is looked up; its expiry is checked each time.
    pub fn verify(&self, token: &str) -> Result<Arc<Caller>, TokenError> {
        let now = self.clock.now();
        if let Some(entry) = self.verified.get(token) {
            if entry
                .expires_s
                .is_none_or(|expires| expires > now.seconds())
            {
                return Ok(entry.caller.clone());
            }
            self.verified.remove(token);
            return Err(TokenError::Expired);
        }
        let Verified { caller, expires_s } = self.tokens.verify(token, now)?;
        let entry = Arc::new(Entry {
            caller: Arc::new(caller),
            expires_s,
        });
        let caller = entry.caller.clone();
        self.verified.insert(token.into(), entry);
        Ok(caller)
    }

    /// The role of an API key; none if it is not one of ours. A legacy token of a role counts, one of a user does not.
    pub fn api_key_role(&self, key: &str) -> Option<Role> {
        if api_key::equal(key, &self.shown.publishable) {
            return Some(Role::Anon);
        }
        if api_key::equal(key, &self.shown.secret) {
            return Some(Role::Service);
        }
        if !key.starts_with("ey") {
            return None;
        }
        let caller = self.verify(key).ok()?;
        match (caller.role(), caller.subject()) {
            (role @ (Role::Anon | Role::Service), None) => Some(role),
            _ => None,
        }
    }

    /// Signs claims with the current key (ES256, its `kid` in the header).
    pub fn sign(&self, claims: &Value) -> Result<String, KeysError> {
        Ok(self.tokens.sign(claims)?)
    }

    /// The public keys as a JSON Web Key Set.
    pub fn jwks(&self) -> Arc<str> {
        self.jwks.clone()
    }

    /// The keys people see.
    pub fn shown(&self) -> ShownKeys {
        self.shown.clone()
    }

    /// HMAC-SHA256 of `data` under a key of this deployment for `purpose`.
    pub fn hmac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.mac_master.derive(purpose));
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&key, data).as_ref());
        tag
    }
}

const SIGNING: &str = "es256";
const LEGACY: &str = "hs256";
const PUBLISHABLE: &str = "publishable";
const SECRET: &str = "secret";
const KINDS: [&str; 4] = [SIGNING, LEGACY, PUBLISHABLE, SECRET];

fn make(kind: &'static str, master: &MasterKey, made_s: i64) -> Result<StoredKey, KeysError> {
    let value = match kind {
        SIGNING => token::generate_pair(),
        LEGACY => random_text(),
        PUBLISHABLE => api_key::generate(api_key::PUBLISHABLE).map(String::into_bytes),
        _ => api_key::generate(api_key::SECRET).map(String::into_bytes),
    };
    let id = uuid::Uuid::now_v7().to_string();
    let mut key = StoredKey {
        id,
        kind: kind.to_owned(),
        sealed: String::new(),
        made_s,
    };
    let value = value.ok_or(KeysError::Random)?;
    key.sealed = seal::seal(master, &key.seal_name(), &value).map_err(|_| KeysError::Random)?;
    Ok(key)
}

/// 384 random bits in 64 characters.
fn random_text() -> Option<Vec<u8>> {
    use base64::Engine as _;
    let mut bytes = [0_u8; 48];
    rand::fill(&mut bytes).ok()?;
    Some(
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(bytes)
            .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pando_kernel::{TestClock, Timestamp};

    fn keys() -> (Arc<Keys>, TestClock) {
        let clock = TestClock::at(Timestamp::from_seconds(1_700_000_000));
        (
            Keys::ephemeral(Arc::new(clock.clone())).expect("keys"),
            clock,
        )
    }

    #[test]
    fn api_keys_say_their_role_and_others_say_nothing() {
        let (keys, _) = keys();
        let shown = keys.shown();
        for (key, role) in [
            (shown.publishable.as_str(), Some(Role::Anon)),
            (&shown.anon, Some(Role::Anon)),
            (&shown.secret, Some(Role::Service)),
            (&shown.service_role, Some(Role::Service)),
            ("", None),
            ("sb_secret_", None),
            ("eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.", None),
        ] {
            assert_eq!(keys.api_key_role(key), role, "{key}");
        }
        let user = keys
            .sign(&json!({"sub": "u", "role": "authenticated"}))
            .expect("signed");
        assert_eq!(
            keys.api_key_role(&user),
            None,
            "a user's token is no API key"
        );
        let user = keys
            .sign(&json!({"sub": "u", "role": "service_role"}))
            .expect("signed");
        assert_eq!(
            keys.api_key_role(&user),
            None,
            "nor is one that speaks for somebody"
        );
    }

    #[test]
    fn a_token_looked_up_still_expires() {
        let (keys, clock) = keys();
        let token = keys
            .sign(&json!({"sub": "u", "role": "authenticated", "exp": 1_700_000_010}))
            .expect("signed");
        for _ in 0..2 {
            assert!(keys.verify(&token).is_ok());
        }
        clock.advance_seconds(10);
        for _ in 0..2 {
            assert_eq!(keys.verify(&token).err(), Some(TokenError::Expired));
        }
    }

    #[test]
    fn hmacs_differ_by_purpose_and_data() {
        let (keys, _) = keys();
        assert_eq!(keys.hmac("a", b"x"), keys.hmac("a", b"x"));
        assert_ne!(keys.hmac("a", b"x"), keys.hmac("b", b"x"));
        assert_ne!(keys.hmac("a", b"x"), keys.hmac("a", b"y"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let (keys, _) = keys();
        let text = format!("{keys:?}");
        assert!(
            text.contains(&keys.shown().publishable) && !text.contains("sb_secret"),
            "{text}"
        );
    }
}
