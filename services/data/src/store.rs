//! The one way to the data: a shape and its values become a plan, the plan is run for the caller.

use crate::config::Config;
use crate::error::RestError;
use crate::metrics::Metrics;
use crate::plans::Plans;
use crate::request::TableRequest;
use pando_db::{CallBound, CallValues, Changed, Db, Page};
use pando_kernel::Caller;
use pando_plan::request::{Call, Input, Mutation, Read};
use pando_plan::{CallPlan, MutationPlan, ReadPlan};
use pando_sql::{Catalog, SqlError, Value};
use std::sync::Arc;
use std::time::Instant;

/// Plans and runs requests.
pub(crate) struct Store {
    pub(crate) config: Config,
    db: Db,
    plans: Plans,
    metrics: Metrics,
}

impl Store {
    pub(crate) fn new(db: Db, config: Config, metrics: Metrics) -> Store {
        let plans = Plans::new(config.plan_limits(), config.plan_cache_bytes);
        Store {
            config,
            db,
            plans,
            metrics,
        }
    }

    /// The schema as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.db.catalog()
    }

    /// Reads a page.
    pub(crate) async fn read(
        &self,
        caller: &Arc<Caller>,
        read: Read,
        inputs: &[Input],
        deadline: Instant,
    ) -> Result<(Arc<ReadPlan>, Page), RestError> {
        let role = caller.role();
        let plan = self
            .plans
            .read(&self.db.catalog(), role, read, &self.metrics)
            .map_err(|error| RestError::plan(error, role))?;
        let values = plan
            .bind(inputs)
            .map_err(|error| RestError::sql(error, role))?;
        let page = self
            .db
            .run_read(caller, plan.clone(), values, deadline)
            .await
            .map_err(|error| RestError::db(error, role))?;
        Ok((plan, page))
    }

    /// Calls a function; when this returns, what it changed is on disk. `may_write`: whether it may change anything.
    pub(crate) async fn call(
        &self,
        asked: &TableRequest<'_>,
        catalog: &Arc<Catalog>,
        read: Read,
        call: &Call,
        bound: CallBound,
        may_write: bool,
    ) -> Result<(Arc<CallPlan>, Page), RestError> {
        let caller = &asked.caller;
        let role = caller.role();
        let told = |error| RestError::sql(error, role);
        let plan = self
            .plans
            .call(catalog, role, read, call, &self.metrics)
            .map_err(|error| RestError::plan(error, role))?;
        let writes = plan.steps.as_ref().and_then(|steps| steps.writes);
        if let Some(verb) = writes.filter(|_| !may_write) {
            return Err(told(SqlError::new(
                "25006",
                format!("cannot execute {verb} in a read-only transaction"),
            )));
        }
        let inputs = &asked.query.inputs;
        let values = CallValues {
            arguments: plan.bind_arguments(inputs).map_err(told)?,
            inputs: match &plan.read {
                Some(read) => read.bind(inputs).map_err(told)?,
                None => Vec::new(),
            },
            bound,
        };
        let page = self
            .db
            .run_call(
                caller,
                catalog.clone(),
                plan.clone(),
                values,
                asked.deadline,
            )
            .await
            .map_err(|error| RestError::db(error, role))?;
        Ok((plan, page))
    }

    /// The plan of a mutation, by which its payload is read.
    pub(crate) fn plan_mutation(
        &self,
        caller: &Arc<Caller>,
        mutation: Mutation,
    ) -> Result<Arc<MutationPlan>, RestError> {
        let role = caller.role();
        self.plans
            .mutation(&self.db.catalog(), role, mutation, &self.metrics)
            .map_err(|error| RestError::plan(error, role))
    }

    /// Runs a mutation; when this returns, the change is on disk.
    pub(crate) async fn mutate(
        &self,
        caller: &Arc<Caller>,
        plan: Arc<MutationPlan>,
        inputs: Vec<Value>,
        rows: Vec<Vec<Value>>,
        deadline: Instant,
    ) -> Result<Changed, RestError> {
        let role = caller.role();
        self.db
            .run_mutation(caller, plan, inputs, rows, deadline)
            .await
            .map_err(|error| RestError::db(error, role))
    }
}
