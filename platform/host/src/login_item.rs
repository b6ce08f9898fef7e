//! What starts by itself when this user logs in: a desktop entry in the folder that the Desktop Application Autostart
//! Specification names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{HostError, replace_file};

/// Name of the entry. It is that of the window's own entry, so what shows such entries shows one program.
const FILE_NAME: &str = "io.moorage.desktop.desktop";
/// Longest entry that is read.
const LONGEST: u64 = 64 << 10;
/// Characters that need quotes in a command line (Desktop Entry Specification, "The Exec key").
const RESERVED: &[char] = &[
    ' ', '\t', '\n', '"', '\'', '\\', '>', '<', '~', '|', '&', ';', '$', '*', '?', '#', '(', ')', '`',
];
/// Of these, the ones that need a backslash inside of the quotes.
const ESCAPED: &[char] = &['"', '`', '$', '\\'];

/// The entry of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginItem {
    file: PathBuf,
}

impl LoginItem {
    /// The entry of the calling user; it need not exist.
    ///
    /// # Errors
    /// When the user has no home.
    pub fn of_user() -> Result<LoginItem, HostError> {
        let base = directories::BaseDirs::new().ok_or_else(|| {
            HostError::new("this user has no home folder")
                .with_advice("Set HOME to a folder that you can write.")
        })?;
        Ok(LoginItem::in_folder(&base.config_dir().join("autostart")))
    }

    /// The entry in a folder.
    pub fn in_folder(folder: &Path) -> LoginItem {
        LoginItem {
            file: folder.join(FILE_NAME),
        }
    }

    /// Where the entry is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Whether it is there and takes part: the settings of a desktop switch one off by a line in it. Blocks the thread.
    ///
    /// # Errors
    /// When it is there and can not be read.
    pub fn is_enabled(&self) -> Result<bool, HostError> {
        use io::Read as _;
        let failed = |error| {
            HostError::new(format!("reading {}", self.file.display()))
                .with_advice("Make the file readable for this user, or remove it.")
                .with_source(error)
        };
        let file = match fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
        Ok(takes_part(&String::from_utf8_lossy(&text)))
    }

    /// Has a program started at every login from now on. Blocks the thread.
    ///
    /// # Errors
    /// When the path of the program is not UTF-8, or the disk refuses; then all is as before.
    pub fn enable(&self, program: &Path, arguments: &[&str]) -> Result<(), HostError> {
        let entry = entry(program, arguments)?;
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| replace_file(&self.file, entry.as_bytes()))
            .map_err(|error| {
                HostError::new(format!("writing {}", self.file.display()))
                    .with_advice("Check that you may write there and that the disk has space.")
                    .with_source(error)
            })
    }

    /// Has nothing started any more. Blocks the thread.
    ///
    /// # Errors
    /// When the entry can not be removed.
    pub fn disable(&self) -> Result<(), HostError> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HostError::new(format!("removing {}", self.file.display()))
                    .with_advice("Check that you may write in its folder.")
                    .with_source(error))
            }
            _ => Ok(()),
        }
    }
}

/// Whether an entry is neither hidden nor switched off.
fn takes_part(entry: &str) -> bool {
    let group = entry
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[Desktop Entry]")
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let mut found = false;
    for line in group {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match (key.trim(), value.trim()) {
            ("Exec", _) => found = true,
            ("Hidden", "true") | ("X-GNOME-Autostart-enabled", "false") => return false,
            _ => {}
        }
    }
    found
}

fn entry(program: &Path, arguments: &[&str]) -> Result<String, HostError> {
    let path = program.to_str().ok_or_else(|| {
        HostError::new(format!(
            "the path of the program {} is not UTF-8",
            program.to_string_lossy()
        ))
        .with_advice("Move the program to a folder whose name is UTF-8.")
    })?;
    let words = std::iter::once(path).chain(arguments.iter().copied());
    let command: Vec<String> = words.map(quoted).collect();
    Ok(format!(
        "[Desktop Entry]\nType=Application\nVersion=1.5\nName=Moorage\nExec={}\nTerminal=false\nStartupNotify=false\n\
         X-GNOME-Autostart-enabled=true\n",
        command.join(" ")
    ))
}

/// One word of a command line as the value of `Exec`: quoted for the command line, then escaped as every value is.
fn quoted(word: &str) -> String {
    let mut line = String::with_capacity(word.len() + 2);
    let quotes = word.is_empty() || word.contains(RESERVED);
    for character in word.chars() {
        if ESCAPED.contains(&character) {
            line.push('\\');
        }
        line.push(character);
        // Else it would be the code of a field.
        if character == '%' {
            line.push('%');
        }
    }
    if quotes {
        line = format!("\"{line}\"");
    }
    line.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command_of(entry: &str) -> &str {
        let line = entry.lines().find_map(|line| line.strip_prefix("Exec="));
        line.expect("a command")
    }

    #[test]
    fn it_is_enabled_once_it_was_and_until_it_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let item = LoginItem::in_folder(&folder.path().join("not made yet/autostart"));
        assert!(!item.is_enabled().expect("read"));
        item.disable().expect("nothing to remove");
        item.enable(Path::new("/usr/bin/moorage"), &["agent", "run"])
            .expect("written");
        assert!(item.is_enabled().expect("read"));
        let text = fs::read_to_string(item.path()).expect("read");
        assert_eq!(command_of(&text), "/usr/bin/moorage agent run");
        item.disable().expect("removed");
        assert!(!item.is_enabled().expect("read"));
    }

    #[test]
    fn one_that_the_desktop_switched_off_is_not_enabled() {
        let folder = tempfile::tempdir().expect("a folder");
        let item = LoginItem::in_folder(folder.path());
        item.enable(Path::new("/usr/bin/moorage"), &[]).expect("written");
        let text = fs::read_to_string(item.path()).expect("read");
        let off = text.replace("enabled=true", "enabled=false");
        for switched_off in [off, format!("{text}Hidden=true\n"), String::new()] {
            fs::write(item.path(), &switched_off).expect("written");
            assert!(!item.is_enabled().expect("read"), "{switched_off}");
        }
        // Another group of the same file says nothing of the entry.
        fs::write(item.path(), format!("{text}[Other]\nHidden=true\n")).expect("written");
        assert!(item.is_enabled().expect("read"));
    }

    #[test]
    fn every_path_is_one_word_of_the_command() {
        for (path, written) in [
            ("/opt/My Programs/moorage", r#""/opt/My Programs/moorage""#),
            ("/opt/100%/moorage", "/opt/100%%/moorage"),
            (r"/opt/a\b/moorage", r#""/opt/a\\\\b/moorage""#),
            ("/opt/$HOME/moorage", r#""/opt/\\$HOME/moorage""#),
            ("/opt/a\nb", r#""/opt/a\nb""#),
        ] {
            let text = entry(Path::new(path), &["--hidden"]).expect("an entry");
            assert_eq!(command_of(&text), format!("{written} --hidden"));
        }
    }

    #[test]
    fn an_entry_that_can_not_be_written_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let in_the_way = folder.path().join("autostart");
        fs::write(&in_the_way, "a file").expect("written");
        let item = LoginItem::in_folder(&in_the_way);
        let refused = item
            .enable(Path::new("/usr/bin/moorage"), &[])
            .expect_err("refused");
        assert!(
            refused.message().contains("io.moorage.desktop.desktop"),
            "{refused}"
        );
    }
}
