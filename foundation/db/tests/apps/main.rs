//! A dozen apps as people write them (`tests/apps`): their migrations run on both engines, and each of their requests is answered
//! alike by both. What Postgres answers is what is right.
//!
//! An app has `migrations/*.sql`, perhaps a `seed.sql`, and
//! `requests.txt`, whose form [`script`] describes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod app;
mod differences;
mod embedded;
mod oracle;
mod script;

use answer::Answer;
use app::App;

/// One test, because the apps share a server of Postgres.
#[test]
fn each_app_is_answered_alike_by_both_engines() {
    let mut failures = Vec::new();
    let mut requests = 0;
    for name in app::names() {
        match check(&App::read(&name)) {
            Ok(count) => requests += count,
            Err(failure) => failures.push(failure),
        }
    }
    println!("{requests} requests of apps answered alike by both engines");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// How many requests were answered alike, or what was not.
fn check(app: &App) -> Result<usize, String> {
    let expected = oracle::run(app);
    let got = embedded::run(app).map_err(|refused| format!("{}/{refused}", app.name))?;
    if got.len() != app.script.requests().count() {
        return Err(format!("{}: its requests are not asked", app.name));
    }
    let differences = differences(app, expected.as_deref(), &got);
    if differences.is_empty() {
        return Ok(got.len());
    }
    Err(format!(
        "{}: {} of {} answers differ\n\n{}",
        app.name,
        differences.len(),
        got.len(),
        differences.join("\n\n")
    ))
}

/// What the engines disagree on, one text a request; none where there is no Postgres to ask.
fn differences(app: &App, expected: Option<&[Answer]>, got: &[Answer]) -> Vec<String> {
    let Some(expected) = expected else {
        return Vec::new();
    };
    let pairs = expected.iter().zip(got);
    app.script
        .requests()
        .zip(pairs)
        .filter(|(request, (expected, got))| !expected.same(got, request.is_ordered()))
        .map(|(request, (expected, got))| {
            format!(
                "{}/requests.txt:{}: as {}\n{}\n  postgres: {expected}\n  embedded: {got}",
                app.name, request.line, request.caller, request.sql
            )
        })
        .collect()
}
