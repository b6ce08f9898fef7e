//! What a build is called and when it was made, by the commit alone.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;

/// The names of a build.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// `0.1.0` of a tagged commit, otherwise `0.1.0~DATE.gCOMMIT`, which both kinds of packages sort before `0.1.0`.
    pub(crate) text: String,
    /// The commit, when there is a repository.
    pub(crate) commit: Option<String>,
    /// Seconds since 1970 that every file carries: `SOURCE_DATE_EPOCH`, or the time of the commit.
    pub(crate) seconds: u32,
}

impl Version {
    /// What is checked out; a tree with changes says so in its name.
    pub(crate) fn of_repository() -> Result<Version> {
        let number = env!("CARGO_PKG_VERSION");
        let given = std::env::var("SOURCE_DATE_EPOCH").ok();
        let Some(commit) = git(&["rev-parse", "HEAD"])? else {
            let seconds = given.context("without a git repository SOURCE_DATE_EPOCH has to be set")?;
            return Ok(Version {
                text: number.to_owned(),
                commit: None,
                seconds: seconds.parse().context("SOURCE_DATE_EPOCH is no number")?,
            });
        };
        let time = git(&["show", "--no-patch", "--format=%ct", "HEAD"])?.context("the commit has no time")?;
        let seconds = given
            .unwrap_or(time)
            .parse()
            .context("SOURCE_DATE_EPOCH is no number")?;
        let changed =
            git(&["status", "--porcelain", "--untracked-files=no"])?.is_some_and(|list| !list.is_empty());
        let tags = git(&["tag", "--points-at", "HEAD"])?.unwrap_or_default();
        let released = !changed && tags.lines().any(|tag| tag == format!("v{number}"));
        let text = if released {
            number.to_owned()
        } else {
            let stamp = git(&[
                "show",
                "--no-patch",
                "--date=format-local:%Y%m%d%H%M%S",
                "--format=%cd.g%h",
                "--abbrev=9",
                "HEAD",
            ])?
            .context("the commit has no name")?;
            format!("{number}~{stamp}{}", if changed { ".changed" } else { "" })
        };
        Ok(Version {
            text,
            commit: Some(commit),
            seconds,
        })
    }
}

/// What git prints; nothing where there is no repository.
fn git(arguments: &[&str]) -> Result<Option<String>> {
    if !run::repository().join(".git").exists() {
        return Ok(None);
    }
    let output = Command::new("git")
        .args(arguments)
        .current_dir(run::repository())
        .env("TZ", "UTC")
        .output()
        .context("starting git")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("git {} failed: {}", arguments.join(" "), why.trim());
    }
    let text = String::from_utf8(output.stdout).context("git printed no UTF-8")?;
    Ok(Some(text.trim().to_owned()))
}
