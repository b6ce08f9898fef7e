//! Whether a pair makes sense, before it is kept.

use std::path::{Path, PathBuf};

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::sync::{SyncMode, SyncPairSettings};

use super::PairEntry;
use crate::settings_file::Entry;
use crate::trouble::{caused, lasting};

/// Most pairs of one user: each has a process and watches of its own.
const MOST_PAIRS: usize = 100;
/// Most patterns of one pair; each name is held against every one.
const MOST_PATTERNS: usize = 200;
/// Longest pattern, in bytes.
const LONGEST_PATTERN: usize = 1024;

/// Settings as they are kept, when they make sense beside the volumes and the other pairs. A local folder that is to be
/// filled is made.
///
/// # Errors
/// What is wrong with them.
pub(super) fn checked(
    mut settings: SyncPairSettings,
    volumes: &[Entry],
    pairs: &[PairEntry],
) -> Result<SyncPairSettings, Problem> {
    if pairs.len() >= MOST_PAIRS {
        return Err(invalid(
            format!("there are {MOST_PAIRS} sync pairs already"),
            "Remove one that is not used any more.",
        ));
    }
    let Some(volume) = volumes.iter().find(|volume| volume.id == settings.volume) else {
        return Err(lasting(
            ProblemCode::NotFound,
            format!("there is no volume {:?} in the list", settings.volume.0),
            "Look at the list, as `moorage volume list` shows it.",
        ));
    };
    check_patterns(&settings.ignore)?;
    settings.volume_folder = volume_folder(&settings.volume_folder)?;
    let local = local_folder(&settings.local_folder, settings.mode)?;
    settings.local_folder = local.display().to_string();
    for other in volumes {
        let point = Path::new(&other.settings.mount_point);
        if local.starts_with(point) || point.starts_with(&local) {
            return Err(invalid(
                format!(
                    "{} and the mount point of {} lie in each other",
                    local.display(),
                    other.settings.name
                ),
                "Choose a folder that is on this computer only.",
            ));
        }
    }
    let clash = pairs.iter().find(|other| {
        let other = &other.settings;
        let volumes_meet = other.volume == settings.volume
            && overlap(
                Path::new(&other.volume_folder),
                Path::new(&settings.volume_folder),
            );
        volumes_meet && overlap(Path::new(&other.local_folder), &local)
    });
    match clash {
        Some(other) => Err(lasting(
            ProblemCode::AlreadyExists,
            format!(
                "{} is kept in sync with the same folder of {} already",
                other.settings.local_folder, volume.settings.name
            ),
            "Choose another folder, or remove that pair first.",
        )),
        None => Ok(settings),
    }
}

/// Whether the patterns are few and short enough.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check_patterns(patterns: &[String]) -> Result<(), Problem> {
    let long = |pattern: &String| pattern.len() > LONGEST_PATTERN || pattern.is_empty();
    if patterns.len() > MOST_PATTERNS || patterns.iter().any(long) {
        return Err(invalid(
            "the patterns of names to leave alone are too many, too long or empty".to_owned(),
            "Give at most 200 patterns of up to 1024 bytes.",
        ));
    }
    Ok(())
}

fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn volume_folder(given: &str) -> Result<String, Problem> {
    let folder = given.trim_matches('/');
    let is_sound = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    if folder.is_empty() || folder.split('/').all(is_sound) {
        return Ok(folder.to_owned());
    }
    Err(invalid(
        format!("{given:?} is no folder of a volume"),
        "Give the path from the root of the volume, as photos/2026.",
    ))
}

/// Without links on the way to it: so it is compared with others.
fn local_folder(given: &str, mode: SyncMode) -> Result<PathBuf, Problem> {
    let path = Path::new(given);
    if !path.is_absolute() {
        return Err(invalid(
            format!("the folder {given:?} is no absolute path"),
            "Give the whole path of a folder, as /home/me/Documents.",
        ));
    }
    let refused = |error: std::io::Error| {
        let advice = match mode {
            SyncMode::BackUp => "Give a folder that exists and that this user may read.",
            SyncMode::TwoWay | SyncMode::Mirror => "Give a folder that this user may make or write.",
        };
        let what = format!("the folder {given} can not be used");
        caused(lasting(ProblemCode::InvalidRequest, what, advice), error)
    };
    if mode != SyncMode::BackUp {
        std::fs::create_dir_all(path).map_err(refused)?;
    }
    let path = path.canonicalize().map_err(refused)?;
    if !path.is_dir() {
        return Err(refused(std::io::ErrorKind::NotADirectory.into()));
    }
    if path.to_str().is_none() {
        return Err(invalid(
            format!("the folder {} is not UTF-8", path.display()),
            "Choose a folder whose name is UTF-8.",
        ));
    }
    Ok(path)
}

fn invalid(message: String, advice: &str) -> Problem {
    lasting(ProblemCode::InvalidRequest, message, advice)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use moorage_control::sync::SyncPairId;
    use moorage_control::volume::{MetadataUrl, MountOptions, VolumeId, VolumeSettings};

    use super::*;

    fn volume(point: &Path) -> Entry {
        Entry {
            id: VolumeId("v".to_owned()),
            uuid: None,
            settings: VolumeSettings {
                name: "disk".to_owned(),
                metadata_url: MetadataUrl::try_from("redis://host/1".to_owned()).expect("a URL"),
                mount_point: point.display().to_string(),
                options: MountOptions::default(),
            },
            secrets: BTreeSet::new(),
            last_check: None,
        }
    }

    fn settings(local: &Path, folder: &str) -> SyncPairSettings {
        SyncPairSettings {
            local_folder: local.display().to_string(),
            volume: VolumeId("v".to_owned()),
            volume_folder: folder.to_owned(),
            mode: SyncMode::TwoWay,
            ignore: Vec::new(),
        }
    }

    #[test]
    fn a_pair_is_kept_with_plain_paths_and_its_local_folder_made() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().canonicalize().expect("resolved");
        let volumes = [volume(&root.join("mount"))];
        let kept = checked(settings(&root.join("new/a"), "/photos/2026/"), &volumes, &[]).expect("kept");
        assert_eq!(kept.volume_folder, "photos/2026");
        assert!(root.join("new/a").is_dir());
        let back_up = SyncPairSettings {
            mode: SyncMode::BackUp,
            ..settings(&root.join("absent"), "")
        };
        checked(back_up, &volumes, &[]).expect_err("nothing is there to back up");
    }

    #[test]
    fn folders_that_lie_in_each_other_and_patterns_without_end_are_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().canonicalize().expect("resolved");
        let point = root.join("mount");
        std::fs::create_dir(&point).expect("made");
        let volumes = [volume(&point)];
        let kept = PairEntry {
            id: SyncPairId("1".to_owned()),
            settings: settings(&root.join("a"), "x"),
            paused: false,
        };
        let long = SyncPairSettings {
            ignore: vec!["x".repeat(2000)],
            ..settings(&root.join("c"), "")
        };
        for wrong in [
            settings(&point.join("inside"), "x"),
            settings(&root, "x"),
            settings(Path::new("relative"), "x"),
            settings(&root.join("b"), "x/../y"),
            settings(&root.join("a/below"), "x/y"),
            long,
        ] {
            let refused = checked(wrong.clone(), &volumes, std::slice::from_ref(&kept))
                .expect_err(&format!("{wrong:?}"));
            assert!(!refused.advice.is_empty());
        }
        checked(settings(&root.join("a/below"), "y"), &volumes, &[kept])
            .expect("another folder of the volume");
    }
}
