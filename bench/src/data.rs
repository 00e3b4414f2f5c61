//! The rows every server holds, and the seeded way to make them, so that all answer the same questions over the same table.

use crate::random::Random;

/// Rows of `items` and of `todos`.
pub const ROWS: usize = 100_000;
/// Values of `items.category`.
pub const CATEGORIES: u64 = 100;
/// Owners of rows; the first of them are the people who sign in.
pub const OWNERS: usize = 1_000;
/// People with a password.
pub const PEOPLE: usize = 64;
/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery staple";

/// One row of `items`.
pub struct Item {
    /// A uuid's 128 bits.
    pub id: u128,
    /// Which owner.
    pub owner: usize,
    /// Some words.
    pub title: String,
    /// About 190 bytes.
    pub body: String,
    /// Below [`CATEGORIES`].
    pub category: i64,
    /// What lists are ordered by.
    pub score: i64,
    /// Seconds after the first row.
    pub second: usize,
}

const WORDS: [&str; 24] = [
    "aspen", "root", "grove", "leaf", "north", "river", "stone", "quiet", "morning", "signal",
    "paper", "lamp", "harbor", "field", "copper", "winter", "orchard", "tunnel", "meadow", "glass",
    "ember", "valley", "thread", "cloud",
];

/// `bytes` or a little more of words.
pub fn words(random: &mut Random, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 8);
    while out.len() < bytes {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(WORDS[random.below(WORDS.len() as u64) as usize]);
    }
    out
}

/// All items, the same ones at every call.
pub fn items() -> Vec<Item> {
    let mut random = Random::new(11);
    (0..ROWS)
        .map(|second| Item {
            id: (u128::from(random.next()) << 64) | u128::from(random.next()),
            owner: second % OWNERS,
            title: words(&mut random, 30),
            body: words(&mut random, 190),
            category: random.below(CATEGORIES).cast_signed(),
            score: random.below(1_000_000).cast_signed(),
            second,
        })
        .collect()
}

/// The id as a version 4 uuid.
pub fn uuid(id: u128) -> String {
    uuid::Builder::from_random_bytes(id.to_be_bytes())
        .into_uuid()
        .to_string()
}

/// The id in the 15 characters PocketBase wants.
pub fn short(id: u128) -> String {
    let mut rest = id;
    (0..15)
        .map(|_| {
            let digit = b"abcdefghijklmnopqrstuvwxyz0123456789"[(rest % 36) as usize] as char;
            rest /= 36;
            digit
        })
        .collect()
}

/// An instant `second` seconds into the data, in the form JSON shows.
pub fn instant(second: usize) -> String {
    let (days, rest) = (second / 86_400, second % 86_400);
    format!(
        "2026-01-{:02}T{:02}:{:02}:{:02}+00:00",
        days + 1,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}
