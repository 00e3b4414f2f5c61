//! Every setting there is, in one table: its key, what it means and what it is when nobody says otherwise.

/// One setting. Its key is its place in `pando.toml`: `limits.json_body_bytes_max` stands under `[limits]`.
#[derive(Debug)]
pub struct Setting {
    /// The dotted key.
    pub key: &'static str,
    /// The flag without its dashes, where there is one.
    pub flag: Option<&'static str>,
    /// What it is when nothing sets it, as it would be written in the environment; empty for none.
    pub default: &'static str,
    /// Never shown.
    pub secret: bool,
    /// What it is for, a short line.
    pub about: &'static str,
}

impl Setting {
    /// The environment variable that sets it: `PANDO_` and the key in capitals.
    pub fn variable(&self) -> String {
        format!("PANDO_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

const fn plain(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        key,
        flag: None,
        default,
        secret: false,
        about,
    }
}

const fn flagged(
    key: &'static str,
    flag: &'static str,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        key,
        flag: Some(flag),
        default,
        secret: false,
        about,
    }
}

const fn secret(key: &'static str, about: &'static str) -> Setting {
    Setting {
        key,
        flag: None,
        default: "",
        secret: true,
        about,
    }
}

/// All settings, in the order in which `pando config explain` shows them.
pub const SETTINGS: &[Setting] = &[
    flagged(
        "data_dir",
        "data",
        "./pando-data",
        "the directory of the database, the keys and the mails",
    ),
    flagged(
        "migrations",
        "migrations",
        "./migrations",
        "the directory of your *.sql files",
    ),
    plain(
        "seed",
        "",
        "SQL read once, when the data directory is new; seed.sql beside the migrations if not set",
    ),
    flagged(
        "listen",
        "listen",
        "127.0.0.1:54321",
        "where the API is served; 0.0.0.0:54321 lets a phone in",
    ),
    flagged(
        "metrics_listen",
        "metrics-listen",
        "127.0.0.1:54320",
        "where /metrics is served; empty for nowhere",
    ),
    flagged(
        "public_url",
        "public-url",
        "",
        "the URL clients use: issuer, links in mails, redirects",
    ),
    flagged(
        "tls.cert",
        "tls-cert",
        "",
        "PEM file of the certificate chain; with it the API speaks TLS",
    ),
    flagged(
        "tls.key",
        "tls-key",
        "",
        "PEM file of the certificate's private key",
    ),
    plain(
        "trusted_proxies",
        "",
        "addresses or networks whose x-forwarded-for is believed",
    ),
    secret(
        "master_key",
        "seals the private keys in the database; made in the data directory if not set",
    ),
    secret(
        "jwt_secret",
        "the HS256 secret of legacy tokens; made at the first start if not set",
    ),
    plain("log.format", "text", "text or json"),
    plain(
        "log.filter",
        "info",
        "which log lines are written, as in RUST_LOG",
    ),
    plain(
        "threads.workers",
        "",
        "threads that serve requests; one a core if not set",
    ),
    plain(
        "threads.readers",
        "",
        "threads that read the database; one a core, at least 2, if not set",
    ),
    plain(
        "data.schemas",
        "public",
        "the schemas reachable by REST, the first is the default",
    ),
    plain(
        "data.allow_unprotected",
        "false",
        "also expose tables whose row-level security is off",
    ),
    plain("auth.sign_up", "true", "whether anybody may sign up"),
    plain(
        "auth.anonymous",
        "true",
        "whether anybody may sign in without any credential",
    ),
    plain(
        "auth.confirm_email",
        "auto",
        "whether new addresses are confirmed by mail: true, false, or auto: when smtp.url is set",
    ),
    plain(
        "auth.password_length_min",
        "6",
        "characters of a new password",
    ),
    plain(
        "auth.site_url",
        "",
        "where links in mails lead when the app names no place; the public URL if not set",
    ),
    plain(
        "auth.redirect_urls",
        "",
        "further places links may lead to; * stands for any text",
    ),
    secret(
        "smtp.url",
        "the mail server: smtps://user:password@host:465, or smtp://..:587?tls=required; without one mails are written to <data_dir>/mail",
    ),
    plain("smtp.from", "", "the sender: Name <address>"),
    plain(
        "backup.every",
        "",
        "how often a whole backup is made, as 6h or 30m; never if not set",
    ),
    plain("backup.keep", "14", "how many whole backups are kept"),
    plain(
        "backup.to",
        "",
        "where whole backups go: a folder or s3://bucket/prefix",
    ),
    plain(
        "backup.copy_to",
        "",
        "where the log is copied to continuously: a folder or s3://bucket/prefix",
    ),
    plain(
        "backup.copy_interval_ms",
        "250",
        "how often what was committed is copied; a bucket may charge for each",
    ),
    plain(
        "backup.copy_snapshot_every",
        "24h",
        "how often the continuous copy begins again from a snapshot, which makes restoring shorter",
    ),
    plain(
        "backup.copy_keep",
        "7d",
        "how old a moment may be that the continuous copy can restore",
    ),
    plain(
        "s3.endpoint",
        "",
        "the URL of the service buckets are in; Amazon's if not set",
    ),
    plain("s3.region", "us-east-1", "the region of the buckets"),
    secret("s3.access_key_id", "who we are to the buckets"),
    secret("s3.secret_access_key", "the proof of it"),
    plain("limits.json_body_bytes_max", "10485760", "a request body"),
    plain("limits.url_bytes_max", "32768", "path and query"),
    plain("limits.header_bytes_max", "32768", "all request headers"),
    plain("limits.json_depth_max", "64", "nesting of JSON in a body"),
    plain(
        "limits.embed_depth_max",
        "8",
        "nesting of embedded resources",
    ),
    plain("limits.page_rows_max", "1000", "rows in one answer"),
    plain("limits.request_deadline_ms", "30000", "a whole request"),
    plain("limits.statement_deadline_ms", "8000", "one statement"),
    plain(
        "limits.anon_statement_deadline_ms",
        "3000",
        "one statement of an anonymous caller",
    ),
    plain("limits.writer_queue_max", "4096", "writes waiting"),
    plain("limits.reader_queue_max", "4096", "reads waiting"),
    plain(
        "limits.batch_writes_max",
        "256",
        "writes that share one commit",
    ),
    plain(
        "limits.wal_bytes_max",
        "1073741824",
        "the database's log; it grows while something reads without end, and writes are refused beyond this",
    ),
    plain("limits.connections_max", "20000", "open client connections"),
    plain(
        "limits.in_flight_max",
        "4096",
        "requests being answered of one class: a service's reads, or its changes",
    ),
    plain(
        "limits.drain_notice_ms",
        "0",
        "from SIGTERM to the end of accepting: what a load balancer needs to see that /ready says no",
    ),
    plain(
        "limits.access_token_lifetime_s",
        "3600",
        "life of an access token",
    ),
    plain(
        "limits.refresh_grace_s",
        "10",
        "how long a used refresh token may be used again",
    ),
    plain(
        "limits.sign_in_by_account",
        "20/300",
        "wrong passwords for one account, in so many seconds; 0/1 for no limit",
    ),
    plain(
        "limits.sign_in_by_address",
        "1000/300",
        "wrong passwords from one address (IPv6: its /64)",
    ),
    plain(
        "limits.sign_up_by_address",
        "1000/300",
        "new accounts from one address, anonymous ones too",
    ),
    plain(
        "limits.refresh_by_session",
        "150/300",
        "refreshes of one session",
    ),
    plain(
        "limits.refresh_by_address",
        "1000/300",
        "refresh tokens that do not exist, from one address",
    ),
    plain(
        "limits.verify_by_address",
        "600/300",
        "mailed links and digits tried from one address",
    ),
    plain(
        "limits.mail_by_account",
        "1/60",
        "mails of a kind to one address of mail",
    ),
    plain(
        "limits.mail_by_address",
        "300/3600",
        "mails asked for from one network address",
    ),
];

/// The setting of this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}
