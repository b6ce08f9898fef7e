//! `moorage version`

use clap::Args;
use moorage_model::{Result, VersionGate};
use serde::Serialize;

use crate::output::{self, OutputArguments};

/// Show the version of the program and of the volume format it speaks
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
    format: &'static str,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        format: VersionGate::FORMAT_LEVEL,
    };
    output::print(arguments.output, &version, |v| {
        format!(
            "moorage {} (volumes as JuiceFS {} writes them)",
            v.version, v.format
        )
    })
}
