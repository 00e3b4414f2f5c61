//! What is asked of each server.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// One of 100k rows by its primary key.
    Read,
    /// 20 of about 1,000 rows of a category, ordered by an indexed score, without a total.
    List,
    /// One row into a table anybody signed in may insert into.
    Insert,
    /// The 20 newest of one's own rows; the rule alone decides whose they are.
    OwnerList,
    /// One row into a table that takes only rows of one's own.
    OwnerInsert,
    /// Email and password for a session.
    SignIn,
}

impl Workload {
    /// All, in the order they are reported.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::List,
        Self::Insert,
        Self::OwnerList,
        Self::OwnerInsert,
        Self::SignIn,
    ];

    /// Its name on the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Insert => "insert",
            Self::OwnerList => "owner-list",
            Self::OwnerInsert => "owner-insert",
            Self::SignIn => "sign-in",
        }
    }

    /// How many connections it is run with.
    pub fn connections(self) -> &'static [usize] {
        if self == Self::SignIn {
            &[4]
        } else {
            &[32, 256]
        }
    }

    /// The least share of the bare handlers that must be reached, and the share to reach for.
    pub fn shares(self) -> Option<(f64, f64)> {
        match self {
            Self::Read => Some((0.50, 0.70)),
            Self::List => Some((0.45, 0.60)),
            Self::Insert => Some((0.45, 0.60)),
            Self::OwnerList | Self::OwnerInsert | Self::SignIn => None,
        }
    }

    /// The least multiple of PocketBase, and the one to reach for.
    pub fn multiples(self) -> Option<(f64, f64)> {
        match self {
            Self::Read | Self::List | Self::Insert => Some((5.0, 5.0)),
            Self::OwnerList => Some((5.0, 7.0)),
            Self::OwnerInsert => Some((5.0, 10.0)),
            Self::SignIn => None,
        }
    }
}
