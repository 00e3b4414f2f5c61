//! Where a copier goes on: after the last segment of its generation, if nothing can have passed in between.

use crate::error::RestoreError;
use crate::place;
use crate::segment::{self, BYTES_MAX, Head};
use pando_blob::{Store, StoreError};

/// The end of a generation in the store.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// Its last segment and the hash of it.
    pub last: Option<(Head, String)>,
    /// When its last snapshot was made, microseconds since 1970.
    pub snapshot: Option<i64>,
}

/// Looks for the end of a generation. A last segment that is damaged counts as none, so that a new generation begins.
pub(crate) async fn find_end(store: &Store, generation: &str) -> Result<End, StoreError> {
    let segments = store.list(&place::segments(generation)).await?;
    let mut end = End::default();
    if let Some(last) = segments.last() {
        let body = store.get(&last.key, BYTES_MAX).await?;
        end.last = segment::decode(&last.key, &body)
            .ok()
            .map(|(head, _, hash)| (head, hash));
    }
    let records = crate::points::snapshot_records(store, generation).await;
    match records {
        Ok(records) => end.snapshot = records.last().map(|record| record.time),
        Err(RestoreError::Store(error)) => return Err(error),
        Err(_) => {}
    }
    Ok(end)
}
