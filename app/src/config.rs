//! Configuration: `pando.toml`, then `PANDO_*` variables, then flags; typed, bounded, and able to say where each value
//! came from. Invariant: nothing else in this executable reads the environment or the file.

pub mod copies;
pub mod layers;
mod near_miss;
mod setting;

use self::layers::{Origin, Refused, Set};
use self::setting::{SETTINGS, find};
use pando_auth::{CredentialLimits, Limit};
use pando_kernel::{Limits, Secret};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// What `log.format` may be.
pub const LOG_FORMATS: &[&str] = &["text", "json"];
/// What `auth.confirm_email` may be.
pub const CONFIRMATIONS: &[&str] = &["auto", "true", "false"];

/// All settings with their values and origins.
#[derive(Debug)]
pub struct Config {
    set: Set,
}

impl Config {
    /// Reads the file (which may be absent if nobody named it), the environment and the flags.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> anyhow::Result<Config> {
        let mut set = Set::new();
        let path = file.unwrap_or(Path::new("pando.toml"));
        match std::fs::read_to_string(path) {
            Ok(text) => layers::add_file(&mut set, path, &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {}
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("read {}", path.display())));
            }
        }
        layers::add_variables(&mut set, variables)?;
        layers::add_flags(&mut set, flags);
        let config = Config { set };
        config.check()?;
        Ok(config)
    }

    /// Reads every setting that has a form, so that a wrong one is refused before anything is touched.
    fn check(&self) -> Result<(), Refused> {
        self.limits()?;
        self.credential_limits()?;
        self.drain_notice()?;
        for key in ["listen", "metrics_listen"] {
            self.address(key)?;
        }
        for key in ["data.allow_unprotected", "auth.sign_up", "auth.anonymous"] {
            self.switch(key)?;
        }
        self.choice("log.format", LOG_FORMATS)?;
        self.choice("auth.confirm_email", CONFIRMATIONS)?;
        self.threads("threads.workers")?;
        self.threads("threads.readers")?;
        self.password_length_min()?;
        self.check_copies()?;
        Ok(())
    }

    /// A number of threads.
    pub fn threads(&self, key: &str) -> Result<Option<usize>, Refused> {
        Ok(self.count(key, 1, 256)?.map(|count| count as usize))
    }

    /// The shortest password, characters.
    pub fn password_length_min(&self) -> Result<usize, Refused> {
        Ok(self.count("auth.password_length_min", 6, 72)?.unwrap_or(6) as usize)
    }

    /// The same configuration for another data directory, with nothing taken from this one's environment of files.
    pub fn with_data_directory(&self, directory: &Path) -> Config {
        let mut set = self.set.clone();
        set.insert(
            "data_dir",
            (directory.display().to_string(), Origin::Default),
        );
        Config { set }
    }

    /// The value as text and where it came from. A key that is not in the table has no value.
    fn raw(&self, key: &str) -> (&str, Origin) {
        match self.set.get(key) {
            Some((value, origin)) => (value, origin.clone()),
            None => (
                find(key).map_or("", |setting| setting.default),
                Origin::Default,
            ),
        }
    }

    /// A text; none if it is empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        Some(self.raw(key).0).filter(|text| !text.is_empty())
    }

    /// A path; relative to the working directory.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// A text that is never shown.
    pub fn secret(&self, key: &str) -> Option<Secret<String>> {
        self.text(key).map(|text| Secret::new(text.to_owned()))
    }

    /// A list, written with commas between its items.
    pub fn list(&self, key: &str) -> Vec<String> {
        let items = self.raw(key).0.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A value read by its `FromStr`; none if it is empty. `form` says how it is to be written.
    pub fn value<T: FromStr>(&self, key: &str, form: &str) -> Result<Option<T>, Refused> {
        let (text, origin) = self.raw(key);
        if text.is_empty() {
            return Ok(None);
        }
        match text.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Refused {
                origin,
                problem: format!("{key} must be {form}, not {text:?}"),
            }),
        }
    }

    /// An address to listen on.
    pub fn address(&self, key: &str) -> Result<Option<SocketAddr>, Refused> {
        self.value(key, "an address and a port, as 127.0.0.1:54321")
    }

    /// True or false.
    pub fn switch(&self, key: &str) -> Result<bool, Refused> {
        Ok(self.value(key, "true or false")?.unwrap_or(false))
    }

    /// A count within bounds.
    pub fn count(&self, key: &str, at_least: u64, at_most: u64) -> Result<Option<u64>, Refused> {
        let form = format!("a whole number from {at_least} to {at_most}");
        let count = self.value::<u64>(key, &form)?;
        match count {
            Some(count) if count < at_least || count > at_most => {
                let problem = format!("{key} must be {form}, not {count}");
                Err(Refused {
                    origin: self.raw(key).1,
                    problem,
                })
            }
            count => Ok(count),
        }
    }

    /// One of a few words.
    pub fn choice<'a>(&self, key: &str, choices: &[&'a str]) -> Result<&'a str, Refused> {
        let (text, origin) = self.raw(key);
        choices
            .iter()
            .copied()
            .find(|choice| *choice == text)
            .ok_or_else(|| Refused {
                origin,
                problem: format!("{key} must be one of {}, not {text:?}", choices.join(", ")),
            })
    }

    /// Every bound of the process.
    pub fn limits(&self) -> Result<Limits, Refused> {
        let size = |name: &str, at_least, at_most| -> Result<usize, Refused> {
            Ok(self
                .count(&format!("limits.{name}"), at_least, at_most)?
                .unwrap_or(at_least) as usize)
        };
        let millis = |name: &str| -> Result<Duration, Refused> {
            Ok(Duration::from_millis(size(name, 1, 86_400_000)? as u64))
        };
        let seconds = |name: &str, at_least| -> Result<Duration, Refused> {
            Ok(Duration::from_secs(size(name, at_least, 31_536_000)? as u64))
        };
        Ok(Limits {
            json_body_bytes_max: size("json_body_bytes_max", 1, 1 << 30)?,
            url_bytes_max: size("url_bytes_max", 64, 1 << 20)?,
            header_bytes_max: size("header_bytes_max", 1_024, 1 << 20)?,
            json_depth_max: size("json_depth_max", 1, 120)?,
            embed_depth_max: size("embed_depth_max", 1, 32)?,
            page_rows_max: size("page_rows_max", 1, 1_000_000)? as u64,
            request_deadline: millis("request_deadline_ms")?,
            statement_deadline: millis("statement_deadline_ms")?,
            anon_statement_deadline: millis("anon_statement_deadline_ms")?,
            writer_queue_max: size("writer_queue_max", 1, 1 << 20)?,
            reader_queue_max: size("reader_queue_max", 1, 1 << 20)?,
            batch_writes_max: size("batch_writes_max", 1, 65_536)?,
            wal_bytes_max: size("wal_bytes_max", 32 << 20, 1 << 40)? as u64,
            connections_max: size("connections_max", 1, 1 << 20)?,
            in_flight_max: size("in_flight_max", 1, 1 << 20)?,
            access_token_lifetime: seconds("access_token_lifetime_s", 30)?,
            refresh_grace: seconds("refresh_grace_s", 0)?,
        })
    }

    /// The limits on credential routes.
    pub fn credential_limits(&self) -> Result<CredentialLimits, Refused> {
        let limit = |name: &str| -> Result<Limit, Refused> {
            let key = format!("limits.{name}");
            let form = "a number of events and of seconds, as 20/300";
            Ok(self.value(&key, form)?.unwrap_or(Limit::NONE))
        };
        Ok(CredentialLimits {
            sign_in_by_account: limit("sign_in_by_account")?,
            sign_in_by_address: limit("sign_in_by_address")?,
            sign_up_by_address: limit("sign_up_by_address")?,
            refresh_by_session: limit("refresh_by_session")?,
            refresh_by_address: limit("refresh_by_address")?,
            verify_by_address: limit("verify_by_address")?,
            mail_by_account: limit("mail_by_account")?,
            mail_by_address: limit("mail_by_address")?,
        })
    }

    /// From the wish to stop to the end of accepting.
    pub fn drain_notice(&self) -> Result<Duration, Refused> {
        let millis = self.count("limits.drain_notice_ms", 0, 3_600_000)?;
        Ok(Duration::from_millis(millis.unwrap_or(0)))
    }

    /// A table of every setting: its value, where it came from, what it is for.
    pub fn explain(&self) -> String {
        let rows: Vec<[String; 4]> = SETTINGS
            .iter()
            .map(|setting| {
                let (value, origin) = self.raw(setting.key);
                let shown = match (setting.secret, value.is_empty()) {
                    (_, true) => "-".to_owned(),
                    (true, false) => "(set)".to_owned(),
                    (false, false) => value.to_owned(),
                };
                [
                    setting.key.to_owned(),
                    shown,
                    origin.to_string(),
                    setting.about.to_owned(),
                ]
            })
            .collect();
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let (key, value, origin) = (width(0), width(1), width(2));
        let mut out = String::new();
        for [a, b, c, d] in &rows {
            // Writing to a String does not fail.
            let _written = writeln!(out, "{a:key$}  {b:value$}  {c:origin$}  {d}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Config {
        let mut set = Set::new();
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        layers::add_variables(&mut set, pairs).expect("known variables");
        Config { set }
    }

    #[test]
    fn the_defaults_are_the_kernels() {
        let limits = with(&[]).limits().expect("valid defaults");
        assert_eq!(format!("{limits:?}"), format!("{:?}", Limits::default()));
        let limits = with(&[]).credential_limits().expect("valid defaults");
        assert_eq!(
            format!("{limits:?}"),
            format!("{:?}", CredentialLimits::default())
        );
    }

    #[test]
    fn values_out_of_bounds_or_of_another_form_are_refused() {
        let config = with(&[
            ("PANDO_LISTEN", "localhost"),
            ("PANDO_LIMITS_PAGE_ROWS_MAX", "0"),
            ("PANDO_DATA_ALLOW_UNPROTECTED", "yes"),
            ("PANDO_LOG_FORMAT", "xml"),
            ("PANDO_LIMITS_MAIL_BY_ACCOUNT", "1/0"),
        ]);
        let problems = [
            config.address("listen").err(),
            config.limits().err(),
            config.switch("data.allow_unprotected").err(),
            config.choice("log.format", &["text", "json"]).err(),
            config.credential_limits().err(),
        ];
        let problems: Vec<String> = problems
            .into_iter()
            .flatten()
            .map(|refused| refused.to_string())
            .collect();
        assert_eq!(
            problems,
            [
                "PANDO_LISTEN: listen must be an address and a port, as 127.0.0.1:54321, not \"localhost\"",
                "PANDO_LIMITS_PAGE_ROWS_MAX: limits.page_rows_max must be a whole number from 1 to 1000000, not 0",
                "PANDO_DATA_ALLOW_UNPROTECTED: data.allow_unprotected must be true or false, not \"yes\"",
                "PANDO_LOG_FORMAT: log.format must be one of text, json, not \"xml\"",
                "PANDO_LIMITS_MAIL_BY_ACCOUNT: limits.mail_by_account must be a number of events and of seconds, as 20/300, not \"1/0\"",
            ]
        );
    }

    #[test]
    fn secrets_are_not_explained() {
        let table = with(&[("PANDO_JWT_SECRET", "very-secret")]).explain();
        assert!(!table.contains("very-secret"));
        assert!(
            table
                .lines()
                .any(|line| line.starts_with("jwt_secret") && line.contains("(set)"))
        );
    }
}
