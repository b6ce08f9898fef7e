//! One volume, used by the program of Windows and by that of Linux in turns, and judged by the readers of the fixtures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::wine::{self, Wine};
use crate::table::Outcome;
use crate::volume::binary;
use crate::{run, tools};

/// Longer than two blocks of a volume.
const LONG_BYTES: usize = 9 << 20;
/// One command, which takes a second or two.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn run(wine: &Wine, program: &Path) -> Result<Outcome> {
    let (windows, linux) = (
        Side::Windows { wine, program },
        Side::Linux { program: binary()? },
    );
    let mut outcome = Outcome::default();
    for (maker, other) in [(&windows, &linux), (&linux, &windows)] {
        let claim = format!(
            "what {} writes, {} reads and finds sound",
            maker.name(),
            other.name()
        );
        let result = hand_over(maker, other);
        match &result {
            Ok(()) => println!("ok: {claim}"),
            Err(error) => println!("FAILED: {claim}: {error:#}"),
        }
        outcome.add(&Outcome::check(result.is_ok()));
    }
    Ok(outcome)
}

/// A program and how it names files.
enum Side<'a> {
    Windows { wine: &'a Wine, program: &'a Path },
    Linux { program: &'a Path },
}

impl Side<'_> {
    fn name(&self) -> &'static str {
        match self {
            Side::Windows { .. } => "Windows",
            Side::Linux { .. } => "Linux",
        }
    }

    fn path(&self, file: &Path) -> String {
        match self {
            Side::Windows { .. } => wine::path(file),
            Side::Linux { .. } => file.display().to_string(),
        }
    }

    fn command(&self, verb: &str, home: &Path) -> Command {
        let mut command = match self {
            Side::Windows { wine, program } => wine.command(program),
            Side::Linux { program } => {
                let mut command = Command::new(program);
                command.env("HOME", home);
                command
            }
        };
        command.arg(verb);
        command
    }
}

/// Everything of one volume.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn url(&self, side: &Side<'_>) -> String {
        format!("sqlite3://{}", side.path(&self.at("meta.db")))
    }

    /// The folder of the objects, as this side names it.
    fn bucket(&self, side: &Side<'_>) -> String {
        side.path(&self.at("objects"))
    }

    fn run(&self, side: &Side<'_>, verb: &str, arguments: &[&str]) -> Result<()> {
        let mut command = side.command(verb, self.root.path());
        let finished = run::capture(command.args(arguments), LIMIT)?;
        if finished.success {
            return Ok(());
        }
        bail!(
            "{}: {verb} {arguments:?} failed: {}",
            side.name(),
            finished.output
        )
    }

    /// Has the side name the folder of the objects in its own way, which the other side's program refuses by name.
    fn take_over(&self, side: &Side<'_>) -> Result<()> {
        let (url, bucket) = (self.url(side), self.bucket(side));
        let Err(refusal) = self.run(side, "fsck", &[&url]) else {
            bail!("{} takes the folder as another system names it", side.name());
        };
        if !format!("{refusal:#}").contains("config META-URL --bucket FOLDER") {
            return Err(refusal.context("the refusal does not say what to do"));
        }
        self.run(side, "config", &["--bucket", &bucket, &url])
    }
}

/// One side makes a volume and fills it, both read it back and check it, the other one changes it, and the first one reads
/// that.
fn hand_over(maker: &Side<'_>, other: &Side<'_>) -> Result<()> {
    let place = Place {
        root: tempfile::Builder::new().prefix("moorage-windows").tempdir()?,
    };
    fill(&place.at("files"))?;
    let (url, bucket) = (place.url(maker), place.bucket(maker));
    place.run(
        maker,
        "format",
        &["--storage", "file", "--bucket", &bucket, &url, "handed-over"],
    )?;
    copy_in(&place, maker, "files")?;
    read_back(&place, maker, "files", "seen by its maker")?;

    place.take_over(other)?;
    read_back(&place, other, "files", "seen by the other")?;
    place.run(other, "gc", &[&place.url(other)])?;
    fs::write(place.at("files").join("later.txt"), "by the other\n")?;
    fs::write(place.at("files").join("note.txt"), "longer than it was\n")?;
    copy_in(&place, other, "files")?;

    place.take_over(maker)?;
    read_back(&place, maker, "files", "seen at last")
}

fn copy_in(place: &Place, side: &Side<'_>, folder: &str) -> Result<()> {
    let from = side.path(&place.at(folder));
    place.run(side, "sync", &["--dirs", &from, &place.url(side)])
}

/// Copies the volume into a new folder, compares it with what it was filled from, and checks the volume.
fn read_back(place: &Place, side: &Side<'_>, expected: &str, into: &str) -> Result<()> {
    let to = side.path(&place.at(into));
    place.run(side, "sync", &["--dirs", &place.url(side), &to])?;
    let (expected, found) = (tree(&place.at(expected))?, tree(&place.at(into))?);
    if expected != found {
        let names = |tree: &BTreeMap<PathBuf, Option<Vec<u8>>>| tree.keys().cloned().collect::<Vec<_>>();
        bail!(
            "{} copied out {:?} where there were {:?}, or another content",
            side.name(),
            names(&found),
            names(&expected)
        );
    }
    place.run(side, "fsck", &[&place.url(side)])?;
    match side {
        Side::Linux { .. } => judge(place),
        // They know a volume by the folder of its objects as Linux names it.
        Side::Windows { .. } => Ok(()),
    }
}

/// What readers say that were written from the format's specification alone, where they are.
fn judge(place: &Place) -> Result<()> {
    let Some(fixtures) = tools::fixtures() else {
        return Ok(());
    };
    let mut judge = Command::new(tools::python()?);
    judge
        .arg(run::repository().join("tests/interop/judge.py"))
        .arg(fixtures)
        .arg(place.root.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let judged = run::capture(&mut judge, LIMIT)?;
    if judged.success {
        return Ok(());
    }
    bail!("the readers of the fixtures find differences: {}", judged.output)
}

/// Files of several lengths, in folders, with names that are none of ASCII.
fn fill(folder: &Path) -> Result<()> {
    let long: Vec<u8> = (0..LONG_BYTES).map(|at| (at % 251) as u8).collect();
    let files: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("note.txt", b"kept\n"),
        ("long.bin", &long),
        ("deep/er/\u{fc}ber \u{1f4e6}.txt", b"below\n"),
        ("deep/dotted.name.tar.gz", b"dots\n"),
    ];
    for (name, content) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    fs::create_dir(folder.join("empty folder"))?;
    Ok(())
}

/// Every path below a folder, with the content of files.
fn tree(folder: &Path) -> Result<BTreeMap<PathBuf, Option<Vec<u8>>>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("reading {}", next.display()))? {
            let path = entry?.path();
            let content = if path.is_dir() {
                left.push(path.clone());
                None
            } else {
                Some(fs::read(&path)?)
            };
            found.insert(path.strip_prefix(folder)?.to_owned(), content);
        }
    }
    Ok(found)
}
