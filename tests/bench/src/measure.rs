//! One round of one contender.

use std::path::Path;

use anyhow::{Context, Result};

use crate::contender::Contender;
use crate::report::{Results, Unit};
use crate::rows::{self, Plan};

/// Runs every row on a fresh file system and adds the figures.
pub(crate) fn round(contender: &mut dyn Contender, plan: &Plan, results: &mut Results) -> Result<()> {
    let directory = contender.start()?;
    let outcome = rows(contender, &directory, plan, results);
    let cost = contender.cost();
    let (objects, bytes) = contender.stored();
    contender.stop()?;
    outcome?;
    let name = contender.name();
    if plan.only.is_none() && name != "local disk" {
        results.add("CPU of the whole run", Unit::Seconds, name, cost.cpu_seconds);
        results.add("peak RSS", Unit::Mebibytes, name, cost.peak_rss_mib);
        if contender.stores() {
            results.add("objects left", Unit::Count, name, objects as f64);
            results.add(
                "object bytes left",
                Unit::Mebibytes,
                name,
                bytes as f64 / f64::from(1 << 20),
            );
        }
    }
    Ok(())
}

fn rows(contender: &mut dyn Contender, directory: &Path, plan: &Plan, results: &mut Results) -> Result<()> {
    for row in rows::all() {
        if plan
            .only
            .as_ref()
            .is_some_and(|only| !row.group.contains(only.as_str()))
        {
            continue;
        }
        if row.writes && !contender.stores() {
            continue;
        }
        let mut figures = Vec::new();
        let mut cool = || contender.cool();
        (row.run)(&mut rows::Bench {
            directory,
            plan,
            cool: &mut cool,
            figures: &mut figures,
        })
        .with_context(|| format!("rows {}", row.group))?;
        for (name, unit, value) in figures {
            results.add(name, unit, contender.name(), value);
        }
    }
    Ok(())
}
