//! Passwords: how strong they must be, how they are hashed, and how many at once.
//!
//! New hashes are Argon2id with OWASP's first parameters (19 MiB, two passes, one lane), as PHC strings. bcrypt hashes
//! of accounts brought from elsewhere are accepted and replaced at the next sign-in. Hashing runs on blocking threads,
//! as many as there are cores and memory for; those who wait are counted, and beyond a bound told to come back, so a
//! flood of sign-ins costs neither memory nor the other routes.

use crate::config::Hashing;
use crate::error::AuthError;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use pando_kernel::Secret;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory of one hash, KiB.
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Longest password, bytes: bcrypt's bound, kept so that accounts can move between the two.
pub const PASSWORD_BYTES_MAX: usize = 72;

/// Whether a password may be taken, in characters and bytes.
pub fn check_strength(password: &str, length_min: usize) -> Result<(), AuthError> {
    if password.len() > PASSWORD_BYTES_MAX {
        let message = format!("Password cannot be longer than {PASSWORD_BYTES_MAX} characters");
        return Err(AuthError::validation(message));
    }
    if password.chars().count() < length_min {
        let message = format!("Password should be at least {length_min} characters.");
        return Err(AuthError::weak_password(message, vec!["length"]));
    }
    Ok(())
}

/// Whether a stored hash is of a kind this service verifies.
pub fn is_supported_hash(hash: &str) -> bool {
    match kind_of(hash) {
        Some(Kind::Argon2) => {
            hash.len() <= 255 && PasswordHash::new(hash).is_ok_and(|hash| within_bounds(&hash))
        }
        Some(Kind::Bcrypt) => {
            bcrypt::HashParts::from_str(hash).is_ok_and(|parts| parts.get_cost() <= BCRYPT_COST_MAX)
        }
        None => false,
    }
}

use std::str::FromStr as _;

/// Costlier bcrypt hashes than this take seconds, and are refused when they are brought.
const BCRYPT_COST_MAX: u32 = 14;

enum Kind {
    Argon2,
    Bcrypt,
}

fn kind_of(hash: &str) -> Option<Kind> {
    if hash.starts_with("$argon2") {
        Some(Kind::Argon2)
    } else if ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| hash.starts_with(prefix))
    {
        Some(Kind::Bcrypt)
    } else {
        None
    }
}

/// A hash brought from elsewhere may not ask for more work than we can give.
fn within_bounds(hash: &PasswordHash) -> bool {
    Params::try_from(hash).is_ok_and(|params| {
        params.m_cost() <= 4 * MEMORY_KIB && params.t_cost() <= 16 && params.p_cost() <= 16
    })
}

/// What comparing a password with a stored hash found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not the password, or no such account.
    Wrong,
    /// The password.
    Right,
    /// The password, kept in a hash that should be replaced.
    Outdated,
}

/// What a password is compared with when there is no account: the form of our own hashes, of no password anybody could find.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cGFuZG8gZGVjb3kgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The bounded place where passwords are hashed.
#[derive(Debug)]
pub struct Hasher {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Hasher {
    /// Sizes the place by cores and memory.
    pub fn new(config: Hashing) -> Hasher {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let by_memory = config.memory_bytes_max / (MEMORY_KIB as usize * 1_024);
        let threads = config.threads_max.unwrap_or(cores).min(by_memory).max(1);
        Hasher {
            running: Arc::new(Semaphore::new(threads)),
            waiting: Arc::new(Semaphore::new(threads + config.waiting_max)),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// 503 when too many wait, 504 at the deadline.
    pub async fn hash(
        &self,
        password: Secret<String>,
        deadline: Instant,
    ) -> Result<Secret<String>, AuthError> {
        self.run(deadline, move || hash_now(password.expose()))
            .await?
            .map(Secret::new)
            .map_err(AuthError::internal)
    }

    /// Compares a password with a stored hash. Without one it does the same work for nothing, so that the time taken
    /// does not tell whether there is an account.
    ///
    /// # Errors
    /// 503 when too many wait, 504 at the deadline.
    pub async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<Secret<String>>,
        deadline: Instant,
    ) -> Result<Verdict, AuthError> {
        self.run(deadline, move || match &hash {
            Some(hash) => verify_now(password.expose(), hash.expose()),
            None => {
                verify_now(password.expose(), DECOY);
                Verdict::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let waiting = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| AuthError::overloaded())?;
        let turn = Arc::clone(&self.running).acquire_owned();
        let turn = match tokio::time::timeout_at(deadline.into(), turn).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) => return Err(AuthError::overloaded()),
            Err(_) => return Err(AuthError::timeout()),
        };
        // Both permits go with the work: a request that is dropped meanwhile does not free a thread that still runs.
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (waiting, turn);
        tokio::task::spawn_blocking(move || {
            let _permits = permits;
            work()
        })
        .await
        .map_err(AuthError::internal)
    }
}

fn argon2() -> Result<Argon2<'static>, argon2::Error> {
    Ok(Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(MEMORY_KIB, PASSES, 1, None)?,
    ))
}

fn hash_now(password: &str) -> Result<String, argon2::password_hash::Error> {
    let hasher = argon2().map_err(|_| argon2::password_hash::Error::ParamsInvalid)?;
    Ok(hasher.hash_password(password.as_bytes())?.to_string())
}

fn verify_now(password: &str, hash: &str) -> Verdict {
    match kind_of(hash) {
        Some(Kind::Argon2) => {
            let Ok(parsed) = PasswordHash::new(hash) else {
                return Verdict::Wrong;
            };
            if !within_bounds(&parsed)
                || Argon2::default()
                    .verify_password(password.as_bytes(), &parsed)
                    .is_err()
            {
                return Verdict::Wrong;
            }
            let current = parsed.algorithm.as_str() == "argon2id"
                && Params::try_from(&parsed)
                    .is_ok_and(|params| (params.m_cost(), params.t_cost()) == (MEMORY_KIB, PASSES));
            if current {
                Verdict::Right
            } else {
                Verdict::Outdated
            }
        }
        Some(Kind::Bcrypt) if bcrypt::verify(password, hash).unwrap_or(false) => Verdict::Outdated,
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn hashes_of_three_kinds_are_verified_and_old_ones_named() {
        let ours = hash_now("correct horse").unwrap();
        assert!(
            ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{ours}"
        );
        let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
        for (hash, right) in [
            (ours.as_str(), Verdict::Right),
            (bcrypt.as_str(), Verdict::Outdated),
            (&bcrypt.replacen("$2b$", "$2a$", 1), Verdict::Outdated),
            (&bcrypt.replacen("$2b$", "$2y$", 1), Verdict::Outdated),
        ] {
            assert!(is_supported_hash(hash), "{hash}");
            assert_eq!(verify_now("correct horse", hash), right, "{hash}");
            assert_eq!(verify_now("wrong horse", hash), Verdict::Wrong, "{hash}");
        }
        for bad in [
            "",
            "plain",
            "$2b$",
            "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "$2b$31$x",
        ] {
            assert!(!is_supported_hash(bad), "{bad}");
            assert_eq!(verify_now("x", bad), Verdict::Wrong, "{bad}");
        }
    }

    #[test]
    fn the_decoy_costs_what_our_own_hashes_cost() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let ours = hash_now("correct horse").unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert_eq!(decoy.algorithm, ours.algorithm);
        assert_eq!(
            Params::try_from(&decoy).unwrap().m_cost(),
            Params::try_from(&ours).unwrap().m_cost()
        );
        assert_eq!(
            Params::try_from(&decoy).unwrap().t_cost(),
            Params::try_from(&ours).unwrap().t_cost()
        );
        assert!(within_bounds(&decoy));
        assert_eq!(verify_now("", DECOY), Verdict::Wrong);
    }

    #[test]
    fn strength_is_counted_in_characters_and_bounded_in_bytes() {
        assert!(check_strength("123456", 6).is_ok());
        assert!(check_strength("äöüäöü", 6).is_ok());
        let weak = check_strength("12345", 6).unwrap_err();
        assert_eq!(
            (weak.status.as_u16(), &*weak.code, &*weak.reasons),
            (422, "weak_password", &["length"][..])
        );
        assert!(check_strength(&"a".repeat(72), 6).is_ok());
        assert_eq!(
            check_strength(&"a".repeat(73), 6).unwrap_err().code,
            "validation_failed"
        );
    }

    #[tokio::test]
    async fn too_many_waiting_are_told_to_come_back() {
        let hasher = Hasher::new(Hashing {
            threads_max: Some(1),
            memory_bytes_max: 1 << 30,
            waiting_max: 1,
        });
        let held = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
        let soon = Instant::now() + Duration::from_millis(50);
        let one = hasher.verify(Secret::new("x".into()), None, soon);
        let two = hasher.verify(Secret::new("x".into()), None, soon);
        let three = hasher.verify(Secret::new("x".into()), None, soon);
        let (one, two, three) = tokio::join!(one, two, three);
        assert_eq!(one.unwrap_err().status.as_u16(), 504);
        assert_eq!(two.unwrap_err().status.as_u16(), 504);
        let refused = three.unwrap_err();
        assert_eq!(
            (refused.status.as_u16(), refused.retry_after_seconds),
            (503, Some(1))
        );
        drop(held);
        let later = Instant::now() + Duration::from_secs(30);
        assert_eq!(
            hasher
                .verify(Secret::new("x".into()), None, later)
                .await
                .unwrap(),
            Verdict::Wrong
        );
    }
}
