//! The committed inputs: what showed something new once, and what failed once.
//!
//! `corpus/<target>/*.txt` hold many inputs each, between lines of `%%`. `regressions/<target>/<name>` holds one, byte by byte.

use anyhow::{Context as _, Result};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Stands between two inputs of a file.
const BETWEEN: &str = "\n%%\n";

/// Where this crate is. It is asked for while it runs: what was built may have moved since.
pub(crate) fn home() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn folder(kind: &str, target: &str) -> PathBuf {
    home().join(kind).join(target)
}

/// The contents of a folder's files, by name.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .collect()
}

/// The committed corpus of a target.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    files(&folder("corpus", target))
        .iter()
        .flat_map(|file| {
            let text = String::from_utf8_lossy(file).into_owned();
            let inputs: Vec<Vec<u8>> = text
                .trim_end_matches('\n')
                .split(BETWEEN)
                .map(|input| input.as_bytes().to_vec())
                .collect();
            inputs
        })
        .collect()
}

/// The inputs that failed once.
pub fn regressions(target: &str) -> Vec<Vec<u8>> {
    files(&folder("regressions", target))
}

/// Keeps an input that failed, to be committed with what mends it.
///
/// # Errors
/// If it can't be written.
pub fn keep(target: &str, input: &[u8]) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let folder = folder("regressions", target);
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let path = folder.join(format!("{:016x}", hasher.finish()));
    fs::write(&path, input).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

/// Writes inputs as the found part of a target's corpus.
///
/// # Errors
/// If it can't be written.
pub fn write_corpus(target: &str, inputs: &[Vec<u8>]) -> Result<PathBuf> {
    let folder = folder("corpus", target);
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let path = folder.join("found.txt");
    let texts: Vec<&str> = inputs
        .iter()
        .filter_map(|input| std::str::from_utf8(input).ok())
        .filter(|text| !text.contains(BETWEEN) && !text.ends_with('\n'))
        .collect();
    fs::write(&path, texts.join(BETWEEN) + "\n")
        .with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}
