//! Pando beside PocketBase and beside what bare handlers could do, on the same rows and the same load, in one run.
//!
//! Every server is pinned to one core and the generator to another; rounds of all servers take turns, so that a slow minute of the
//! machine is everybody's. Read the ratios and the CPU per answer: an absolute figure of a shared machine means little.

mod client;
mod data;
mod durable;
mod load;
mod process;
mod random;
mod report;
mod stalls;
mod targets;
mod work;

use crate::report::{Cell, Report};
use crate::targets::{Bench, Target};
use crate::work::Workload;
use anyhow::{Context as _, Result, bail, ensure};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: pando-bench durable [..], or pando-bench peers [--quick | --long] [--only WORKLOAD,..] [--servers NAME,..] [--out FILE] [--gate]

  --quick     one short round of each: shows that all of it works, its figures are rough
  --long      more and longer rounds
  --only      workloads: read, list, insert, owner-list, owner-insert, sign-in
  --servers   a part of a server's name is enough: pando, axum, hyper, pocketbase
  --out       also write the table to FILE
  --gate      end with 1 if a required ratio was missed";

struct Options {
    rounds: u32,
    round: Duration,
    open: Duration,
    only: Option<Vec<String>>,
    servers: Option<Vec<String>>,
    out: Option<PathBuf>,
    gate: bool,
}

fn options() -> Result<Options> {
    let mut arguments = std::env::args().skip(1);
    ensure!(arguments.next().as_deref() == Some("peers"), "{USAGE}");
    let mut options = Options {
        rounds: 3,
        round: Duration::from_secs(2),
        open: Duration::from_secs(4),
        only: None,
        servers: None,
        out: None,
        gate: false,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} wants a value\n{USAGE}"))
        };
        match argument.as_str() {
            "--quick" => {
                (options.rounds, options.round, options.open) =
                    (1, Duration::from_millis(700), Duration::from_millis(700))
            }
            "--long" => {
                (options.rounds, options.round, options.open) =
                    (5, Duration::from_secs(6), Duration::from_secs(10))
            }
            "--only" => options.only = Some(value()?.split(',').map(str::to_owned).collect()),
            "--servers" => {
                options.servers = Some(value()?.split(',').map(str::to_lowercase).collect())
            }
            "--out" => options.out = Some(value()?.into()),
            "--gate" => options.gate = true,
            _ => bail!("{argument:?} is not understood\n{USAGE}"),
        }
    }
    for name in options.only.iter().flatten() {
        ensure!(
            Workload::ALL.iter().any(|workload| workload.name() == name),
            "no workload is called {name:?}\n{USAGE}"
        );
    }
    Ok(options)
}

/// Core 0 serves, core 1 asks: this process moves there before it has other threads.
fn pin() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    if std::env::var_os("BENCH_PINNED").is_some() {
        return Ok(());
    }
    ensure!(
        cores >= 2,
        "two cores are needed, one for the server and one for the generator; there is {cores}"
    );
    use std::os::unix::process::CommandExt as _;
    let error = std::process::Command::new("taskset")
        .args(["-c", "1"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env("BENCH_PINNED", "1")
        .exec();
    Err(error).context(
        "taskset (util-linux) is needed to pin the servers and the generator to their cores",
    )
}

fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("pando")
}

fn bench() -> Result<Bench> {
    let executable = std::env::current_exe()?;
    let bench = Bench {
        directory: std::env::temp_dir().join(format!("pando-bench-{}", std::process::id())),
        cache: cache(),
        executables: executable.parent().context("no folder")?.to_owned(),
        core: 0,
        items: Rc::new(data::items()),
    };
    std::fs::create_dir_all(&bench.directory)?;
    std::fs::create_dir_all(&bench.cache)?;
    Ok(bench)
}

#[tokio::main(flavor = "current_thread")]
async fn durable(arguments: &[String]) -> Result<bool> {
    let bench = bench()?;
    let held = durable::measure(&bench, arguments).await?;
    std::fs::remove_dir_all(&bench.directory)?;
    Ok(held)
}

#[tokio::main(flavor = "current_thread")]
async fn measure(options: Options) -> Result<bool> {
    let bench = bench()?;
    let mut servers: Vec<Target> = Vec::new();
    for name in targets::ALL {
        let wanted = options
            .servers
            .as_ref()
            .is_none_or(|parts| parts.iter().any(|part| name.to_lowercase().contains(part)));
        if wanted {
            eprintln!("starting {name} with {} rows in each table ..", data::ROWS);
            servers.push(targets::start(&bench, name).await?);
        }
    }
    ensure!(
        !servers.is_empty(),
        "no server's name contains any of --servers\n{USAGE}"
    );
    let mut report = Report::default();
    for workload in Workload::ALL {
        if options
            .only
            .as_ref()
            .is_some_and(|only| !only.iter().any(|name| name == workload.name()))
        {
            continue;
        }
        for &connections in workload.connections() {
            compare(&options, &servers, workload, connections, &mut report).await?;
        }
    }
    for server in &servers {
        report.note_memory(server)?;
    }
    if options
        .only
        .as_ref()
        .is_none_or(|only| only.iter().any(|name| name == "sign-in"))
    {
        report.set_hash(hash()?);
    }
    drop(servers);
    std::fs::remove_dir_all(&bench.directory)?;
    let (gates, held) = report.gates();
    println!("{}\n{gates}", report.table());
    if let Some(out) = &options.out {
        std::fs::write(out, report.table())?;
    }
    Ok(held || !options.gate)
}

/// Rounds of all servers in turn, then each at half of its own peak.
async fn compare(
    options: &Options,
    servers: &[Target],
    workload: Workload,
    connections: usize,
    report: &mut Report,
) -> Result<()> {
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); servers.len()];
    let mut cpu = vec![Duration::ZERO; servers.len()];
    let mut elapsed = vec![Duration::ZERO; servers.len()];
    let mut answered = vec![0_u64; servers.len()];
    let mut refused = vec![0_u64; servers.len()];
    for round in 0..=options.rounds {
        for (index, server) in servers.iter().enumerate() {
            let Some(requests) = server.requests(workload) else {
                continue;
            };
            // Round 0 warms up.
            let duration = if round == 0 {
                options.round / 4
            } else {
                options.round
            };
            let before = server.process.cpu()?;
            let run = load::closed(
                server.process.address,
                requests,
                connections,
                duration,
                u64::from(round) + 1,
            )
            .await
            .with_context(|| format!("{} under {}", server.name, workload.name()))?;
            if round == 0 {
                ensure!(
                    run.answered > 0,
                    "{} refused all of {}: status {:?}",
                    server.name,
                    workload.name(),
                    run.refusal
                );
                continue;
            }
            cpu[index] += server.process.cpu()? - before;
            elapsed[index] += run.elapsed;
            answered[index] += run.answered;
            refused[index] += run.refused;
            rates[index].push(run.rate());
        }
    }
    for (index, server) in servers.iter().enumerate() {
        let Some(requests) = server.requests(workload) else {
            continue;
        };
        let rates = &mut rates[index];
        rates.sort_by(f64::total_cmp);
        let rate = rates[rates.len() / 2];
        let open = load::open(
            server.process.address,
            requests,
            connections,
            rate / 2.0,
            options.open,
            99,
        )
        .await?;
        refused[index] += open.refused;
        let cell = Cell {
            target: server.name,
            workload,
            connections,
            rate,
            cpu: cpu[index].div_f64(answered[index].max(1) as f64),
            busy: cpu[index].as_secs_f64() / elapsed[index].as_secs_f64(),
            open: Some((
                open.latency.value_at_quantile(0.5),
                open.latency.value_at_quantile(0.99),
            )),
            refused: refused[index],
        };
        eprintln!(
            "{:<13} {connections:>4}  {:<22} {rate:>9.0} answers/s  {:>7.1} µs CPU",
            workload.name(),
            server.name,
            cell.cpu.as_secs_f64() * 1e6
        );
        report.add(cell);
    }
    Ok(())
}

/// What one hash costs with the parameters passwords are stored with.
fn hash() -> Result<Duration> {
    let params =
        argon2::Params::new(19_456, 2, 1, None).map_err(|error| anyhow::anyhow!("{error}"))?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut out = [0; 32];
    let start = Instant::now();
    let rounds = 10;
    for round in 0..rounds {
        argon
            .hash_password_into(data::PASSWORD.as_bytes(), &[round; 16], &mut out)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    Ok(start.elapsed() / u32::from(rounds))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    pin()?;
    let held = match arguments.split_first() {
        Some((first, rest)) if first == "durable" => durable(rest)?,
        _ => measure(options()?)?,
    };
    if held {
        Ok(())
    } else {
        bail!("a required figure was missed")
    }
}
