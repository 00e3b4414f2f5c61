//! Where things that are fetched once and used by many test runs are kept: never inside the checkout.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::{env, fs};

/// The folder named by `PANDO_TEST_CACHE`, else `pando/test` in the user's cache folder; made if it is missing.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("PANDO_TEST_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("pando/test")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/pando/test")))
        .unwrap_or_else(|| env::temp_dir().join("pando-test-cache"));
    fs::create_dir_all(&folder)
        .with_context(|| format!("make the test cache {}", folder.display()))?;
    Ok(folder)
}
