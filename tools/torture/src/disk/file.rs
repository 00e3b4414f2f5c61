//! A file's content, twice: as the process sees it, and as it is on disk.

use crate::random::Random;

/// What the kernel writes to disk in one go; what is not synced survives or not by such blocks.
const BLOCK: u64 = 4_096;
/// What a disk writes in one go; a block that is torn is torn here.
const SECTOR: usize = 512;
/// Unsynced bytes after which the oldest are written back by themselves, as a kernel would.
const UNSYNCED_MAX: usize = 64 << 20;

/// A change that no fsync covered yet.
#[derive(Clone, Debug)]
enum Unsynced {
    Write { offset: u64, bytes: Vec<u8> },
    Resize(u64),
}

/// A file.
#[derive(Clone, Debug, Default)]
pub struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Unsynced>,
    unsynced_bytes: usize,
}

/// How much of what was not synced survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutStyle {
    /// Percent of the unsynced blocks that reached the disk.
    pub kept: u64,
    /// Whether they reached it in another order than they were written in.
    pub reordered: bool,
    /// Percent of the blocks kept of which only some sectors did.
    pub torn: u64,
    /// Percent of the unsynced directory changes that reached it, oldest first.
    pub entries: u64,
}

impl CutStyle {
    /// Only what was synced.
    pub const STRICT: CutStyle = CutStyle {
        kept: 0,
        reordered: false,
        torn: 0,
        entries: 0,
    };

    /// In a third of the cuts only what was synced survives, in the others something more.
    pub fn draw(random: &mut Random) -> CutStyle {
        if random.chance(34) {
            return CutStyle::STRICT;
        }
        CutStyle {
            kept: random
                .pick(&[5, 25, 50, 75, 95, 100])
                .copied()
                .unwrap_or(50),
            reordered: random.chance(60),
            torn: random.pick(&[0, 0, 10, 50]).copied().unwrap_or(0),
            entries: random.below(101),
        }
    }
}

impl Content {
    /// What the process sees.
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Part of it.
    pub fn read(&self, offset: u64, size: usize) -> &[u8] {
        let start = (offset as usize).min(self.seen.len());
        &self.seen[start..(start + size).min(self.seen.len())]
    }

    /// Writes, in what the process sees.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        put(&mut self.seen, offset, bytes);
        self.unsynced_bytes += bytes.len();
        self.unsynced.push(Unsynced::Write {
            offset,
            bytes: bytes.to_vec(),
        });
        if self.unsynced_bytes > UNSYNCED_MAX {
            self.sync();
        }
    }

    /// Changes the length, in what the process sees.
    pub fn resize(&mut self, length: u64) {
        self.seen.resize(length as usize, 0);
        self.unsynced.push(Unsynced::Resize(length));
    }

    /// What the process sees is on disk from here on.
    pub fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Unsynced::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Unsynced::Resize(length) => self.durable.resize(length as usize, 0),
            }
        }
        self.unsynced_bytes = 0;
    }

    /// A sync that failed: as on Linux, what was to be written counts as written, and never is.
    pub fn forget_unsynced(&mut self) {
        self.unsynced.clear();
        self.unsynced_bytes = 0;
    }

    /// The power goes: what was not synced is lost, but for what the style keeps.
    pub fn cut(&mut self, style: CutStyle, random: &mut Random) {
        let mut pieces = Vec::new();
        for change in self.unsynced.drain(..) {
            match change {
                Unsynced::Resize(length) => pieces.push(Unsynced::Resize(length)),
                Unsynced::Write { offset, bytes } => blocks(offset, &bytes, &mut pieces),
            }
        }
        pieces.retain(|_| random.chance(style.kept));
        if style.reordered {
            random.shuffle(&mut pieces);
        }
        for piece in pieces {
            match piece {
                Unsynced::Resize(length) => self.durable.resize(length as usize, 0),
                Unsynced::Write { offset, bytes } => {
                    let torn = random.chance(style.torn);
                    let mut at = offset;
                    for sector in bytes.chunks(SECTOR) {
                        if !torn || random.chance(50) {
                            put(&mut self.durable, at, sector);
                        }
                        at += sector.len() as u64;
                    }
                }
            }
        }
        self.unsynced_bytes = 0;
        self.seen = self.durable.clone();
    }
}

fn put(into: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + bytes.len());
    if into.len() < end {
        into.resize(end, 0);
    }
    into[start..end].copy_from_slice(bytes);
}

/// Cuts a write where blocks meet.
fn blocks(mut offset: u64, mut bytes: &[u8], into: &mut Vec<Unsynced>) {
    while !bytes.is_empty() {
        let room = (BLOCK - offset % BLOCK) as usize;
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        into.push(Unsynced::Write {
            offset,
            bytes: first.to_vec(),
        });
        offset += first.len() as u64;
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_cut(style: CutStyle, seed: u64) -> Vec<u8> {
        let mut content = Content::default();
        content.write(0, &[1; 10_000]);
        content.sync();
        content.write(0, &[2; 10_000]);
        content.cut(style, &mut Random::new(seed));
        content.seen().to_vec()
    }

    #[test]
    fn only_what_was_synced_survives_a_strict_cut() {
        assert_eq!(after_cut(CutStyle::STRICT, 1), [1; 10_000]);
    }

    #[test]
    fn a_looser_cut_keeps_whole_blocks_unless_they_are_torn() {
        let style = CutStyle {
            kept: 50,
            reordered: true,
            torn: 0,
            entries: 0,
        };
        let mixed = (0..20).filter(|seed| {
            let kept = after_cut(style, *seed);
            assert!(
                kept.chunks(4_096)
                    .all(|block| block.iter().all(|byte| *byte == block[0]))
            );
            kept.contains(&1) && kept.contains(&2)
        });
        assert!(mixed.count() > 5);
        let torn = CutStyle { torn: 100, ..style };
        let torn = (0..20).filter(|seed| {
            after_cut(torn, *seed)
                .chunks(4_096)
                .any(|block| block.contains(&1) && block.contains(&2))
        });
        assert!(torn.count() > 5);
    }

    #[test]
    fn what_a_failed_sync_was_to_write_is_lost_though_the_next_one_works() {
        let mut content = Content::default();
        content.write(0, b"first");
        content.forget_unsynced();
        content.write(5, b"second");
        content.sync();
        assert_eq!(content.seen(), b"firstsecond");
        content.cut(CutStyle::STRICT, &mut Random::new(1));
        assert_eq!(content.seen(), b"\0\0\0\0\0second");
    }
}
