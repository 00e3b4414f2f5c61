//! Links between the documents, and the paths they name: each must lead somewhere.
//!
//! Checked: inline links and reference definitions to files and headings of this repository, and code spans that look like
//! a path of it (`foundation/db/src/lib.rs`). Not checked: links to the web, which fail for reasons of their own.

use super::Source;
use std::path::Path;

/// The folders whose paths are checked in code spans.
const ROOMS: &[&str] = &[
    "app/",
    "foundation/",
    "services/",
    "tools/",
    "tests/",
    "bench/",
    "examples/",
    "docs/",
    "edge/",
    "deploy/",
];

/// A complaint for each link or path that leads nowhere.
pub fn dead(root: &Path, sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        let folder = source
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        for (number, line) in prose(&source.text) {
            for target in targets(line) {
                if let Some(why) = fails(root, sources, source, folder, target) {
                    found.push(format!("{}:{number}: link to {target}: {why}", source.path));
                }
            }
            for path in paths(line) {
                if !root.join(path).exists() {
                    found.push(format!("{}:{number}: there is no {path}", source.path));
                }
            }
        }
    }
    found
}

fn fails(
    root: &Path,
    sources: &[Source],
    source: &Source,
    folder: &str,
    target: &str,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        source.path.clone()
    } else {
        join(folder, file)
    };
    if !root.join(&path).exists() {
        return Some("there is no such file".to_owned());
    }
    if anchor.is_empty() || !path.ends_with(".md") {
        return None;
    }
    let linked = sources.iter().find(|other| other.path == path)?;
    let known = prose(&linked.text)
        .filter(|(_, line)| line.starts_with('#'))
        .any(|(_, line)| slug(line) == anchor);
    (!known).then(|| format!("{path} has no such heading"))
}

/// The lines outside of code fences, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            return None;
        }
        (!in_code).then_some((index + 1, line))
    })
}

/// The targets of `[text](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        rest = &rest[at + 2..];
        if let Some(end) = rest.find(')') {
            found.push(rest[..end].split(' ').next().unwrap_or_default());
        }
    }
    if let Some((name, target)) = line.split_once("]: ")
        && name.starts_with('[')
    {
        found.push(target.split(' ').next().unwrap_or_default());
    }
    found
}

/// Code spans that name a path of the repository; those with a placeholder (`<noun>`, `*`, `{..}`) name a pattern.
fn paths(line: &str) -> Vec<&str> {
    let spans = line.split('`').skip(1).step_by(2);
    spans
        .filter(|span| ROOMS.iter().any(|room| span.starts_with(room)))
        .filter(|span| {
            span.chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        })
        .collect()
}

/// The anchor GitHub gives a heading.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn join(folder: &str, file: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_become_anchors_as_on_github() {
        assert_eq!(slug("## 4. The map"), "4-the-map");
        assert_eq!(slug("# `pando serve`, in short"), "pando-serve-in-short");
    }

    #[test]
    fn links_to_files_headings_and_paths_are_followed() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("b.md"), "").expect("a file");
        let check = |text: &str, expected: &[&str]| {
            let sources = [
                Source {
                    path: "docs/a.md".to_owned(),
                    text: text.to_owned(),
                },
                Source {
                    path: "b.md".to_owned(),
                    text: "# One thing\n".to_owned(),
                },
            ];
            assert_eq!(dead(root.path(), &sources), expected, "{text}");
        };
        check(
            "[b](../b.md) [one](../b.md#one-thing) [web](https://example.org/x)",
            &[],
        );
        check("```\n[b](nowhere.md)\n```", &[]);
        check("`app/<noun>.rs`", &[]);
        check(
            "[b](nowhere.md)",
            &["docs/a.md:1: link to nowhere.md: there is no such file"],
        );
        check(
            "[b](../b.md#two)",
            &["docs/a.md:1: link to ../b.md#two: b.md has no such heading"],
        );
        check(
            "see `app/nowhere.rs`",
            &["docs/a.md:1: there is no app/nowhere.rs"],
        );
    }
}
