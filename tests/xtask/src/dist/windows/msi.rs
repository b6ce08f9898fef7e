//! The package for administrators, made by wixl. What that does not know, the search path, is added to its tables.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Files, numbers};
use crate::dist::linking::output_of;
use crate::dist::version::Version;
use crate::run;

/// Puts the folder of programs at the end of the computer's search path, and takes it out again (Microsoft, `Environment
/// Table` and `Suggested InstallExecuteSequence`).
const SEARCH_PATH: [&str; 4] = [
    "CREATE TABLE `Environment` (`Environment` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL LOCALIZABLE, \
     `Value` CHAR(255) LOCALIZABLE, `Component_` CHAR(72) NOT NULL PRIMARY KEY `Environment`)",
    "INSERT INTO `Environment` (`Environment`, `Name`, `Value`, `Component_`) \
     VALUES ('SearchPath', '=-*PATH', '[~];[INSTALLDIR]', 'Command')",
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('RemoveEnvironmentStrings', 3300)",
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('WriteEnvironmentStrings', 5200)",
];

pub(super) fn make(files: &Files, version: &Version, output: &Path) -> Result<()> {
    let mut make = Command::new("wixl");
    make.args(["--arch", "x64", "--define"])
        .arg(format!("NUMBERS={}", numbers()));
    for file in Files::named("") {
        make.args(["--define", &file]);
    }
    make.arg("--output")
        .arg(output)
        .arg(run::repository().join("installers/windows/moorage.wxs"))
        .env("SOURCE_DATE_EPOCH", version.seconds.to_string())
        .current_dir(files.folder());
    output_of(&mut make)?;
    let mut add = Command::new("msibuild");
    add.arg(output).arg("-q").args(SEARCH_PATH);
    output_of(&mut add).map(drop)
}
