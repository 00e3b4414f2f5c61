//! Mutations run on SQLite as the writer runs them: each in a savepoint, undone when it fails.

mod alter;
mod bed;
mod conflicts;
mod constraints;
mod fixture;
mod generated;
mod grants;
mod keys;
mod kinds;
mod policies;
mod sequences;
mod writes;
