//! The words every crate of Pando shares: who calls, what time it is, what went wrong, how much is allowed.
//!
//! Invariants: no IO, no runtime, no database. Everything here is a plain value, so that planners, policies and
//! limits can be tested without a socket. Deliberately absent: HTTP types (see `net`) and SQL types (see `sql`).

pub mod caller;
pub mod clock;
pub mod error;
pub mod ids;
pub mod limits;
pub mod secret;

pub use caller::{Caller, Role};
pub use clock::{Clock, SystemClock, TestClock, Timestamp};
pub use error::{ApiError, ErrorKind};
pub use ids::{RequestId, SessionId, UserId};
pub use limits::Limits;
pub use secret::Secret;
