//! Every target for a while: a minute where `CI` is set, a few seconds elsewhere. `cargo x fuzz` goes on.

use pando_fuzz::{NAMES, Options, corpus, regressions, replay, run};
use std::time::Duration;

fn fuzz(target: &'static str) {
    let seconds = if std::env::var_os("CI").is_some() {
        60
    } else {
        5
    };
    // The same inputs each time, so that a failure is of the change that is tested; `cargo x fuzz` draws others.
    let seed = 2_026;
    println!("seed {seed}");
    let report = run(
        target,
        &Options {
            seed,
            time: Duration::from_secs(seconds),
            findings_max: 5,
            more: Vec::new(),
        },
    );
    println!("{report}");
    // A new seed may meet a promise broken in a corner: it is printed, and `cargo x fuzz` keeps it. A panic is never taken.
    let panics = report
        .findings
        .iter()
        .filter(|finding| finding.broken.starts_with("panicked"));
    assert_eq!(
        panics.count(),
        0,
        "{report}\ncargo x fuzz {target} --seed {seed} keeps what it finds"
    );
    // A run in which all is refused would prove nothing.
    assert!(report.runs > corpus(target).len() as u64, "{report}");
    assert!(report.taken * 50 > report.runs, "{report}");
}

#[test]
fn what_failed_once_passes() {
    let mut count = 0;
    for target in NAMES {
        let inputs = regressions(target);
        count += inputs.len();
        let found = replay(target, &inputs);
        assert!(found.is_empty(), "{target}: {found:#?}");
    }
    assert!(count > 0, "nothing was replayed");
}

#[test]
fn sql_keeps_its_promises() {
    fuzz("sql");
}

#[test]
fn literals_keep_their_promises() {
    fuzz("literals");
}

#[test]
fn rest_keeps_its_promises() {
    fuzz("rest");
}
