//! Data statements of migrations and seeds. They run as the owner of the tables, past their policies.

use super::Migration;
use crate::lower::Lowering;
use crate::operation::{Insert, Operation};
use crate::query::Body;
use crate::render::render_statements;
use crate::trouble::Result;
use pando_kernel::Role;
use sqlparser::ast;

/// Rows in one SQLite statement: parameters are limited.
const ROWS: usize = 100;

impl Migration {
    /// Runs a statement over rows; says whether it is one.
    pub(super) fn rows(&mut self, statement: &ast::Statement) -> Result<bool> {
        let operation = Lowering::bare(&self.catalog).operation(statement)?;
        let Some(operation) = operation else {
            return Ok(false);
        };
        if operation.writes() {
            self.arm()?;
        }
        for part in parts(operation) {
            for rendered in render_statements(&self.catalog, Role::Service, &part)? {
                self.step(rendered.statement);
            }
        }
        Ok(true)
    }
}

/// A long list of values, in pieces.
fn parts(operation: Operation) -> Vec<Operation> {
    let Operation::Insert(insert) = &operation else {
        return vec![operation];
    };
    let Body::Values(rows) = &insert.rows.body else {
        return vec![operation];
    };
    if rows.len() <= ROWS {
        return vec![operation];
    }
    let piece = |(index, rows): (usize, &[Vec<crate::expr::Expr>])| {
        let first = index * ROWS;
        let defaults = insert.defaults.iter().filter_map(|(row, at)| {
            let row = row.checked_sub(first).filter(|row| *row < rows.len())?;
            Some((row, *at))
        });
        let mut query = insert.rows.clone();
        query.body = Body::Values(rows.to_vec());
        Operation::Insert(Box::new(Insert {
            rows: query,
            defaults: defaults.collect(),
            ..(**insert).clone()
        }))
    };
    rows.chunks(ROWS).enumerate().map(piece).collect()
}
