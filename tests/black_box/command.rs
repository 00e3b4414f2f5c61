//! The command line: starting, stopping, configuration, migrations, keys.

use pando_testkit::{Client, Setup};
use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

fn err(output: &Output) -> String {
    assert!(!output.status.success(), "a failure was expected");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn out(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_empty_directory_answers_soon() {
    // The promise of 300 ms is for the release build on a quiet machine; a build without optimisation gets more here.
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let mut pando = Setup::new().prepare().unwrap();
        let began = Instant::now();
        pando.start().unwrap();
        best = best.min(began.elapsed());
    }
    eprintln!(
        "first answer on an empty directory after {} ms",
        best.as_millis()
    );
    assert!(best < Duration::from_millis(3_000), "{best:?}");
}

#[test]
fn the_start_says_where_it_is_and_how_to_get_the_keys() {
    let pando = Setup::new().start().unwrap();
    let keys = pando.keys().unwrap();
    let printed = pando.printed();
    assert!(printed.contains(&pando.url()), "{printed}");
    assert!(printed.contains(&keys.publishable), "{printed}");
    assert!(printed.contains("pando keys"), "{printed}");
    assert!(
        !printed.contains(&keys.secret),
        "the secret key is not printed"
    );
    assert!(
        printed.contains(
            &pando
                .mail()
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        ),
        "{printed}"
    );
}

#[test]
fn keys_are_the_same_whether_the_server_runs_or_not() {
    let mut pando = Setup::new().start().unwrap();
    let running = pando.keys().unwrap();
    assert!(
        running.publishable.starts_with("sb_publishable_")
            && running.secret.starts_with("sb_secret_")
    );
    pando.kill().unwrap();
    let stopped = pando.keys().unwrap();
    assert_eq!(format!("{running:?}"), format!("{stopped:?}"));
    let text = out(&pando.run("keys", &[]).unwrap());
    assert!(
        text.contains(&running.publishable) && text.contains(&running.service_role),
        "{text}"
    );
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let pando = Setup::new().start().unwrap();
    let second = pando
        .run(
            "serve",
            &["--listen", "127.0.0.1:0", "--metrics-listen", ""],
        )
        .unwrap();
    let text = err(&second);
    assert!(
        text.contains("pando-data") && text.contains("using"),
        "{text}"
    );
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Setup::new().start().unwrap();
    let second = Setup::new().prepare().unwrap();
    let output = second
        .run(
            "serve",
            &[
                "--listen",
                &first.address().to_string(),
                "--metrics-listen",
                "",
            ],
        )
        .unwrap();
    let text = err(&output);
    assert!(text.contains(&first.address().to_string()), "{text}");
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_its_place() {
    for (toml, expected) in [
        (
            "lisen = \"127.0.0.1:1\"",
            "pando.toml:1: there is no setting lisen; did you mean listen?",
        ),
        (
            "\n[limits]\npage_rows_max = -1",
            "pando.toml:3: limits.page_rows_max must be a whole number",
        ),
        (
            "listen = \"here\"",
            "pando.toml:1: listen must be an address and a port",
        ),
    ] {
        let pando = Setup::new().config(toml).prepare().unwrap();
        let text = err(&pando.run("serve", &[]).unwrap());
        assert!(text.contains(expected), "{toml}: {text}");
    }
    let pando = Setup::new().variable("PANDO_LISTN", "x").prepare().unwrap();
    let text = err(&pando.run("serve", &[]).unwrap());
    assert!(
        text.contains("PANDO_LISTN: there is no such setting; did you mean PANDO_LISTEN?"),
        "{text}"
    );
    let pando = Setup::new().prepare().unwrap();
    let text = err(&pando.run("serve", &["--listn", "x"]).unwrap());
    assert!(text.contains("--listen"), "{text}");
}

#[test]
fn the_configuration_is_explained_without_its_secrets() {
    let pando = Setup::new()
        .config("[limits]\npage_rows_max = 7")
        .variable("PANDO_JWT_SECRET", "a-secret-that-nobody-shows-to-anybody")
        .prepare()
        .unwrap();
    let text = out(&pando
        .run("config", &["explain", "--listen", "127.0.0.1:9"])
        .unwrap());
    let line = |key: &str| {
        text.lines()
            .find(|line| line.split(' ').next() == Some(key))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("limits.page_rows_max").contains("pando.toml:2"),
        "{text}"
    );
    assert!(
        line("listen").contains("127.0.0.1:9") && line("listen").contains("--listen"),
        "{text}"
    );
    assert!(
        line("jwt_secret").contains("(set)") && !text.contains("nobody-shows"),
        "{text}"
    );
}

#[test]
fn migrations_run_once_in_order_and_are_listed() {
    let pando = Setup::new()
        .migration("0001_a", "create table a (id int primary key);")
        .migration(
            "0002_b",
            "create table b (id int primary key references a (id));",
        )
        .prepare()
        .unwrap();
    let before = out(&pando.run("migrate", &["status"]).unwrap());
    assert_eq!(before.matches("pending").count(), 2, "{before}");
    let up = out(&pando.run("migrate", &["up"]).unwrap());
    assert!(up.contains("0001_a") && up.contains("0002_b"), "{up}");
    let after = out(&pando.run("migrate", &["status"]).unwrap());
    assert_eq!(after.matches("applied").count(), 2, "{after}");
    let again = out(&pando.run("migrate", &["up"]).unwrap());
    assert!(!again.contains("0001_a"), "{again}");

    let new = out(&pando.run("migrate", &["new", "add_c"]).unwrap());
    let made = fs::read_dir(pando.folder().join("migrations"))
        .unwrap()
        .count();
    assert_eq!(made, 3, "{new}");

    fs::write(
        pando.folder().join("migrations/0001_a.sql"),
        "create table a (id bigint primary key);",
    )
    .unwrap();
    let text = err(&pando.run("migrate", &["up"]).unwrap());
    assert!(
        text.contains("0001_a") && text.contains("changed"),
        "{text}"
    );
}

#[test]
fn a_migration_that_is_not_portable_is_refused_with_file_and_line_and_leaves_nothing() {
    let pando = Setup::new()
        .migration("0001_fine", "create table fine (id int primary key);")
        .migration("0002_not", "create table half (id int primary key);\n\ncreate function f() returns int language plpgsql as $$ begin return 1; end $$;")
        .prepare()
        .unwrap();
    let text = err(&pando
        .run(
            "serve",
            &["--listen", "127.0.0.1:0", "--metrics-listen", ""],
        )
        .unwrap());
    assert!(text.contains("0002_not.sql:3"), "{text}");
    let status = out(&pando.run("migrate", &["status"]).unwrap());
    assert_eq!(status.matches("applied").count(), 1, "{status}");
    fs::write(
        pando.folder().join("migrations/0002_not.sql"),
        "create table half (id int primary key);",
    )
    .unwrap();
    out(&pando.run("migrate", &["up"]).unwrap());
}

#[test]
fn a_seed_is_read_once() {
    let mut pando = Setup::new()
        .migration("0001_a", "create table a (id int primary key);")
        .prepare()
        .unwrap();
    fs::write(
        pando.folder().join("seed.sql"),
        "insert into a values (1), (2);",
    )
    .unwrap();
    pando.start().unwrap();
    let keys = pando.keys().unwrap();
    let count = |client: &mut Client| {
        client
            .get("/rest/v1/a?select=id")
            .unwrap()
            .json()
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        count(&mut pando.client().keyed(&keys.secret, None)),
        Some(2)
    );
    pando
        .client()
        .keyed(&keys.secret, None)
        .send("DELETE", "/rest/v1/a?id=eq.1", &[], None)
        .unwrap();
    pando.kill().unwrap();
    pando.start().unwrap();
    assert_eq!(
        count(&mut pando.client().keyed(&keys.secret, None)),
        Some(1)
    );
}

#[test]
fn health_is_open_and_metrics_stay_on_their_own_listener() {
    let pando = Setup::new().start().unwrap();
    let mut client = pando.client();
    assert_eq!(client.get("/live").unwrap().status, 200);
    assert_eq!(client.get("/ready").unwrap().status, 200);
    assert_eq!(client.get("/metrics").unwrap().status, 404);
    assert_eq!(client.get("/auth/v1/health").unwrap().status, 401);
    let metrics = pando.metrics().unwrap();
    for part in ["route=", "status=", "_bucket", "queue", "batch", "fsync"] {
        assert!(metrics.contains(part), "{part} is missing in\n{metrics}");
    }
}

#[test]
fn printing_into_a_closed_pipe_is_no_failure_of_ours() {
    let pando = Setup::new().prepare().unwrap();
    let mut command = pando.command("config").unwrap();
    command
        .arg("explain")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{output:?}"
    );
}
