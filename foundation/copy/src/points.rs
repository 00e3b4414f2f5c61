//! What can be restored from a store.

use crate::error::RestoreError;
use crate::place;
use crate::segment::{self, BYTES_MAX};
use crate::snapshot::Record;
use pando_blob::{Object, Store};
use pando_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A record is small.
pub(crate) const RECORD_BYTES_MAX: usize = 64 << 10;

/// A scheduled backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// The object.
    pub key: String,
    /// Its moment, microseconds since 1970.
    pub time: i64,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub hash: String,
    /// Rows in it.
    pub rows: u64,
    /// Tables in it.
    pub tables: usize,
}

/// An unbroken row of commits.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Its name.
    pub name: String,
    /// The first moment that can be restored.
    pub earliest: Timestamp,
    /// The last one.
    pub latest: Timestamp,
    /// Segments there are.
    pub segments: u64,
    /// Bytes of all it holds.
    pub bytes: u64,
    pub(crate) snapshots: Vec<Record>,
    /// Numbers of the segments, in order.
    pub(crate) numbers: Vec<u64>,
}

/// All that can be restored from a store.
#[derive(Clone, Debug, Default)]
pub struct Points {
    /// Oldest first.
    pub generations: Vec<Generation>,
    /// Oldest first.
    pub backups: Vec<BackupRecord>,
}

/// Looks through a store.
pub async fn points(store: &Store) -> Result<Points, RestoreError> {
    Ok(Points {
        generations: generations(store).await?,
        backups: backups(store).await?,
    })
}

/// The generations that have a snapshot.
pub(crate) async fn generations(store: &Store) -> Result<Vec<Generation>, RestoreError> {
    let mut objects: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for object in store.list(place::COPIES).await? {
        if let Some((generation, _)) = place::parts(&object.key) {
            objects
                .entry(generation.to_owned())
                .or_default()
                .push(object);
        }
    }
    let mut found = Vec::new();
    for (name, objects) in objects {
        let snapshots = records(store, &objects).await?;
        let Some(first) = snapshots.first() else {
            continue;
        };
        let earliest = Timestamp(first.time);
        let mut latest = Timestamp(
            snapshots
                .iter()
                .map(|record| record.time)
                .max()
                .unwrap_or(0),
        );
        let numbers: Vec<u64> = objects
            .iter()
            .filter_map(|object| place::number(&object.key))
            .collect();
        if let Some(last) = numbers.last() {
            let key = place::segment(&name, *last);
            // A damaged one is told when it is needed.
            if let Ok((head, ..)) = segment::decode(&key, &store.get(&key, BYTES_MAX).await?) {
                latest = Timestamp(latest.0.max(head.time));
            }
        }
        found.push(Generation {
            earliest,
            latest,
            segments: numbers.len() as u64,
            bytes: objects.iter().map(|object| object.bytes).sum(),
            snapshots,
            numbers,
            name,
        });
    }
    Ok(found)
}

pub(crate) async fn snapshot_records(
    store: &Store,
    generation: &str,
) -> Result<Vec<Record>, RestoreError> {
    let objects = store.list(&place::snapshots(generation)).await?;
    records(store, &objects).await
}

async fn records(store: &Store, objects: &[Object]) -> Result<Vec<Record>, RestoreError> {
    let mut found = Vec::new();
    for object in objects {
        if object.key.ends_with(".json") {
            found.push(read(store, &object.key).await?);
        }
    }
    Ok(found)
}

/// The backups that were verified.
pub(crate) async fn backups(store: &Store) -> Result<Vec<BackupRecord>, RestoreError> {
    let mut found = Vec::new();
    for object in store.list(place::BACKUPS).await? {
        if object.key.ends_with(".json") {
            found.push(read(store, &object.key).await?);
        }
    }
    Ok(found)
}

async fn read<T: serde::de::DeserializeOwned>(store: &Store, key: &str) -> Result<T, RestoreError> {
    let text = store.get(key, RECORD_BYTES_MAX).await?;
    serde_json::from_slice(&text).map_err(|error| RestoreError::Damaged {
        key: key.to_owned(),
        reason: error.to_string(),
        good: None,
    })
}
