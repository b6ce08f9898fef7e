//! The shared libraries that a program asks for, as `readelf` of the linker's package shows them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What a program is linked against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Names such as `libc.so.6`, sorted.
    pub(crate) libraries: Vec<String>,
    /// The least version of the C library, such as `2.34`.
    pub(crate) c_library: String,
}

impl Linked {
    /// What this program needs.
    pub(crate) fn of(program: &Path) -> Result<Linked> {
        Linked::parsed(
            &readelf("--dynamic", program)?,
            &readelf("--version-info", program)?,
        )
        .with_context(|| {
            format!(
                "{} is no program that is linked to the C library",
                program.display()
            )
        })
    }

    fn parsed(dynamic: &str, versions: &str) -> Option<Linked> {
        let mut libraries: Vec<String> = dynamic
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()))
            .collect();
        libraries.sort();
        libraries.dedup();
        let newest = versions
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || "._".contains(letter)))
            .filter_map(|word| word.strip_prefix("GLIBC_"))
            .filter_map(|text| {
                let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
                Some((numbers?, text))
            })
            .max()?;
        Some(Linked {
            libraries,
            c_library: newest.1.to_owned(),
        })
    }
}

/// A program without the sections that only a debugger reads. The names of functions stay, for reports of crashes.
pub(crate) fn stripped(program: &Path) -> Result<Vec<u8>> {
    let folder = tempfile::Builder::new().prefix("moorage-dist").tempdir()?;
    let small = folder.path().join("program");
    let mut command = Command::new("strip");
    command.args(["--strip-debug", "-o"]).arg(&small).arg(program);
    output_of(&mut command)?;
    Ok(std::fs::read(&small)?)
}

fn readelf(what: &str, program: &Path) -> Result<String> {
    let mut command = Command::new("readelf");
    command.args(["--wide", what]).arg(program).env("LC_ALL", "C");
    output_of(&mut command)
}

/// What a command prints, or why it failed.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Linked;

    #[test]
    fn libraries_and_the_newest_version_of_the_c_library_are_read() {
        let dynamic = "\
 0x1 (NEEDED)  Shared library: [libm.so.6]
 0x1 (NEEDED)  Shared library: [libc.so.6]
 0xc (INIT)    0x1000";
        let versions = "  000: 0 (*local*)  2 (GLIBC_2.9)  3 (GLIBC_2.34)\n Name: GLIBC_2.17  Flags: none  Name: GCC_3.0";
        let linked = Linked::parsed(dynamic, versions).expect("both are there");
        assert_eq!(linked.libraries, ["libc.so.6", "libm.so.6"]);
        assert_eq!(linked.c_library, "2.34");
    }

    #[test]
    fn what_is_not_linked_is_no_program() {
        assert_eq!(Linked::parsed("", ""), None);
    }
}
