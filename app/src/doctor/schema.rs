//! The team's tables: who may reach them, and what makes that slow.

use super::finding::{Finding, Level};
use crate::config::Config;
use anyhow::Result;
use pando_sql::Catalog;
use pando_sql::catalog::Table;
use pando_sql::index_advice::missing_indexes;

/// Looks at every exposed table and view, and at all foreign keys.
pub fn look(config: &Config, catalog: &Catalog) -> Result<Vec<Finding>> {
    let exposed = config.list("data.schemas");
    let unprotected_too = config.switch("data.allow_unprotected")?;
    let ours = catalog
        .tables
        .values()
        .filter(|table| exposed.contains(&table.schema));
    let mut findings: Vec<Finding> = ours
        .clone()
        .filter_map(|table| policies(table, unprotected_too))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            "policies",
            format!("all {} tables and views have them", ours.count()),
        ));
    }
    let missing = missing_indexes(catalog);
    if missing.is_empty() {
        findings.push(Finding::ok(
            "indexes",
            "every foreign key and policy has what it looks up",
        ));
    }
    findings.extend(missing.iter().map(|missing| {
        Finding::new(
            Level::Warning,
            "indexes",
            format!(
                "{}.{} has no index for {}, so it is read as a whole",
                missing.schema, missing.table, missing.wanted_by
            ),
            missing.sql(),
        )
    }));
    Ok(findings)
}

fn policies(table: &Table, unprotected_too: bool) -> Option<Finding> {
    let name = format!("{}.{}", table.schema, table.name);
    let found = |level, message: String, advice: &str| {
        Some(Finding::new(level, "policies", message, advice))
    };
    if let Some(view) = &table.view {
        return if view.invoker {
            None
        } else {
            found(
                Level::Note,
                format!("the view {name} is not served, since it reads past all policies"),
                "make it `with (security_invoker = true)`, or move it to a schema that is not exposed",
            )
        };
    }
    match (table.rls_enabled, unprotected_too) {
        (false, true) => found(
            Level::Warning,
            format!("{name} can be read and written with every key: its row-level security is off"),
            "enable row level security on it and give it policies",
        ),
        (false, false) => found(
            Level::Note,
            format!("{name} is not served: its row-level security is off"),
            "enable row level security on it and give it policies, or move it to a schema that is not exposed",
        ),
        (true, _) if table.policies.is_empty() => found(
            Level::Note,
            format!("{name} has no policy, so only the service role reaches it"),
            "give it policies if apps are to use it",
        ),
        (true, _) => None,
    }
}
