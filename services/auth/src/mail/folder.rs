//! Letters as files, for development and tests: what would have been sent can be opened and clicked.

use super::{MailError, Transport};
use lettre::Message;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use uuid::Uuid;

/// A folder of `.eml` files whose names sort by time.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder that need not exist yet.
    pub fn new(path: &Path) -> Folder {
        Folder {
            path: path.to_owned(),
        }
    }
}

impl Transport for Folder {
    fn send(
        &self,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        let folder = self.path.clone();
        Box::pin(async move {
            let written =
                tokio::task::spawn_blocking(move || write(&folder, &message.formatted())).await;
            written
                .map_err(|error| MailError::Folder(std::io::Error::other(error)))?
                .map_err(MailError::Folder)
        })
    }
}

/// Writes beside and renames, so that who watches the folder never reads half a letter.
fn write(folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let name = Uuid::now_v7();
    let unfinished = folder.join(format!(".{name}.part"));
    std::fs::write(&unfinished, bytes)?;
    let path = folder.join(format!("{name}.eml"));
    std::fs::rename(&unfinished, &path)?;
    tracing::info!(mail.file = %path.display(), "a mail was written");
    Ok(())
}
