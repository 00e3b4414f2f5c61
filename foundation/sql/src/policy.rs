//! Row-level security as a condition of the statement: PostgreSQL docs 5.9.
//!
//! Permissive policies are ORed, restrictive ones ANDed; without a permissive one nothing passes. A sub-select within a policy sees its
//! tables through their own policies, as the same role.

use crate::catalog::{Catalog, Command, Policy, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::render::constant::decided;
use crate::render::{Alias, Renderer, Scope};
use crate::statement::Statement;
use pando_kernel::Role;

/// How many tables' policies may ask for one another's before it is called a recursion.
const DEPTH: usize = 16;

/// Whether row-level security holds for the role on this table.
pub fn applies(table: &Table, role: Role) -> bool {
    table.rls_enabled && !role.bypasses_rls()
}

/// Appends the condition under which `role` sees a row of `table`, which goes by `alias`, for `command`: `1` when it sees all, `0` when
/// no policy lets it see any.
///
/// Errors: 42P17 when policies ask for each other without end.
pub fn render_using(
    catalog: &Catalog,
    table: &Table,
    command: Command,
    role: Role,
    alias: &str,
    out: &mut Statement,
) -> Result<(), SqlError> {
    let scope = Scope::default();
    Renderer::new(catalog, role, &scope, out).policies(table, command, false, alias)
}

/// Appends the condition a row must fulfil to be written by `command`. Null is as false.
///
/// Errors: as [`render_using`].
pub fn render_check(
    catalog: &Catalog,
    table: &Table,
    command: Command,
    role: Role,
    alias: &str,
    out: &mut Statement,
) -> Result<(), SqlError> {
    let scope = Scope::default();
    Renderer::new(catalog, role, &scope, out).policies(table, command, true, alias)
}

/// The policies of the table that hold for the command and the role.
pub fn policies(table: &Table, command: Command, role: Role) -> impl Iterator<Item = &Policy> {
    table.policies.iter().filter(move |policy| {
        (policy.command == Command::All || policy.command == command)
            && (policy.roles.is_empty()
                || policy
                    .roles
                    .iter()
                    .any(|name| name == "public" || name == role.name()))
    })
}

/// Conditions of policies.
struct Holding {
    /// Of which one must be true.
    permissive: Vec<Expr>,
    /// All of which must be true, with the policies' names.
    restrictive: Vec<(String, Expr)>,
    /// Whether any of them has a sub-select.
    asks: bool,
}

impl Renderer<'_> {
    pub(crate) fn passes(&self, table: &Table) -> bool {
        #[cfg(feature = "planted")]
        if !self.stack.is_empty()
            && crate::planted::planted(crate::planted::Bug::SubSelectUnprotected)
        {
            return true;
        }
        !applies(table, self.role)
    }

    /// The policies of one table, in the place of one boolean.
    pub(crate) fn policies(
        &mut self,
        table: &Table,
        command: Command,
        check: bool,
        alias: &str,
    ) -> Result<(), SqlError> {
        self.policies_on(table, command, check, Alias::Name(alias.to_owned()))
    }

    /// As [`policies`](Self::policies), on a row whose columns are written in any way.
    pub(crate) fn policies_on(
        &mut self,
        table: &Table,
        command: Command,
        check: bool,
        row: Alias,
    ) -> Result<(), SqlError> {
        if self.passes(table) {
            self.out.push("1");
            return Ok(());
        }
        let Holding {
            permissive,
            restrictive,
            asks,
        } = self.holding(table, command, check);
        let restrictive: Vec<Expr> = restrictive.into_iter().map(|(_, expr)| expr).collect();
        if permissive.is_empty() {
            self.out.push("0");
            return Ok(());
        }
        self.under_policies(table, asks, row, |renderer| {
            renderer.conditions(&permissive, &restrictive)
        })
    }

    /// The policies of one table each by itself, in the order Postgres asks them: those that permit, as one, and those that restrict, by
    /// their names.
    pub(crate) fn policies_apart(
        &mut self,
        table: &Table,
        command: Command,
        check: bool,
        row: &Alias,
    ) -> Result<Vec<(Option<String>, String)>, SqlError> {
        let Holding {
            permissive,
            restrictive,
            asks,
        } = self.holding(table, command, check);
        if permissive.is_empty() {
            return Ok(vec![(None, "0".to_owned())]);
        }
        let mut found = Vec::with_capacity(1 + restrictive.len());
        let restricting = restrictive
            .into_iter()
            .map(|(name, expr)| (Some(name), vec![expr]));
        for (name, exprs) in std::iter::once((None, permissive)).chain(restricting) {
            let text = self.apart(|renderer| {
                renderer.under_policies(table, asks, row.clone(), |renderer| {
                    renderer.conditions(&exprs, &[])
                })
            })?;
            found.push((name, text));
        }
        Ok(found)
    }

    /// What holds for a command and the role on a table.
    fn holding(&self, table: &Table, command: Command, check: bool) -> Holding {
        let condition = |policy: &Policy| {
            if check {
                policy.check.clone().or_else(|| policy.using.clone())
            } else {
                policy.using.clone()
            }
        };
        let holding: Vec<&Policy> = policies(table, command, self.role).collect();
        // As in Postgres, a policy asks others when either of its clauses does, and a table may ask for itself by way of others as long as
        // the policies that are met again ask nobody.
        let asks = holding
            .iter()
            .flat_map(|policy| policy.using.iter().chain(&policy.check))
            .any(Expr::has_query)
            || holding.iter().any(|policy| policy.asks);
        let (permissive, restrictive): (Vec<_>, Vec<_>) =
            holding.into_iter().partition(|policy| policy.permissive);
        #[cfg(feature = "planted")]
        let (permissive, restrictive) =
            match crate::planted::planted(crate::planted::Bug::RestrictiveAsPermissive) {
                true => ([permissive, restrictive].concat(), Vec::new()),
                false => (permissive, restrictive),
            };
        // A policy without a condition of this kind lets nothing pass, as in Postgres.
        let permissive: Vec<Expr> = permissive.into_iter().filter_map(condition).collect();
        let mut restrictive: Vec<(String, Expr)> = restrictive
            .into_iter()
            .filter_map(|policy| Some((policy.name.clone(), condition(policy)?)))
            .collect();
        restrictive.sort_by(|(left, _), (right, _)| left.cmp(right));
        Holding {
            permissive,
            restrictive,
            asks,
        }
    }

    /// Renders conditions of a table's policies, whose columns are of their own table, whatever query they stand in.
    fn under_policies(
        &mut self,
        table: &Table,
        asks: bool,
        row: Alias,
        render: impl FnOnce(&mut Self) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let name = (table.schema.clone(), table.name.clone());
        if (asks && self.stack.contains(&name)) || self.stack.len() >= DEPTH {
            return Err(SqlError::new(
                "42P17",
                format!(
                    "infinite recursion detected in policy for relation \"{}\"",
                    table.name
                ),
            ));
        }
        self.stack.push(name);
        let rendered = self.isolated(vec![row], render);
        self.stack.pop();
        rendered
    }

    /// `(permissive OR ..) AND restrictive AND ..`
    fn conditions(&mut self, permissive: &[Expr], restrictive: &[Expr]) -> Result<(), SqlError> {
        // What a constant decides is not asked, nor are rights needed for it. As in Postgres, each policy that restricts stands for itself.
        let always: Vec<Expr>;
        let permissive = match permissive.iter().find(|expr| decided(expr) == Some(true)) {
            Some(open) => {
                permissive
                    .iter()
                    .try_for_each(|expr| self.look_into(expr))?;
                always = vec![open.clone()];
                &always[..]
            }
            None => permissive,
        };
        let alone = restrictive.is_empty();
        let several = permissive.len() > 1;
        #[cfg(feature = "planted")]
        let several =
            several && (alone || !crate::planted::planted(crate::planted::Bug::OrMisassociated));
        self.out.push(if alone { "" } else { "(" });
        self.out.push(if several { "(" } else { "" });
        for (index, expr) in permissive.iter().enumerate() {
            self.out.push(if index > 0 { " OR " } else { "" });
            self.condition(expr)?;
        }
        self.out.push(if several { ")" } else { "" });
        for expr in restrictive {
            self.out.push(" AND ");
            self.condition(expr)?;
        }
        self.out.push(if alone { "" } else { ")" });
        Ok(())
    }
}
