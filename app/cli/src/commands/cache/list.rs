//! `moorage cache list`

use std::path::PathBuf;

use clap::Args;
use moorage_control::files::{FileEntry, FileKind, FilePage, FilePin, FileState, PinOffer};
use moorage_model::{Error, ErrorKind, Result};
use moorage_vfs::control::{FolderCache, FolderItem, FolderItemKind, FolderReport, FolderRequest};

use crate::control_file::Asked;
use crate::output::{self, OutputArguments};
use crate::size;

/// List a folder of a mounted volume with where the content of its files is
///
/// `only here`: something of it waits for its upload. `waiting`: it is pinned, and the rest is still to be fetched. `on this disk`,
/// `partly`, `in the store`: how much of it is in the cache.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A folder of a mounted volume
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// Entries at most; `next` of the answer says where to go on
    #[arg(long, default_value_t = 200, value_parser = limit)]
    limit: usize,

    /// Where to go on, as the answer before said in `next`
    #[arg(long, value_name = "NEXT", value_parser = parse_cursor)]
    after: Option<Cursor>,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// A name as two hexadecimal digits for each byte: it need not be text.
#[derive(Clone, Debug)]
struct Cursor(Vec<u8>);

fn parse_cursor(text: &str) -> std::result::Result<Cursor, String> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let digits = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        let pair = std::str::from_utf8(pair).ok().filter(|_| digits)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let name: Option<Vec<u8>> = digits.collect();
    name.map(Cursor)
        .ok_or_else(|| format!("{text:?} is not what an answer says in `next`"))
}

fn cursor(name: &[u8]) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn limit(text: &str) -> std::result::Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=FolderRequest::MOST).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number from 1 to {}", FolderRequest::MOST))
}

pub(super) async fn run(arguments: &Arguments) -> Result<()> {
    let asked = Asked::find(&arguments.path)?;
    if !arguments.path.is_dir() {
        let what = format!("{} is no folder", arguments.path.display());
        return Err(Error::new(ErrorKind::NotDirectory, what).with_advice("Name the folder that it lies in."));
    }
    let request = FolderRequest {
        path: asked.inside.clone(),
        after: arguments
            .after
            .as_ref()
            .map(|cursor| cursor.0.clone())
            .unwrap_or_default(),
        limit: arguments.limit,
    };
    let report = asked.folder(&request).await;
    let report = report.map_err(|error| error.context(arguments.path.display()))?;
    output::print(arguments.output, &page(&report), text)
}

fn page(report: &FolderReport) -> FilePage {
    FilePage {
        entries: report.entries.iter().map(entry).collect(),
        next: report.next.as_deref().map(cursor),
        pins: match report.cache {
            FolderCache::Disk => PinOffer::Offered,
            FolderCache::Memory => PinOffer::NoCache,
            FolderCache::Needless => PinOffer::Needless,
        },
    }
}

fn entry(item: &FolderItem) -> FileEntry {
    FileEntry {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        kind: match item.kind {
            FolderItemKind::Folder => FileKind::Folder,
            FolderItemKind::File => FileKind::File,
            FolderItemKind::Other => FileKind::Other,
        },
        size: item.length,
        modified: item.modified,
        state: item.content.map(|place| {
            let missing = place.stored.saturating_sub(place.local);
            match (place.only_here, missing, place.local) {
                (1.., _, _) => FileState::OnlyHere,
                (_, 0, _) => FileState::Local,
                _ if item.is_pinned || item.is_covered => FileState::Waiting,
                (_, _, 0) => FileState::Remote,
                _ => FileState::Partly,
            }
        }),
        pinned: match (item.is_pinned, item.is_covered) {
            (true, _) => FilePin::Own,
            (false, true) => FilePin::Above,
            (false, false) => FilePin::No,
        },
        problem: item.unfetched.clone(),
    }
}

fn text(page: &FilePage) -> String {
    let rows: Vec<Vec<String>> = page.entries.iter().map(row).collect();
    let mut text = output::table(&["size", "content", "kept here", "name"], &rows);
    for entry in &page.entries {
        if let Some(problem) = &entry.problem {
            text.push_str(&format!(
                "{}\n",
                output::plain(&format!("{}: {problem}", entry.name))
            ));
        }
    }
    if let Some(next) = &page.next {
        text.push_str(&format!("There is more: go on with --after {next}\n"));
    }
    text
}

fn row(entry: &FileEntry) -> Vec<String> {
    let state = match (entry.kind, entry.state) {
        (FileKind::Folder, _) => "folder",
        (_, None) => "none",
        (_, Some(FileState::OnlyHere)) => "only here",
        (_, Some(FileState::Waiting)) => "waiting",
        (_, Some(FileState::Local)) => "on this disk",
        (_, Some(FileState::Partly)) => "partly",
        (_, Some(FileState::Remote)) => "in the store",
    };
    let pinned = match entry.pinned {
        FilePin::Own => "pinned",
        FilePin::Above => "with its folder",
        FilePin::No => "",
    };
    let size = match entry.kind {
        FileKind::File => size::show(entry.size),
        FileKind::Folder | FileKind::Other => String::new(),
    };
    vec![size, state.to_owned(), pinned.to_owned(), entry.name.clone()]
}

#[cfg(test)]
mod tests {
    use moorage_vfs::control::ContentPlace;

    use super::*;

    #[test]
    fn a_file_is_where_its_bytes_are() {
        let state = |only_here, local, stored, is_pinned| {
            let item = FolderItem {
                name: b"a".to_vec(),
                kind: FolderItemKind::File,
                length: stored,
                modified: 0,
                content: Some(ContentPlace {
                    only_here,
                    local,
                    stored,
                }),
                is_pinned,
                is_covered: false,
                unfetched: None,
            };
            entry(&item).state
        };
        assert_eq!(state(1, 10, 10, true), Some(FileState::OnlyHere));
        assert_eq!(state(0, 10, 10, true), Some(FileState::Local));
        assert_eq!(state(0, 0, 0, false), Some(FileState::Local));
        assert_eq!(state(0, 4, 10, true), Some(FileState::Waiting));
        assert_eq!(state(0, 4, 10, false), Some(FileState::Partly));
        assert_eq!(state(0, 0, 10, false), Some(FileState::Remote));
    }

    #[test]
    fn any_name_can_be_gone_on_from() {
        let name = b"a\n\xff0".to_vec();
        assert_eq!(parse_cursor(&cursor(&name)).expect("read back").0, name);
        for broken in ["1", "0g", "+1"] {
            assert!(parse_cursor(broken).is_err(), "{broken}");
        }
    }
}
