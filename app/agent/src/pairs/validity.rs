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
/// Most folders that one pair leaves out; each name is held against every one.
const MOST_LEFT_OUT: usize = 1000;
/// Most bytes of their paths together, so that a pair fits one line to its process.
const MOST_LEFT_OUT_BYTES: usize = 64 << 10;
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
    check_rules(&settings)?;
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

/// Whether what is left alone is few and short enough, and the limits of removals make sense.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check_rules(settings: &SyncPairSettings) -> Result<(), Problem> {
    let long = |text: &String| text.len() > LONGEST_PATTERN || text.is_empty();
    if settings.ignore.len() > MOST_PATTERNS || settings.ignore.iter().any(long) {
        return Err(invalid(
            "the patterns of names to leave alone are too many, too long or empty".to_owned(),
            "Give at most 200 patterns of up to 1024 bytes.",
        ));
    }
    let bytes: usize = settings.left_out.iter().map(String::len).sum();
    if settings.left_out.len() > MOST_LEFT_OUT || bytes > MOST_LEFT_OUT_BYTES {
        return Err(invalid(
            "too many folders are left out".to_owned(),
            "Leave out the folders above them: one stands for all that is below it.",
        ));
    }
    for folder in &settings.left_out {
        if !is_folder(folder) {
            return Err(invalid(
                format!("{folder:?} is no folder of a pair"),
                "Give the path from the root of both sides, as photos/2026.",
            ));
        }
    }
    if settings.guard.percent > 100 {
        return Err(invalid(
            format!("{} % is no limit of removals", settings.guard.percent),
            "Give 0 to 100 percent.",
        ));
    }
    Ok(())
}

/// Whether it is a path below a root, without `/` at either end.
fn is_folder(path: &str) -> bool {
    let is_sound = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    path.split('/').all(is_sound)
}

fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn volume_folder(given: &str) -> Result<String, Problem> {
    let folder = given.trim_matches('/');
    if folder.is_empty() || is_folder(folder) {
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

    use moorage_control::sync::{SyncGuard, SyncPairId};
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
            left_out: Vec::new(),
            guard: SyncGuard::default(),
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
    fn only_folders_below_the_roots_are_left_out_and_a_limit_is_a_part() {
        let sound = settings(Path::new("/a"), "x");
        check_rules(&sound).expect("nothing is left out");
        for (left_out, right) in [
            ("a", true),
            ("a [b]*/c", true),
            ("/a", false),
            ("a/", false),
            ("a/../b", false),
            ("", false),
        ] {
            let checked = check_rules(&SyncPairSettings {
                left_out: vec![left_out.to_owned()],
                ..sound.clone()
            });
            assert_eq!(checked.is_ok(), right, "{left_out:?}");
        }
        let guard = SyncGuard {
            files: 0,
            percent: 101,
        };
        check_rules(&SyncPairSettings { guard, ..sound }).expect_err("more than all");
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
