//! The copies a running server makes of its database: continuous, and on a schedule.

use crate::config::Config;
use crate::config::copies::Continuous;
use crate::instance;
use anyhow::{Context, Result};
use pando_copy::{Copier, CopySettings, Known, Metrics, Schedule, ScheduleSettings};
use pando_db::{CopySeam, Tail};
use pando_kernel::Clock;
use pando_telemetry::Registry;
use std::path::Path;
use std::sync::Arc;

/// What is being copied.
pub struct Copying {
    wanted: Option<Continuous>,
    /// Where the copier and the writer meet.
    pub seam: CopySeam,
    /// Holds what an earlier process left in the log, while the database is opened.
    tail: Option<Tail>,
    known: Option<Known>,
    copier: Option<Copier>,
    schedule: Option<Schedule>,
    metrics: Option<Metrics>,
}

impl Copying {
    /// Nothing, as for a command that only looks.
    pub fn none() -> Copying {
        Copying {
            wanted: None,
            seam: CopySeam::default(),
            tail: None,
            known: None,
            copier: None,
            schedule: None,
            metrics: None,
        }
    }

    /// Reads what is wanted, before anything is opened.
    pub async fn prepare(config: &Config) -> Result<Copying> {
        let wanted = config.continuous()?;
        let scheduled = config.scheduled()?;
        let stores = wanted.iter().map(|wanted| &wanted.store);
        for store in stores.chain(scheduled.iter().map(|wanted| &wanted.store)) {
            store
                .prepare()
                .await
                .with_context(|| format!("make {store}, where copies go"))?;
        }
        let mut copying = Copying {
            wanted,
            ..Copying::none()
        };
        if copying.wanted.is_some() {
            let directory = instance::data_directory(config);
            copying.known = Some(Known::read(&directory));
            copying.tail = Tail::attach_before_open(&directory, copying.seam.clone())
                .context("hold the log for the continuous copy")?;
        }
        Ok(copying)
    }

    /// Begins the continuous copy, before anything is written.
    pub fn begin(
        &mut self,
        directory: &Path,
        clock: Arc<dyn Clock>,
        registry: &mut Registry,
    ) -> Result<()> {
        let metrics = Metrics::register(registry);
        if let (Some(wanted), Some(known)) = (self.wanted.take(), self.known.take()) {
            let settings = CopySettings {
                directory: directory.to_owned(),
                store: wanted.store,
                interval: wanted.interval,
                snapshot_every: wanted.snapshot_every,
                keep: wanted.keep,
                log_bytes_max: wanted.log_bytes_max,
            };
            let copier = Copier::start(
                settings,
                self.seam.clone(),
                self.tail.take(),
                known,
                clock,
                metrics.clone(),
            )
            .context("begin the continuous copy")?;
            self.copier = Some(copier);
        }
        self.metrics = Some(metrics);
        Ok(())
    }

    /// Begins the schedule.
    pub fn schedule(
        &mut self,
        config: &Config,
        directory: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<()> {
        if let (Some(wanted), Some(metrics)) = (config.scheduled()?, &self.metrics) {
            let settings = ScheduleSettings {
                directory: directory.to_owned(),
                store: wanted.store,
                every: wanted.every,
                keep: wanted.keep,
            };
            self.schedule = Some(Schedule::start(settings, clock, metrics.clone()));
        }
        Ok(())
    }

    /// Makes no more backups. Before the database is closed.
    pub fn end_schedule(&mut self) {
        if let Some(schedule) = self.schedule.take() {
            schedule.stop();
        }
    }

    /// Copies what is left. After the database was closed.
    pub async fn end(&mut self) {
        if let Some(copier) = self.copier.take() {
            copier.stop().await;
        }
    }
}
