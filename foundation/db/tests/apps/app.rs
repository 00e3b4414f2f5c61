//! An app's files.

use crate::script::Script;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// An app: its migrations in their order, the seed as the last of them, and what is asked of it.
pub struct App {
    pub name: String,
    /// Names and texts.
    pub migrations: Vec<(String, String)>,
    pub script: Script,
}

/// Where the apps are.
fn folder() -> PathBuf {
    Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/apps")
}

/// Their names; beside them is what is refused, which is another test's.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "refused")
        .collect();
    names.sort();
    assert!(names.len() >= 12, "the apps are gone: {names:?}");
    names
}

impl App {
    /// Of an app that is in `examples` already, only the requests are here.
    pub fn read(name: &str) -> App {
        let folder = folder().join(name);
        let mut migrations = folder.join("migrations");
        if !migrations.exists() {
            migrations = folder
                .join("../../../examples")
                .join(name)
                .join("migrations");
        }
        let mut files: Vec<PathBuf> = fs::read_dir(migrations)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files.extend(Some(folder.join("seed.sql")).filter(|seed| seed.exists()));
        let read = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        };
        App {
            name: name.to_owned(),
            migrations: files.iter().map(read).collect(),
            script: Script::parse(&fs::read_to_string(folder.join("requests.txt")).unwrap()),
        }
    }
}
