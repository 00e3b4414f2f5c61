//! What the repository's own tests say to the targets: where a new corpus begins (`cargo x fuzz --grow`).

use crate::corpus::home;
use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    home().join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Inputs for a target from the tests' files.
pub fn sources(target: &str) -> Vec<Vec<u8>> {
    let texts = match target {
        "sql" => sql(),
        "literals" => literals(),
        _ => rest(),
    };
    texts.into_iter().map(String::into_bytes).collect()
}

/// The first column of what Postgres answered.
fn scalars() -> Vec<String> {
    [
        "aggregates",
        "arrays",
        "casts",
        "jsons",
        "numbers",
        "texts",
        "times",
    ]
    .iter()
    .flat_map(|name| {
        let file = text(&format!("foundation/sql/tests/scalars/{name}.txt"));
        file.lines()
            .filter_map(|line| line.trim_start_matches("! ").split_once('\t'))
            .map(|(expression, _)| expression.to_owned())
            .collect::<Vec<_>>()
    })
    .collect()
}

fn sql() -> Vec<String> {
    let mut found: Vec<String> = scalars()
        .iter()
        .map(|expression| format!("select {expression} from t"))
        .collect();
    let precedence = text("foundation/sql/tests/precedence.txt");
    found.extend(
        precedence
            .lines()
            .filter(|line| !line.starts_with([' ', '#']) && !line.is_empty())
            .map(|expression| format!("create policy p on x using ({expression})")),
    );
    for file in sql_files(&root().join("tests/apps")) {
        let all = statements(&fs::read_to_string(file).unwrap_or_default());
        // A statement means little without those before it.
        for end in 1..=all.len() {
            found.push(all[end - 1].clone());
            found.push(all[end.saturating_sub(4)..end].join(";\n"));
        }
    }
    found
}

fn sql_files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sql_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "sql") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Cuts a migration at its semicolons, but for those within a body.
fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        if current.is_empty() && (line.trim().is_empty() || line.starts_with("--")) {
            continue;
        }
        current.push_str(line);
        current.push('\n');
        if line.trim_end().ends_with(';') && current.matches("$$").count().is_multiple_of(2) {
            found.push(current.trim_end().trim_end_matches(';').to_owned());
            current.clear();
        }
    }
    found
}

/// What stands in single quotes in the scalars.
fn literals() -> Vec<String> {
    scalars()
        .iter()
        .flat_map(|expression| {
            expression
                .split('\'')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The strings of the grammar's own tests.
fn rest() -> Vec<String> {
    let tests =
        text("services/data/src/query/tests.rs") + &text("services/data/tests/rest/reads.rs");
    tests
        .split('"')
        .filter(|part| part.contains('=') && part.len() < 300 && !part.contains(['\n', '{']))
        .map(|part| {
            let query = part.rsplit_once('?').map_or(part, |(_, query)| query);
            format!("GET staff?{query}")
        })
        .collect()
}
