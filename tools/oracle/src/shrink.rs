//! Makes a case smaller while what it shows stays.

use crate::case::Case;
use crate::compare::Difference;
use crate::on_postgres::OnPostgres;
use anyhow::Result;

/// The case with as little as shows the same kind of difference, after at most `attempts` attempts.
pub fn shrink(
    case: &Case,
    kind: Difference,
    postgres: &mut OnPostgres,
    attempts: usize,
) -> Result<Case> {
    let mut shrinker = Shrinker {
        postgres,
        kind,
        left: attempts,
    };
    let mut best = case.clone();
    shrinker.drop_steps(&mut best)?;
    loop {
        let before = best.write().len();
        let last = best.steps.len() - 1;
        for at in (0..=last).rev() {
            shrinker.shrink_step(&mut best, at)?;
        }
        shrinker.drop_steps(&mut best)?;
        if best.write().len() >= before || shrinker.left == 0 {
            return Ok(best);
        }
    }
}

struct Shrinker<'p> {
    postgres: &'p mut OnPostgres,
    kind: Difference,
    left: usize,
}

impl Shrinker<'_> {
    fn still(&mut self, case: &Case) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        Ok(matches!(case.difference(self.postgres)?, Some((kind, _)) if kind == self.kind))
    }

    /// Leaves out steps before the last: many at once at first, then one by one.
    fn drop_steps(&mut self, best: &mut Case) -> Result<()> {
        let mut size = (best.steps.len() / 2).max(1);
        loop {
            let mut at = 0;
            while at + 1 < best.steps.len() {
                let end = (at + size).min(best.steps.len() - 1);
                let mut fewer = best.clone();
                fewer.steps.drain(at..end);
                if self.still(&fewer)? {
                    *best = fewer;
                } else {
                    at = end;
                }
            }
            if size == 1 {
                return Ok(());
            }
            size /= 2;
        }
    }

    fn shrink_step(&mut self, best: &mut Case, at: usize) -> Result<()> {
        loop {
            let mut shrunk = false;
            for node in best.steps[at].node.smaller() {
                let mut smaller = best.clone();
                smaller.steps[at].node = node;
                if self.still(&smaller)? {
                    *best = smaller;
                    shrunk = true;
                    break;
                }
            }
            if !shrunk {
                return Ok(());
            }
        }
    }
}
