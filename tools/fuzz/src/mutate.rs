//! New inputs from old ones: by the tokens of the text, by the words of the grammar, and by single bytes.

/// The longest input, bytes: what grows with the square of it must still end.
pub(crate) const LENGTH_MAX: usize = 2_048;

/// Numbers at which something ends.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "10",
    "32767",
    "32768",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e400",
    "1e-400",
    "1e131072",
    "0.1",
    "1.50",
    "99999999999999999999999999",
    "0x1f",
    "1_000",
];

/// Random choices that a seed repeats (`splitmix64`).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound.max(1) as u64).unwrap_or(0)
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &'a [&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// A variation of `input`; `other` is where to take parts from.
pub(crate) fn mutate(random: &mut Random, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut out = input.to_vec();
    // Mostly one or two changes: many at once are refused at the first.
    let changes = [1, 1, 1, 2, 2, 3, 5][random.below(7)];
    for _ in 0..changes {
        change(random, &mut out, other, words);
    }
    out.truncate(LENGTH_MAX);
    out
}

fn change(random: &mut Random, out: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let cuts = cuts(out);
    let at = cuts[random.below(cuts.len())];
    let token = random.below(cuts.len().saturating_sub(1));
    let (start, end) = (
        cuts[token],
        cuts.get(token + 1).copied().unwrap_or(out.len()),
    );
    match random.below(13) {
        0 => drop(out.drain(start..end)),
        1 => {
            let until = cuts[(token + 1 + random.below(8)).min(cuts.len() - 1)];
            out.drain(start..until.max(start));
        }
        2 => {
            let until = cuts[(token + 1 + random.below(12)).min(cuts.len() - 1)];
            let part = out[start..until.max(start)].to_vec();
            insert(out, at, &part);
        }
        3 | 4 => {
            let word = random.pick(words);
            out.splice(start..end, word.bytes());
        }
        5 => insert(out, at, format!(" {} ", random.pick(words)).as_bytes()),
        6 | 7 => {
            let theirs = self::cuts(other);
            let from = random.below(theirs.len());
            let to = (from + 1 + random.below(16)).min(theirs.len() - 1);
            let part = &other[theirs[from]..theirs[to].max(theirs[from])];
            if random.below(2) == 0 {
                out.splice(start..end, part.iter().copied());
            } else {
                insert(out, at, part);
            }
        }
        8 => {
            let number = random.pick(NUMBERS);
            out.splice(start..end, number.bytes());
        }
        9 => {
            let byte = [
                b'(', b')', b'\'', b'"', b',', b'.', b'-', b'\\', b'{', b'%', 0, 0x7f, 0xc3,
            ][random.below(13)];
            insert(out, at, &[byte]);
        }
        10 => {
            let place = random.below(out.len());
            if let Some(byte) = out.get_mut(place) {
                *byte ^= 1 << random.below(7);
            }
        }
        // Depth and length.
        11 => {
            let part = out[start..end].to_vec();
            let times = [2, 8, 70, 400][random.below(4)];
            insert(out, at, &part.repeat(times));
        }
        _ => {
            let until = cuts[(token + 1 + random.below(12)).min(cuts.len() - 1)].max(start);
            let times = [1, 1, 3, 80][random.below(4)];
            insert(out, until, &b")".repeat(times));
            insert(out, start, &b"(".repeat(times));
        }
    }
}

fn insert(out: &mut Vec<u8>, at: usize, part: &[u8]) {
    let room = LENGTH_MAX.saturating_sub(out.len());
    out.splice(at..at, part.iter().copied().take(room));
}

/// Where tokens begin, and the end: words, numbers, white space, every other byte for itself.
pub(crate) fn cuts(text: &[u8]) -> Vec<usize> {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => 1,
        b'0'..=b'9' => 2,
        b' ' | b'\n' | b'\t' => 3,
        _ => 0,
    };
    let mut cuts: Vec<usize> = (0..text.len())
        .filter(|&at| at == 0 || kind(text[at]) == 0 || kind(text[at]) != kind(text[at - 1]))
        .collect();
    cuts.push(text.len());
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_words_numbers_and_signs() {
        assert_eq!(cuts(b"ab  12<=c"), [0, 2, 4, 6, 7, 8, 9]);
        assert_eq!(cuts(b""), [0]);
    }

    #[test]
    fn equal_seeds_give_equal_inputs_of_bounded_length() {
        let make = |seed| {
            let mut random = Random::new(seed);
            (0..200)
                .scan(b"select 1".to_vec(), |input, _| {
                    *input = mutate(&mut random, input, b"from t where a = 'x'", &["or", "and"]);
                    Some(input.clone())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(make(3), make(3));
        assert_ne!(make(3), make(4));
        assert!(make(5).iter().all(|input| input.len() <= LENGTH_MAX));
    }
}
