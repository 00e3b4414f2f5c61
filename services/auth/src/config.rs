//! Every tunable of the service, with its default and bounds.

use crate::limit::Limit;
use pando_kernel::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// How the service behaves. [`Config::new`] gives the defaults; a caller changes what it must.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the app lives: the target of a mail's link unless the app asked for another that is allowed.
    pub site_url: String,
    /// The service's own address as a client reaches it, ending in `/auth/v1`: issuer of tokens, base of links.
    pub external_url: String,
    /// Further targets a link may lead to. `*` stands for a run without `.` and `/`, `**` for any run.
    pub redirect_allow: Vec<String>,
    /// Life of an access token.
    pub access_token_lifetime: Duration,
    /// How long a refresh token already used may be used again, when it is not the parent of the active one.
    pub refresh_grace: Duration,
    /// New accounts need no confirmation. Unset: so while mail only goes to a folder.
    pub autoconfirm: Option<bool>,
    /// Nobody signs up; the service role still creates accounts.
    pub disable_signup: bool,
    /// Whether one may sign in without any credential.
    pub anonymous_enabled: bool,
    /// A change of address must be confirmed from both the old and the new one.
    pub secure_email_change: bool,
    /// Shortest password, in characters.
    pub password_length_min: usize,
    /// How long a mail's link and digits can be used.
    pub otp_lifetime: Duration,
    /// Wrong digits before a token is dropped.
    pub otp_attempts_max: i64,
    /// How long an app has to exchange the code of a confirmed link.
    pub auth_code_lifetime: Duration,
    /// Largest request body, bytes.
    pub body_bytes_max: usize,
    /// Where mail goes.
    pub mail: Mail,
    /// Password hashing.
    pub hashing: Hashing,
    /// Limits on credential routes.
    pub limits: CredentialLimits,
}

impl Config {
    /// The defaults, for an app at `site_url` and this service at `external_url`, with mail as given.
    pub fn new(site_url: impl Into<String>, external_url: impl Into<String>, mail: Mail) -> Config {
        Config {
            site_url: site_url.into(),
            external_url: external_url.into().trim_end_matches('/').to_owned(),
            redirect_allow: Vec::new(),
            access_token_lifetime: Duration::from_secs(3_600),
            refresh_grace: Duration::from_secs(10),
            autoconfirm: None,
            disable_signup: false,
            anonymous_enabled: true,
            secure_email_change: true,
            password_length_min: 6,
            otp_lifetime: Duration::from_secs(3_600),
            otp_attempts_max: 5,
            auth_code_lifetime: Duration::from_secs(300),
            body_bytes_max: 1 << 20,
            mail,
            hashing: Hashing::default(),
            limits: CredentialLimits::default(),
        }
    }

    /// Whether new accounts are confirmed at once.
    pub fn autoconfirms(&self) -> bool {
        self.autoconfirm
            .unwrap_or(matches!(self.mail, Mail::Folder { .. }))
    }
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum Mail {
    /// Each message becomes an `.eml` file: for development and tests.
    Folder {
        /// The folder, created when the first message is written.
        path: PathBuf,
    },
    /// A relay.
    Smtp {
        /// `smtps://user:password@host:465` or `smtp://user:password@host:587?tls=required`.
        url: Secret<String>,
        /// The sender, such as `Notes <hello@notes.example>`.
        from: String,
    },
}

/// How many passwords are hashed at once. Each takes 19 MiB while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Hashing {
    /// Threads hashing at once. Unset: one a core.
    pub threads_max: Option<usize>,
    /// Memory all running hashes may take, bytes.
    pub memory_bytes_max: usize,
    /// Requests waiting for a thread; more are told to come back.
    pub waiting_max: usize,
}

impl Default for Hashing {
    fn default() -> Hashing {
        Hashing {
            threads_max: None,
            memory_bytes_max: 512 << 20,
            waiting_max: 512,
        }
    }
}

/// The limits on credential routes, kept exactly, in the database. An address is generous on purpose: a carrier puts
/// thousands of phones behind one. Zero events means no limit.
#[derive(Clone, Copy, Debug)]
pub struct CredentialLimits {
    /// Wrong passwords for one account.
    pub sign_in_by_account: Limit,
    /// Wrong passwords from one address.
    pub sign_in_by_address: Limit,
    /// New accounts, anonymous ones too, from one address.
    pub sign_up_by_address: Limit,
    /// Refreshes of one session.
    pub refresh_by_session: Limit,
    /// Refresh tokens that do not exist, from one address.
    pub refresh_by_address: Limit,
    /// Mailed tokens tried from one address.
    pub verify_by_address: Limit,
    /// Mails to one address of mail.
    pub mail_by_account: Limit,
    /// Mails asked for from one network address.
    pub mail_by_address: Limit,
}

impl Default for CredentialLimits {
    fn default() -> CredentialLimits {
        CredentialLimits {
            sign_in_by_account: Limit {
                events: 20,
                period_seconds: 300,
            },
            sign_in_by_address: Limit {
                events: 1_000,
                period_seconds: 300,
            },
            sign_up_by_address: Limit {
                events: 1_000,
                period_seconds: 300,
            },
            refresh_by_session: Limit {
                events: 150,
                period_seconds: 300,
            },
            refresh_by_address: Limit {
                events: 1_000,
                period_seconds: 300,
            },
            verify_by_address: Limit {
                events: 600,
                period_seconds: 300,
            },
            mail_by_account: Limit {
                events: 1,
                period_seconds: 60,
            },
            mail_by_address: Limit {
                events: 300,
                period_seconds: 3_600,
            },
        }
    }
}
