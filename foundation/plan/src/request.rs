//! What a client asks of a table, wire-neutral and unresolved. Equal shapes are equal values, so these are cache keys.

use pando_sql::routine::RoutineId;
use pando_sql::search::Mode;

/// The n-th of the values that came with the request. The value itself is not part of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// A read of one table or view with its embedded resources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// The exposed schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The root level.
    pub node: Node,
    /// Count all rows that match, whatever the page.
    pub count: bool,
    /// Only the count and the rows' number are wanted (HEAD).
    pub bodyless: bool,
    /// Of a function that gives values: they are answered as they are, not as objects.
    pub values: bool,
    /// What is read is what this call gives; `table` is the function's name.
    pub call: Option<Box<Call>>,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which.
    pub routine: RoutineId,
    /// The arguments given, by the places of their parameters.
    pub args: Vec<(u32, Slot)>,
}

/// One level: the root table or an embedded resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// What is selected; empty means nothing but the join.
    pub items: Vec<Item>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// First decides.
    pub order: Vec<Order>,
    /// A page's length, always an integer input.
    pub limit: Option<Slot>,
    /// Rows skipped, always an integer input.
    pub offset: Option<Slot>,
}

/// Something selected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// `*`
    Star,
    /// `alias:col->a->>b::cast`
    Column {
        /// The key in the answer; by default the last name in the path.
        alias: Option<String>,
        /// Which value.
        path: Path,
        /// `::type`
        cast: Option<String>,
    },
    /// `alias:rel!hint!inner(..)`
    Embed(Box<Embed>),
}

/// An embedded resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Embed {
    /// The key in the answer; by default the name asked for.
    pub alias: Option<String>,
    /// A table, a foreign key's name, or a foreign key's column.
    pub relation: String,
    /// `!hint`: constraint, column or junction table.
    pub hint: Option<String>,
    /// `!inner`: rows without a match are left out.
    pub inner: bool,
    /// `...rel(..)`: its columns stand among the parent's.
    pub spread: bool,
    /// The level below.
    pub node: Node,
}

/// A column, or something inside a JSON column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The column.
    pub column: String,
    /// Steps into its JSON.
    pub steps: Vec<JsonStep>,
}

/// One `->` or `->>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonStep {
    /// Key or index.
    pub key: JsonKey,
    /// `->>`: the result is text.
    pub text: bool,
}

/// Where a JSON step goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JsonKey {
    /// An object's key.
    Name(String),
    /// An array's index; negative counts from the end.
    Index(i64),
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// `col=op.value`
    Compare {
        /// What is compared.
        path: Path,
        /// `not.`
        negated: bool,
        /// How, and with what.
        test: Test,
    },
    /// `and(..)`, `or(..)`
    Group {
        /// `not.`
        negated: bool,
        /// `or`: one is enough.
        any: bool,
        /// The members.
        filters: Vec<Filter>,
    },
    /// `rel=is.null` and `rel=not.is.null` on an embedded resource, by the name it has in the answer.
    Embedded {
        /// Alias or relation of an embed of the same node.
        name: String,
        /// `not.is.null`: rows that have one.
        present: bool,
    },
}

/// An operator with its operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// One operand.
    Op(Op, Slot),
    /// `op(any)` and `op(all)`: the input is an array literal.
    Quantified(Op, Quantifier, Slot),
    /// `in.(..)`: the input is a list.
    In(Slot),
    /// `is.`
    Is(Is),
    /// `fts`, `plfts`, `phfts`, `wfts`: the text has what the query asks for.
    Search {
        /// How the query is read.
        mode: Mode,
        /// `(config)`
        config: Option<String>,
        /// The query.
        query: Slot,
    },
}

/// `any` or `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// One is enough.
    Any,
    /// None may fail.
    All,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `=`
    Eq,
    /// `<>`
    Neq,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
    /// `like`, where `*` was replaced by `%`
    Like,
    /// `ilike`
    Ilike,
    /// `~`
    Match,
    /// `~*`
    Imatch,
    /// `@>`
    Contains,
    /// `<@`
    ContainedIn,
    /// `&&`
    Overlaps,
    /// `is distinct from`
    IsDistinct,
}

/// What `is.` compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Is {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

/// One term of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// Set when ordering by a column of a to-one embedded resource.
    pub relation: Option<String>,
    /// What is ordered by.
    pub path: Path,
    /// `desc`
    pub descending: bool,
    /// `nullsfirst` or `nullslast`; by default nulls sort highest, as in Postgres.
    pub nulls_first: Option<bool>,
}

/// A value that came with the request, as its wire carries it. The planner says which type each is read as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A scalar's text.
    Text(String),
    /// A value's JSON.
    Json(String),
    /// The members of `in.(..)`.
    List(Vec<String>),
    /// A number of rows.
    Rows(u64),
}

/// A change to one table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mutation {
    /// The exposed schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// What is done.
    pub change: Change,
    /// Insert: unused. Update and delete: which rows, by `filters` (and `order`, `limit`).
    /// All: what of the changed rows is returned, by `items`.
    pub node: Node,
    /// Whether the changed rows are returned (`return=representation`).
    pub returning: bool,
    /// Insert: the primary key of the row is wanted for `Location` (`return=headers-only`).
    pub keys: bool,
    /// Count the changed rows that match, for `Content-Range`.
    pub count: bool,
    /// How many rows may be changed; any other number undoes the mutation.
    pub expect: Expect,
}

/// A bound on the rows a mutation changes, checked before it is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expect {
    /// No bound.
    #[default]
    Any,
    /// Exactly one (a single-object answer); else PGRST116.
    One,
    /// At most this input, a number of rows (`max-affected`); else PGRST124.
    AtMost(Slot),
}

/// What a mutation does. Payload columns are named; their values come row by row beside the shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// `insert`, or an upsert.
    Insert {
        /// The payload's columns, in the order of each row's values.
        columns: Vec<String>,
        /// What happens to a row whose key is taken.
        on_conflict: Option<OnConflict>,
        /// `missing=default`: an absent key takes the column's default; otherwise null.
        missing_default: bool,
    },
    /// `update`
    Update {
        /// The payload's columns.
        columns: Vec<String>,
    },
    /// `delete`
    Delete,
}

/// An upsert.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OnConflict {
    /// `on_conflict=`; the primary key when empty.
    pub columns: Vec<String>,
    /// `resolution=merge-duplicates`; else the row is ignored.
    pub merge: bool,
}
