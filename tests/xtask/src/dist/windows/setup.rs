//! The installer that asks, made by NSIS.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Files, file_version, numbers};
use crate::dist::linking::output_of;
use crate::dist::version::Version;
use crate::run;

pub(super) fn make(files: &Files, version: &Version, output: &Path) -> Result<()> {
    let mut make = Command::new("makensis");
    make.args(["-V2", "-WX", "-NOCD"])
        .arg("-DCOMPRESSOR=lzma")
        .arg(format!("-DVERSION={}", file_version(version)))
        .arg(format!("-DNUMBERS={}.0", numbers()))
        .arg(format!("-DOUTPUT={}", output.display()))
        .args(Files::named("-D"))
        .arg(run::repository().join("installers/windows/setup.nsi"))
        .env("SOURCE_DATE_EPOCH", version.seconds.to_string())
        .current_dir(files.folder());
    output_of(&mut make).map(drop)
}
