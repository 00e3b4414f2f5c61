//! A run over one target: the corpus first, then variations of it, until time or number is up.

use crate::corpus;
use crate::mutate::{Random, mutate};
use crate::panics::listen;
use crate::seen::Seen;
use crate::shrink::shrink;
use crate::target::{Target, make};
use crate::watch::{Watch, show};
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

/// The stack of a thread that serves requests, which what is read must not outgrow.
const STACK_BYTES: usize = 2 << 20;
/// What is worth a look when an input takes it.
const SLOW: Duration = Duration::from_millis(500);
/// What the corpus in memory grows to, inputs.
const CORPUS_MAX: usize = 20_000;

/// How long, from which seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// What all choices follow from.
    pub seed: u64,
    /// How long to go on after the corpus.
    pub time: Duration,
    /// How many different findings end it.
    pub findings_max: usize,
    /// Inputs to begin with, beside the corpus.
    pub more: Vec<Vec<u8>>,
}

/// An input that broke a promise.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The input, shrunk.
    pub input: Vec<u8>,
    /// Which promise.
    pub broken: String,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// The target.
    pub target: &'static str,
    /// The seed.
    pub seed: u64,
    /// Inputs run.
    pub runs: u64,
    /// Of these, those in which something was read and not refused.
    pub taken: u64,
    /// How long it went on.
    pub time: Duration,
    /// Different facts seen.
    pub facts: usize,
    /// Inputs that showed something new, in order.
    pub corpus: Vec<Vec<u8>>,
    /// What each of them showed.
    showed: Vec<HashSet<u64>>,
    /// The longest time that one input took, and the input.
    pub slowest: (Duration, Vec<u8>),
    /// What was found, one for each way of failing.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: seed {}, {} inputs in {:.1} s, {} % read, {} facts by {} inputs, slowest {} ms, {} finding(s)",
            self.target,
            self.seed,
            self.runs,
            self.time.as_secs_f64(),
            self.taken * 100 / self.runs.max(1),
            self.facts,
            self.corpus.len(),
            self.slowest.0.as_millis(),
            self.findings.len()
        )?;
        if self.slowest.0 > SLOW {
            writeln!(f, "  slowest: {}", show(&self.slowest.1))?;
        }
        for finding in &self.findings {
            writeln!(f, "  {}\n    {}", show(&finding.input), finding.broken)?;
        }
        Ok(())
    }
}

impl Report {
    /// At most so many of the corpus, which together show the most.
    pub fn cover(&self, most: usize) -> Vec<Vec<u8>> {
        let mut left: HashSet<u64> = self.showed.iter().flatten().copied().collect();
        let mut chosen = Vec::new();
        while chosen.len() < most {
            let worth = |(input, showed): &(&Vec<u8>, &HashSet<u64>)| {
                let new = showed.intersection(&left).count();
                // Of those that show as much, the shortest.
                (new, std::cmp::Reverse(input.len()))
            };
            let Some((input, showed)) = self.corpus.iter().zip(&self.showed).max_by_key(worth)
            else {
                break;
            };
            if showed.is_disjoint(&left) {
                break;
            }
            left.retain(|fact| !showed.contains(fact));
            chosen.push(input.clone());
        }
        chosen
    }
}

/// Fuzzes a target.
///
/// # Panics
/// If there is no such target.
pub fn run(name: &'static str, options: &Options) -> Report {
    on_a_small_stack(|| {
        let mut seeds = corpus::corpus(name);
        seeds.extend(options.more.iter().cloned());
        fuzz(name, || make(name), seeds, options)
    })
}

/// Runs inputs as they are, and gives what they broke.
///
/// # Panics
/// If there is no such target.
pub fn replay(name: &'static str, inputs: &[Vec<u8>]) -> Vec<Finding> {
    on_a_small_stack(|| {
        let mut watch = Watch::start(name);
        let mut target = make(name);
        let mut found = Vec::new();
        for input in inputs {
            let (broken, _) = watch.over(input, || attempt(&mut *target, input));
            if let Some(broken) = broken {
                found.push(Finding {
                    input: input.clone(),
                    broken,
                });
                target = make(name);
            }
        }
        found
    })
}

fn on_a_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        let ended = thread.map(std::thread::ScopedJoinHandle::join);
        match ended {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread to fuzz on: {error}"),
        }
    })
}

/// One input: what it broke, and what it showed.
fn attempt(target: &mut dyn Target, input: &[u8]) -> (Option<String>, Seen) {
    let mut seen = Seen::default();
    let (done, panics) = listen(|| target.run(input, &mut seen));
    let broken = match (panics.into_iter().next(), done) {
        (Some(panic), _) => Some(panic),
        (None, Some(Err(broken))) => Some(broken),
        _ => None,
    };
    (broken, seen)
}

/// What makes two findings one: where it panicked, or which promise it was.
fn kind(broken: &str) -> String {
    let until = if broken.starts_with("panicked at ") {
        broken.find(": ").unwrap_or(broken.len())
    } else {
        broken.find(['"', '\'', '`']).unwrap_or(broken.len())
    };
    broken[..until]
        .chars()
        .filter(|c| !c.is_ascii_digit() || broken.starts_with("panicked"))
        .collect()
}

fn fuzz(
    name: &'static str,
    make: impl Fn() -> Box<dyn Target>,
    seeds: Vec<Vec<u8>>,
    options: &Options,
) -> Report {
    let began = Instant::now();
    let mut random = Random::new(options.seed);
    let mut watch = Watch::start(name);
    let mut target = make();
    let words = target.words();
    let mut facts: HashSet<u64> = HashSet::new();
    let mut kinds: HashSet<String> = HashSet::new();
    // Where in the corpus something was read, not refused.
    let mut taken: Vec<usize> = Vec::new();
    let mut report = Report {
        target: name,
        seed: options.seed,
        runs: 0,
        taken: 0,
        time: Duration::ZERO,
        facts: 0,
        corpus: Vec::new(),
        showed: Vec::new(),
        slowest: (Duration::ZERO, Vec::new()),
        findings: Vec::new(),
    };
    let mut seeds = seeds.into_iter();
    // The corpus is run in any case: the time is for what it leads to.
    let mut varying = began;
    while report.findings.len() < options.findings_max {
        if seeds.len() > 0 {
            varying = Instant::now();
        } else if varying.elapsed() > options.time {
            break;
        }
        let input = match seeds.next() {
            Some(seed) => seed,
            None if report.corpus.is_empty() => mutate(&mut random, b"", b"", words),
            None => {
                let input = pick(&mut random, &report.corpus, &taken);
                let other = pick(&mut random, &report.corpus, &taken);
                mutate(&mut random, input, other, words)
            }
        };
        let started = Instant::now();
        let (broken, seen) = watch.over(&input, || attempt(&mut *target, &input));
        let took = started.elapsed();
        report.runs += 1;
        report.taken += u64::from(seen.is_taken());
        if took > report.slowest.0 {
            report.slowest = (took, input.clone());
        }
        if let Some(broken) = broken {
            // A target that panicked is in no state to go on.
            target = make();
            let kind = kind(&broken);
            if kinds.insert(kind.clone()) {
                let small = shrink(&input, |smaller| {
                    let (broken, _) = watch.over(smaller, || attempt(&mut *target, smaller));
                    let same = broken.is_some_and(|broken| self::kind(&broken) == kind);
                    if same {
                        target = make();
                    }
                    same
                });
                let (again, _) = watch.over(&small, || attempt(&mut *target, &small));
                target = make();
                report.findings.push(Finding {
                    input: small,
                    broken: again.unwrap_or(broken),
                });
            }
            continue;
        }
        let before = facts.len();
        facts.extend(seen.facts());
        if facts.len() > before && report.corpus.len() < CORPUS_MAX {
            if seen.is_taken() {
                taken.push(report.corpus.len());
            }
            report.corpus.push(input);
            report.showed.push(seen.facts().clone());
        }
    }
    report.facts = facts.len();
    report.time = began.elapsed();
    report
}

/// One of the corpus. Mostly one that was read, because what is refused at its beginning leads nowhere; of these as often one of the
/// newest, which nobody has varied yet, as any.
fn pick<'a>(random: &mut Random, corpus: &'a [Vec<u8>], taken: &[usize]) -> &'a [u8] {
    let mut recent = |count: usize| {
        let newest = if random.below(2) == 0 {
            count.saturating_sub(64)
        } else {
            0
        };
        newest + random.below(count - newest)
    };
    let (any, read) = (recent(corpus.len()), recent(taken.len()));
    match taken.get(read) {
        Some(place) if random.below(4) > 0 => &corpus[*place],
        _ => &corpus[any],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics at a word that is only found step by step, and breaks a promise at another.
    struct Brittle;

    impl Target for Brittle {
        fn words(&self) -> &'static [&'static str] {
            &["open", "sesame", "door"]
        }

        fn run(&mut self, input: &[u8], seen: &mut Seen) -> Result<(), String> {
            let text = String::from_utf8_lossy(input);
            let steps: Vec<&str> = text.split_whitespace().collect();
            for known in ["open", "sesame", "door"] {
                if steps.contains(&known) {
                    seen.fact("step", known);
                    seen.take();
                }
            }
            assert!(steps != ["open", "sesame"], "the cave is open");
            if steps.len() == 3 && steps.iter().all(|step| *step == "door") {
                return Err("three doors".to_owned());
            }
            Ok(())
        }
    }

    fn options() -> Options {
        Options {
            seed: 7,
            time: Duration::from_secs(30),
            findings_max: 2,
            more: Vec::new(),
        }
    }

    #[test]
    fn panics_and_broken_promises_are_found_and_shrunk() {
        let report = fuzz("brittle", || Box::new(Brittle), Vec::new(), &options());
        let mut broken: Vec<&str> = report.findings.iter().map(|found| &*found.broken).collect();
        broken.sort_unstable();
        assert_eq!(broken.len(), 2, "{report}");
        assert!(
            !report.cover(1).is_empty() && report.cover(9).len() <= 3,
            "{report}"
        );
        assert!(broken[0].contains("the cave is open"), "{report}");
        assert_eq!(broken[1], "three doors", "{report}");
        assert!(
            report.findings.iter().all(|found| found.input.len() < 20),
            "{report}"
        );
    }
}
