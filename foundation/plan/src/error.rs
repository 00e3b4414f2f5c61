//! Why a request has no plan. Messages and hints are PostgREST's, because clients and people search for them.

use crate::routine::Passed;
use pando_sql::SqlError;

/// A request that can't be planned against this catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// No such table in an exposed schema (PGRST205).
    UnknownTable {
        /// The schema asked for.
        schema: String,
        /// The table asked for.
        table: String,
        /// A table with nearly that name.
        near: Option<String>,
    },
    /// A column of `select`, a filter or an order that isn't there (42703).
    UnknownColumn {
        /// The table it was looked for in.
        table: String,
        /// The column asked for.
        column: String,
        /// A column with nearly that name.
        near: Option<String>,
    },
    /// A column of a payload, of `columns=` or of `on_conflict=` that isn't there (PGRST204).
    UnknownPayloadColumn {
        /// The table written to.
        table: String,
        /// The column asked for.
        column: String,
        /// A column with nearly that name.
        near: Option<String>,
    },
    /// No foreign key joins the two (PGRST200).
    UnknownRelation {
        /// The schema searched.
        schema: String,
        /// The table embedding.
        origin: String,
        /// What was to be embedded.
        target: String,
        /// `!hint` of the request.
        hint: Option<String>,
        /// A relation of the origin with nearly that name.
        near: Option<String>,
    },
    /// More than one foreign key joins the two (PGRST201).
    AmbiguousRelation {
        /// The table embedding.
        origin: String,
        /// What was to be embedded.
        target: String,
        /// All that fit.
        candidates: Vec<Candidate>,
    },
    /// A filter, order or page on a resource that `select` does not embed (PGRST108).
    NotEmbedded {
        /// The name asked for.
        name: String,
    },
    /// An order by a column of a to-many resource (PGRST118).
    RelatedOrder {
        /// The table ordered.
        origin: String,
        /// The resource ordered by.
        target: String,
    },
    /// Embedded deeper than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More of something in one request than a statement can hold.
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// `limit` or `offset` on an update or delete.
    LimitedMutation,
    /// No function of that name takes these arguments (PGRST202).
    UnknownRoutine {
        /// The schema searched.
        schema: String,
        /// The function asked for.
        name: String,
        /// The names of the arguments, sorted.
        names: Vec<String>,
        /// A function with nearly that name, or nearly these parameters.
        near: Option<String>,
        /// How the arguments came.
        passed: Passed,
    },
    /// Several functions of that name take these arguments (PGRST203).
    AmbiguousRoutine {
        /// All that fit.
        candidates: Vec<String>,
    },
    /// What Postgres itself would answer.
    Sql(SqlError),
}

/// One relationship of an ambiguous embedding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// How many of the other one has.
    pub cardinality: Cardinality,
    /// `orders with users`
    pub embedding: String,
    /// `orders_user_id_fkey using orders(user_id) and users(id)`
    pub relationship: String,
    /// What to write after `!` to choose it.
    pub hint: String,
}

/// How many rows stand on each side of a relationship, seen from the table that embeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// The origin's foreign key.
    ManyToOne,
    /// A foreign key that is unique, on either side.
    OneToOne,
    /// The target's foreign key.
    OneToMany,
    /// A junction table.
    ManyToMany,
}

impl Cardinality {
    /// As PostgREST writes it.
    pub fn name(self) -> &'static str {
        match self {
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToOne => "one-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        }
    }

    /// Whether at most one row is embedded.
    pub fn is_to_one(self) -> bool {
        matches!(self, Cardinality::ManyToOne | Cardinality::OneToOne)
    }
}

impl PlanError {
    /// PostgREST's code, or a SQLSTATE.
    pub fn code(&self) -> &str {
        match self {
            PlanError::UnknownTable { .. } => "PGRST205",
            PlanError::UnknownColumn { .. } => "42703",
            PlanError::UnknownPayloadColumn { .. } => "PGRST204",
            PlanError::UnknownRelation { .. } => "PGRST200",
            PlanError::AmbiguousRelation { .. } => "PGRST201",
            PlanError::NotEmbedded { .. } => "PGRST108",
            PlanError::RelatedOrder { .. } => "PGRST118",
            PlanError::TooDeep { .. } | PlanError::TooMany { .. } => "54001",
            PlanError::LimitedMutation => "PGRST109",
            PlanError::UnknownRoutine { .. } => "PGRST202",
            PlanError::AmbiguousRoutine { .. } => "PGRST203",
            PlanError::Sql(error) => &error.state,
        }
    }

    /// What went wrong.
    pub fn message(&self) -> String {
        match self {
            PlanError::UnknownTable { schema, table, .. } => {
                format!("Could not find the table '{schema}.{table}' in the schema cache")
            }
            PlanError::UnknownColumn { table, column, .. } => {
                format!("column {table}.{column} does not exist")
            }
            PlanError::UnknownPayloadColumn { table, column, .. } => {
                format!("Could not find the '{column}' column of '{table}' in the schema cache")
            }
            PlanError::UnknownRelation { origin, target, .. } => {
                format!(
                    "Could not find a relationship between '{origin}' and '{target}' in the schema cache"
                )
            }
            PlanError::AmbiguousRelation { origin, target, .. } => format!(
                "Could not embed because more than one relationship was found for '{origin}' and '{target}'"
            ),
            PlanError::NotEmbedded { name } => {
                format!("'{name}' is not an embedded resource in this request")
            }
            PlanError::RelatedOrder { target, .. } => {
                format!("A related order on '{target}' is not possible")
            }
            PlanError::TooDeep { limit } => {
                format!("resources are embedded more than {limit} levels deep")
            }
            PlanError::TooMany { what, limit } => {
                format!("a request may have at most {limit} {what}")
            }
            PlanError::LimitedMutation => {
                "'limit' and 'offset' are not allowed on an update or delete".to_owned()
            }
            PlanError::UnknownRoutine {
                schema,
                name,
                names,
                passed,
                ..
            } => {
                let with = match (passed, &names[..]) {
                    (Passed::Text | Passed::Bytes, _) => String::new(),
                    (_, []) => " without parameters".to_owned(),
                    (_, names) => format!("({})", names.join(", ")),
                };
                format!("Could not find the function {schema}.{name}{with} in the schema cache")
            }
            PlanError::AmbiguousRoutine { candidates } => format!(
                "Could not choose the best candidate function between: {}",
                candidates.join(", ")
            ),
            PlanError::Sql(error) => error.message.clone(),
        }
    }

    /// More about it. The candidates of [`PlanError::AmbiguousRelation`] are a list, which the wire writes itself.
    pub fn detail(&self) -> Option<String> {
        match self {
            PlanError::UnknownRelation {
                schema,
                origin,
                target,
                hint,
                ..
            } => {
                let using = hint
                    .as_ref()
                    .map(|hint| format!(" using the hint '{hint}'"))
                    .unwrap_or_default();
                Some(format!(
                    "Searched for a foreign key relationship between '{origin}' and '{target}'{using} in the schema \
                     '{schema}', but no matches were found."
                ))
            }
            PlanError::RelatedOrder { origin, target } => Some(format!(
                "'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship"
            )),
            PlanError::UnknownRoutine {
                schema,
                name,
                names,
                passed,
                ..
            } => {
                let with = match &names[..] {
                    [] => " without parameters".to_owned(),
                    [name] => format!(" with parameter {name}"),
                    names => format!(" with parameters {}", names.join(", ")),
                };
                let with = match passed {
                    Passed::Text => " with a single unnamed text parameter".to_owned(),
                    Passed::Bytes => " with a single unnamed bytea parameter".to_owned(),
                    Passed::Json => format!("{with} or with a single unnamed json/jsonb parameter"),
                    Passed::Query | Passed::Form => with,
                };
                Some(format!(
                    "Searched for the function {schema}.{name}{with}, but no matches were found in the schema cache."
                ))
            }
            PlanError::Sql(error) => error.detail.clone(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PlanError::UnknownTable { schema, near, .. } => near
                .as_ref()
                .map(|near| format!("Perhaps you meant the table '{schema}.{near}'")),
            PlanError::UnknownColumn { table, near, .. } => near.as_ref().map(|near| {
                format!("Perhaps you meant to reference the column \"{table}.{near}\".")
            }),
            PlanError::UnknownPayloadColumn { near, .. } => near
                .as_ref()
                .map(|near| format!("Perhaps you meant the column '{near}'")),
            PlanError::UnknownRelation { target, near, .. } => near
                .as_ref()
                .map(|near| format!("Perhaps you meant '{near}' instead of '{target}'.")),
            PlanError::AmbiguousRelation {
                target, candidates, ..
            } => {
                let ways: Vec<String> = candidates
                    .iter()
                    .map(|candidate| format!("'{target}!{}'", candidate.hint))
                    .collect();
                Some(format!(
                    "Try changing '{target}' to one of the following: {}. Find the desired relationship in the \
                     'details' key.",
                    ways.join(", ")
                ))
            }
            PlanError::NotEmbedded { name } => Some(format!(
                "Verify that '{name}' is included in the 'select' query parameter."
            )),
            PlanError::LimitedMutation => {
                Some("Choose the rows with filters on a unique column.".to_owned())
            }
            PlanError::UnknownRoutine { schema, near, .. } => near
                .as_ref()
                .map(|near| format!("Perhaps you meant to call the function {schema}.{near}")),
            PlanError::AmbiguousRoutine { .. } => Some(
                "Try renaming the parameters or the function itself in the database so function overloading can be \
                 resolved"
                    .to_owned(),
            ),
            PlanError::Sql(error) => error.hint.clone(),
            _ => None,
        }
    }
}

impl From<SqlError> for PlanError {
    fn from(error: SqlError) -> PlanError {
        PlanError::Sql(error)
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl std::error::Error for PlanError {}
