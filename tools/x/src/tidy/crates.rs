//! Which crate may depend on which, and which crates may not be linked at all.
//!
//! Dependencies point down only: `app` -> `services` -> `foundation`; `tools` and `bench` use the foundation, `tests` the
//! tools. Services do not know each other. Inside the foundation the order below holds.

use crate::run::cargo;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The foundation from the ground up: a crate may use those before it.
const FOUNDATION: &[&str] = &[
    "pando-kernel",
    "pando-telemetry",
    "pando-sql",
    "pando-plan",
    "pando-blob",
    "pando-db",
    "pando-copy",
    "pando-keys",
    "pando-net",
];

/// Crates of plain values and functions, which nothing that does IO may enter.
const PURE: &[&str] = &["pando-kernel", "pando-sql", "pando-plan"];
const IO: &[&str] = &["tokio", "hyper", "axum", "rusqlite", "tower", "reqwest"];

/// Never linked, with the reason.
const BANNED: &[(&str, &str)] = &[
    ("ring", "a second provider of cryptography beside aws-lc-rs"),
    ("openssl-sys", "a second provider of TLS and cryptography"),
    ("openssl", "a second provider of TLS and cryptography"),
    ("native-tls", "a second provider of TLS"),
    ("sqlx", "no pipelining, and several times slower on SQLite"),
    ("async-graphql", "resolves field by field"),
    (
        "pingora",
        "its cache store is for tests, and it owns the process",
    ),
    (
        "pingora-core",
        "its cache store is for tests, and it owns the process",
    ),
    ("fred", "no longer kept"),
    ("fail", "no longer kept"),
];

/// What cargo knows about the crates of the workspace.
pub fn metadata() -> Result<Value> {
    let output = cargo(&[
        "metadata",
        "--format-version=1",
        "--filter-platform=x86_64-unknown-linux-gnu",
        "--quiet",
    ])
    .output()
    .context("run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("read what cargo metadata prints")
}

/// A complaint for each edge between two of our crates that points another way than down.
pub fn layering(metadata: &Value) -> Vec<String> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    for package in own_packages(metadata) {
        let from = Place::of(root, package);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to_name = dependency["name"].as_str().unwrap_or_default();
            let for_tests_only = dependency["kind"] == "dev";
            if PURE.contains(&from.name.as_str()) && IO.contains(&to_name) && !for_tests_only {
                found.push(format!(
                    "{} uses {to_name}, and it is to stay without IO",
                    from.name
                ));
            }
            let Some(target) = own_packages(metadata).find(|other| other["name"] == *to_name)
            else {
                continue;
            };
            let to = Place::of(root, target);
            if !allowed(&from, &to, for_tests_only) {
                found.push(format!(
                    "{} ({}) may not use {} ({})",
                    from.name, from.folder, to.name, to.folder
                ));
            }
        }
    }
    found
}

/// The names of all crates that a build of the workspace on Linux links, tests included. Asked of `cargo tree`, because the
/// graph in `cargo metadata` also holds optional crates that no feature turns on.
pub fn linked() -> Result<Vec<String>> {
    let output = cargo(&[
        "tree",
        "--workspace",
        "--target=x86_64-unknown-linux-gnu",
        "--prefix=none",
        "--format={p}",
    ])
    .output()
    .context("run cargo tree")?;
    if !output.status.success() {
        bail!(
            "cargo tree failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let lines = String::from_utf8(output.stdout).context("read what cargo tree prints")?;
    Ok(lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect())
}

/// A complaint for each banned crate among those linked.
pub fn banned(linked: &[String]) -> Vec<String> {
    let found = BANNED
        .iter()
        .filter(|(name, _)| linked.iter().any(|linked| linked == name));
    found
        .map(|(name, why)| {
            format!("{name} is linked ({why}): look with `cargo tree --workspace --invert {name}`")
        })
        .collect()
}

/// A complaint for each crate that a build without flags would get planted bugs into: the feature is asked for by name, or not at all.
pub fn planted(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in own_packages(metadata) {
        let name = package["name"].as_str().unwrap_or_default();
        let features = &package["features"];
        let mut waiting = vec!["default".to_owned()];
        let mut seen = Vec::new();
        while let Some(feature) = waiting.pop() {
            if feature.split('/').next_back() == Some("planted") {
                found.push(format!("{name} has planted bugs by default"));
            }
            for implied in features[&feature].as_array().into_iter().flatten() {
                let implied = implied.as_str().unwrap_or_default().to_owned();
                if !seen.contains(&implied) {
                    seen.push(implied.clone());
                    waiting.push(implied);
                }
            }
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let mut asked = dependency["features"].as_array().into_iter().flatten();
            if asked.any(|feature| feature == "planted") {
                let to = dependency["name"].as_str().unwrap_or_default();
                found.push(format!("{name} asks for the planted bugs of {to}"));
            }
        }
    }
    found
}

struct Place {
    name: String,
    /// The first part of the folder: app, services, foundation, tools, tests, bench.
    folder: String,
}

impl Place {
    fn of(root: &str, package: &Value) -> Place {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let inside = manifest
            .strip_prefix(root)
            .unwrap_or(manifest)
            .trim_start_matches('/');
        Place {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            folder: inside.split('/').next().unwrap_or_default().to_owned(),
        }
    }
}

fn allowed(from: &Place, to: &Place, for_tests_only: bool) -> bool {
    let height = |place: &Place| FOUNDATION.iter().position(|name| *name == place.name);
    match (from.folder.as_str(), to.folder.as_str()) {
        ("foundation", "foundation") => match (height(from), height(to)) {
            (Some(from), Some(to)) => to < from,
            _ => false, // A new crate takes its place in the order first.
        },
        ("app", "services" | "foundation") => true,
        ("services", "foundation")
        | ("tools" | "bench", "foundation" | "tools")
        | ("tests", "tools") => true,
        // The oracle asks a service over REST, in process: ten thousand probes would be slow over a socket. The fuzzing reads query
        // strings with the service's own grammar.
        ("tools", "services") => matches!(from.name.as_str(), "pando-oracle" | "pando-fuzz"),
        (_, "tools") => for_tests_only,
        _ => false,
    }
}

fn own_packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["source"].is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(from: &str, to: &str, kind: Value, expected: usize) {
        let package = |folder: &str, dependencies: Value| {
            let name = folder
                .split('/')
                .next_back()
                .map(|name| format!("pando-{name}"));
            json!({"name": name, "source": null, "manifest_path": format!("/r/{folder}/Cargo.toml"), "dependencies": dependencies})
        };
        let to_name = to
            .split('/')
            .next_back()
            .map(|name| format!("pando-{name}"));
        let metadata = json!({"workspace_root": "/r", "packages": [
            package(from, json!([{"name": to_name, "kind": kind}])),
            package(to, json!([])),
        ]});
        assert_eq!(layering(&metadata).len(), expected, "{from} -> {to}");
    }

    #[test]
    fn dependencies_point_down() {
        check("app", "services/auth", Value::Null, 0);
        check("services/auth", "foundation/db", Value::Null, 0);
        check("foundation/db", "foundation/plan", Value::Null, 0);
        check("tests", "tools/testkit", Value::Null, 0);
        check("services/auth", "tools/testkit", json!("dev"), 0);
        check("tools/oracle", "services/data", Value::Null, 0);
        check("tools/fuzz", "services/data", Value::Null, 0);
    }

    #[test]
    fn every_other_direction_is_complained_about() {
        check("services/auth", "services/data", Value::Null, 1);
        check("foundation/db", "services/data", Value::Null, 1);
        check("foundation/sql", "foundation/plan", Value::Null, 1);
        check("foundation/new", "foundation/kernel", Value::Null, 1);
        check("services/auth", "tools/testkit", Value::Null, 1);
        check("tests", "services/auth", Value::Null, 1);
        check("tools/testkit", "services/auth", Value::Null, 1);
    }

    #[test]
    fn bugs_that_are_planted_by_default_are_complained_about() {
        let check = |features: Value, asked: Value, expected: &[&str]| {
            let metadata = json!({"packages": [{
                "name": "pando", "source": null, "features": features,
                "dependencies": [{"name": "pando-db", "features": asked}],
            }]});
            assert_eq!(planted(&metadata), expected);
        };
        check(
            json!({"default": [], "planted": ["pando-db/planted"]}),
            json!([]),
            &[],
        );
        check(
            json!({"default": ["all"], "all": ["pando-db/planted"]}),
            json!([]),
            &["pando has planted bugs by default"],
        );
        check(
            json!({}),
            json!(["planted"]),
            &["pando asks for the planted bugs of pando-db"],
        );
    }

    #[test]
    fn a_banned_crate_is_named_with_the_reason() {
        assert_eq!(banned(&["serde".to_owned()]).len(), 0);
        assert_eq!(
            banned(&["serde".to_owned(), "native-tls".to_owned()]),
            [
                "native-tls is linked (a second provider of TLS): look with `cargo tree --workspace --invert native-tls`"
            ]
        );
    }
}
