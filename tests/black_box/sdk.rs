//! Scripts under `tests/js`, run with the unmodified SDK against a server of their own.

use pando_testkit::{Node, Setup};
use std::fs;

/// Runs a script against a server with this setup and shows what it printed.
fn run(script: &str, setup: Setup) {
    if Node::is_absent() {
        eprintln!("NOT RUN: {script}, there is no Node here");
        return;
    }
    let pando = setup.start().unwrap();
    let variables = pando.script_variables().unwrap();
    match Node::find().unwrap().run_test(script, &variables) {
        Ok(printed) => eprintln!("{printed}"),
        Err(error) => panic!("{error:#}\n--- the server's log\n{}", pando.log()),
    }
}

fn schema(name: &str) -> String {
    let folder = pando_testkit::executable::checkout().join("tests/schema");
    fs::read_to_string(folder.join(name).with_extension("sql")).unwrap()
}

#[test]
fn two_users_see_their_own_rows_and_nothing_of_each_others() {
    run(
        "two_users",
        Setup::new().migration("0001_notes", &schema("notes")),
    );
}

#[test]
fn sessions_live_rotate_and_end() {
    let setup = Setup::new().migration("0001_notes", &schema("notes"));
    run("sessions", setup.config("[limits]\nrefresh_grace_s = 0"));
}

#[test]
fn mails_confirm_addresses_and_recover_passwords() {
    run(
        "mails",
        Setup::new().config("[auth]\nconfirm_email = true\nredirect_urls = [\"app://*\"]"),
    );
}

#[test]
fn links_and_codes_lead_back_to_the_app_that_asked() {
    run(
        "links",
        Setup::new()
            .migration("0001_notes", &schema("notes"))
            .config("jwt_secret = \"a-secret-of-an-older-project-with-at-least-32-characters\"")
            .config("[auth]\nconfirm_email = true\nredirect_urls = [\"app://*\"]"),
    );
}

#[test]
fn rows_are_read_in_every_everyday_way() {
    run(
        "rest_read",
        Setup::new().migration("0001_library", &schema("library")),
    );
}

#[test]
fn rows_are_written_in_every_everyday_way() {
    run(
        "rest_write",
        Setup::new().migration("0001_library", &schema("library")),
    );
}

#[test]
fn functions_are_called_and_views_read_in_every_everyday_way() {
    run(
        "rpc",
        Setup::new()
            .migration("0001_library", &schema("library"))
            .migration("0002_functions", &schema("functions")),
    );
}
