//! A bucket that speaks S3.

use crate::{Object, StoreError};
use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    RetryConfig, WriteMultipart,
};
use pando_kernel::Secret;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// One request, answer included. A part of a large object must pass in it.
const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// A small call with all that is tried again in it.
const CALL: Duration = Duration::from_secs(45);
/// A request that failed is made again so often, and not after so long.
const RETRIES: usize = 3;
const RETRYING: Duration = Duration::from_secs(30);
/// The size of a part of a large object; S3 takes 10,000 of them.
const PART: usize = 16 << 20;
/// Parts on their way at once.
const PARTS: usize = 3;

/// How buckets are reached.
#[derive(Clone, Debug, Default)]
pub struct BucketAccess {
    /// The URL of the service; Amazon's if there is none.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` if there is none, which services that know no regions take too.
    pub region: Option<String>,
    /// Who we are.
    pub access_key_id: Option<String>,
    /// The proof.
    pub secret_access_key: Option<Secret<String>>,
}

#[derive(Clone)]
pub(crate) struct Bucket {
    client: Arc<AmazonS3>,
    name: String,
    prefix: String,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.name)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.prefix)
        }
    }
}

impl Bucket {
    /// `rest` is what follows `s3://`.
    pub(crate) fn open(rest: &str, access: &BucketAccess) -> Result<Bucket, StoreError> {
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(StoreError::Url(format!("s3://{rest}")));
        }
        let (Some(id), Some(secret)) = (&access.access_key_id, &access.secret_access_key) else {
            return Err(StoreError::Access(format!(
                "s3://{name} needs s3.access_key_id and s3.secret_access_key (PANDO_S3_ACCESS_KEY_ID, PANDO_S3_SECRET_ACCESS_KEY)"
            )));
        };
        let region = access.region.as_deref().unwrap_or("us-east-1");
        let http = access
            .endpoint
            .as_deref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(region)
            .with_access_key_id(id)
            .with_secret_access_key(secret.expose())
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(100),
                    max_backoff: Duration::from_secs(5),
                    base: 2.0,
                },
                max_retries: RETRIES,
                retry_timeout: RETRYING,
            })
            .with_client_options(
                ClientOptions::new()
                    .with_timeout(REQUEST)
                    .with_connect_timeout(CONNECT)
                    .with_allow_http(http),
            );
        if let Some(endpoint) = &access.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        let client = builder
            .build()
            .map_err(|error| StoreError::Access(error.to_string()))?;
        Ok(Bucket {
            client: Arc::new(client),
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        body: Bytes,
        replace: bool,
    ) -> Result<(), StoreError> {
        let mode = if replace {
            PutMode::Overwrite
        } else {
            PutMode::Create
        };
        let options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        let path = self.path(key);
        let put = self.client.put_opts(&path, body.into(), options);
        self.within(key, put).await.map(|_| ())
    }

    pub(crate) async fn put_file(&self, key: &str, from: &Path) -> Result<(), StoreError> {
        let local = |error: std::io::Error| StoreError::Away {
            key: key.to_owned(),
            place: from.display().to_string(),
            reason: error.to_string(),
        };
        let mut file = File::open(from).await.map_err(local)?;
        let size = file.metadata().await.map_err(local)?.len();
        if size <= PART as u64 {
            let mut body = Vec::with_capacity(size as usize);
            file.read_to_end(&mut body).await.map_err(local)?;
            return self.put(key, body.into(), true).await;
        }
        let failed = |error| self.failed(key, error);
        let upload = self
            .client
            .put_multipart(&self.path(key))
            .await
            .map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut block = vec![0; PART];
        let sent = async {
            loop {
                let count = file.read(&mut block).await.map_err(local)?;
                if count == 0 {
                    return Ok(());
                }
                upload.wait_for_capacity(PARTS).await.map_err(failed)?;
                upload.write(&block[..count]);
            }
        }
        .await;
        if let Err(error) = sent {
            // The error that is told is the first one.
            let _left_to_the_bucket = upload.abort().await;
            return Err(error);
        }
        upload.finish().await.map_err(failed).map(|_| ())
    }

    pub(crate) async fn get(&self, key: &str, bytes_max: usize) -> Result<Bytes, StoreError> {
        let path = self.path(key);
        let large = || StoreError::Large {
            key: key.to_owned(),
            place: self.to_string(),
            bytes_max,
        };
        let found = self.within(key, self.client.get(&path)).await?;
        if found.meta.size > bytes_max as u64 {
            return Err(large());
        }
        self.within(key, found.bytes()).await
    }

    pub(crate) async fn get_file(
        &self,
        key: &str,
        to: &Path,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), StoreError> {
        let local = |error: std::io::Error| StoreError::Away {
            key: key.to_owned(),
            place: to.display().to_string(),
            reason: error.to_string(),
        };
        let path = self.path(key);
        let size = self.within(key, self.client.head(&path)).await?.size;
        let mut file = OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(to)
            .await
            .map_err(local)?;
        let mut done = 0;
        // By ranges, so that each request is small enough for its deadline.
        while done < size {
            let end = size.min(done + PART as u64);
            let part = self
                .within(key, self.client.get_range(&path, done..end))
                .await?;
            file.write_all(&part).await.map_err(local)?;
            done = end;
            progress(done);
        }
        file.flush().await.map_err(local)
    }

    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Object>, StoreError> {
        let path = self.path(folder);
        let mut listing = self.client.list(Some(&path));
        let mut found = Vec::new();
        while let Some(object) = self.next(folder, &mut listing).await? {
            let key = object.location.as_ref();
            let key = match key.strip_prefix(self.prefix.as_str()) {
                Some(key) => key.trim_start_matches('/'),
                None => continue,
            };
            found.push(Object {
                key: key.to_owned(),
                bytes: object.size,
            });
        }
        Ok(found)
    }

    async fn next(
        &self,
        folder: &str,
        listing: &mut (
                 impl futures_util::Stream<Item = object_store::Result<object_store::ObjectMeta>> + Unpin
             ),
    ) -> Result<Option<object_store::ObjectMeta>, StoreError> {
        self.within(folder, async { listing.next().await.transpose() })
            .await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        match self.within(key, self.client.delete(&path)).await {
            Err(StoreError::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    fn path(&self, key: &str) -> object_store::path::Path {
        object_store::path::Path::from(format!("{}/{key}", self.prefix))
    }

    async fn within<T>(
        &self,
        key: &str,
        call: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(CALL, call).await {
            Ok(answer) => answer.map_err(|error| self.failed(key, error)),
            Err(_) => Err(StoreError::Away {
                key: key.to_owned(),
                place: self.to_string(),
                reason: format!("no answer within {} s", CALL.as_secs()),
            }),
        }
    }

    fn failed(&self, key: &str, error: object_store::Error) -> StoreError {
        let (key, place) = (key.to_owned(), self.to_string());
        match error {
            object_store::Error::NotFound { .. } => StoreError::Missing { key, place },
            object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. } => StoreError::Exists { key, place },
            error => StoreError::Away {
                key,
                place,
                reason: error.to_string(),
            },
        }
    }
}
