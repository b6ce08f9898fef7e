//! The hours of the trash.

use clap::Args;
use moorage_control::trash::{TrashHour, TrashHours};
use moorage_model::{Error, ErrorKind, Result};

use super::shown;
use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::noun::{DAYS, ENTRIES, RECORDS};
use crate::output::{self, OutputArguments};
use crate::{size, volume};

/// Show in which hours something was removed, and how much lies there
///
/// The numbers are those of the volume's statistics, which may drift a little.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    arguments.secrets.take()?;
    let meta = volume::open_to_look(&arguments.database.url).await?;
    let found = meta.list_trash_hours().await?;
    let hours = TrashHours {
        hours: found.hours.iter().map(shown::hour).collect(),
        damaged: found.damaged,
        days: meta.setting().trash_days,
    };
    output::print(arguments.output, &hours, as_text)?;
    match hours.damaged {
        0 => Ok(()),
        damaged => Err(unreadable(damaged)),
    }
}

/// What was shown is not all.
pub(super) fn unreadable(damaged: u64) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("{} of the trash can not be read", RECORDS.count(damaged)),
    )
    .with_advice("`moorage fsck` names them.")
}

fn as_text(hours: &TrashHours) -> String {
    let kept = match hours.days {
        0 => "The trash is off: what is removed now is deleted for good.\n".to_owned(),
        days => format!("Kept for {}.\n", DAYS.count(u64::from(days))),
    };
    if hours.hours.is_empty() {
        return format!("The trash is empty. {kept}");
    }
    let rows: Vec<Vec<String>> = hours.hours.iter().map(row).collect();
    let table = output::table(&["hour (UTC)", ENTRIES.word(2), "size"], &rows);
    format!("{table}\n{kept}")
}

fn row(hour: &TrashHour) -> Vec<String> {
    vec![
        hour.hour.clone(),
        hour.entries
            .map_or_else(String::new, |entries| entries.to_string()),
        hour.bytes.map_or_else(String::new, size::show),
    ]
}
