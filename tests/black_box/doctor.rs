//! `pando doctor`: what it says of an instance in order, of one that will hurt, and of one that is broken.

use pando_testkit::Setup;
use serde_json::Value;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::process::Output;

const TODOS: &str = "
create table todos (id bigint primary key, owner uuid not null, task text not null);
create policy own on todos for all to authenticated using (owner = auth.uid());
create table lists (id bigint primary key, name text not null);
";

fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {output:?}"))
}

/// The messages of a check.
fn said(report: &Value, check: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of_it = findings.iter().filter(|finding| finding["check"] == check);
    of_it
        .map(|finding| {
            format!(
                "{}: {}",
                finding["level"].as_str().unwrap(),
                finding["message"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn an_instance_is_looked_over_while_it_runs() {
    let mut pando = Setup::new().migration("0001_todos", TODOS).start().unwrap();
    let output = pando.run("doctor", &["--json"]).unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = report(&output);
    assert_eq!(report["ok"], true);
    assert!(
        said(&report, "integrity")[0].contains("all of it whole"),
        "{report}"
    );
    assert_eq!(
        said(&report, "keys"),
        ["ok: the master key opens the signing keys"]
    );
    assert_eq!(
        said(&report, "policies"),
        ["note: public.lists has no policy, so only the service role reaches it"]
    );
    assert_eq!(
        said(&report, "indexes"),
        [
            "warning: public.todos has no index for policy \"own\" on public.todos, so it is read as a whole"
        ]
    );
    let text = pando.run("doctor", &[]).unwrap();
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("create index on public.todos (owner);"),
        "{text}"
    );
    pando.request_stop().unwrap();
    pando.wait().unwrap();
}

#[test]
fn settings_that_will_hurt_are_told() {
    let mut pando = Setup::new().start().unwrap();
    pando.request_stop().unwrap();
    pando.wait().unwrap();
    let arguments = ["--json", "--listen", "0.0.0.0:54321"];
    let output = pando.run("doctor", &arguments).unwrap();
    assert!(output.status.success(), "they are no failure: {output:?}");
    let settings = said(&report(&output), "settings");
    assert!(settings[0].contains("without TLS"), "{settings:?}");
    assert_eq!(settings.len(), 3, "{settings:?}");
}

#[test]
fn what_is_broken_is_named_and_the_status_says_so() {
    let mut pando = Setup::new().migration("0001_todos", TODOS).start().unwrap();
    pando.request_stop().unwrap();
    pando.wait().unwrap();
    std::fs::write(
        pando.data().join("master.key"),
        format!("{}\n", "0a".repeat(32)),
    )
    .unwrap();
    let output = pando.run("doctor", &["--json"]).unwrap();
    assert!(!output.status.success());
    let told = report(&output);
    assert_eq!(told["ok"], false);
    assert!(said(&told, "keys")[0].starts_with("error: "), "{told}");
    // Somewhere behind the schema, in the middle of the pages.
    let file = OpenOptions::new()
        .write(true)
        .open(pando.data().join("pando.db"))
        .unwrap();
    let length = file.metadata().unwrap().len();
    for page in 2..length / 4_096 {
        file.write_all_at(&[0xff; 64], page * 4_096).unwrap();
    }
    let output = pando.run("doctor", &["--json"]).unwrap();
    assert!(!output.status.success());
    let told = report(&output);
    assert!(
        said(&told, "integrity")
            .iter()
            .any(|line| line.starts_with("error: ")),
        "{told}"
    );
}
