//! What the documents promise, run as they say it.

use pando_testkit::{Node, Setup, executable};
use std::fs;

#[test]
fn the_tour_of_the_readme_runs_as_it_is_written() {
    if Node::is_absent() {
        eprintln!("NOT RUN: the tour of the README, there is no Node here");
        return;
    }
    let readme = fs::read_to_string(executable::checkout().join("README.md")).unwrap();
    let pando = Setup::new()
        .migration("0001_todos", fence(&readme, "sql"))
        .start()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("tour.mjs");
    fs::write(&script, fence(&readme, "js")).unwrap();
    let printed = Node::find()
        .unwrap()
        .run(&script, &pando.script_variables().unwrap())
        .unwrap();
    let promised = fence(&readme, "text");
    assert_eq!(
        printed.trim(),
        promised.trim(),
        "what the tour prints is what the README shows"
    );
}

#[test]
fn the_chat_example_runs() {
    if Node::is_absent() {
        eprintln!("NOT RUN: the tour of the chat example, there is no Node here");
        return;
    }
    let pando = Setup::new()
        .migrations_of("examples/chat/migrations")
        .start()
        .unwrap();
    let script = executable::checkout().join("examples/chat/tour.mjs");
    let variables = pando.script_variables().unwrap();
    let printed = Node::find().unwrap().run(&script, &variables);
    let printed =
        printed.unwrap_or_else(|error| panic!("{error:#}\n--- the server's log\n{}", pando.log()));
    assert!(
        printed.contains("A stranger with the same key sees no rooms at all"),
        "{printed}"
    );
}

/// The content of the first code fence of this language after the heading of the tour.
fn fence<'a>(readme: &'a str, language: &str) -> &'a str {
    let tour = readme
        .split_once("minute tour\n")
        .expect("the README has a tour")
        .1;
    let start = format!("```{language}\n");
    let (_, rest) = tour
        .split_once(&start)
        .unwrap_or_else(|| panic!("the tour has a block of {language}"));
    rest.split_once("\n```").expect("the block ends").0
}
