//! `moorage quota`

mod check;
mod idle;
mod limits;
mod shown;
mod subject;

pub(super) use idle::idle_limits;

use clap::{Args, Subcommand};
use moorage_model::Result;

use crate::context::Context;

/// Limit what a folder, a user or a group may use
///
/// Folder quotas need `--dir-stats`, user and group quotas `--user-group-quota` of `moorage config`. Other clients
/// enforce a change from their next heartbeat on, within seconds. What they wrote below a folder until then, Moorage
/// counts at that heartbeat; JuiceFS does not: `moorage quota check --repair` after some seconds counts it.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Set(limits::SetArguments),
    Get(limits::OneArguments),
    List(limits::ListArguments),
    /// Remove the limits of a folder, a user or a group
    Delete(limits::OneArguments),
    Check(check::Arguments),
}

impl Arguments {
    /// Whether results and errors are for a program.
    pub(crate) fn json(&self) -> bool {
        match &self.action {
            Action::Set(arguments) => arguments.output.json,
            Action::Get(arguments) | Action::Delete(arguments) => arguments.output.json,
            Action::List(arguments) => arguments.output.json,
            Action::Check(arguments) => arguments.output.json,
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    match &arguments.action {
        Action::Set(arguments) => limits::set(arguments).await,
        Action::Get(arguments) => limits::get(arguments).await,
        Action::List(arguments) => limits::list(arguments, context).await,
        Action::Delete(arguments) => limits::delete(arguments, context).await,
        Action::Check(arguments) => check::run(arguments).await,
    }
}
