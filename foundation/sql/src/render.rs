//! Typed expressions become SQLite text. Literals and identity are bound, so a statement is one text for every caller; only DDL, where
//! SQLite takes no parameters, has its literals written out.

mod aggregate;
mod cast;
pub(crate) mod constant;
pub(crate) mod operation;
mod permission;
mod query;
mod routine;
mod sequence;
mod source;
mod statements;
mod trigger;
mod upsert;
mod view;

use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::functions::registry::Builtin;
use crate::statement::{Bind, Statement};
use crate::types::Type;
use crate::value::Value;
pub use cast::render_cast;
use pando_kernel::Role;
pub use sequence::{CURRENT_VALUE, LAST_VALUE, NEXT_VALUE, SET_VALUE};
pub use source::render_source;
pub use statements::{Rendered, render_statements};
use std::collections::BTreeMap;
use std::sync::Arc;
pub use trigger::{Fired, Texts, after_triggers, fires_before, render_before};
pub use view::{render_check_option, render_handles};

/// The names the sources of each enclosing query go by, outermost first. An empty name writes columns without a table, as DDL wants.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// One list for each query.
    pub levels: Vec<Vec<&'a str>>,
}

impl<'a> Scope<'a> {
    /// One query over one source.
    pub fn over(alias: &'a str) -> Scope<'a> {
        Scope {
            levels: vec![vec![alias]],
        }
    }
}

/// Appends an expression. The tables of its sub-selects carry their policies for `role`.
///
/// Errors: 42P17 when the policies of a table ask for the table itself.
pub fn render_expr(
    catalog: &Catalog,
    role: Role,
    expr: &Expr,
    scope: &Scope<'_>,
    out: &mut Statement,
) -> Result<(), SqlError> {
    Renderer::new(catalog, role, scope, out).expr(expr)
}

/// As [`render_expr`], for checks and indexes: literals written out, columns bare. Only immutable expressions may stand there.
pub(crate) fn render_ddl(
    catalog: &Catalog,
    expr: &Expr,
    out: &mut Statement,
) -> Result<(), SqlError> {
    if is_volatile(catalog, expr) {
        return Err(SqlError::new(
            "42P17",
            "only columns, literals and immutable functions may stand in a check or an index",
        ));
    }
    let scope = Scope::over("");
    let mut renderer = Renderer::new(catalog, Role::Service, &scope, out);
    renderer.inline = true;
    renderer.expr(expr)
}

/// Whether an expression depends on more than the row: the caller, the moment, other tables.
pub(crate) fn is_volatile(catalog: &Catalog, expr: &Expr) -> bool {
    let mut volatile = false;
    expr.walk(0, &mut |_, expr| {
        volatile |= match expr {
            Expr::Call { function, .. } => {
                matches!(
                    function,
                    Function::AuthUid
                        | Function::AuthRole
                        | Function::AuthEmail
                        | Function::AuthJwt
                        | Function::Now
                        | Function::CurrentDate
                        | Function::RandomUuid
                        | Function::NextVal
                        | Function::CurrVal
                        | Function::SetVal
                        | Function::LastVal
                ) || matches!(function, Function::Builtin(builtin) if !builtin.is_deterministic())
            }
            Expr::Exists(_) | Expr::Scalar(_) | Expr::InQuery { .. } => true,
            Expr::Apply { routine, .. } => catalog
                .routine(routine)
                .is_none_or(|routine| routine.volatility != crate::routine::Volatility::Immutable),
            _ => false,
        };
    });
    volatile
}

/// Whether Postgres gives one result for one row for ever: neither volatile nor read or printed by the settings of a session.
pub(crate) fn is_immutable(catalog: &Catalog, expr: &Expr) -> bool {
    let mut stable = false;
    expr.walk(0, &mut |_, expr| {
        let Expr::Cast { expr, ty } = expr else {
            return;
        };
        let text = |ty: &Type| matches!(ty, Type::Text | Type::Varchar(_) | Type::Char(_));
        let moment = |ty: &Type| matches!(ty, Type::Timestamptz | Type::Timestamp | Type::Date);
        stable |= match (&expr.ty(), ty) {
            (from, to) if text(from) && moment(to) || moment(from) && text(to) => true,
            // Between the timestamps it is written `at time zone`, which names its zone.
            (Type::Timestamptz, Type::Date | Type::Time) | (Type::Date, Type::Timestamptz) => true,
            _ => false,
        };
    });
    !stable && !is_volatile(catalog, expr)
}

/// How a source's columns are written.
#[derive(Clone)]
pub(crate) enum Alias {
    /// By their names alone, as DDL wants them.
    Bare,
    /// After the name the source goes by.
    Name(String),
    /// Out of the rows of `json_each`, by their places.
    Rows {
        alias: String,
        columns: Vec<String>,
        ordinality: bool,
    },
    /// Each as a text of its own.
    Texts(Arc<BTreeMap<String, String>>),
}

/// As [`render_expr`], for a statement over many rows: what is drawn anew is drawn for each of them.
pub(crate) fn render_each(
    catalog: &Catalog,
    role: Role,
    expr: &Expr,
    scope: &Scope<'_>,
    out: &mut Statement,
) -> Result<(), SqlError> {
    let mut renderer = Renderer::new(catalog, role, scope, out);
    renderer.each = true;
    renderer.expr(expr)
}

/// A random uuid, version 4, drawn by SQLite itself.
const RANDOM_UUID: &str = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";

pub(crate) struct Renderer<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) role: Role,
    pub(crate) out: &'a mut Statement,
    pub(crate) levels: Vec<Vec<Alias>>,
    /// Tables whose policies are being rendered, outermost first.
    pub(crate) stack: Vec<(String, String)>,
    /// The arguments of the functions whose bodies are being rendered, as texts; innermost last.
    pub(crate) frames: Vec<Vec<String>>,
    /// How many functions and views stand in one another here.
    pub(crate) nested: usize,
    /// Literals are written out instead of bound.
    pub(crate) inline: bool,
    /// Who asks and when is asked of the connection instead of bound: in triggers, which take no parameters.
    pub(crate) ambient: bool,
    /// Whether the statement is about many rows.
    pub(crate) each: bool,
    /// Rows are changed only where this holds: how a trigger's function comes to the statement.
    pub(crate) reached: Option<String>,
    /// What is rendered is only looked into and will be left out, so that no right is needed for it.
    pub(crate) looking: bool,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        role: Role,
        scope: &Scope<'_>,
        out: &'a mut Statement,
    ) -> Renderer<'a> {
        let alias = |alias: &&str| {
            if alias.is_empty() {
                Alias::Bare
            } else {
                Alias::Name((*alias).to_owned())
            }
        };
        let levels = scope
            .levels
            .iter()
            .map(|level| level.iter().map(alias).collect())
            .collect();
        Renderer {
            catalog,
            role,
            out,
            levels,
            stack: Vec::new(),
            frames: Vec::new(),
            nested: 0,
            inline: false,
            ambient: false,
            each: false,
            reached: None,
            looking: false,
        }
    }

    /// What `render` appends, as a text of its own; its parameters are those of the statement.
    pub(crate) fn apart(
        &mut self,
        render: impl FnOnce(&mut Self) -> Result<(), SqlError>,
    ) -> Result<String, SqlError> {
        let at = self.out.sql.len();
        let rendered = render(self);
        let text = self.out.sql.split_off(at);
        rendered.map(|()| text)
    }

    pub(crate) fn value(&mut self, value: &Value) {
        if !self.inline {
            match value {
                // Nulls and small integers are shape, not data: written out they help SQLite's planner and cost no bind.
                Value::Null => self.out.push("NULL"),
                Value::Int(int @ 0..=1) => self.out.push(if *int == 0 { "0" } else { "1" }),
                value => self.out.bind(Bind::Const(value.clone())),
            };
            return;
        }
        match value {
            Value::Null => self.out.push("NULL"),
            Value::Int(int) => self.out.push(&int.to_string()),
            // SQLite has no word for infinity; what is too large to be read is one.
            Value::Real(real) if real.is_infinite() => {
                self.out
                    .push(if *real > 0.0 { "9e999" } else { "(-9e999)" })
            }
            Value::Real(real) => self.out.push(&format!("{real:?}")),
            Value::Text(text) => self.out.push("'").push(&text.replace('\'', "''")).push("'"),
            Value::Blob(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                self.out.push("x'").push(&hex).push("'")
            }
        };
    }

    pub(crate) fn expr(&mut self, expr: &Expr) -> Result<(), SqlError> {
        match expr {
            Expr::Literal { value, .. } => self.value(value),
            Expr::Column {
                level,
                source,
                name,
                ty,
            } => self.column(*level, *source, name, ty)?,
            Expr::Param { index, .. } => match self.frames.last() {
                // Outside of any function a parameter is the request's.
                None => {
                    self.out.bind(Bind::Input(*index));
                }
                Some(frame) => {
                    let text = frame
                        .get(*index as usize)
                        .ok_or_else(|| {
                            SqlError::new("42P02", format!("there is no parameter ${}", index + 1))
                        })?
                        .clone();
                    self.out.push(&text);
                }
            },
            Expr::Apply { routine, args, .. } => self.apply(routine, args)?,
            Expr::Aggregate(aggregate) => self.aggregate(aggregate)?,
            Expr::Window(window) => self.window(window)?,
            Expr::Call { .. } if constant::logic(expr).is_some() => {
                // As Postgres, which leaves out what stands beside a constant that decides, and the rights it would need.
                self.out.push(match constant::logic(expr) {
                    Some(Some(true)) => "1",
                    Some(Some(false)) => "0",
                    _ => "NULL",
                });
                self.look_into(expr)?;
            }
            Expr::Call { function, args, ty } => self.call(*function, args, ty)?,
            Expr::Cast { expr, ty } => self.cast(expr, ty)?,
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                self.out.push("CASE");
                for (condition, result) in branches {
                    self.out.push(" WHEN ");
                    self.expr(condition)?;
                    self.out.push(" THEN ");
                    self.expr(result)?;
                }
                if let Some(otherwise) = otherwise {
                    self.out.push(" ELSE ");
                    self.expr(otherwise)?;
                }
                self.out.push(" END");
            }
            Expr::Exists(query) => {
                self.out.push("EXISTS (");
                self.query(query, None)?;
                self.out.push(")");
            }
            Expr::Scalar(query) => self.scalar(query)?,
            Expr::InQuery {
                expr,
                query,
                negated,
            } => {
                #[cfg(feature = "planted")]
                let overlooked =
                    *negated && crate::planted::planted(crate::planted::Bug::NotInOverlooksNull);
                #[cfg(feature = "planted")]
                self.out.push(if overlooked { "ifnull(" } else { "" });
                self.out.push("(");
                self.expr(expr)?;
                self.collate(expr);
                self.out.push(if *negated { " NOT IN (" } else { " IN (" });
                self.query(query, None)?;
                self.out.push("))");
                #[cfg(feature = "planted")]
                self.out.push(if overlooked { ", 1)" } else { "" });
            }
        }
        Ok(())
    }

    fn column(&mut self, level: u32, source: u32, name: &str, ty: &Type) -> Result<(), SqlError> {
        let at = self.levels.len().checked_sub(1 + level as usize);
        let alias = at
            .and_then(|at| self.levels[at].get(source as usize))
            .ok_or_else(|| SqlError::new("XX000", "a column outside of its query"))?;
        match alias {
            Alias::Bare => {
                self.out.ident(name);
            }
            Alias::Name(alias) => {
                self.out.ident(alias).push(".").ident(name);
            }
            Alias::Rows {
                alias,
                columns,
                ordinality,
            } => {
                let place = columns
                    .iter()
                    .position(|column| column == name)
                    .unwrap_or(0);
                let count = columns.len() - usize::from(*ordinality);
                let float = matches!(ty, Type::Float4 | Type::Float8);
                self.out.push(if float { "CAST(" } else { "" });
                if place == count {
                    self.out.push("(").ident(alias).push(".key + 1)");
                } else if count == 1 {
                    self.out.ident(alias).push(".value");
                } else {
                    self.out.push("json_extract(").ident(alias);
                    self.out.push(&format!(".value, '$[{place}]')"));
                }
                self.out.push(if float { " AS REAL)" } else { "" });
            }
            Alias::Texts(texts) => {
                let text = texts
                    .get(name)
                    .ok_or_else(|| SqlError::new("XX000", "a column outside of its row"))?;
                self.out.push(text);
            }
        }
        Ok(())
    }

    /// Whether SQLite knows the collation of an expression by itself.
    pub(crate) fn collated(&self, expr: &Expr) -> bool {
        let Expr::Column { level, source, .. } = expr else {
            return false;
        };
        let at = self.levels.len().checked_sub(1 + *level as usize);
        let alias = at.and_then(|at| self.levels[at].get(*source as usize));
        matches!(alias, Some(Alias::Bare | Alias::Name(_)))
    }

    fn infix(&mut self, args: &[Expr], sign: &str) -> Result<(), SqlError> {
        self.out.push("(");
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                self.out.push(sign);
            }
            self.expr(arg)?;
        }
        self.out.push(")");
        Ok(())
    }

    /// A comparison. A column brings its collation along, anything else is told it; enums compare by their places.
    fn compare(&mut self, args: &[Expr], sign: &str) -> Result<(), SqlError> {
        let ordered = matches!(sign, " < " | " <= " | " > " | " >= ");
        self.out.push("(");
        if ordered && matches!(args[0].ty(), Type::Enum(_)) {
            self.rank(&args[0])?;
            self.out.push(sign);
            self.rank(&args[1])?;
        } else {
            self.expr(&args[0])?;
            self.collate(&args[0]);
            self.out.push(sign);
            self.expr(&args[1])?;
        }
        self.out.push(")");
        Ok(())
    }

    /// The collation of what was just written, if SQLite does not know it.
    pub(crate) fn collate(&mut self, expr: &Expr) {
        if let Some(collation) = expr.ty().collation()
            && !self.collated(expr)
        {
            self.out.push(" COLLATE ").push(collation);
        }
    }

    /// An enum's place in its declaration.
    pub(crate) fn rank(&mut self, expr: &Expr) -> Result<(), SqlError> {
        let Type::Enum(labels) = expr.ty() else {
            return self.expr(expr);
        };
        self.out.push("CASE ");
        self.expr(expr)?;
        for (rank, label) in labels.labels.iter().enumerate() {
            self.out.push(" WHEN ");
            self.value(&Value::text(label.as_str()));
            self.out.push(&format!(" THEN {rank}"));
        }
        self.out.push(" END");
        Ok(())
    }

    fn named(&mut self, name: &str, args: &[Expr]) -> Result<(), SqlError> {
        self.out.push(name).push("(");
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                self.out.push(", ");
            }
            self.expr(arg)?;
        }
        self.out.push(")");
        Ok(())
    }

    fn postfix(&mut self, args: &[Expr], test: &str) -> Result<(), SqlError> {
        self.out.push("(");
        self.expr(&args[0])?;
        self.out.push(test).push(")");
        Ok(())
    }

    fn call(&mut self, function: Function, args: &[Expr], ty: &Type) -> Result<(), SqlError> {
        use Function as F;
        match function {
            F::AuthUid => self.bound(Bind::Uid),
            F::AuthRole => self.bound(Bind::Role),
            F::AuthEmail => self.bound(Bind::Email),
            F::AuthJwt => self.bound(Bind::Jwt),
            F::Now => self.bound(Bind::Now),
            F::CurrentDate => self.bound(Bind::Today),
            F::RandomUuid if self.each => {
                self.out.push(RANDOM_UUID);
                Ok(())
            }
            F::RandomUuid => self.bound(Bind::RandomUuid),
            F::NextVal | F::CurrVal | F::SetVal | F::LastVal => self.sequence(function, args),
            F::And => self.infix(args, " AND "),
            F::Or => self.infix(args, " OR "),
            F::Not => {
                self.out.push("(NOT ");
                self.expr(&args[0])?;
                self.out.push(")");
                Ok(())
            }
            F::Eq => self.compare(args, " = "),
            F::Ne => self.compare(args, " <> "),
            F::Lt => self.compare(args, " < "),
            F::Le => self.compare(args, " <= "),
            F::Gt => self.compare(args, " > "),
            F::Ge => self.compare(args, " >= "),
            F::Distinct => self.compare(args, " IS NOT "),
            F::NotDistinct => self.compare(args, " IS "),
            F::IsNull => self.postfix(args, " IS NULL"),
            F::IsNotNull => self.postfix(args, " IS NOT NULL"),
            F::IsTrue => self.postfix(args, " IS 1"),
            F::IsNotTrue => self.postfix(args, " IS NOT 1"),
            F::IsFalse => self.postfix(args, " IS 0"),
            F::IsNotFalse => self.postfix(args, " IS NOT 0"),
            F::In => {
                self.out.push("(");
                self.expr(&args[0])?;
                self.collate(&args[0]);
                self.out.push(" IN (");
                for (index, arg) in args[1..].iter().enumerate() {
                    if index > 0 {
                        self.out.push(", ");
                    }
                    self.expr(arg)?;
                }
                self.out.push("))");
                Ok(())
            }
            F::AnyOf => self.any_of(&args[0], &args[1]),
            F::Assign => {
                let mut tags = String::new();
                args[0].ty().tag(&mut tags);
                ty.tag(&mut tags);
                self.out.push("pg_assign(");
                self.value(&tags.into());
                self.out.push(", ");
                self.expr(&args[0])?;
                self.out.push(")");
                Ok(())
            }
            F::Coalesce if args.len() == 1 => self.expr(&args[0]),
            F::Coalesce => self.named("coalesce", args),
            F::NullIf => {
                // Compared by value, so that a numeric's scale does not count.
                self.out.push("CASE WHEN ");
                self.compare(args, " = ")?;
                self.out.push(" THEN NULL ELSE ");
                self.expr(&args[0])?;
                self.out.push(" END");
                Ok(())
            }
            F::Builtin(builtin) if builtin.key() == "||(text, text)" => self.infix(args, " || "),
            F::Builtin(builtin) => self.builtin(builtin, args),
        }
    }

    pub(crate) fn builtin(&mut self, builtin: Builtin, args: &[Expr]) -> Result<(), SqlError> {
        self.out.push(builtin.sqlite_name()).push("(");
        if builtin.is_typed() {
            let mut tags = String::new();
            args.iter().for_each(|arg| arg.ty().tag(&mut tags));
            self.value(&tags.into());
            if !args.is_empty() {
                self.out.push(", ");
            }
        }
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                self.out.push(", ");
            }
            self.expr(arg)?;
        }
        self.out.push(")");
        Ok(())
    }

    fn bound(&mut self, bind: Bind) -> Result<(), SqlError> {
        if !self.ambient {
            self.out.bind(bind);
            return Ok(());
        }
        let what = match bind {
            Bind::Uid => "uid",
            Bind::Role => "role",
            Bind::Email => "email",
            Bind::Jwt => "jwt",
            Bind::Now => "now",
            Bind::Today => "today",
            Bind::RandomUuid => "uuid",
            Bind::Const(_) | Bind::Input(_) | Bind::Row(_) => {
                return Err(SqlError::new("XX000", "a trigger takes no parameters"));
            }
        };
        self.out.push("pg_ambient('").push(what).push("')");
        Ok(())
    }

    fn any_of(&mut self, needle: &Expr, array: &Expr) -> Result<(), SqlError> {
        if self.inline {
            // A check takes no sub-select.
            return self.named("pg_member", &[needle.clone(), array.clone()]);
        }
        let literal = matches!(array, Expr::Literal { value, .. } if !value.is_null());
        if !literal {
            // Nothing is known of a null array, while json_each of null would say it has no members.
            self.out.push("CASE WHEN ");
            self.expr(array)?;
            self.out.push(" IS NULL THEN NULL ELSE ");
        }
        self.out.push("(");
        self.expr(needle)?;
        self.out.push(" IN (SELECT value FROM json_each(");
        self.expr(array)?;
        self.out.push(")))");
        if !literal {
            self.out.push(" END");
        }
        Ok(())
    }
}
