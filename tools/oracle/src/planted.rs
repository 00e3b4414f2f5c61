//! Whether the comparison finds bugs, seen by making some.
//!
//! A difference counts for a bug only if the same case shows none without it.

use crate::differential::{self, Options};
use crate::on_postgres::OnPostgres;
use anyhow::Result;
use pando_sql::planted::{BUGS, Bug, plant};

/// A bug, and what came of looking for it.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Which.
    pub bug: Bug,
    /// After how many statements it was found, and the case that shows it; none when it was not.
    pub found: Option<(usize, String)>,
}

/// How many statements a round has, after which the seed is another.
const ROUND: usize = 1_000;

/// Plants each bug in turn, and looks for it over at most `cases` statements.
pub fn hunt(seed: u64, cases: usize, postgres: &mut OnPostgres) -> Result<Vec<Hunt>> {
    let hunts = BUGS.iter().map(|bug| {
        let found = look_for(*bug, seed, cases, postgres);
        plant(None);
        Ok(Hunt {
            bug: *bug,
            found: found?,
        })
    });
    hunts.collect()
}

fn look_for(
    bug: Bug,
    seed: u64,
    cases: usize,
    postgres: &mut OnPostgres,
) -> Result<Option<(usize, String)>> {
    let mut asked = 0;
    while asked < cases {
        plant(Some(bug));
        let options = Options {
            seed: seed.wrapping_add(asked as u64),
            cases: ROUND.min(cases - asked),
            failures_max: usize::MAX,
            // Cases are made small once it is known that they are the bug's.
            shrink_attempts: 0,
        };
        let report = differential::run(options, postgres)?;
        asked += report.cases;
        for found in report.found {
            plant(None);
            let without = found.case.difference(postgres)?;
            plant(Some(bug));
            if without.is_none() && found.case.difference(postgres)?.is_some() {
                let small = crate::shrink::shrink(&found.case, found.kind, postgres, 200)?;
                return Ok(Some((asked, small.write())));
            }
        }
    }
    Ok(None)
}
