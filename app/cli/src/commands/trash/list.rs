//! What lies in the trash.

use std::ffi::OsString;

use clap::Args;
use moorage_control::trash::{MOST_ENTRIES, OldFolder, TrashEntry, TrashPage, TrashPlace};
use moorage_meta::Meta;
use moorage_meta::admin::TrashQuery;
use moorage_model::{Name, Result};

use super::hours::unreadable;
use super::shown;
use crate::arguments::{MetaUrlArgument, SecretsArguments};
use crate::output::{self, OutputArguments};
use crate::{size, volume};

/// Show what was removed, the newest hour first
///
/// A removed folder stands for everything that was removed from inside it in the same hour; --in shows that. A list that is
/// not complete ends with how to see more.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: MetaUrlArgument,

    /// Only what was removed in this hour, as YYYY-MM-DD-HH in UTC
    #[arg(value_name = "HOUR")]
    hour: Option<String>,

    /// What was removed from inside this folder of the hour, by its name there
    #[arg(long = "in", value_name = "ENTRY", requires = "hour")]
    within: Option<OsString>,

    /// Begin with this hour and go back from there
    #[arg(long, value_name = "HOUR", conflicts_with = "hour")]
    from: Option<String>,

    /// Begin after this entry of the hour
    #[arg(long, value_name = "ENTRY")]
    after: Option<OsString>,

    /// Most entries to show
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=MOST_ENTRIES as u64))]
    limit: u64,

    #[command(flatten)]
    secrets: SecretsArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    arguments.secrets.take()?;
    let meta = volume::open_to_look(&arguments.database.url).await?;
    let mut page = TrashPage {
        entries: Vec::new(),
        damaged: 0,
        next: None,
    };
    let limit = usize::try_from(arguments.limit).unwrap_or(MOST_ENTRIES);
    if let Some(hour) = &arguments.hour {
        let query = TrashQuery {
            within: match &arguments.within {
                Some(folder) => Some(meta.find_trash_entry(hour, &shown::entry_bytes(folder)).await?),
                None => None,
            },
            after: after(arguments)?,
            limit,
        };
        add(&meta, hour, &query, &mut page).await?;
    } else {
        from_newest(&meta, arguments, limit, &mut page).await?;
    }
    output::print(arguments.output, &page, as_text)?;
    match page.damaged {
        0 => Ok(()),
        damaged => Err(unreadable(damaged)),
    }
}

/// The place where the page before ended. That entry may be gone, so its name is only a place in the order.
fn after(arguments: &Arguments) -> Result<Option<Name>> {
    let after = arguments.after.as_deref().map(shown::entry_bytes);
    after.map(|bytes| Name::new(&bytes)).transpose()
}

/// Goes back hour by hour until the page is full.
async fn from_newest(meta: &Meta, arguments: &Arguments, limit: usize, page: &mut TrashPage) -> Result<()> {
    let found = meta.list_trash_hours().await?;
    page.damaged += found.damaged;
    let hours = found.hours.iter().map(|hour| shown::text(&hour.name));
    let mut after = after(arguments)?;
    for hour in hours {
        // By name, the later hour is the greater one; the hour itself may be gone.
        if arguments.from.as_ref().is_some_and(|from| hour > *from) {
            continue;
        }
        if arguments.from.as_ref().is_some_and(|from| hour < *from) {
            after = None;
        }
        if page.entries.len() == limit {
            page.next = Some(TrashPlace { hour, after: None });
            return Ok(());
        }
        let query = TrashQuery {
            within: None,
            after: after.take(),
            limit: limit - page.entries.len(),
        };
        add(meta, &hour, &query, page).await?;
        if page.next.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

async fn add(meta: &Meta, hour: &str, query: &TrashQuery, page: &mut TrashPage) -> Result<()> {
    let found = meta.list_trash(hour, query).await?;
    page.damaged += found.damaged;
    page.entries
        .extend(found.entries.iter().map(|entry| shown::entry(hour, entry)));
    page.next = found.next.map(|name| TrashPlace {
        hour: hour.to_owned(),
        after: Some(shown::text(&name)),
    });
    Ok(())
}

fn as_text(page: &TrashPage) -> String {
    if page.entries.is_empty() {
        return "Nothing is there.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = page.entries.iter().map(row).collect();
    let mut text = output::table(&["hour (UTC)", "size", "inside", "was", "entry"], &rows);
    if let Some(next) = &page.next {
        let after = next.after.as_ref().map_or_else(String::new, |after| {
            format!(" --after={}", shell_escape::escape(after.into()))
        });
        text.push_str(&format!(
            "\nMore follow: --from={}{}\n",
            next.hour,
            output::plain(&after)
        ));
    }
    text
}

fn row(entry: &TrashEntry) -> Vec<String> {
    let was = entry.path.as_ref().unwrap_or(&entry.name);
    vec![
        entry.hour.clone(),
        entry.bytes.map_or_else(String::new, size::show),
        match entry.inside {
            0 => String::new(),
            inside => inside.to_string(),
        },
        match entry.folder {
            OldFolder::There | OldFolder::Removed => was.clone(),
            OldFolder::Gone => format!("{was} (its folder is gone)"),
        },
        entry.entry.clone(),
    ]
}
