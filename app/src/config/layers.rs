//! Reads the three places a setting can come from: `pando.toml`, the environment, the flags. The later one wins.

use super::near_miss::near_miss;
use super::setting::{SETTINGS, Setting, find};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing set it.
    Default,
    /// A line of the configuration file.
    File {
        /// The file's name as it was given.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// A setting that cannot be used, ready to be shown: where, what, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct Refused {
    /// Where it was set.
    pub origin: Origin,
    /// What is wrong with it.
    pub problem: String,
}

/// What was set, by key: the value as text (lists joined by commas) and its origin.
pub type Set = BTreeMap<&'static str, (String, Origin)>;

/// Variables of ours that are not settings: they steer the tests of this repository.
const OTHER_VARIABLES: &[&str] = &[
    "PANDO_CONFIG",
    "PANDO_BIN",
    #[cfg(feature = "planted")]
    "PANDO_PLANTED",
];

/// Adds what a `pando.toml` sets.
pub fn add_file(set: &mut Set, path: &Path, text: &str) -> Result<(), Refused> {
    let path = path.display().to_string();
    let at = |offset: usize| {
        let line = 1 + text
            .as_bytes()
            .iter()
            .take(offset)
            .filter(|byte| **byte == b'\n')
            .count();
        Origin::File {
            path: path.clone(),
            line,
        }
    };
    let table = DeTable::parse(text).map_err(|error| Refused {
        origin: at(error.span().map_or(0, |span| span.start)),
        problem: error.message().to_owned(),
    })?;
    add_table(set, table.get_ref(), "", &at)
}

fn add_table(
    set: &mut Set,
    table: &DeTable<'_>,
    under: &str,
    at: &dyn Fn(usize) -> Origin,
) -> Result<(), Refused> {
    for (name, value) in table.iter() {
        let key = format!("{under}{}", name.get_ref());
        let origin = at(name.span().start);
        if let DeValue::Table(inner) = value.get_ref() {
            let prefix = format!("{key}.");
            if find(&key).is_none()
                && SETTINGS
                    .iter()
                    .any(|setting| setting.key.starts_with(&prefix))
            {
                add_table(set, inner, &prefix, at)?;
                continue;
            }
        }
        let Some(setting) = find(&key) else {
            return Err(unknown(origin, &key));
        };
        let Some(text) = as_text(value.get_ref()) else {
            let problem = format!("{key} can't be a {}", value.get_ref().type_str());
            return Err(Refused { origin, problem });
        };
        set.insert(setting.key, (text, origin));
    }
    Ok(())
}

fn as_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Array(items) => {
            let items: Option<Vec<String>> =
                items.iter().map(|item| as_text(item.get_ref())).collect();
            items.map(|items| items.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Adds what the environment sets.
pub fn add_variables(
    set: &mut Set,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Refused> {
    for (name, value) in variables {
        let ours = name.starts_with("PANDO_") && !name.starts_with("PANDO_TEST_");
        if !ours || OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
            let near = near_miss(&name, known.iter().map(String::as_str));
            let problem = format!("there is no such setting{}", did_you_mean(near));
            return Err(Refused {
                origin: Origin::Variable(name),
                problem,
            });
        };
        set.insert(setting.key, (value, Origin::Variable(name)));
    }
    Ok(())
}

/// Adds what the flags set; `flags` are pairs of a flag without dashes and its value.
pub fn add_flags(set: &mut Set, flags: impl IntoIterator<Item = (&'static str, String)>) {
    for (flag, value) in flags {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.flag == Some(flag)) {
            set.insert(setting.key, (value, Origin::Flag(format!("--{flag}"))));
        }
    }
}

fn unknown(origin: Origin, key: &str) -> Refused {
    let near = near_miss(key, SETTINGS.iter().map(|setting| setting.key));
    Refused {
        origin,
        problem: format!("there is no setting {key}{}", did_you_mean(near)),
    }
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Set, String> {
        let mut set = Set::new();
        add_file(&mut set, Path::new("pando.toml"), text).map_err(|error| error.to_string())?;
        Ok(set)
    }

    #[test]
    fn later_places_win_and_are_remembered() {
        let mut set =
            file("listen = \"0.0.0.0:1\"\n[limits]\npage_rows_max = 5\n").expect("a valid file");
        let line = |line| Origin::File {
            path: "pando.toml".to_owned(),
            line,
        };
        assert_eq!(set["limits.page_rows_max"], ("5".to_owned(), line(3)));
        add_variables(&mut set, [("PANDO_LISTEN".to_owned(), "[::]:2".to_owned())])
            .expect("a known variable");
        assert_eq!(set["listen"].0, "[::]:2");
        add_flags(&mut set, [("listen", "[::]:3".to_owned())]);
        assert_eq!(
            set["listen"],
            ("[::]:3".to_owned(), Origin::Flag("--listen".to_owned()))
        );
    }

    #[test]
    fn lists_are_joined() {
        assert_eq!(
            file("data.schemas = [\"public\", \"api\"]").expect("a valid file")["data.schemas"].0,
            "public,api"
        );
    }

    #[test]
    fn unknown_and_unreadable_settings_are_refused_with_their_place() {
        for (text, expected) in [
            (
                "\nlisen = 1",
                "pando.toml:2: there is no setting lisen; did you mean listen?",
            ),
            (
                "[limits]\npage_row_max = 1",
                "pando.toml:2: there is no setting limits.page_row_max; did you mean limits.page_rows_max?",
            ),
            (
                "[nothing]\na = 1",
                "pando.toml:1: there is no setting nothing",
            ),
            (
                "listen = 2020-01-01",
                "pando.toml:1: listen can't be a datetime",
            ),
        ] {
            assert_eq!(file(text).err().as_deref(), Some(expected));
        }
        assert!(file("a = \n").is_err_and(|error| error.starts_with("pando.toml:1: ")));
        let wrong = add_variables(&mut Set::new(), [("PANDO_LISTN".to_owned(), String::new())]);
        assert_eq!(
            wrong.err().map(|error| error.to_string()).as_deref(),
            Some("PANDO_LISTN: there is no such setting; did you mean PANDO_LISTEN?")
        );
    }
}
