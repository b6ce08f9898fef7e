//! `moorage log`

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Args;
use moorage_control::log::LogEnd;
use moorage_host::{Folders, MountPoint};
use moorage_model::{Error, ErrorKind, Result};

use crate::mounting::{LogFile, host_error};
use crate::output::{self, OutputArguments};

/// Most bytes of a log that are read from its end.
const MOST_BYTES: u64 = 1 << 20;

/// Show the end of the log of a background mount, or of the agent
///
/// A mount in the background writes its log into the state folder of its user, unless `mount --log` names another file. An agent
/// that the tray or the login started writes one there too; one that you started says it all on standard error.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the volume is mounted, or was [default: the log of the agent]
    mount_point: Option<PathBuf>,

    /// Lines from the end
    #[arg(short = 'n', long, default_value_t = 100, value_name = "COUNT")]
    lines: usize,

    #[command(flatten)]
    output: OutputArguments,
}

impl Arguments {
    /// Whether the result is for a program.
    pub(crate) fn json(&self) -> bool {
        self.output.json
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
    let path = match &arguments.mount_point {
        Some(given) => LogFile::path_of_mount(&point_of(given)?, &folders),
        None => LogFile::path_of_agent(&folders),
    };
    let end = read_end(&path, arguments.lines).map_err(|error| {
        Error::new(ErrorKind::Io, format!("reading the log {}", path.display()))
            .with_source(error)
            .with_advice("A log belongs to the user who mounted; ask as that user.")
    })?;
    output::print(arguments.output, &end, shown)
}

/// The mount point as it was when it was mounted: one that is gone meanwhile is taken as it is written.
fn point_of(given: &Path) -> Result<PathBuf> {
    match MountPoint::resolve(given) {
        Ok(point) => Ok(point.path().to_owned()),
        Err(_) => std::path::absolute(given).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, "no mount point is given").with_source(error)
        }),
    }
}

fn read_end(path: &Path, lines: usize) -> io::Result<LogEnd> {
    let mut end = LogEnd {
        path: path.display().to_string(),
        ..LogEnd::default()
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(end),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let from = size.saturating_sub(MOST_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first of a part may be half a line.
    let all: Vec<&str> = text.lines().skip(usize::from(from > 0)).collect();
    let first = all.len().saturating_sub(lines);
    end.earlier = from > 0 || first > 0;
    end.lines = all.iter().skip(first).map(|line| output::plain(line)).collect();
    Ok(end)
}

fn shown(end: &LogEnd) -> String {
    if end.lines.is_empty() {
        return format!("There is nothing in {}.\n", end.path);
    }
    let mut text = end.lines.join("\n");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str, lines: usize) -> LogEnd {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        read_end(file.path(), lines).expect("read")
    }

    #[test]
    fn the_last_lines_are_shown_and_whether_there_are_earlier_ones() {
        let end = end_of("one\ntwo\nthree\n", 2);
        assert_eq!(
            (end.lines, end.earlier),
            (vec!["two".to_owned(), "three".to_owned()], true)
        );
        let all = end_of("one\ntwo", 2);
        assert_eq!((all.lines.len(), all.earlier), (2, false));
    }

    #[test]
    fn a_log_that_is_not_there_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let end = read_end(&folder.path().join("none.log"), 9).expect("empty");
        assert_eq!((end.lines.len(), end.earlier), (0, false));
    }

    #[test]
    fn of_a_long_log_only_the_end_is_read_and_no_half_line_is_shown() {
        let line = "a".repeat(999);
        let text: String = (0..2000).map(|_| format!("{line}\n")).collect();
        let end = end_of(&text, usize::MAX);
        assert!(end.earlier && end.lines.len() < 2000);
        assert!(end.lines.iter().all(|shown| *shown == line));
    }

    #[test]
    fn what_would_steer_a_terminal_is_shown_as_text() {
        let end = end_of("a\u{1b}[2Jb\n", 9);
        assert!(!end.lines.concat().contains('\u{1b}'));
    }
}
