//! What was asked and what was answered, written down where the database can't take it along: on another path, with
//! O_DSYNC, each intent before it is sent and each acknowledgement after it came.
//!
//! Each client has a file of its own, a line an entry. An acknowledgement is written with the client's next intent, in one write;
//! a client that has no next one closes its book.

use crate::operation::{Operation, Outcome};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A line of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// About to be sent.
    Intent(u64, Operation),
    /// What came of it.
    Outcome(u64, Outcome),
}

/// An operation with what is known of it.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What was asked.
    pub operation: Operation,
    /// What is known.
    pub outcome: Outcome,
}

/// The folder of all books.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    /// How far each book was read.
    read: HashMap<PathBuf, u64>,
    /// Intents whose outcome was not read yet, by book.
    open: HashMap<PathBuf, HashMap<u64, Operation>>,
}

impl Ledger {
    /// A ledger in this folder, which must be there.
    pub fn new(folder: &Path) -> Ledger {
        Ledger {
            folder: folder.to_owned(),
            read: HashMap::new(),
            open: HashMap::new(),
        }
    }

    /// The book of a client, which goes on where it ended.
    pub fn book(&self, client: &str) -> Result<Book> {
        let path = self.folder.join(client).with_extension("jsonl");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .custom_flags(libc::O_DSYNC)
            .open(&path)
            .with_context(|| format!("open the ledger {}", path.display()))?;
        Ok(Book {
            file,
            next: 0,
            waiting: Vec::new(),
        })
    }

    /// What was written since the last time, read from disk. An intent without an outcome is unknown.
    pub fn read(&mut self) -> Result<Vec<Settled>> {
        let mut settled = Vec::new();
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&self.folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        paths.sort();
        for path in paths {
            let mut file = File::open(&path)?;
            let start = self.read.get(&path).copied().unwrap_or(0);
            file.seek(SeekFrom::Start(start))?;
            let open = self.open.entry(path.clone()).or_default();
            let mut reader = BufReader::new(file);
            let (mut line, mut end) = (String::new(), start);
            while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
                end += line.len() as u64;
                match serde_json::from_str(&line)
                    .with_context(|| format!("read a line of {}: {line}", path.display()))?
                {
                    Entry::Intent(number, operation) => {
                        open.insert(number, operation);
                    }
                    Entry::Outcome(number, outcome) => {
                        let operation = open
                            .remove(&number)
                            .with_context(|| format!("find the intent {number} of {line}"))?;
                        settled.push(Settled { operation, outcome });
                    }
                }
                line.clear();
            }
            self.read.insert(path, end);
            settled.extend(open.drain().map(|(_, operation)| Settled {
                operation,
                outcome: Outcome::Unknown("the client ended".to_owned()),
            }));
        }
        Ok(settled)
    }
}

/// The book of one client.
#[derive(Debug)]
pub struct Book {
    file: File,
    next: u64,
    waiting: Vec<u8>,
}

impl Book {
    /// Writes down what is about to be sent; it is on disk when this returns.
    pub fn intend(&mut self, operation: &Operation) -> Result<u64> {
        let number = self.next;
        self.next += 1;
        let entry = Entry::Intent(number, operation.clone());
        serde_json::to_writer(&mut self.waiting, &entry)?;
        self.waiting.push(b'\n');
        self.flush()?;
        Ok(number)
    }

    /// Notes what came of it; on disk before the next intent is.
    pub fn settle(&mut self, number: u64, outcome: &Outcome) -> Result<()> {
        let entry = Entry::Outcome(number, outcome.clone());
        serde_json::to_writer(&mut self.waiting, &entry)?;
        self.waiting.push(b'\n');
        Ok(())
    }

    /// Brings everything to disk.
    pub fn flush(&mut self) -> Result<()> {
        self.file
            .write_all(&self.waiting)
            .context("write the ledger")?;
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_without_an_outcome_is_unknown_and_nothing_is_read_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::new(folder.path());
        let mut book = ledger.book("a").expect("a book");
        let mark = |text: &str| Operation::Mark(vec![text.to_owned()]);
        let first = book.intend(&mark("1")).expect("written");
        book.settle(first, &Outcome::Done).expect("noted");
        book.intend(&mark("2")).expect("written");
        drop(book);
        let read = ledger.read().expect("read");
        let outcomes: Vec<_> = read.iter().map(|settled| &settled.outcome).collect();
        assert!(
            matches!(outcomes[..], [Outcome::Done, Outcome::Unknown(_)]),
            "{outcomes:?}"
        );
        assert!(ledger.read().expect("read").is_empty());
    }
}
