//! A failing input made smaller, while it fails in the same way.

use crate::mutate::cuts;

/// How often it is tried.
const ATTEMPTS: usize = 600;

/// The smallest input found for which `fails` still holds.
pub(crate) fn shrink(input: &[u8], mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut attempts = 0;
    let mut size = cuts(&best).len() / 2;
    while size > 0 {
        let mut from = 0;
        loop {
            let cuts = cuts(&best);
            if from + 1 >= cuts.len() {
                break;
            }
            let to = (from + size).min(cuts.len() - 1);
            let mut smaller = best[..cuts[from]].to_vec();
            smaller.extend_from_slice(&best[cuts[to]..]);
            attempts += 1;
            if attempts > ATTEMPTS {
                return best;
            }
            if fails(&smaller) {
                best = smaller;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_cut_away() {
        let small = shrink(b"select a, b from t where c = boom and d", |input| {
            input.windows(4).any(|part| part == b"boom")
        });
        assert_eq!(small, b"boom");
    }
}
