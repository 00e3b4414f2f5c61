//! Proves that what was acknowledged is there: the real executable under load, harmed in every way we know, and compared with a ledger
//! that lies elsewhere.
//!
//! Each round: clients write through the public API, the intent of every operation in the ledger before it is sent and the
//! outcome after it was answered; a nemesis strikes; the server is started again, and the checker compares. Everything random follows
//! from one seed, though threads and the kernel have a say in what happens when.
//!
//! Invariants: an acknowledged operation is there, exactly once and with its value; a refused one is not; one that nobody knows
//! of is there whole or not at all. Deliberately absent: retries, which would hide what is looked for, and any knowledge of
//! how the server works inside.

pub mod accounts;
pub mod campaign;
pub mod checker;
pub mod clients;
pub mod disk;
pub mod integrity;
pub mod ledger;
pub mod life;
pub mod model;
pub mod nemesis;
pub mod operation;
pub mod planted;
pub mod random;
pub mod report;

pub use campaign::{Options, run};
pub use checker::Breach;
pub use nemesis::{NEMESES, Nemesis};
pub use random::Random;
pub use report::Report;
