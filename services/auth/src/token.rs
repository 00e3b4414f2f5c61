//! Opaque secrets: made at random or derived, shown once, stored as hashes.
//!
//! A refresh token's successor is derived from it with a key only this deployment has. So a phone that lost the answer
//! asks again and gets the very same successor, although the database holds nothing but hashes; and a session's tokens
//! are one chain whatever the network does.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pando_kernel::Secret;

/// Keyed hashing, as the deployment's keys offer it: 32 bytes for a purpose and data.
pub trait Mac {
    /// HMAC-SHA256 under a key of this deployment for `purpose`.
    fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32];
}

impl Mac for pando_keys::Keys {
    fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.hmac(purpose, data)
    }
}

/// 256 random bits in 43 characters that need no escaping in a URL.
pub fn random_token() -> Secret<String> {
    let mut bytes = [0_u8; 32];
    fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// Six random decimal digits, each number equally likely.
pub fn random_digits() -> Secret<String> {
    // 4,294,000,000 is the largest multiple of a million below 2^32; numbers above it would favour low digits.
    loop {
        let mut bytes = [0_u8; 4];
        fill(&mut bytes);
        let number = u32::from_le_bytes(bytes);
        if number < 4_294_000_000 {
            return Secret::new(format!("{:06}", number % 1_000_000));
        }
    }
}

fn fill(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the system's random source works, or nothing can be kept secret");
}

/// What the database keeps of a secret with 256 bits: a plain hash is enough, there is nothing to guess.
pub fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// What the database keeps of digits. Keyed, because six digits are guessed in no time by who holds a copy of the file.
pub fn digits_hash(mac: &impl Mac, address: &str, digits: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac.mac("auth.otp", format!("{address}\n{digits}").as_bytes()))
}

/// The refresh token that follows `token`.
pub fn successor(mac: &impl Mac, token: &str) -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(mac.mac("auth.refresh", token.as_bytes())))
}

/// A name for something limited that does not show it: people mistype passwords into the field for the address.
pub fn limit_key(mac: &impl Mac, scope: &str, subject: &str) -> String {
    let hash = mac.mac("auth.limit", format!("{scope}\n{subject}").as_bytes());
    format!("{scope}:{}", URL_SAFE_NO_PAD.encode(&hash[..16]))
}

/// Compares hashes in a time that does not depend on where they differ.
pub fn same(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

/// Whether `verifier` is the secret behind `challenge` (RFC 7636 section 4.6).
pub fn proves(verifier: &str, challenge: &str, method: &str) -> bool {
    match method {
        "s256" => same(&hash_of(verifier), challenge),
        _ => same(verifier, challenge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TestMac;
    impl Mac for TestMac {
        fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
            let digest =
                digest::digest(&digest::SHA256, &[purpose.as_bytes(), b"|", data].concat());
            digest.as_ref().try_into().unwrap()
        }
    }

    #[test]
    fn a_successor_is_the_same_each_time_and_differs_from_its_parent() {
        let token = random_token();
        let next = successor(&TestMac, token.expose());
        assert!(next == successor(&TestMac, token.expose()));
        assert!(next != token);
        assert_eq!(next.expose().len(), 43);
    }

    #[test]
    fn digits_are_six_and_their_hash_is_bound_to_the_address() {
        let digits = random_digits();
        assert!(
            digits.expose().len() == 6 && digits.expose().bytes().all(|byte| byte.is_ascii_digit())
        );
        assert_ne!(
            digits_hash(&TestMac, "a@x.io", digits.expose()),
            digits_hash(&TestMac, "b@x.io", digits.expose())
        );
    }

    #[test]
    fn the_verifier_of_rfc_7636_appendix_b_proves_its_challenge() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(proves(verifier, challenge, "s256"));
        assert!(!proves(verifier, challenge, "plain"));
        assert!(proves(verifier, verifier, "plain"));
        assert!(!proves(
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl",
            challenge,
            "s256"
        ));
    }
}
