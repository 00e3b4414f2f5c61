//! hyper alone: the ceiling of everything that speaks HTTP.

use super::{Bench, Target};
use crate::client::render;
use crate::load::Requests;
use crate::process::{Process, free_address};
use crate::work::Workload;
use anyhow::Result;
use std::rc::Rc;

/// How the report calls it.
pub const NAME: &str = "bare hyper answer";

pub fn start(bench: &Bench) -> Result<Target> {
    let address = free_address()?;
    let process = Process::start(
        &bench.executables.join("ceiling-hyper"),
        &[address.to_string()],
        &[],
        bench.core,
        address,
        &bench.directory.join("hyper.log"),
    )?;
    Ok(Target {
        name: NAME,
        own: None,
        process,
        requests: Box::new(|workload| {
            let request = render("GET", "/", &[], None);
            (workload == Workload::Read)
                .then(|| Rc::new(move |_: &mut _| request.clone()) as Requests)
        }),
    })
}
