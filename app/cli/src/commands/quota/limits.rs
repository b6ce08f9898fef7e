//! Setting, reading and removing limits.

use clap::Args;
use moorage_meta::QuotaLimits;
use moorage_model::{Error, ErrorKind, Quota, Result};
use serde_json::Value;

use super::idle_limits;
use super::shown::{self, Shown};
use super::subject::{CountingArguments, SubjectArguments};
use crate::arguments::MetaUrlArgument;
use crate::context::Context;
use crate::output::{self, OutputArguments};
use crate::size;
use crate::volume::{self, Volume};

/// Set the limits of a folder, a user or a group
#[derive(Args, Debug)]
pub(super) struct SetArguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    #[command(flatten)]
    subject: SubjectArguments,

    /// Most bytes; plain numbers count GiB, 0 is no limit
    #[arg(long, value_name = "SIZE", value_parser = size::from_gib)]
    capacity: Option<u64>,

    /// Most files and folders, 0 is no limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    inodes: Option<u64>,

    /// Make the folder when it does not exist
    #[arg(long, requires = "path")]
    create: bool,

    #[command(flatten)]
    counting: CountingArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// Show the limits of a folder, a user or a group, and what is used
#[derive(Args, Debug)]
pub(super) struct OneArguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    #[command(flatten)]
    subject: SubjectArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// Show all limits
#[derive(Args, Debug)]
pub(super) struct ListArguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn set(arguments: &SetArguments) -> Result<()> {
    if arguments.capacity.is_none() && arguments.inodes.is_none() {
        return Err(Error::new(ErrorKind::InvalidArgument, "there is no limit to set")
            .with_advice("Give --capacity, --inodes or both."));
    }
    let volume = Volume::open(&arguments.database.url).await?;
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let limits = QuotaLimits {
        max_space: arguments.capacity.map(signed),
        max_inodes: arguments.inodes.map(signed),
    };
    let key = arguments.subject.find(&volume.meta, arguments.create).await?;
    let counting = arguments.counting.counting();
    let quota = match volume.meta.set_quota(key, limits, counting).await {
        Ok(quota) => quota,
        Err(error) => {
            let name = shown::name(&volume.meta, key).await?;
            return Err(error.context(format!("the quota of {name}")));
        }
    };
    let shown = Shown::new(&volume.meta, key, quota).await?;
    volume.close().await?;
    print(arguments.output, &[shown])
}

pub(super) async fn get(arguments: &OneArguments) -> Result<()> {
    let meta = volume::open_to_look(&arguments.database.url).await?;
    let key = arguments.subject.find(&meta, false).await?;
    let quota = meta.get_quota(key).await?;
    let name = shown::name(&meta, key).await?;
    let quota = quota.ok_or_else(|| no_quota(&name))?;
    print(arguments.output, &[Shown::new(&meta, key, quota).await?])
}

pub(super) async fn list(arguments: &ListArguments, context: &Context) -> Result<()> {
    let meta = volume::open_to_look(&arguments.database.url).await?;
    let mut all = Vec::new();
    let list = meta.list_quotas().await?;
    for warning in idle_limits(&meta.setting(), &list.quotas) {
        context.say(&format!("warning: {warning}"));
    }
    for (key, quota) in list.quotas {
        if quota.has_limits() {
            all.push(Shown::new(&meta, key, quota).await?);
        }
    }
    print(arguments.output, &all)?;
    shown::refuse_damaged(&list.damage)
}

pub(super) async fn delete(arguments: &OneArguments, context: &Context) -> Result<()> {
    let volume = Volume::open(&arguments.database.url).await?;
    let key = arguments.subject.find(&volume.meta, false).await?;
    let name = shown::name(&volume.meta, key).await?;
    volume
        .meta
        .delete_quota(key)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => no_quota(&name),
            _ => error.context(&name),
        })?;
    let gone = Shown::new(&volume.meta, key, Quota::default()).await?;
    volume.close().await?;
    if arguments.output.json {
        return print(arguments.output, &[gone]);
    }
    context.say(&format!("{} has no limits any more.", output::plain(&name)));
    Ok(())
}

fn no_quota(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name} has no quota"))
        .with_advice("`moorage quota list` names those that have one.")
}

fn print(output: OutputArguments, quotas: &[Shown]) -> Result<()> {
    let values: Vec<Value> = quotas.iter().map(Shown::json).collect();
    output::print(output, &values, |_| {
        let rows: Vec<Vec<String>> = quotas.iter().map(Shown::row).collect();
        output::table(&Shown::heading(), &rows)
    })
}
