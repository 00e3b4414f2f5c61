//! `cargo x tidy`: the rules of this repository that a compiler does not know, as plain checks. They run as a test too.
//!
//! Each check answers a list of complaints, each one line that says where and what; an empty list is a pass.

mod crates;
mod files;
mod links;
mod words;

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the checkout.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Runs all checks over the checkout and prints the sizes worth knowing.
pub fn tidy() -> Result<()> {
    let root = pando_testkit::executable::checkout();
    let complaints = complaints(root)?;
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    println!("{}", files::sizes(&sources(root)?));
    if !complaints.is_empty() {
        bail!("{} thing(s) to tidy", complaints.len());
    }
    Ok(())
}

fn complaints(root: &Path) -> Result<Vec<String>> {
    let sources = sources(root)?;
    let metadata = crates::metadata()?;
    let mut found = crates::layering(&metadata);
    found.extend(crates::planted(&metadata));
    found.extend(crates::banned(&crates::linked()?));
    found.extend(files::too_long(&sources));
    found.extend(words::forbidden(&sources));
    found.extend(links::dead(root, &sources));
    Ok(found)
}

/// All text files that people write, in a fixed order.
fn sources(root: &Path) -> Result<Vec<Source>> {
    const KINDS: &[&str] = &["rs", "md", "toml", "sql", "mjs", "js", "sh", "yml"];
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !matches!(
                    name.as_str(),
                    ".git" | "target" | "node_modules" | "pando-data"
                ) {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|kind| KINDS.iter().any(|known| kind == *known))
            {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("read {}", path.display()))?;
                let relative = path
                    .strip_prefix(root)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(Source {
                    path: relative,
                    text,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_repository_is_tidy() {
        let complaints =
            super::complaints(pando_testkit::executable::checkout()).expect("the checks run");
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    }
}
