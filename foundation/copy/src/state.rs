//! What the data directory remembers of its copy: which generation it is in, and how the last server left it.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

const FILE: &str = "copy.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The store's URL: another one begins another generation.
    pub place: String,
    pub generation: String,
    /// Of a server that was stopped after everything was copied and written back.
    pub clean: Option<Clean>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clean {
    /// The last segment.
    pub number: u64,
    /// The database's file as it was left.
    pub file: Fingerprint,
}

/// Tells whether somebody touched a file. A change of it, or another file in its place, has another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Fingerprint {
    pub(crate) fn of(file: &Path) -> io::Result<Fingerprint> {
        let found = fs::metadata(file)?;
        Ok(Fingerprint {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl State {
    /// None if there is none, or it can't be read: then nothing is known, and a new generation begins.
    pub(crate) fn read(directory: &Path) -> Option<State> {
        serde_json::from_slice(&fs::read(directory.join(FILE)).ok()?).ok()
    }

    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let scratch = directory.join(format!(".{FILE}.partial"));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&scratch)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&scratch, directory.join(FILE))?;
        File::open(directory)?.sync_all()
    }
}
