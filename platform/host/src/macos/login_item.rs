//! What starts by itself when this user logs in: a launch agent (launchd.plist(5)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{HostError, replace_file};

/// What launchd knows it by.
const LABEL: &str = "io.moorage.agent";

/// The launch agent of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginItem {
    file: PathBuf,
}

impl LoginItem {
    /// That of the calling user; it need not exist.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn of_user() -> Result<LoginItem, HostError> {
        let base = directories::BaseDirs::new().ok_or_else(|| {
            HostError::new("this user has no home folder")
                .with_advice("Set HOME to a folder that you can write.")
        })?;
        Ok(LoginItem::in_folder(
            &base.home_dir().join("Library/LaunchAgents"),
        ))
    }

    /// That of a folder.
    pub fn in_folder(folder: &Path) -> LoginItem {
        LoginItem {
            file: folder.join(format!("{LABEL}.plist")),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Whether it is there. That a person switched it off in the system's settings is known to launchd alone.
    ///
    /// # Errors
    /// When that can not be told.
    pub fn is_enabled(&self) -> Result<bool, HostError> {
        self.file
            .try_exists()
            .map_err(|error| HostError::new(format!("reading {}", self.file.display())).with_source(error))
    }

    /// Has a program start with the next login. Blocks the thread.
    ///
    /// # Errors
    /// When the file can not be written, or the path is no text.
    pub fn enable(&self, program: &Path, arguments: &[&str]) -> Result<(), HostError> {
        let failed = |error| {
            HostError::new(format!("writing {}", self.file.display()))
                .with_advice("Check that you may write there and that the disk has space.")
                .with_source(error)
        };
        let text = definition(program, arguments).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        replace_file(&self.file, text.as_bytes()).map_err(failed)
    }

    /// Has it start no more. Blocks the thread.
    ///
    /// # Errors
    /// When the file stays.
    pub fn disable(&self) -> Result<(), HostError> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HostError::new(format!("removing {}", self.file.display())).with_source(error))
            }
            _ => Ok(()),
        }
    }
}

fn definition(program: &Path, arguments: &[&str]) -> Option<String> {
    let words = std::iter::once(program.to_str()?).chain(arguments.iter().copied());
    let words: String = words
        .map(|word| format!("        <string>{}</string>\n", escaped(word)))
        .collect();
    Some(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>{LABEL}</string>
    <key>ProgramArguments</key>
    <array>
{words}    </array>
    <key>RunAtLoad</key>
    <true/>
    <key>LimitLoadToSessionType</key>
    <string>Aqua</string>
</dict>
</plist>
"#
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_enabled_once_it_was_and_until_it_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let item = LoginItem::in_folder(&folder.path().join("LaunchAgents"));
        assert!(!item.is_enabled().expect("told"));
        item.disable().expect("nothing to remove");
        item.enable(Path::new("/Applications/A & B/moorage"), &["agent", "run"])
            .expect("written");
        assert!(item.is_enabled().expect("told"));
        let text = fs::read_to_string(item.path()).expect("read");
        assert!(
            text.contains("<string>/Applications/A &amp; B/moorage</string>"),
            "{text}"
        );
        item.disable().expect("removed");
        assert!(!item.is_enabled().expect("told"));
    }
}
