//! The keys of a deployment: what it signs tokens with, what clients prove themselves with, and who a token says they are.
//!
//! Invariants: private parts are in the database, sealed with the master key, so all copies of a fleet agree; the master
//! key is never in the database. Every key is made at the first start: there is no default secret anywhere. A token that
//! is not signed with a key of ours, or has expired, is nobody. Deliberately absent: sessions, which are the sign-in
//! service's, and rotation of the signing key.

mod api_key;
mod keys;
mod master;
mod seal;
mod store;
mod token;

pub use keys::{Keys, KeysError, ShownKeys};
pub use master::{MasterKey, MasterKeyError};
pub use store::migrations;
pub use token::TokenError;
