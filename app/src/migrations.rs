//! The team's `*.sql` files.

use anyhow::{Context, Result, bail};
use pando_db::Migration;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Reads all migrations of a directory, in the order of their numbers' text. A file is named `<digits>_<name>.sql`.
/// A directory that is not there holds none.
pub fn read(directory: &Path) -> Result<Vec<Migration>> {
    let mut found: BTreeMap<String, Migration> = BTreeMap::new();
    for path in files(directory)? {
        let file = path.display().to_string();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some((version, words)) = split(&name) else {
            bail!("{file}: a migration is named with its number first, as 0001_{name}.sql");
        };
        let sql = fs::read_to_string(&path).with_context(|| format!("read {file}"))?;
        let migration = Migration {
            version: Cow::Owned(version.to_owned()),
            name: Cow::Owned(words.to_owned()),
            file: Cow::Owned(file.clone()),
            sql: Cow::Owned(sql),
        };
        if let Some(other) = found.insert(version.to_owned(), migration) {
            bail!("{file} and {} have the same number", other.file);
        }
    }
    Ok(found.into_values().collect())
}

/// Makes an empty migration with the next number and answers where it is.
pub fn begin(directory: &Path, words: &str) -> Result<PathBuf> {
    let words: String = words
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    let words = words.trim_matches('_');
    if words.is_empty() {
        bail!("a migration needs a name of letters");
    }
    let existing = read(directory)?;
    let width = existing.last().map_or(4, |last| last.version.len());
    let next = match existing.last() {
        Some(last) => {
            last.version
                .parse::<u64>()
                .context("read the number of the last migration")?
                + 1
        }
        None => 1,
    };
    fs::create_dir_all(directory).with_context(|| format!("make {}", directory.display()))?;
    let path = directory.join(format!("{next:0width$}_{words}.sql"));
    let text = "-- Postgres SQL. It runs once, in one transaction. After it ran, write a new migration instead of changing it.\n";
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("read the migrations in {}", directory.display()));
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("read the migrations in {}", directory.display()))?
            .path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The digits a name begins with, and the words after the underscore.
fn split(name: &str) -> Option<(&str, &str)> {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let (version, words) = name.split_at(digits);
    let words = if words.is_empty() {
        Some("")
    } else {
        words.strip_prefix('_')
    };
    words.filter(|_| digits > 0).map(|words| (version, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_first_and_order_the_files() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path()).expect("an empty folder").is_empty());
        assert!(
            read(&folder.path().join("nowhere"))
                .expect("no folder")
                .is_empty()
        );
        for name in ["0002_b.sql", "0001_a.sql", "notes.txt"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let read_now = || read(folder.path());
        let names: Vec<_> = read_now()
            .expect("valid names")
            .iter()
            .map(|m| (m.version.clone(), m.name.clone()))
            .collect();
        assert_eq!(
            names,
            [("0001".into(), "a".into()), ("0002".into(), "b".into())]
        );

        let new = begin(folder.path(), "Add C, please!").expect("made");
        assert_eq!(
            new.file_name().and_then(|name| name.to_str()),
            Some("0003_add_c__please.sql")
        );

        fs::write(folder.path().join("0002_other.sql"), "").expect("written");
        assert!(read_now().is_err_and(|error| error.to_string().contains("the same number")));
        fs::write(folder.path().join("wrong.sql"), "").expect("written");
        assert!(
            read_now().is_err_and(|error| error.to_string().contains("0001_wrong.sql")
                || error.to_string().contains("same"))
        );
    }

    #[test]
    fn long_numbers_stay_long() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("20240101120000_a.sql"), "").expect("written");
        let new = begin(folder.path(), "b").expect("made");
        assert_eq!(
            new.file_name().and_then(|name| name.to_str()),
            Some("20240101120001_b.sql")
        );
    }
}
