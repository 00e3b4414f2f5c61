//! REST over the team's own tables, as PostgREST speaks it.
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

pub mod query;
