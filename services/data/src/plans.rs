//! Plans kept by the shape of the request, the role and the catalog's version; never by values.
//!
//! Bounded by memory, not by number: a shape may be as large as a URL. A plan that failed is not kept.

use crate::metrics::Metrics;
use pando_kernel::Role;
use pando_plan::request::{Call, Mutation, Read};
use pando_plan::{
    CallPlan, MutationPlan, PlanError, PlanLimits, ReadPlan, plan_call, plan_mutation, plan_read,
};
use pando_sql::Catalog;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What one plan is guessed to hold beside its text, bytes: the shape, column names, binds.
const PLAN_BYTES: u64 = 2_048;
/// Plans the cache makes room for at first.
const PLANS_EXPECTED: usize = 256;

/// The plans of each kind.
pub(crate) struct Plans {
    limits: PlanLimits,
    reads: Cache<Key<Read>, Kept<ReadPlan>, Size>,
    mutations: Cache<Key<Mutation>, Kept<MutationPlan>, Size>,
    calls: Cache<Key<Read>, Kept<CallPlan>, Size>,
}

/// A plan with its estimated size in bytes.
#[derive(Clone)]
struct Kept<P> {
    plan: Arc<P>,
    bytes: u64,
}

#[derive(Clone)]
struct Size;

impl<S, P> Weighter<Key<S>, Kept<P>> for Size {
    fn weight(&self, _: &Key<S>, kept: &Kept<P>) -> u64 {
        kept.bytes
    }
}

struct Key<S> {
    shape: S,
    role: Role,
    version: u64,
}

/// A key that borrows its shape, so that a hit copies nothing.
struct Asked<'a, S> {
    shape: &'a S,
    role: Role,
    version: u64,
}

impl<S: Hash> Hash for Key<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked {
            shape: &self.shape,
            role: self.role,
            version: self.version,
        }
        .hash(state);
    }
}

impl<S: PartialEq> PartialEq for Key<S> {
    fn eq(&self, other: &Key<S>) -> bool {
        self.version == other.version && self.role == other.role && self.shape == other.shape
    }
}

impl<S: Eq> Eq for Key<S> {}

impl<S: Hash> Hash for Asked<'_, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shape.hash(state);
        self.role.hash(state);
        self.version.hash(state);
    }
}

impl<S: Hash + Eq> Equivalent<Key<S>> for Asked<'_, S> {
    fn equivalent(&self, key: &Key<S>) -> bool {
        self.version == key.version && self.role == key.role && *self.shape == key.shape
    }
}

impl Plans {
    pub(crate) fn new(limits: PlanLimits, bytes: u64) -> Plans {
        Plans {
            limits,
            reads: Cache::with_weighter(PLANS_EXPECTED, bytes / 2, Size),
            mutations: Cache::with_weighter(PLANS_EXPECTED, bytes / 4, Size),
            calls: Cache::with_weighter(PLANS_EXPECTED, bytes / 4, Size),
        }
    }

    /// The plan of a read, made if it isn't kept.
    pub(crate) fn read(
        &self,
        catalog: &Catalog,
        role: Role,
        read: Read,
        metrics: &Metrics,
    ) -> Result<Arc<ReadPlan>, PlanError> {
        if let Some(kept) = self.reads.get(&Asked {
            shape: &read,
            role,
            version: catalog.version,
        }) {
            metrics.plan_hits.inc();
            return Ok(kept.plan);
        }
        metrics.plan_misses.inc();
        let plan = Arc::new(plan_read(catalog, role, &read, &self.limits)?);
        let text =
            plan.statement.sql.len() + plan.count.as_ref().map_or(0, |count| count.sql.len());
        let kept = Kept {
            plan: plan.clone(),
            bytes: PLAN_BYTES + 2 * text as u64,
        };
        self.reads.insert(
            Key {
                shape: read,
                role,
                version: catalog.version,
            },
            kept,
        );
        Ok(plan)
    }

    /// The plan of a call, made if it isn't kept.
    pub(crate) fn call(
        &self,
        catalog: &Catalog,
        role: Role,
        read: Read,
        call: &Call,
        metrics: &Metrics,
    ) -> Result<Arc<CallPlan>, PlanError> {
        if let Some(kept) = self.calls.get(&Asked {
            shape: &read,
            role,
            version: catalog.version,
        }) {
            metrics.plan_hits.inc();
            return Ok(kept.plan);
        }
        metrics.plan_misses.inc();
        let plan = Arc::new(plan_call(catalog, role, &read, call, &self.limits)?);
        let reads = plan.read.iter().map(|read| read.statement.sql.len());
        let steps = plan.steps.iter().flat_map(|steps| &steps.operations);
        let text: usize = reads
            .chain(steps.map(|step| step.statement.sql.len()))
            .sum();
        let kept = Kept {
            plan: plan.clone(),
            bytes: 2 * PLAN_BYTES + 2 * text as u64,
        };
        self.calls.insert(
            Key {
                shape: read,
                role,
                version: catalog.version,
            },
            kept,
        );
        Ok(plan)
    }

    /// The plan of a mutation, made if it isn't kept.
    pub(crate) fn mutation(
        &self,
        catalog: &Catalog,
        role: Role,
        mutation: Mutation,
        metrics: &Metrics,
    ) -> Result<Arc<MutationPlan>, PlanError> {
        if let Some(kept) = self.mutations.get(&Asked {
            shape: &mutation,
            role,
            version: catalog.version,
        }) {
            metrics.plan_hits.inc();
            return Ok(kept.plan);
        }
        metrics.plan_misses.inc();
        let plan = Arc::new(plan_mutation(catalog, role, &mutation, &self.limits)?);
        // A mutation holds several statements, whose size grows with the columns named.
        let bytes = 4 * PLAN_BYTES + 256 * columns(&mutation) as u64;
        self.mutations.insert(
            Key {
                shape: mutation,
                role,
                version: catalog.version,
            },
            Kept {
                plan: plan.clone(),
                bytes,
            },
        );
        Ok(plan)
    }
}

fn columns(mutation: &Mutation) -> usize {
    use pando_plan::request::Change;
    let written = match &mutation.change {
        Change::Insert { columns, .. } | Change::Update { columns } => columns.len(),
        Change::Delete => 0,
    };
    written + mutation.node.items.len() + mutation.node.filters.len()
}
