//! A request over tables becomes a typed plan against the catalog, then one statement with bound parameters.
//!
//! ```text
//! Read / Mutation (what the client asked, names unresolved)  +  Catalog  +  Role
//!     --plan--> ReadPlan / MutationPlan: SQLite text, where its parameters come from, how columns become JSON
//! ```
//!
//! Invariants
//! - No IO. Policies are part of the plan: a plan made for a role can't be run without them.
//! - A request holds the *shape* only; values stand beside it as inputs, so a plan serves every request of its shape.
//! - Every value is bound. Identifiers come from the catalog, never from the client's text.
//!
//! Deliberately absent: the REST and GraphQL grammars (services parse them into [`request`]), and engines (see `db`).

mod call;
mod error;
mod grants;
mod input;
mod level;
mod mutation;
mod near;
mod nested;
mod operand;
mod order;
mod payload;
mod planner;
mod predicate;
mod read;
mod relation;
pub mod request;
mod routine;
mod select;
mod source;

pub use call::{CallPlan, Steps, plan_call};
pub use error::{Candidate, Cardinality, PlanError};
pub use input::{InputSlot, InputType};
pub use mutation::{
    Conflict, Constraints, Fetch, Insert, MutationPlan, Reference, RowBound, Work, Write,
    plan_mutation,
};
pub use planner::is_exposed;
pub use read::{OutColumn, PlanLimits, ReadPlan, plan_read};
pub use routine::{Found, Passed, callable, find_routine, overloads, takes_body};
