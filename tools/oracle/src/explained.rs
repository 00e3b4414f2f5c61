//! Differences that are meant, each with its reason and as narrow as that. Every one stands in `docs/portability.md` too.

use crate::alike;
use crate::case::Answers;
use crate::compare::Difference;
use crate::engine::Outcome;

/// Why the engines differ here, if it is known and meant.
pub fn reason(sql: &str, kind: Difference, answers: &Answers) -> Option<&'static str> {
    let (postgres, embedded) = (state(&answers.postgres), state(&answers.embedded));
    let message = match &answers.embedded {
        Outcome::Failed { message, .. } => message.as_str(),
        _ => "",
    };
    let denied = embedded == "42501" && message.starts_with("permission denied");
    let writes = !sql.starts_with("select") && !sql.starts_with("with");
    // Postgres computes constants while it plans; an error in them is raised even where no row asks for it, and before any other.
    // A function takes its place in a statement, so that one which asks a table for its own policy never ends; Postgres finds it when
    // it meets a row, and runs out of stack.
    let endless = embedded == "42P17" && postgres != "42P17" || denied && postgres == "54001";
    if answers.calling_policies && endless {
        return Some("a policy that asks its own table by way of a function");
    }
    if answers.planned && (postgres.starts_with("22") || postgres == "0A000") {
        return match &answers.embedded {
            Outcome::Done { rows, .. } if rows.is_empty() => {
                Some("an error in a constant that no row asks for")
            }
            Outcome::Failed { state, .. }
                if ["22", "23", "42501", "21000"]
                    .iter()
                    .any(|class| state.starts_with(class)) =>
            {
                Some("of two errors in one statement that of a constant is raised")
            }
            _ => None,
        };
    }
    // Times are kept as texts of four-digit years, so that they sort; what leaves them is an error, never another value.
    if embedded == "22008" && !postgres.starts_with("22") {
        return Some("a time before the year 1 or after 9999");
    }
    // Closed first: who may not write a row is told that before what else is wrong with it.
    if writes
        && embedded == "42501"
        && message.contains("row-level security")
        && (postgres.starts_with("22") || postgres.starts_with("23"))
    {
        return Some("of two errors in one statement the policy's is raised");
    }
    // Whether policies ask each other without end is not seen of a table that may not be read at all.
    if postgres == "42P17" && denied {
        return Some("of two errors in one statement the other is raised");
    }
    // An array of jsonb is a JSON array in the file, in which null is SQL's.
    if sql.contains("'null'::json") && sql.contains("array") {
        return Some("a JSON null in an array of jsonb");
    }
    // A row met twice is found before any row is written, where Postgres finds it when it writes the second.
    if embedded == "21000"
        && sql.contains(" do update ")
        && (postgres.starts_with("23") || postgres == "42501")
    {
        return Some("of two errors in one statement the other is raised");
    }
    // Postgres leaves a sub-select out, and with it the right it needs, where planning finds that nothing depends on it.
    if answers.left_out {
        return Some("a right that planning makes needless");
    }
    // Rows are computed as they are written by Postgres, and all before the first one is written here.
    if writes
        && kind == Difference::State
        && embedded.starts_with("22")
        && (postgres == "42501" || postgres.starts_with("23"))
    {
        return Some("of two errors in one statement the other is raised");
    }
    // A text that is no moment is none on both; which of its parts, or of several rows, is blamed depends on how they are taken.
    let moment = |state: &str| ["22007", "22008", "22009"].contains(&state);
    if kind == Difference::State && moment(&postgres) && moment(&embedded) {
        return Some("what is wrong with a text that is no moment");
    }
    // Letters beyond a to z are letters here, under every locale.
    let foreign = |outcome: &Outcome| matches!(outcome, Outcome::Done { rows, .. } if !rows.concat().is_ascii());
    if kind == Difference::Rows && sql.contains("initcap(") && foreign(&answers.embedded) {
        return Some("letters beyond a to z");
    }
    // SQLite keeps a whole float as an integer, and no integer is minus zero.
    if kind == Difference::Rows
        && alike::but_for_signs_of_zero(&answers.postgres, &answers.embedded)
        || kind == Difference::Effects && alike::effects_but_for_signs_of_zero(&answers.effects)
    {
        return Some("a zero without its sign");
    }
    // Numerics and intervals may be equal and be written otherwise; which of them stands for a group is open in Postgres too.
    let merges = [
        " group by ",
        " union ",
        " intersect ",
        " except ",
        "distinct ",
    ];
    if kind == Difference::Rows
        && merges.iter().any(|word| sql.contains(word))
        && alike::but_for_representatives(&answers.postgres, &answers.embedded)
    {
        return Some("which of equal values stands for them");
    }
    None
}

fn state(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed { state, .. } => state.clone(),
        _ => String::new(),
    }
}
