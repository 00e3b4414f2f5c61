//! Differences that are meant, each with its reason. Every one stands in `docs/portability.md` too.

use crate::case::Answers;
use crate::compare::Difference;
use crate::engine::Outcome;

/// Why the engines differ here, if it is known and meant.
pub fn reason(sql: &str, kind: Difference, answers: &Answers) -> Option<&'static str> {
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
    // Whether policies ask each other without end is seen when a statement is rendered, after its constants were read.
    if postgres == "42P17" && (embedded.starts_with("22") || embedded == "42501") {
        return Some("of two errors in one statement the other is raised");
    }
    // An array of jsonb is a JSON array in the file, in which null is SQL's.
    if sql.contains("jsonb[]") && sql.contains("null") {
        return Some("a JSON null in an array of jsonb");
    }
    // A row met twice is found before any row is written, where Postgres finds it when it writes the second.
    if embedded == "21000" && postgres.starts_with("23") {
        return Some("of two errors in one statement the other is raised");
    }
    // Postgres leaves a sub-select out, and with it the right it needs, where planning finds that a constant decides.
    let constant = ["null", "true", "false"];
    if embedded == "42501"
        && postgres.is_empty()
        && denied(&answers.embedded)
        && constant.iter().any(|word| sql.contains(word))
    {
        return Some("a right that a constant makes needless");
    }
    // The key of an upsert is looked up by equality, by which null is not equal to null.
    if embedded == "23505" && postgres.is_empty() && sql.contains("on conflict") {
        return Some("an upsert by a key whose nulls are not distinct");
    }
    // Both are right that the statement fails, and which of two operands is looked at first is open.
    if kind == Difference::State && postgres.starts_with("22") && embedded.starts_with("22") {
        return Some("of two errors in one statement the other is raised");
    }
    None
}

fn denied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { message, .. } if message.starts_with("permission denied"))
}
