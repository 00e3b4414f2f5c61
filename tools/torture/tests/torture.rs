//! The short form of the proof that nothing acknowledged is lost. `cargo x torture --long` goes on.
//!
//! One test after the other where one process runs them all, so that no load slows another one's deadlines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_testkit::faketime;
use pando_torture::disk::Disk;
use pando_torture::{Breach, NEMESES, Nemesis, Options, Random};
use std::env;
use std::sync::Mutex;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn survives(nemeses: &[Nemesis], acknowledged_min: u64) {
    let _one = ONE_AT_A_TIME.lock();
    let options = Options {
        seed: Random::fresh_seed(),
        plan: nemeses
            .iter()
            .map(|nemesis| (*nemesis, nemesis.short_rounds()))
            .collect(),
        executable: None,
        planted: None,
        stop_at_first: false,
        talkative: false,
    };
    println!("seed {}", options.seed);
    let report = pando_torture::run(&options).unwrap();
    println!("{report}");
    assert_eq!(report.count(Breach::Lost), 0, "{report}");
    assert_eq!(report.count(Breach::Doubled), 0, "{report}");
    assert_eq!(report.count(Breach::Resurrected), 0, "{report}");
    assert!(report.is_clean(), "{report}");
    let planned: u32 = options.plan.iter().map(|(_, rounds)| rounds).sum();
    assert_eq!(report.sum(|tally| tally.rounds), u64::from(planned));
    // A run in which nothing is written, or nobody signs in, would prove nothing.
    assert!(
        report.sum(|tally| tally.acknowledged) > acknowledged_min,
        "{report}"
    );
    assert!(report.sum(|tally| tally.sessions) > 0, "{report}");
}

/// Without FUSE the proof is missing, which only who says so may pass over.
fn has_disk() -> bool {
    match Disk::is_missing() {
        None => true,
        Some(why) if env::var_os("PANDO_WITHOUT_FUSE").is_some_and(|value| value == "1") => {
            eprintln!("not run, as PANDO_WITHOUT_FUSE says: {why}");
            false
        }
        Some(why) => panic!(
            "a disk of ours can't be mounted (set PANDO_WITHOUT_FUSE=1 to go without this proof): {why}"
        ),
    }
}

#[test]
fn kill_9_loses_nothing() {
    survives(
        &[
            Nemesis::Kill,
            Nemesis::KillStart,
            Nemesis::KillMigration,
            Nemesis::KillCheckpoint,
            Nemesis::KillBackup,
        ],
        1_000,
    );
}

#[test]
fn a_power_cut_loses_nothing() {
    if has_disk() {
        survives(&[Nemesis::Power], 500);
    }
}

#[test]
fn a_disk_that_is_full_or_fails_loses_nothing() {
    if has_disk() {
        let faults = [
            Nemesis::Full,
            Nemesis::Stall,
            Nemesis::WriteError,
            Nemesis::ReadError,
            Nemesis::SyncError,
            Nemesis::StartError,
        ];
        survives(&faults, 200);
    }
}

#[test]
fn a_clock_that_jumps_ends_no_session() {
    if env::var_os("PANDO_TEST_WITHOUT_FAKETIME").is_some() {
        eprintln!("not run: libfaketime is not to be had here");
        return;
    }
    faketime::library().unwrap();
    survives(&[Nemesis::Clock], 50);
}

#[test]
fn a_reader_without_end_fills_no_disk() {
    survives(&[Nemesis::Reader], 100);
}

#[test]
fn every_nemesis_is_run_here() {
    // A new one has to be put into one of the tests above.
    assert_eq!(NEMESES.len(), 14);
}
