//! What durability costs: inserts that are on disk before they are answered, beside the same statement on bare SQLite; reads meanwhile;
//! and what writing the log back does to writers of a file of a gigabyte.

use crate::data::words;
use crate::load::{self, Requests, Run};
use crate::random::Random;
use crate::targets::{self, Bench, Target};
use crate::work::Workload;
use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: pando-bench durable [--quick | --long] [--gate]

  --quick   short rounds on 100 MB: shows that all of it works
  --long    longer rounds on 10 GB
  --gate    end with 1 if a required figure was missed";

/// How many connections insert.
const CONNECTIONS: [usize; 3] = [1, 32, 256];
/// Bytes of a document's body.
const BODY: usize = 2_000;
/// Documents of one request.
const DOCUMENTS: usize = 1_000;

struct Options {
    rounds: u32,
    round: Duration,
    megabytes: u64,
    gate: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            rounds: 3,
            round: Duration::from_secs(3),
            megabytes: 1_024,
            gate: false,
        };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => {
                    (options.rounds, options.round, options.megabytes) =
                        (1, Duration::from_millis(700), 100);
                }
                "--long" => {
                    (options.rounds, options.round, options.megabytes) =
                        (5, Duration::from_secs(10), 10_240);
                }
                "--gate" => options.gate = true,
                _ => bail!("{argument:?} is not understood\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

/// Required figures that were missed.
#[derive(Default)]
struct Gates(Vec<String>);

impl Gates {
    fn hold(&mut self, what: &str, held: bool) {
        if !held {
            self.0.push(what.to_owned());
        }
    }
}

/// Measures all of it. False if a required figure was missed and that matters.
pub async fn measure(bench: &Bench, arguments: &[String]) -> Result<bool> {
    let options = Options::read(arguments)?;
    let mut gates = Gates::default();
    eprintln!("starting Pando ..");
    let pando = targets::start(bench, targets::PANDO).await?;
    inserts(bench, &options, &pando, &mut gates).await?;
    reads(&options, &pando, &mut gates).await?;
    checkpoints(&options, &pando, &mut gates).await?;
    println!(
        "\n- Resident after the run: {} MiB",
        pando.process.memory()? >> 20
    );
    for missed in &gates.0 {
        println!("- MISSED: {missed}");
    }
    Ok(gates.0.is_empty() || !options.gate)
}

fn requests(target: &Target, workload: Workload) -> Result<Requests> {
    target.requests(workload).context("not a workload of Pando")
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

async fn inserts(
    bench: &Bench,
    options: &Options,
    pando: &Target,
    gates: &mut Gates,
) -> Result<()> {
    let mut bare = Bare::open(&bench.directory.join("bare.db"))?;
    let mut bare_rates = Vec::new();
    let mut rates = vec![Vec::new(); CONNECTIONS.len()];
    let mut latency = Vec::new();
    for round in 0..=options.rounds {
        let bare_rate = bare.insert(options.round)?;
        let mut runs = Vec::new();
        for connections in CONNECTIONS {
            runs.push(
                load::closed(
                    pando.process.address,
                    requests(pando, Workload::Insert)?,
                    connections,
                    options.round,
                    u64::from(round) + 1,
                )
                .await?,
            );
        }
        // Round 0 warms up.
        if round > 0 {
            bare_rates.push(bare_rate);
            for (run, rates) in runs.iter().zip(&mut rates) {
                ensure!(run.refused == 0, "inserts were refused: {:?}", run.refusal);
                rates.push(run.rate());
            }
        }
        latency = runs
            .iter()
            .map(|run| {
                (
                    run.latency.value_at_quantile(0.5),
                    run.latency.value_at_quantile(0.99),
                )
            })
            .collect();
    }
    let bare = median(bare_rates);
    println!("| durable inserts | connections | answers/s | of bare SQLite | p50 / p99 |");
    println!("|---|---|---|---|---|");
    println!("| bare SQLite, FULL, one commit each | in process | {bare:.0} |  |  |");
    for ((connections, rates), (p50, p99)) in CONNECTIONS.into_iter().zip(rates).zip(latency) {
        let rate = median(rates);
        let ratio = rate / bare;
        println!(
            "| Pando | {connections} | {rate:.0} | {ratio:.1} x | {:.2} / {:.2} ms |",
            millis(p50),
            millis(p99)
        );
        if connections == 256 {
            gates.hold("8 x bare SQLite at 256 connections", ratio >= 8.0);
        }
    }
    Ok(())
}

/// Point reads that fall due at a fixed rate, alone and while 32 connections insert as fast as they are answered.
async fn reads(options: &Options, pando: &Target, gates: &mut Gates) -> Result<()> {
    let address = pando.process.address;
    let rate = 500.0;
    let mut p99 = [Vec::new(), Vec::new()];
    for round in 0..options.rounds.max(1) {
        for (busy, p99) in [false, true].into_iter().zip(&mut p99) {
            let reads = load::open(
                address,
                requests(pando, Workload::Read)?,
                16,
                rate,
                options.round,
                u64::from(round) + 1,
            );
            let run = if busy {
                let time = options.round + Duration::from_millis(700);
                let inserts = load::closed(
                    address,
                    requests(pando, Workload::Insert)?,
                    32,
                    time,
                    u64::from(round) + 1,
                );
                let (reads, inserts) = tokio::join!(reads, inserts);
                inserts?;
                reads?
            } else {
                reads.await?
            };
            ensure!(run.refused == 0, "reads were refused: {:?}", run.refusal);
            p99.push(run.latency.value_at_quantile(0.99) as f64);
        }
    }
    let [idle, busy] = p99.map(median);
    println!(
        "\n- Point reads, {rate} a second: p99 {:.2} ms alone, {:.2} ms while 32 connections insert at full rate: {:.1} x",
        idle / 1_000.0,
        busy / 1_000.0,
        busy / idle
    );
    gates.hold("reads while writing at 2 x of idle", busy <= 2.0 * idle);
    Ok(())
}

/// Changes documents all over a large file, and asks how long the writer stood still for the log.
async fn checkpoints(options: &Options, pando: &Target, gates: &mut Gates) -> Result<()> {
    let address = pando.process.address;
    let bytes = options.megabytes << 20;
    let count = bytes / BODY as u64;
    eprintln!("filling {} MB ..", options.megabytes);
    let own = pando.own()?;
    let mut connection = crate::client::Connection::open(address).await?;
    let mut random = Random::new(5);
    let start = Instant::now();
    for first in (0..count).step_by(DOCUMENTS) {
        let rows = first..count.min(first + DOCUMENTS as u64);
        let status = connection.send(&own.insert(rows, &mut random)).await?;
        ensure!(status == 201, "filling was answered {status}");
    }
    eprintln!("filled in {:.0} s", start.elapsed().as_secs_f64());
    let before = own.stalls().await?;
    let time = options.round * 4;
    let run: Run = load::closed(address, own.changes(count), 32, time, 7).await?;
    ensure!(run.refused == 0, "writes were refused: {:?}", run.refusal);
    let stalls = own.stalls().await?.since(&before);
    println!(
        "- Changes all over a file of {} MB, 32 connections: {:.0} a second, p50 {:.2}, p99 {:.2}, longest {:.1} ms; the writer stood still {} \
         times to write the log back, p99 under {:.0} ms, longest under {:.0} ms",
        options.megabytes,
        run.rate(),
        millis(run.latency.value_at_quantile(0.5)),
        millis(run.latency.value_at_quantile(0.99)),
        millis(run.latency.max()),
        stalls.count(),
        stalls.quantile(0.99) * 1_000.0,
        stalls.quantile(1.0) * 1_000.0,
    );
    gates.hold("stalls under 50 ms p99", stalls.quantile(0.99) <= 0.05);
    Ok(())
}

/// SQLite as a careful program uses it by itself: one connection, `synchronous=FULL`, each insert a commit of its own.
struct Bare {
    connection: Connection,
    random: Random,
}

impl Bare {
    fn open(path: &Path) -> Result<Bare> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE notes (id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;",
        )?;
        Ok(Bare {
            connection,
            random: Random::new(3),
        })
    }

    /// Inserts for `time`; gives the rate.
    fn insert(&mut self, time: Duration) -> Result<f64> {
        let sql =
            "INSERT INTO notes (id, owner, title, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = self.connection.prepare(sql)?;
        let start = Instant::now();
        let mut done = 0_u64;
        while start.elapsed() < time {
            let random = &mut self.random;
            insert.execute(params![
                crate::data::uuid(u128::from(random.next()) << 64 | u128::from(random.next())),
                crate::data::uuid(7),
                words(random, 30),
                words(random, 190),
                "2026-01-01T00:00:00+00:00",
            ])?;
            done += 1;
        }
        Ok(done as f64 / start.elapsed().as_secs_f64())
    }
}
