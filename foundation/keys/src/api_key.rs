//! API keys: opaque texts with the prefixes that clients key on, and the legacy tokens that say a role.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What an app carries: the role `anon`.
pub const PUBLISHABLE: &str = "sb_publishable_";
/// What the team's servers carry: the role `service_role`.
pub const SECRET: &str = "sb_secret_";

/// A new key: the prefix, 132 random bits, and a check that shows a mistyped key without a look-up.
pub fn generate(prefix: &str) -> Option<String> {
    let mut bytes = [0_u8; 17];
    rand::fill(&mut bytes).ok()?;
    let random: String = URL_SAFE_NO_PAD.encode(bytes).chars().take(22).collect();
    let check = digest::digest(&digest::SHA256, format!("{prefix}{random}").as_bytes());
    let check: String = URL_SAFE_NO_PAD.encode(check).chars().take(8).collect();
    Some(format!("{prefix}{random}_{check}"))
}

/// Whether two keys are the same, in a time that does not depend on where they differ.
pub fn equal(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_random_and_have_their_prefix() {
        let (a, b) = (
            generate(SECRET).expect("random"),
            generate(SECRET).expect("random"),
        );
        assert!(
            a.starts_with("sb_secret_") && a.len() == SECRET.len() + 22 + 1 + 8,
            "{a}"
        );
        assert!(equal(&a, &a) && !equal(&a, &b));
    }
}
