#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]
//! Engines that run plans. The embedded one is SQLite.

mod embedded;

pub use embedded::mutate::Changed;
