//! Removes what no moment within the time kept needs.

use crate::error::RestoreError;
use crate::place;
use crate::points::generations;
use futures_util::{StreamExt as _, TryStreamExt as _};
use pando_blob::Store;
use pando_kernel::Timestamp;
use std::time::Duration;

/// Requests at once.
const AT_ONCE: usize = 16;

/// Keeps the newest snapshot that is older than `keep`, and all after it.
pub(crate) async fn prune(
    store: &Store,
    keep: Duration,
    now: Timestamp,
) -> Result<(), RestoreError> {
    let found = generations(store).await?;
    let horizon = now.plus_seconds(-i64::try_from(keep.as_secs()).unwrap_or(i64::MAX / 2_000_000));
    let base = found
        .iter()
        .flat_map(|generation| &generation.snapshots)
        .filter(|record| record.time <= horizon.0)
        .max_by_key(|record| record.time);
    let Some(base) = base else { return Ok(()) };
    let mut gone = Vec::new();
    for object in store.list(place::COPIES).await? {
        let Some((generation, rest)) = place::parts(&object.key) else {
            continue;
        };
        let digits = rest
            .rsplit('/')
            .next()
            .and_then(|name| name.get(..12))
            .and_then(|digits| digits.parse::<u64>().ok());
        let older = if rest.starts_with("segments/") {
            digits.is_some_and(|number| number <= base.number)
        } else {
            digits.is_some_and(|number| number < base.number)
        };
        // Names of generations sort by their beginnings.
        if generation < base.generation.as_str() || generation == base.generation && older {
            gone.push(object.key);
        }
    }
    // A snapshot's record goes before the snapshot, so that no record speaks of what is gone.
    gone.sort_by_key(|key| !key.ends_with(".json"));
    let records = gone.iter().take_while(|key| key.ends_with(".json")).count();
    let rest = gone.split_off(records);
    for part in [gone, rest] {
        let deletions = part.into_iter().map(|key| {
            let store = store.clone();
            async move { store.delete(&key).await }
        });
        futures_util::stream::iter(deletions)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
    }
    Ok(())
}
