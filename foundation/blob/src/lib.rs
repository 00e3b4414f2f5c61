//! Where things lie that are too large for a row, or must outlive this machine: a folder, or a bucket that speaks S3.
//!
//! Invariants
//! - What was put is on disk (a folder) or acknowledged (a bucket) when the call returns, and is whole under its key or not there at all.
//! - Every call has an end: a deadline for each request, a bound on what is tried again, a bound on what is read.
//!
//! Deliberately absent: what the keys mean.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod bucket;
mod error;
mod folder;

pub use bucket::BucketAccess;
pub use error::StoreError;

use bucket::Bucket;
use bytes::Bytes;
use folder::Folder;
use std::fmt;
use std::path::{Path, PathBuf};

/// An object: its key, without the store's prefix, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name, parts joined by slashes.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

/// A place for objects. Clones are the same one.
#[derive(Clone)]
pub struct Store(Place);

#[derive(Clone)]
enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

impl fmt::Display for Store {
    /// The URL, which never holds a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(folder) => write!(f, "{}", folder.root().display()),
            Place::Bucket(bucket) => write!(f, "{bucket}"),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

impl Store {
    /// The place a URL names: `s3://bucket/prefix`, `file:///folder`, or a path. Nothing is asked of it yet.
    pub fn open(url: &str, access: &BucketAccess) -> Result<Store, StoreError> {
        if let Some(rest) = url.strip_prefix("s3://") {
            return Bucket::open(rest, access).map(|bucket| Store(Place::Bucket(bucket)));
        }
        let path = match url.split_once("://") {
            None => url,
            Some(("file", path)) if path.starts_with('/') => path,
            Some(_) => return Err(StoreError::Url(url.to_owned())),
        };
        if path.is_empty() {
            return Err(StoreError::Url(url.to_owned()));
        }
        Ok(Store(Place::Folder(Folder::new(PathBuf::from(path)))))
    }

    /// Makes the folder, if it is one that is not there. Afterwards a folder that is gone is an error, as for a disk that is not mounted.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.prepare().await,
            Place::Bucket(_) => Ok(()),
        }
    }

    /// Puts an object, in place of one of the same key.
    pub async fn put(&self, key: &str, body: Bytes) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.put(key, body, true).await,
            Place::Bucket(bucket) => bucket.put(key, body, true).await,
        }
    }

    /// Puts an object whose key must be new: [`StoreError::Exists`] else, unless the very same bytes are there.
    pub async fn create(&self, key: &str, body: Bytes) -> Result<(), StoreError> {
        let size = body.len();
        let created = match &self.0 {
            Place::Folder(folder) => folder.put(key, body.clone(), false).await,
            Place::Bucket(bucket) => bucket.put(key, body.clone(), false).await,
        };
        match created {
            // An answer that was lost, and the request made again.
            Err(StoreError::Exists { .. })
                if self.get(key, size).await.is_ok_and(|found| found == body) =>
            {
                Ok(())
            }
            other => other,
        }
    }

    /// Puts a file of any size.
    pub async fn put_file(&self, key: &str, from: &Path) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.put_file(key, from).await,
            Place::Bucket(bucket) => bucket.put_file(key, from).await,
        }
    }

    /// The object, which must not be greater than `bytes_max`.
    pub async fn get(&self, key: &str, bytes_max: usize) -> Result<Bytes, StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.get(key, bytes_max).await,
            Place::Bucket(bucket) => bucket.get(key, bytes_max).await,
        }
    }

    /// Writes an object of any size over a file that is there. `progress` hears how many bytes there are so far.
    pub async fn get_file(
        &self,
        key: &str,
        to: &Path,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.get_file(key, to, progress).await,
            Place::Bucket(bucket) => bucket.get_file(key, to, progress).await,
        }
    }

    /// All objects whose keys begin with `folder/`, in the order of their keys. None if there is no such folder.
    pub async fn list(&self, folder: &str) -> Result<Vec<Object>, StoreError> {
        let mut found = match &self.0 {
            Place::Folder(root) => root.list(folder).await,
            Place::Bucket(bucket) => bucket.list(folder).await,
        }?;
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// Removes an object; one that is not there is as good as removed.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.delete(key).await,
            Place::Bucket(bucket) => bucket.delete(key).await,
        }
    }
}
