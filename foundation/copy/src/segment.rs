//! A segment: the pages that the commits of a fraction of a second left, as an object.
//!
//! ```text
//! "PANDOSG1"  length of head: u32  head: JSON  body: LZ4 of (page number: u32, page)*  SHA-256 of all before: 32 bytes
//! ```

use crate::error::RestoreError;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use pando_db::{Pages, Taken, WalPosition};
use pando_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"PANDOSG1";
const HASH: usize = 32;
/// The greatest segment that is read, bytes. One holds a whole transaction, however large.
pub(crate) const BYTES_MAX: usize = 2 << 30;

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The generation it belongs to.
    pub generation: String,
    /// Its place in it, from 1.
    pub number: u64,
    /// The hash of the one before it; the generation's name before the first.
    pub previous: String,
    /// When its commits were seen, microseconds since 1970.
    pub time: i64,
    /// Bytes of a page.
    pub page_size: u32,
    /// The database's size after it, pages.
    pub page_count: u32,
    /// Pages in it.
    pub pages: u32,
    /// Where the log stands after it.
    pub to: WalPosition,
}

impl Head {
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp(self.time)
    }
}

/// A segment ready to be put.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub head: Head,
    pub body: Bytes,
    /// What the next one calls it.
    pub hash: String,
}

/// Makes the segment `number`.
pub(crate) fn encode(
    taken: &Taken,
    generation: &str,
    number: u64,
    previous: &str,
    time: Timestamp,
) -> Segment {
    let pages = &taken.pages;
    let head = Head {
        generation: generation.to_owned(),
        number,
        previous: previous.to_owned(),
        time: time.0,
        page_size: pages.size,
        page_count: pages.count,
        pages: u32::try_from(pages.pages.len()).unwrap_or(u32::MAX),
        to: taken.to,
    };
    let mut raw = Vec::with_capacity(pages.pages.len() * (4 + pages.size as usize));
    for (number, page) in &pages.pages {
        raw.extend_from_slice(&number.to_be_bytes());
        raw.extend_from_slice(page);
    }
    let packed = lz4_flex::block::compress(&raw);
    drop(raw);
    // A struct of texts and numbers always has a JSON form.
    let text = serde_json::to_vec(&head).unwrap_or_default();
    let mut body = Vec::with_capacity(MAGIC.len() + 4 + text.len() + packed.len() + HASH);
    body.extend_from_slice(MAGIC);
    body.extend_from_slice(&(text.len() as u32).to_be_bytes());
    body.extend_from_slice(&text);
    body.extend_from_slice(&packed);
    let hash = digest(&SHA256, &body);
    body.extend_from_slice(hash.as_ref());
    Segment {
        head,
        body: body.into(),
        hash: hex(hash.as_ref()),
    }
}

/// Reads a segment: its head, its pages, its hash. `key` is for the complaint.
pub(crate) fn decode(key: &str, bytes: &[u8]) -> Result<(Head, Pages, String), RestoreError> {
    let damaged = |reason: &str| RestoreError::Damaged {
        key: key.to_owned(),
        reason: reason.to_owned(),
        good: None,
    };
    let (body, hash) = bytes
        .split_last_chunk::<HASH>()
        .ok_or_else(|| damaged("it is too short"))?;
    if digest(&SHA256, body).as_ref() != hash {
        return Err(damaged("its bytes do not have its checksum"));
    }
    let rest = body
        .strip_prefix(MAGIC)
        .ok_or_else(|| damaged("it is no segment, or one of a newer version"))?;
    let (length, rest) = rest
        .split_first_chunk::<4>()
        .ok_or_else(|| damaged("it is too short"))?;
    let (text, packed) = rest
        .split_at_checked(u32::from_be_bytes(*length) as usize)
        .ok_or_else(|| damaged("it is too short"))?;
    let head: Head = serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
    let size = head.page_size as usize;
    let length = (4 + size) * head.pages as usize;
    if !(512..=65_536).contains(&size) || length > BYTES_MAX {
        return Err(damaged("its sizes are impossible"));
    }
    let raw =
        lz4_flex::block::decompress(packed, length).map_err(|error| damaged(&error.to_string()))?;
    let mut pages = BTreeMap::new();
    for chunk in raw.chunks_exact(4 + size) {
        let (number, page) = chunk
            .split_first_chunk::<4>()
            .ok_or_else(|| damaged("it is too short"))?;
        pages.insert(u32::from_be_bytes(*number), page.into());
    }
    if raw.len() != length || pages.contains_key(&0) {
        return Err(damaged("its pages are not as its head says"));
    }
    let pages = Pages {
        pages,
        count: head.page_count,
        size: head.page_size,
    };
    Ok((head, pages, hex(hash)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> Taken {
        let pages = [(1, vec![7; 512].into()), (9, vec![1; 512].into())];
        Taken {
            pages: Pages {
                pages: pages.into(),
                count: 9,
                size: 512,
            },
            to: WalPosition {
                salts: [1, 2],
                frame: 3,
                checksum: [4, 5],
            },
            more: false,
        }
    }

    #[test]
    fn a_segment_is_read_as_it_was_written_or_not_at_all() {
        let segment = encode(&taken(), "g", 3, "before", Timestamp(5));
        let (head, pages, hash) = decode("k", &segment.body).unwrap();
        assert_eq!((&head, &hash), (&segment.head, &segment.hash));
        assert_eq!(pages, taken().pages);
        for at in 0..segment.body.len() {
            let mut wrong = segment.body.to_vec();
            wrong[at] ^= 1;
            assert!(decode("k", &wrong).is_err(), "byte {at}");
            assert!(decode("k", &segment.body[..at]).is_err(), "{at} bytes");
        }
    }
}
