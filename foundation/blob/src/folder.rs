//! A folder as a store: written beside, fsynced, renamed, and the folder fsynced.

use crate::{Object, StoreError};
use bytes::Bytes;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells drafts of this process apart.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// Bytes read and written at once.
const BLOCK: usize = 1 << 20;

#[derive(Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: PathBuf) -> Folder {
        Folder { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        let folder = self.clone();
        self.blocking("", move || make_folders(&folder.root)).await
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        body: Bytes,
        replace: bool,
    ) -> Result<(), StoreError> {
        let to = self.path(key);
        let root = self.root.clone();
        self.blocking(key, move || {
            write(&root, &to, replace, &mut |file| file.write_all(&body))
        })
        .await
    }

    pub(crate) async fn put_file(&self, key: &str, from: &Path) -> Result<(), StoreError> {
        let (to, from, root) = (self.path(key), from.to_owned(), self.root.clone());
        self.blocking(key, move || {
            write(&root, &to, true, &mut |file| {
                io::copy(&mut File::open(&from)?, file).map(|_| ())
            })
        })
        .await
    }

    pub(crate) async fn get(&self, key: &str, bytes_max: usize) -> Result<Bytes, StoreError> {
        let path = self.path(key);
        let read = self
            .blocking(key, move || {
                let mut body = Vec::new();
                File::open(path)?
                    .take(bytes_max as u64 + 1)
                    .read_to_end(&mut body)?;
                Ok(Bytes::from(body))
            })
            .await?;
        if read.len() > bytes_max {
            return Err(StoreError::Large {
                key: key.to_owned(),
                place: self.place(),
                bytes_max,
            });
        }
        Ok(read)
    }

    pub(crate) async fn get_file(
        &self,
        key: &str,
        to: &Path,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), StoreError> {
        let (from, to) = (self.path(key), to.to_owned());
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let copying = self.blocking(key, move || {
            let mut source = File::open(from)?;
            let mut target = OpenOptions::new().write(true).truncate(true).open(to)?;
            let mut block = vec![0; BLOCK];
            let mut done = 0;
            loop {
                let count = source.read(&mut block)?;
                if count == 0 {
                    return Ok(());
                }
                target.write_all(&block[..count])?;
                done += count as u64;
                // Whoever listened may have gone.
                let _unheard = sender.send(done);
            }
        });
        let telling = async {
            while let Some(done) = receiver.recv().await {
                progress(done);
            }
        };
        tokio::join!(copying, telling).0
    }

    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Object>, StoreError> {
        let (start, root) = (self.path(folder), self.root.clone());
        self.blocking(folder, move || {
            let mut found = Vec::new();
            // A folder of no objects has not been made, but the place itself is there.
            fs::metadata(&root)?;
            let mut folders = vec![start];
            while let Some(folder) = folders.pop() {
                let entries = match fs::read_dir(&folder) {
                    Ok(entries) => entries,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                for entry in entries {
                    let entry = entry?;
                    if entry.file_name().to_string_lossy().starts_with('.') {
                        continue;
                    }
                    let metadata = match entry.metadata() {
                        Ok(metadata) => metadata,
                        // Removed since.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(error),
                    };
                    if metadata.is_dir() {
                        folders.push(entry.path());
                    } else if let Ok(key) = entry.path().strip_prefix(&root) {
                        found.push(Object {
                            key: key.to_string_lossy().into_owned(),
                            bytes: metadata.len(),
                        });
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        self.blocking(key, move || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
        .await
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn place(&self) -> String {
        self.root.display().to_string()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        key: &str,
        f: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = tokio::task::spawn_blocking(f)
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the thread that did it panicked")));
        done.map_err(|error| {
            let (key, place) = (key.to_owned(), self.place());
            match error.kind() {
                io::ErrorKind::NotFound if self.root.is_dir() => StoreError::Missing { key, place },
                io::ErrorKind::AlreadyExists => StoreError::Exists { key, place },
                _ => StoreError::Away {
                    key,
                    place,
                    reason: error.to_string(),
                },
            }
        })
    }
}

fn write(
    root: &Path,
    to: &Path,
    replace: bool,
    fill: &mut dyn FnMut(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    // A place that is gone is not made anew: it may be a disk that is not mounted.
    fs::metadata(root)?;
    let parent = to.parent().unwrap_or(root);
    make_folders(parent)?;
    let draft = parent.join(format!(
        ".{}-{}.partial",
        std::process::id(),
        DRAFTS.fetch_add(1, Ordering::Relaxed)
    ));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        fill(&mut file)?;
        file.sync_all()?;
        if replace {
            fs::rename(&draft, to)
        } else {
            // A link, unlike a rename, does not replace what is there.
            fs::hard_link(&draft, to)
        }
    })();
    if written.is_err() || !replace {
        let _gone = fs::remove_file(&draft);
    }
    written?;
    File::open(parent)?.sync_all()
}

/// Makes a folder and those above it, for the owner only, each on disk in the one above it.
fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() || folder.as_os_str().is_empty() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new("."));
    make_folders(parent)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use crate::{BucketAccess, Store, StoreError};
    use bytes::Bytes;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn objects_are_whole_private_and_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        let store = Store::open(
            &format!("file://{}", root.display()),
            &BucketAccess::default(),
        )
        .unwrap();
        block_on(async {
            assert!(matches!(
                store.put("x", Bytes::new()).await,
                Err(StoreError::Away { .. })
            ));
            store.prepare().await.unwrap();
            store
                .create("s/2", Bytes::from_static(b"two"))
                .await
                .unwrap();
            store
                .create("s/2", Bytes::from_static(b"two"))
                .await
                .unwrap();
            assert!(matches!(
                store.create("s/2", Bytes::from_static(b"2")).await,
                Err(StoreError::Exists { .. })
            ));
            store.put("s/1", Bytes::from_static(b"one")).await.unwrap();
            store.put("s/1", Bytes::from_static(b"1")).await.unwrap();
            let keys: Vec<_> = store.list("s").await.unwrap();
            let keys: Vec<_> = keys
                .iter()
                .map(|object| (&*object.key, object.bytes))
                .collect();
            assert_eq!(keys, [("s/1", 1), ("s/2", 3)]);
            assert!(store.list("nowhere").await.unwrap().is_empty());
            assert!(matches!(
                store.get("s/2", 2).await,
                Err(StoreError::Large { .. })
            ));
            assert!(matches!(
                store.get("s/3", 2).await,
                Err(StoreError::Missing { .. })
            ));
            store.delete("s/2").await.unwrap();
            store.delete("s/2").await.unwrap();
            assert_eq!(store.list("").await.unwrap().len(), 1);
        });
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &str| root.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("s"), mode("s/1")), (0o700, 0o600));
        let left = std::fs::read_dir(root.join("s")).unwrap().count();
        assert_eq!(left, 1, "no draft is left");
    }

    #[test]
    fn only_known_urls_are_places() {
        for url in ["", "ftp://a", "file://relative"] {
            assert!(
                matches!(
                    Store::open(url, &BucketAccess::default()),
                    Err(StoreError::Url(_))
                ),
                "{url}"
            );
        }
        assert!(matches!(
            Store::open("s3://bucket", &BucketAccess::default()),
            Err(StoreError::Access(_))
        ));
    }
}
