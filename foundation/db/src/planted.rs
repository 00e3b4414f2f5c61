//! Bugs put in on purpose, to see that `cargo x torture --planted` finds them. Only a build with the feature `planted` has them; in any
//! other one [`planted`] is false for the compiler, and what stands behind it is not there.

/// Whether this bug is planted: `PANDO_PLANTED` names one.
#[cfg(feature = "planted")]
pub fn planted(bug: &str) -> bool {
    static NAMED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let named = NAMED.get_or_init(|| std::env::var("PANDO_PLANTED").ok());
    named.as_deref() == Some(bug)
}

/// Whether this bug is planted: never.
#[cfg(not(feature = "planted"))]
pub const fn planted(_: &str) -> bool {
    false
}
