//! Plans run on SQLite: what they answer, to whom, and what they refuse.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "plan/ask.rs"]
mod ask;
#[path = "plan/bed.rs"]
mod bed;
#[path = "plan/calls.rs"]
mod calls;
#[path = "plan/embeds.rs"]
mod embeds;
#[path = "plan/filters.rs"]
mod filters;
#[path = "plan/schema.rs"]
mod schema;
#[path = "plan/speed.rs"]
mod speed;
