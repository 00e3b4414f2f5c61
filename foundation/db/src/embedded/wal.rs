//! Reads SQLite's write-ahead log as a file, beside SQLite: the pages of its commits, in order, each proven by the log's own checksums.
//!
//! The form is SQLite's (<https://www.sqlite.org/fileformat2.html#walformat>): a header of 32 bytes, then frames of a page with 24 bytes
//! before it. A frame counts if it carries the header's salts and a checksum over all frames before it, and is committed if it or one
//! after it holds the size of the database. What is after the last such frame is nobody's yet, and may be written over.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const HEADER: usize = 32;
const FRAME: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;
/// Bytes of frames read at once, about.
const BLOCK: usize = 1 << 20;

/// A place in a log: after a commit, or at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalPosition {
    /// Which log: it begins anew with other salts, the first of them greater by one.
    pub salts: [u32; 2],
    /// Frames before this place.
    pub frame: u64,
    /// The checksum over them.
    pub checksum: [u32; 2],
}

/// The pages that commits left, each as the last of them left it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// By number, from 1.
    pub pages: BTreeMap<u32, Box<[u8]>>,
    /// The database's size after the last commit, in pages.
    pub count: u32,
    /// Bytes of a page.
    pub size: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    page_size: u32,
    big_endian: bool,
    pub(crate) salts: [u32; 2],
    checksum: [u32; 2],
}

impl Header {
    /// None if these bytes are no header, as while one is being written.
    fn read(bytes: &[u8; HEADER]) -> Option<Header> {
        let word = |at: usize| word(bytes, at);
        let header = Header {
            page_size: if word(8) == 1 { 65_536 } else { word(8) },
            big_endian: word(0) & 1 == 1,
            salts: [word(16), word(20)],
            checksum: [word(24), word(28)],
        };
        let known = word(0) & !1 == MAGIC
            && word(4) == VERSION
            && (512..=65_536).contains(&header.page_size)
            && header.page_size.is_power_of_two();
        let sum = checksum([0, 0], &bytes[..24], header.big_endian);
        (known && sum == header.checksum).then_some(header)
    }

    pub(crate) fn start(&self) -> WalPosition {
        WalPosition {
            salts: self.salts,
            frame: 0,
            checksum: self.checksum,
        }
    }
}

/// What was read of a log.
#[derive(Debug)]
pub(crate) enum Read {
    /// There is no log, or nothing has been written to it.
    Empty,
    /// It is another log than the one asked about.
    Other(Header),
    /// The commits after a place.
    Commits {
        pages: Pages,
        to: WalPosition,
        /// Whether there may be more of them.
        more: bool,
    },
}

/// A log's file. It may be made, emptied and begun anew at any time.
#[derive(Debug)]
pub(crate) struct Wal {
    path: PathBuf,
}

impl Wal {
    pub(crate) fn of(database: &Path) -> Wal {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Wal { path: path.into() }
    }

    /// Bytes of the file; it does not shrink when the log begins anew.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |found| found.len())
    }

    fn open(&self) -> io::Result<Option<(File, Header)>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = [0; HEADER];
        if read_at(&file, &mut bytes, 0)? < HEADER {
            return Ok(None);
        }
        Ok(Header::read(&bytes).map(|header| (file, header)))
    }

    /// The start of the log there is now.
    pub(crate) fn start(&self) -> io::Result<Option<WalPosition>> {
        Ok(self.open()?.map(|(_, header)| header.start()))
    }

    /// Whether the log is the one of `position`, and holds what was there before it.
    pub(crate) fn continues(&self, position: &WalPosition) -> io::Result<bool> {
        let Some((file, header)) = self.open()? else {
            return Ok(false);
        };
        if header.salts != position.salts {
            return Ok(false);
        }
        if position.frame == 0 {
            return Ok(header.checksum == position.checksum);
        }
        let at = offset(&header, position.frame - 1);
        let mut bytes = [0; FRAME];
        let whole = read_at(&file, &mut bytes, at)? == FRAME;
        Ok(whole
            && [word(&bytes, 8), word(&bytes, 12)] == position.salts
            && [word(&bytes, 16), word(&bytes, 20)] == position.checksum)
    }

    /// The commits after `from`, or of the whole log. Stops at a commit once there are pages of `bytes_max` bytes.
    pub(crate) fn read(&self, from: Option<WalPosition>, bytes_max: usize) -> io::Result<Read> {
        let Some((file, header)) = self.open()? else {
            return Ok(Read::Empty);
        };
        let from = match from {
            Some(from) if from.salts != header.salts => return Ok(Read::Other(header)),
            Some(from) => from,
            None => header.start(),
        };
        let mut commits = Commits {
            committed: Pages {
                size: header.page_size,
                ..Pages::default()
            },
            to: from,
            open: BTreeMap::new(),
        };
        let (mut frame, mut sum) = (from.frame, from.checksum);
        let length = FRAME + header.page_size as usize;
        let mut block = vec![0; (BLOCK / length).max(1) * length];
        loop {
            let count = read_at(&file, &mut block, offset(&header, frame))? / length;
            for bytes in block[..count * length].chunks_exact(length) {
                let salts = [word(bytes, 8), word(bytes, 12)];
                let number = word(bytes, 0);
                sum = checksum(sum, &bytes[..8], header.big_endian);
                sum = checksum(sum, &bytes[FRAME..], header.big_endian);
                if salts != header.salts || number == 0 || sum != [word(bytes, 16), word(bytes, 20)]
                {
                    return Ok(commits.done(false));
                }
                frame += 1;
                commits.open.insert(number, bytes[FRAME..].into());
                let size_after = word(bytes, 4);
                if size_after != 0 {
                    let to = WalPosition {
                        salts,
                        frame,
                        checksum: sum,
                    };
                    if commits.commit(to, size_after) >= bytes_max {
                        return Ok(commits.done(true));
                    }
                }
            }
            if count * length < block.len() {
                return Ok(commits.done(false));
            }
        }
    }
}

struct Commits {
    committed: Pages,
    to: WalPosition,
    /// Of the transaction whose end was not seen yet.
    open: BTreeMap<u32, Box<[u8]>>,
}

impl Commits {
    /// Gives the bytes there are now.
    fn commit(&mut self, to: WalPosition, count: u32) -> usize {
        self.committed.pages.append(&mut self.open);
        self.committed.count = count;
        self.to = to;
        self.committed.pages.len() * self.committed.size as usize
    }

    fn done(mut self, more: bool) -> Read {
        // Pages that a later commit cut off have nothing to be written to.
        let count = self.committed.count;
        self.committed.pages.retain(|number, _| *number <= count);
        Read::Commits {
            pages: self.committed,
            to: self.to,
            more,
        }
    }
}

fn offset(header: &Header, frame: u64) -> u64 {
    HEADER as u64 + frame * (FRAME as u64 + u64::from(header.page_size))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// SQLite's checksum, over words in the byte order that the log's magic names.
fn checksum(seed: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let [mut a, mut b] = seed;
    for pair in bytes.chunks_exact(8) {
        let number = |at: usize| {
            let four = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
            if big_endian {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        a = a.wrapping_add(number(0)).wrapping_add(b);
        b = b.wrapping_add(number(4)).wrapping_add(a);
    }
    [a, b]
}

/// Reads until the block is full or the file ends.
fn read_at(file: &File, block: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < block.len() {
        match file.read_at(&mut block[done..], at + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
