//! `create policy`, `alter policy`, `drop policy`.

use super::Migration;
use crate::catalog::{Command, Policy, Table};
use crate::expr::Expr;
use crate::lower::{Lowering, fold};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;

fn roles(owners: Option<&Vec<ast::Owner>>) -> Result<Vec<String>> {
    let mut roles = Vec::new();
    for owner in owners.into_iter().flatten() {
        match owner {
            ast::Owner::Ident(ident) => {
                let role = fold(ident);
                // A policy for a role no request can have would look like protection and be none.
                if !matches!(
                    role.as_str(),
                    "public" | "anon" | "authenticated" | "service_role" | "postgres"
                ) {
                    return Err(Trouble::invalid(
                        role.clone(),
                        format!("role \"{role}\" does not exist"),
                        "name anon, authenticated, service_role or public",
                    ));
                }
                roles.push(role);
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("policy to {other}"),
                    "name anon, authenticated, service_role or public",
                ));
            }
        }
    }
    Ok(roles)
}

/// A policy's name is a sentence as often as not, and stands in the catalog alone: any signs may be in it, and it is cut where
/// Postgres cuts it.
fn policy_name(name: &ast::Ident) -> String {
    let mut name = fold(name);
    let end = (0..=name.len().min(63))
        .rev()
        .find(|end| name.is_char_boundary(*end));
    name.truncate(end.unwrap_or(0));
    name
}

fn taken(name: &str, table: &Table) -> Trouble {
    Trouble::invalid(
        name,
        format!(
            "policy \"{name}\" for table \"{}\" already exists",
            table.name
        ),
        "choose another name, or drop it first",
    )
}

impl Migration {
    fn condition(&self, table: &Table, expr: Option<&ast::Expr>) -> Result<Option<Expr>> {
        expr.map(|expr| Lowering::over(&self.catalog, table).condition(expr))
            .transpose()
    }

    pub(super) fn create_policy(
        &mut self,
        create: &ast::CreatePolicy,
        source: String,
    ) -> Result<()> {
        let table = self.table(&create.table_name)?;
        let name = policy_name(&create.name);
        if table.policies.iter().any(|policy| policy.name == name) {
            return Err(taken(&name, &table));
        }
        let command = match create.command {
            None | Some(ast::CreatePolicyCommand::All) => Command::All,
            Some(ast::CreatePolicyCommand::Select) => Command::Select,
            Some(ast::CreatePolicyCommand::Insert) => Command::Insert,
            Some(ast::CreatePolicyCommand::Update) => Command::Update,
            Some(ast::CreatePolicyCommand::Delete) => Command::Delete,
        };
        if create.using.is_some() && command == Command::Insert {
            return Err(Trouble::invalid(
                source,
                "only WITH CHECK expression allowed for INSERT",
                "write with check (..)",
            ));
        }
        if create.with_check.is_some() && matches!(command, Command::Select | Command::Delete) {
            return Err(Trouble::invalid(
                source,
                "WITH CHECK cannot be applied to SELECT or DELETE",
                "write using (..)",
            ));
        }
        let asks = [&create.using, &create.with_check]
            .into_iter()
            .flatten()
            .any(has_sub_select);
        let policy = Policy {
            asks,
            name,
            command,
            roles: roles(create.to.as_ref())?,
            permissive: !matches!(create.policy_type, Some(ast::CreatePolicyType::Restrictive)),
            using: self.condition(&table, create.using.as_ref())?,
            check: self.condition(&table, create.with_check.as_ref())?,
            source,
        };
        let mut table = (*table).clone();
        table.policies.push(policy);
        self.put(table);
        Ok(())
    }

    pub(super) fn alter_policy(&mut self, alter: &ast::AlterPolicy) -> Result<()> {
        let table = self.table(&alter.table_name)?;
        let name = policy_name(&alter.name);
        if let ast::AlterPolicyOperation::Rename { new_name } = &alter.operation {
            let new = policy_name(new_name);
            if table.policies.iter().any(|policy| policy.name == new) {
                return Err(taken(&new, &table));
            }
        }
        let mut changed = (*table).clone();
        let Some(policy) = changed
            .policies
            .iter_mut()
            .find(|policy| policy.name == name)
        else {
            return Err(Trouble::invalid(
                name.clone(),
                format!(
                    "policy \"{name}\" for table \"{}\" does not exist",
                    table.name
                ),
                "check the name",
            ));
        };
        match &alter.operation {
            ast::AlterPolicyOperation::Rename { new_name } => {
                policy.name = policy_name(new_name);
            }
            ast::AlterPolicyOperation::Apply {
                to,
                using,
                with_check,
            } => {
                if to.is_some() {
                    policy.roles = roles(to.as_ref())?;
                }
                policy.asks |= [using, with_check]
                    .into_iter()
                    .flatten()
                    .any(has_sub_select);
                if let Some(using) = self.condition(&table, using.as_ref())? {
                    policy.using = Some(using);
                }
                if let Some(check) = self.condition(&table, with_check.as_ref())? {
                    policy.check = Some(check);
                }
            }
        }
        self.put(changed);
        Ok(())
    }

    pub(super) fn drop_policy(&mut self, drop: &ast::DropPolicy) -> Result<()> {
        let name = policy_name(&drop.name);
        let table = match self.table(&drop.table_name) {
            Err(_) if drop.if_exists => return Ok(()),
            table => table?,
        };
        let mut changed = (*table).clone();
        changed.policies.retain(|policy| policy.name != name);
        if changed.policies.len() == table.policies.len() && !drop.if_exists {
            return Err(Trouble::invalid(
                name.clone(),
                format!(
                    "policy \"{name}\" for table \"{}\" does not exist",
                    table.name
                ),
                "check the name",
            ));
        }
        self.put(changed);
        Ok(())
    }
}

/// By the words of its text: what is quoted is left out.
fn has_sub_select(expr: &ast::Expr) -> bool {
    let text = expr.to_string();
    let mut quoted = false;
    let bare: String = text
        .chars()
        .map(|c| {
            quoted ^= c == '\'';
            if quoted { ' ' } else { c }
        })
        .collect();
    bare.contains("(SELECT ")
}
