//! Writing a file that a person chooses in a dialog of the system. A page neither names the file nor learns its name.

use std::path::Path;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume_file;
use tauri::{AppHandle, Runtime};

use super::dialog::{SaveFile, file_to_save};

/// Letters that some system does not take in the name of a file, or that lead into another folder.
const NOT_IN_NAMES: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Asks the person for a file and writes `text` into it. Whether a file was chosen.
///
/// # Errors
/// When the file can not be written.
pub(super) async fn save<R: Runtime>(
    app: &AppHandle<R>,
    file: SaveFile,
    text: String,
) -> Result<bool, Problem> {
    let Some(file) = file_to_save(app, file).await else {
        return Ok(false);
    };
    let written = tauri::async_runtime::spawn_blocking(move || write(&file, &text)).await;
    written.map_err(|error| Problem {
        code: ProblemCode::Internal,
        message: "the file was not written".to_owned(),
        cause: Some(error.to_string()),
        advice: "Try it again.".to_owned(),
        retryable: true,
    })??;
    Ok(true)
}

fn write(file: &Path, text: &str) -> Result<(), Problem> {
    moorage_host::replace_file(file, text.as_bytes()).map_err(|error| Problem {
        code: match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ProblemCode::DiskFull,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ProblemCode::PermissionDenied
            }
            _ => ProblemCode::Internal,
        },
        message: format!("{} can not be written", file.display()),
        cause: Some(error.to_string()),
        advice: "Choose a file in a folder that you may write to, on a disk with room.".to_owned(),
        retryable: true,
    })
}

/// What a volume file is called at first: the name of the volume, as far as every system takes it.
pub(super) fn name_of_volume_file(volume: &str) -> String {
    let taken = |letter: char| !letter.is_control() && !NOT_IN_NAMES.contains(&letter);
    let name: String = volume
        .chars()
        .map(|letter| if taken(letter) { letter } else { '-' })
        .collect();
    let name = name.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    let name = if name.is_empty() { "volume" } else { name };
    format!("{name}.{}", volume_file::ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_file_is_called_as_the_volume_in_a_name_that_leads_nowhere_else() {
        for (volume, name) in [
            ("Photos 2026", "Photos 2026.moorage.json"),
            ("Ümläute", "Ümläute.moorage.json"),
            ("../../etc/passwd", "-..-etc-passwd.moorage.json"),
            ("C:\\x", "C--x.moorage.json"),
            ("..", "volume.moorage.json"),
        ] {
            assert_eq!(name_of_volume_file(volume), name, "{volume}");
        }
    }

    #[test]
    fn what_is_not_written_says_which_file_and_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("report.json");
        write(&file, "first").expect("written");
        write(&file, "second").expect("written over");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "second");
        let problem = write(&folder.path().join("none/report.json"), "third").expect_err("no folder");
        assert!(problem.message.contains("none/report.json"), "{problem}");
    }
}
