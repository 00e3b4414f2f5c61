//! Casts, told from which type to which.

use super::registry::{Row, typed};
use crate::types::cast::cast;

pub(super) fn rows() -> Vec<Row> {
    vec![
        typed(".cast(any) any as pg_cast", |types, a| match types {
            [from, to] => cast(from, to, &a[0], true),
            _ => Ok(a[0].clone()),
        }),
        typed(".assign(any) any as pg_assign", |types, a| match types {
            [from, to] => cast(from, to, &a[0], false),
            _ => Ok(a[0].clone()),
        }),
    ]
}
