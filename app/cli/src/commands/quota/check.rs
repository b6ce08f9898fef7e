//! Comparing quotas with what is there.

use clap::Args;
use moorage_meta::admin::Damage;
use moorage_meta::{Meta, QuotaCheck, QuotaChecks};
use moorage_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::shown;
use super::subject::{CountingArguments, OptionalSubjectArguments};
use crate::arguments::MetaUrlArgument;
use crate::noun::{QUOTAS, agree};
use crate::output::{self, OutputArguments};
use crate::volume::{self, Volume};

/// Compare what quotas have on record with what is there
///
/// Ends with exit code 7 when they differ and were not repaired, or when something can not be read; then nothing that it
/// belongs to is repaired.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    #[command(flatten)]
    subject: OptionalSubjectArguments,

    /// Correct the records
    #[arg(long)]
    repair: bool,

    #[command(flatten)]
    counting: CountingArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let (checks, damage) = if arguments.repair {
        let volume = Volume::open(&arguments.database.url).await?;
        let checks = check(&volume.meta, arguments).await?;
        volume.close().await?;
        checks
    } else {
        check(&*volume::open_to_look(&arguments.database.url).await?, arguments).await?
    };
    let values: Vec<Value> = checks.iter().map(|(name, check)| as_json(name, check)).collect();
    output::print(arguments.output, &values, |_| as_text(&checks))?;
    let wrong = checks
        .iter()
        .filter(|(_, check)| !check.is_consistent() && !check.repaired)
        .count() as u64;
    let incomplete = checks.iter().filter(|(_, check)| check.unreadable > 0).count() as u64;
    shown::refuse_damaged(&damage)?;
    if incomplete > 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "{} counted without nodes that can not be read, and not repaired",
                QUOTAS.count(incomplete)
            ),
        )
        .with_advice("`moorage fsck` names the nodes; restore them from a backup of the database."));
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "{} {} from what is there",
                QUOTAS.count(wrong),
                agree(wrong, "differs", "differ")
            ),
        )
        .with_advice("Correct it with --repair."))
    }
}

async fn check(meta: &Meta, arguments: &Arguments) -> Result<(Vec<(String, QuotaCheck)>, Damage)> {
    let counting = arguments.counting.counting();
    let QuotaChecks { checks, damage } = match arguments.subject.find(meta).await? {
        Some(key) => QuotaChecks {
            checks: vec![meta.check_quota(key, counting, arguments.repair).await?],
            damage: Damage::default(),
        },
        None => meta.check_quotas(counting, arguments.repair).await?,
    };
    let mut named = Vec::new();
    for check in checks {
        named.push((shown::name(meta, check.key).await?, check));
    }
    Ok((named, damage))
}

fn as_json(name: &str, check: &QuotaCheck) -> Value {
    json!({
        "name": name,
        "id": check.key.id(),
        "recorded_space": check.stored.map(|quota| quota.used_space),
        "recorded_inodes": check.stored.map(|quota| quota.used_inodes),
        "actual_space": check.actual.space,
        "actual_inodes": check.actual.inodes,
        "consistent": check.is_consistent(),
        "repaired": check.repaired,
        "unreadable": check.unreadable,
    })
}

fn as_text(checks: &[(String, QuotaCheck)]) -> String {
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|(name, check)| {
            let recorded = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
            let state = match (check.is_consistent(), check.repaired) {
                _ if check.unreadable > 0 => "counted without what can not be read",
                (_, true) => "repaired",
                (true, false) => "right",
                (false, false) => "differs",
            };
            vec![
                name.clone(),
                recorded(check.stored.map(|quota| quota.used_space)),
                check.actual.space.to_string(),
                recorded(check.stored.map(|quota| quota.used_inodes)),
                check.actual.inodes.to_string(),
                state.to_owned(),
            ]
        })
        .collect();
    output::table(
        &[
            "whose",
            "bytes on record",
            "bytes",
            "inodes on record",
            "inodes",
            "state",
        ],
        &rows,
    )
}
