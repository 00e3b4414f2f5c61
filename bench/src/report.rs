//! What was measured, as a table people read and a gate a script can ask.

use crate::targets::Target;
use crate::work::Workload;
use std::fmt::Write as _;
use std::time::Duration;

/// One server under one workload at one number of connections.
pub struct Cell {
    /// Which server.
    pub target: &'static str,
    /// Which workload.
    pub workload: Workload,
    /// How many connections.
    pub connections: usize,
    /// Answers a second, the median of the rounds.
    pub rate: f64,
    /// Server CPU per answer over all rounds.
    pub cpu: Duration,
    /// The share of its core the server used.
    pub busy: f64,
    /// The 50th and 99th percentile at half of the peak, open-loop, in microseconds.
    pub open: Option<(u64, u64)>,
    /// Answers that were no success.
    pub refused: u64,
}

/// All cells of a run.
#[derive(Default)]
pub struct Report {
    cells: Vec<Cell>,
    memory: Vec<(&'static str, u64)>,
    hash: Option<Duration>,
}

impl Report {
    /// Keeps a cell.
    pub fn add(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Keeps what one password hash costs on the generator's core.
    pub fn set_hash(&mut self, hash: Duration) {
        self.hash = Some(hash);
    }

    /// Notes the memory of a server after its runs.
    pub fn note_memory(&mut self, target: &Target) -> anyhow::Result<()> {
        self.memory.push((target.name, target.process.memory()?));
        Ok(())
    }

    fn rate(&self, target: &str, workload: Workload, connections: usize) -> Option<f64> {
        self.cells
            .iter()
            .find(|cell| {
                cell.target == target
                    && cell.workload == workload
                    && cell.connections == connections
            })
            .map(|cell| cell.rate)
    }

    /// The table as Markdown.
    pub fn table(&self) -> String {
        let mut out = String::new();
        out.push_str("| workload | connections | server | answers/s | CPU/answer | core | Pando is | p50 / p99 at half peak | failed |\n");
        out.push_str("|---|---|---|---|---|---|---|---|---|\n");
        for cell in &self.cells {
            let ratio = match self.rate("Pando", cell.workload, cell.connections) {
                Some(pando) if cell.target != "Pando" && cell.rate > 0.0 => {
                    let ratio = pando / cell.rate;
                    if ratio >= 2.0 {
                        format!("{ratio:.1} x")
                    } else {
                        format!("{:.0} %", ratio * 100.0)
                    }
                }
                _ => String::new(),
            };
            let open = cell.open.map_or(String::new(), |(p50, p99)| {
                format!("{} / {} ms", milliseconds(p50), milliseconds(p99))
            });
            let _ = writeln!(
                out,
                "| {} | {} | {} | {:.0} | {:.1} µs | {:.0} % | {ratio} | {open} | {} |",
                cell.workload.name(),
                cell.connections,
                cell.target,
                cell.rate,
                cell.cpu.as_secs_f64() * 1e6,
                cell.busy * 100.0,
                cell.refused
            );
        }
        out.push('\n');
        for (target, bytes) in &self.memory {
            let _ = writeln!(
                out,
                "- {target}: {} MiB resident after the run",
                bytes / 1_048_576
            );
        }
        if let Some(hash) = self.hash {
            let _ = writeln!(
                out,
                "- one Argon2id hash (19 MiB, 2 passes): {:.1} ms of one core, so at most {:.0} sign-ins a second",
                hash.as_secs_f64() * 1e3,
                1.0 / hash.as_secs_f64()
            );
        }
        out
    }

    /// The gates: what had to be reached, what was, and whether all were.
    pub fn gates(&self) -> (String, bool) {
        let mut out = String::new();
        let mut held = true;
        for workload in Workload::ALL {
            for &connections in workload.connections() {
                let Some(pando) = self.rate("Pando", workload, connections) else {
                    continue;
                };
                for (peer, bounds) in [
                    ("bare axum + rusqlite", workload.shares()),
                    ("PocketBase", workload.multiples()),
                    ("PocketBase, log off", workload.multiples()),
                ] {
                    let (Some((must, goal)), Some(rate)) =
                        (bounds, self.rate(peer, workload, connections))
                    else {
                        continue;
                    };
                    let ratio = pando / rate;
                    held &= ratio >= must;
                    let verdict = if ratio < must {
                        "MISSED"
                    } else if ratio < goal {
                        "held, goal not reached"
                    } else {
                        "held, goal reached"
                    };
                    let _ = writeln!(
                        out,
                        "{:<13} {:>4} connections  {:>6.2} of {:<22} must {:<5} goal {:<5} {verdict}",
                        workload.name(),
                        connections,
                        ratio,
                        peer,
                        must,
                        goal
                    );
                }
            }
        }
        (out, held)
    }
}

fn milliseconds(microseconds: u64) -> String {
    format!("{:.2}", microseconds as f64 / 1000.0)
}
