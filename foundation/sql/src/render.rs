//! Typed expressions become SQLite text. Literals and identity are bound, so a statement is one text for every caller; only DDL, where
//! SQLite takes no parameters, has its literals written out.

mod cast;
mod source;

use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::functions::registry::Builtin;
use crate::statement::{Bind, Statement};
use crate::types::Type;
use crate::value::Value;
pub use cast::render_cast;
use pando_kernel::Role;

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
                ) || matches!(function, Function::Builtin(builtin) if !builtin.is_deterministic())
            }
            Expr::Exists(_) | Expr::Scalar(_) | Expr::InQuery { .. } => true,
            _ => false,
        };
    });
    if volatile {
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

pub(crate) struct Renderer<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) role: Role,
    pub(crate) out: &'a mut Statement,
    pub(crate) levels: Vec<Vec<String>>,
    /// Tables whose policies are being rendered, outermost first.
    pub(crate) stack: Vec<(String, String)>,
    inline: bool,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        role: Role,
        scope: &Scope<'_>,
        out: &'a mut Statement,
    ) -> Renderer<'a> {
        let levels = scope
            .levels
            .iter()
            .map(|level| level.iter().map(|alias| (*alias).to_owned()).collect())
            .collect();
        Renderer {
            catalog,
            role,
            out,
            levels,
            stack: Vec::new(),
            inline: false,
        }
    }

    fn value(&mut self, value: &Value) {
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
                ..
            } => {
                let at = self.levels.len().checked_sub(1 + *level as usize);
                let alias = at
                    .and_then(|at| self.levels[at].get(*source as usize))
                    .ok_or_else(|| SqlError::new("XX000", "a column outside of its query"))?;
                if !alias.is_empty() {
                    self.out.ident(alias).push(".");
                }
                self.out.ident(name);
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
                self.query(query)?;
                self.out.push(")");
            }
            Expr::Scalar(query) => {
                self.out.push("(");
                self.query(query)?;
                self.out.push(")");
            }
            Expr::InQuery {
                expr,
                query,
                negated,
            } => {
                self.out.push("(");
                self.expr(expr)?;
                self.out.push(if *negated { " NOT IN (" } else { " IN (" });
                self.query(query)?;
                self.out.push("))");
            }
        }
        Ok(())
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
    fn collate(&mut self, expr: &Expr) {
        if let Some(collation) = expr.ty().collation()
            && !matches!(expr, Expr::Column { .. })
        {
            self.out.push(" COLLATE ").push(collation);
        }
    }

    /// An enum's place in its declaration.
    fn rank(&mut self, expr: &Expr) -> Result<(), SqlError> {
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
            F::RandomUuid => self.bound(Bind::RandomUuid),
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
            F::Count if args.is_empty() => {
                self.out.push("count(*)");
                Ok(())
            }
            F::Count => self.named("count", args),
            F::Max => self.aggregate("max", args),
            F::Min => self.aggregate("min", args),
        }
    }

    fn builtin(&mut self, builtin: Builtin, args: &[Expr]) -> Result<(), SqlError> {
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

    /// An aggregate takes the collation of its argument only when it is a column.
    fn aggregate(&mut self, name: &str, args: &[Expr]) -> Result<(), SqlError> {
        self.out.push(name).push("(");
        self.expr(&args[0])?;
        if matches!(args[0].ty(), Type::Numeric(_)) {
            self.out.push(" COLLATE pg_numeric");
        }
        self.out.push(")");
        Ok(())
    }

    fn bound(&mut self, bind: Bind) -> Result<(), SqlError> {
        self.out.bind(bind);
        Ok(())
    }

    fn any_of(&mut self, needle: &Expr, array: &Expr) -> Result<(), SqlError> {
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
