//! Programs people use, on a real mount: git, SQLite with both journals, tar, rsync and cp, each judged by its own check.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::run;
use crate::table::Outcome;
use crate::volume::{self, Volume, expect_success};

/// Files of the tree that is copied around.
const FILES: u64 = 300;
/// Largest of them, bytes.
const LARGEST_FILE: usize = 200_000;
/// Single-row commits of the database test.
const COMMITS: u64 = 500;

/// A claim about a program, checked inside a folder of the mount; the second folder is on the local disk.
type Claim = (&'static str, fn(&Path, &Path) -> Result<()>);

const CLAIMS: &[Claim] = &[
    ("a git clone passes git fsck", git),
    ("a database in WAL mode passes its integrity check", database_wal),
    (
        "a database with a rollback journal passes its integrity check",
        database_delete,
    ),
    ("cp -a gives the same tree", copy),
    ("tar gives the same tree", archive),
    (
        "rsync gives the same tree, hard links and attributes included",
        synchronise,
    ),
];

pub(crate) fn run() -> Result<Outcome> {
    if !volume::can_mount() {
        return Ok(Outcome::skip("no /dev/fuse: programs need a real mount"));
    }
    let mut volume = Volume::format(&["--block-size", "256K"])?;
    volume.mount(&[])?;
    let source = volume.path().join("source");
    make_tree(&source)?;
    let mut outcome = Outcome::default();
    for (index, (claim, check)) in CLAIMS.iter().enumerate() {
        let folder = volume.mount_point().join(index.to_string());
        fs::create_dir(&folder)?;
        let result = check(&folder, &source);
        match &result {
            Ok(()) => println!("ok: {claim}"),
            Err(error) => println!("FAILED: {claim}: {error:#}"),
        }
        outcome.passed += u64::from(result.is_ok());
        outcome.failed += u64::from(result.is_err());
    }
    volume.unmount()?;
    volume.check("fsck", &[])?;
    Ok(outcome)
}

fn git(folder: &Path, _: &Path) -> Result<()> {
    let git = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new("git");
        command
            .args(["-c", "safe.directory=*"])
            .args(arguments)
            .current_dir(folder);
        expect_success(&mut command)
    };
    let repository = run::repository();
    let origin = repository
        .to_str()
        .context("the repository's path is not UTF-8")?;
    git(&["clone", "-q", "--no-hardlinks", origin, "clone"])?;
    git(&["-C", "clone", "fsck", "--full", "--strict"])?;
    let status = git(&["-C", "clone", "status", "--porcelain"])?;
    if status.is_empty() {
        Ok(())
    } else {
        bail!("the fresh clone differs from its commit: {status}")
    }
}

fn database_wal(folder: &Path, _: &Path) -> Result<()> {
    database(folder, "wal")
}

fn database_delete(folder: &Path, _: &Path) -> Result<()> {
    database(folder, "delete")
}

fn database(folder: &Path, journal: &str) -> Result<()> {
    let mut script =
        format!("pragma journal_mode={journal}; pragma synchronous=normal; create table t(a, b);\n");
    for row in 0..COMMITS {
        script.push_str(&format!("insert into t values({row}, hex(randomblob(200)));\n"));
    }
    let file = folder.join("test.db");
    expect_success(Command::new("sqlite3").arg(&file).arg(script))?;
    let checks = "pragma integrity_check; select count(*) from t;";
    let answer = expect_success(Command::new("sqlite3").arg(&file).arg(checks))?;
    if answer == format!("ok\n{COMMITS}\n") {
        Ok(())
    } else {
        bail!("the database says {answer:?}")
    }
}

fn copy(folder: &Path, source: &Path) -> Result<()> {
    let target = folder.join("copy");
    expect_success(Command::new("cp").arg("-a").arg(source).arg(&target))?;
    expect_same(source, &target)
}

fn archive(folder: &Path, source: &Path) -> Result<()> {
    let (file, target) = (folder.join("archive.tar"), folder.join("unpacked"));
    fs::create_dir(&target)?;
    expect_success(
        Command::new("tar")
            .arg("-cf")
            .arg(&file)
            .arg("-C")
            .arg(source)
            .arg("."),
    )?;
    expect_success(Command::new("tar").arg("-xpf").arg(&file).arg("-C").arg(&target))?;
    expect_same(source, &target)
}

fn synchronise(folder: &Path, source: &Path) -> Result<()> {
    let target = folder.join("synchronised");
    expect_success(
        Command::new("rsync")
            .arg("-aHX")
            .arg(with_slash(source))
            .arg(with_slash(&target)),
    )?;
    expect_same(source, &target)
}

/// rsync, asked what it would have to do, has nothing to do: contents by checksum, modes, owners, times, links.
fn expect_same(source: &Path, target: &Path) -> Result<()> {
    let mut compare = Command::new("rsync");
    compare
        .args(["-aHXnci", "--delete"])
        .arg(with_slash(source))
        .arg(with_slash(target));
    let differences = expect_success(&mut compare)?;
    if differences.is_empty() {
        Ok(())
    } else {
        bail!("rsync sees differences:\n{differences}")
    }
}

fn with_slash(path: &Path) -> OsString {
    let mut text = path.as_os_str().to_owned();
    text.push("/");
    text
}

/// A tree with nested folders, odd names, modes, old times, symlinks and hard links.
fn make_tree(root: &Path) -> Result<()> {
    let mut random = StdRng::seed_from_u64(3);
    for number in 0..FILES {
        let folder = root
            .join(format!("d{}", number % 7))
            .join(format!("e {}", number % 3));
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("f\u{e4}{number}"));
        let mut content = vec![0; random.random_range(0..LARGEST_FILE)];
        random.fill_bytes(&mut content);
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400 + (number as u32 % 0o400)))?;
        let age = Duration::from_secs(random.random_range(0..400_000_000));
        fs::File::open(&path)?.set_modified(SystemTime::now() - age)?;
        if number % 10 == 0 {
            fs::hard_link(&path, root.join(format!("hard{number}")))?;
            symlink(&path, root.join(format!("soft{number}")))?;
        }
    }
    Ok(())
}
