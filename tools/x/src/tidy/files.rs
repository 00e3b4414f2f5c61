//! File sizes: one hard limit, and figures to look at.

use super::Source;

/// No file that people write is longer than this, lines.
const LINES_MAX: usize = 1_000;

/// A complaint for each file over the limit.
pub fn too_long(sources: &[Source]) -> Vec<String> {
    let long = sources
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(source, lines)| {
        format!(
            "{}: {lines} lines, more than {LINES_MAX}: split it",
            source.path
        )
    })
    .collect()
}

/// One line about the Rust files: how many, and how long they are.
pub fn sizes(sources: &[Source]) -> String {
    let rust = sources.iter().filter(|source| source.path.ends_with(".rs"));
    let mut lines: Vec<usize> = rust.map(|source| source.text.lines().count()).collect();
    lines.sort_unstable();
    let at = |part: usize| {
        lines
            .get((lines.len().saturating_sub(1)) * part / 100)
            .copied()
            .unwrap_or(0)
    };
    format!(
        "{} Rust files, {} lines; median {}, nine in ten under {}, longest {}",
        lines.len(),
        lines.iter().sum::<usize>(),
        at(50),
        at(90),
        at(100)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_over_the_limit_are_complained_about() {
        let file = |lines: usize| Source {
            path: format!("{lines}.rs"),
            text: "x\n".repeat(lines),
        };
        assert_eq!(too_long(&[file(1), file(1_000)]), Vec::<String>::new());
        assert_eq!(
            too_long(&[file(1_001)]),
            ["1001.rs: 1001 lines, more than 1000: split it"]
        );
    }
}
