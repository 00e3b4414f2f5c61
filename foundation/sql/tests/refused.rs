//! What a stranger reads when a migration is refused: each file of `tests/apps/refused`, and its message in `messages.txt` there.
//! With PANDO_WRITE_MESSAGES set, the messages are written anew; read them before they are committed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::{Catalog, migrate};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What stands before each of the files.
const BEFORE: &str = "create table places (id bigint primary key, name text not null, body text, tags text[], starts_at timestamptz, ends_at timestamptz);";

#[test]
fn each_refusal_says_where_what_and_what_to_do() {
    let folder =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/apps/refused");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "the files are gone");
    let catalog = migrate(&Catalog::default(), "0001.sql", BEFORE)
        .unwrap()
        .catalog;
    let mut messages = String::new();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let message = match migrate(&catalog, name, &fs::read_to_string(path).unwrap()) {
            Ok(_) => panic!("{name} was taken: if that is right, take the file away"),
            Err(refusal) => refusal.to_string(),
        };
        writeln!(messages, "{message}").unwrap();
    }
    let expected = folder.join("messages.txt");
    if env::var_os("PANDO_WRITE_MESSAGES").is_some() {
        fs::write(&expected, &messages).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap();
    for (found, expected) in messages.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(messages.lines().count(), expected.lines().count());
}
