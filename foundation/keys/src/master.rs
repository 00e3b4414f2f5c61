//! The key that seals all others: from the environment, or a file in the data directory made at the first start.

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pando_db::planted;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file's name in the data directory.
const FILE: &str = "master.key";

/// 256 bits that must not be lost: without them the private keys in the database are noise.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file can't be made or read.
    #[error("the master key file {path} can't be used")]
    File {
        /// Where it is.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Others may read the file.
    #[error(
        "the master key file {path} can be read by others (mode {mode:o}): run chmod 600 on it"
    )]
    Exposed {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is no key.
    #[error(
        "a master key is 32 bytes in hexadecimal or base64; make one with `openssl rand -hex 32`"
    )]
    Form,
    /// The system gives no random bytes.
    #[error("the system's random source does not work")]
    Random,
}

impl MasterKey {
    /// A new random key.
    pub fn generate() -> Result<MasterKey, MasterKeyError> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| MasterKeyError::Random)?;
        Ok(MasterKey(bytes))
    }

    /// The key in the data directory's file; made if there is none. The file is 0600, whole or not there at all, and on
    /// disk when this returns: a key that seals something must not be lost by a power cut.
    pub fn load_or_create(directory: &Path) -> Result<MasterKey, MasterKeyError> {
        match MasterKey::load(directory)? {
            Some(key) => Ok(key),
            None => {
                let path = directory.join(FILE);
                let key = MasterKey::generate()?;
                key.write(directory, &path)
                    .map_err(|source| MasterKeyError::File { path, source })?;
                // If another process was quicker, its key is the one that counts.
                MasterKey::load(directory)?.ok_or(MasterKeyError::Form)
            }
        }
    }

    /// The key in the data directory's file, if there is one.
    pub fn load(directory: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
        MasterKey::read(&MasterKey::file(directory))
    }

    /// Where a data directory keeps it.
    pub fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// The key in a file, if there is one.
    pub fn read(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(MasterKeyError::File { path, source }),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = fs::metadata(&path).map_err(|source| MasterKeyError::File {
                path: path.clone(),
                source,
            })?;
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(MasterKeyError::Exposed { path, mode });
            }
        }
        MasterKey::from_env_text(text.trim()).map(Some)
    }

    /// The key as `PANDO_MASTER_KEY` holds it: 32 bytes in hexadecimal or base64.
    pub fn from_env_text(text: &str) -> Result<MasterKey, MasterKeyError> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            from_hex(text)
        } else {
            STANDARD.decode(text).ok()
        };
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(MasterKey).ok_or(MasterKeyError::Form)
    }

    /// Writes the key to a file for its owner only, on disk when this returns. A file that holds another key stays as it is, and is an
    /// error.
    pub fn save(&self, path: &Path) -> Result<(), MasterKeyError> {
        let failed = |source| MasterKeyError::File {
            path: path.to_owned(),
            source,
        };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.write(directory, path).map_err(failed)?;
        match MasterKey::read(path)? {
            Some(found) if found.0 == self.0 => Ok(()),
            _ => Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it holds another key",
            ))),
        }
    }

    fn write(&self, directory: &Path, path: &Path) -> io::Result<()> {
        if planted("key-file-in-place") {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
            return writeln!(options.open(path)?, "{hex}");
        }
        let scratch = directory.join(format!(".{FILE}.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&scratch)?;
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(file, "{hex}")?;
        file.sync_all()?;
        // A link, unlike a rename, does not replace a key that is there.
        let linked = match fs::hard_link(&scratch, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        fs::remove_file(&scratch)?;
        linked?;
        File::open(directory)?.sync_all()
    }

    /// A key for one purpose (HMAC-SHA256 of its name), so that no two uses share one.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &self.0),
            purpose.as_bytes(),
        );
        let mut derived = [0; 32];
        derived.copy_from_slice(tag.as_ref());
        derived
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    Some(
        digits?
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_once_and_for_the_owner_only() {
        let directory = tempfile::tempdir().expect("a folder");
        assert!(
            MasterKey::load(directory.path())
                .expect("no file is no error")
                .is_none()
        );
        let made = MasterKey::load_or_create(directory.path()).expect("made");
        let read = MasterKey::load_or_create(directory.path()).expect("read");
        assert_eq!(made.0, read.0);
        assert_eq!(
            fs::read_dir(directory.path()).expect("a folder").count(),
            1,
            "nothing else is left"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = directory.path().join(FILE);
            assert_eq!(
                fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
                0o600
            );
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
            assert!(matches!(
                MasterKey::load(directory.path()),
                Err(MasterKeyError::Exposed { mode: 0o644, .. })
            ));
        }
    }

    #[test]
    fn keys_are_read_in_both_forms_and_nothing_else() {
        let hex = MasterKey::from_env_text(&"0a".repeat(32)).expect("hexadecimal");
        let base64 =
            MasterKey::from_env_text(&format!("{}\n", STANDARD.encode([10; 32]))).expect("base64");
        assert_eq!(hex.0, base64.0);
        for text in ["", "short", &"zz".repeat(32), &"0a".repeat(31)] {
            assert!(
                matches!(MasterKey::from_env_text(text), Err(MasterKeyError::Form)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = MasterKey::from_env_text(&"0a".repeat(32)).expect("a key");
        assert_eq!(format!("{key:?}"), "MasterKey(..)");
    }
}
