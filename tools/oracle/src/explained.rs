//! Differences that are meant, each with its reason. Every one stands in `docs/portability.md` too.

use crate::case::Answers;
use crate::compare::Difference;
use crate::engine::Outcome;

/// Why the engines differ here, if it is known and meant.
pub fn reason(_sql: &str, kind: Difference, answers: &Answers) -> Option<&'static str> {
    let state = |outcome: &Outcome| match outcome {
        Outcome::Failed { state, .. } => state.clone(),
        _ => String::new(),
    };
    let (postgres, embedded) = (state(&answers.postgres), state(&answers.embedded));
    let empty =
        |outcome: &Outcome| matches!(outcome, Outcome::Done { rows, .. } if rows.is_empty());
    // Postgres evaluates constants while it plans; an error in them is raised even where no row asks for it.
    let data = postgres.starts_with("22") || postgres == "0A000";
    if kind == Difference::Failure && data && empty(&answers.embedded) {
        return Some("an error in a constant that no row asks for");
    }
    // Times are kept as texts of four-digit years, so that they sort; what leaves them is an error, never another value.
    if embedded == "22008" && postgres.is_empty() {
        return Some("a time before the year 1 or after 9999");
    }
    // Closed first: who may not write a row is told that before what else is wrong with it.
    if embedded == "42501" && (postgres.starts_with("22") || postgres.starts_with("23")) {
        return Some("of two errors in one statement the policy's is raised");
    }
    // Both are right that the statement fails, and which of two operands is looked at first is open.
    if kind == Difference::State && postgres.starts_with("22") && embedded.starts_with("22") {
        return Some("of two errors in one statement the other is raised");
    }
    None
}
