//! Whether settings of a volume make sense, before they are kept.

use std::path::{Path, PathBuf};

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::{MetadataUrl, VolumeId, VolumeSettings, is_name};
use moorage_host::MountPoint;

use crate::limits;
use crate::settings_file::Entry;
use crate::trouble::{lasting, of_host};

/// Most volumes of one user: what a client can be sent at once.
const MOST_VOLUMES: usize = 10_000;

/// What is to be given instead of a path that depends on a working folder.
const WHOLE_PATH: &str = if cfg!(windows) {
    r"Give a drive as X:, or the whole path of a folder, as C:\Users\me\Photos."
} else {
    "Give the whole path of a folder, as /home/me/Photos."
};
const WHOLE_DATABASE: &str = if cfg!(windows) {
    r"Give its whole path, as sqlite3://C:\Users\me\volume.db."
} else {
    "Give its whole path, as sqlite3:///home/me/volume.db."
};

/// Settings as they are kept, when they make sense beside the other volumes of the list. `own` is the volume that they
/// are for, when it is in the list already.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn checked(
    mut settings: VolumeSettings,
    own: Option<&VolumeId>,
    others: &[Entry],
) -> Result<VolumeSettings, Problem> {
    let invalid = |message: String, advice: &str| Err(lasting(ProblemCode::InvalidRequest, message, advice));
    let name = settings.name.trim();
    if !is_name(name) {
        return invalid(
            format!("{name:?} is no name of a volume"),
            "Give it a name of 1 to 64 characters.",
        );
    }
    settings.name = name.to_owned();
    if let Some(path) = local_database(&settings.metadata_url)
        && !path.is_absolute()
    {
        return invalid(
            format!(
                "the database {} is named by a path that depends on a working folder",
                path.display()
            ),
            WHOLE_DATABASE,
        );
    }
    limits::checked([settings.options.upload_limit, settings.options.download_limit])?;
    #[cfg(windows)]
    if settings.mount_point.is_empty() {
        settings.mount_point = free_drive(others)?;
    }
    settings.mount_point = mount_point(&settings.mount_point)?;
    let mut others = others.iter().filter(|other| Some(&other.id) != own);
    if own.is_none() && others.clone().count() >= MOST_VOLUMES {
        return invalid(
            format!("there are {MOST_VOLUMES} volumes already"),
            "Remove one that is not used any more.",
        );
    }
    let clash = others.find_map(|other| clash(&settings, &other.settings));
    match clash {
        Some(problem) => Err(problem),
        None => Ok(settings),
    }
}

/// The path of a database that is a file.
pub(crate) fn local_database(url: &MetadataUrl) -> Option<PathBuf> {
    let text = url.as_str();
    let path = text
        .strip_prefix("sqlite3://")
        .or_else(|| text.strip_prefix("sqlite://"))?;
    Some(PathBuf::from(path))
}

/// A drive for a volume for which nobody named a mount point: free now, and of no other volume of the list, which may be
/// unmounted. It is kept, so that the volume has the same one each time.
#[cfg(windows)]
fn free_drive(others: &[Entry]) -> Result<String, Problem> {
    let taken: Vec<&Path> = others
        .iter()
        .map(|other| Path::new(&other.settings.mount_point))
        .collect();
    let free = MountPoint::free_drive(&taken);
    free.map(|drive| drive.path().display().to_string())
        .ok_or_else(|| {
            lasting(
                ProblemCode::MountPointBusy,
                "no drive is free for the volume",
                "Name a folder as its mount point.",
            )
        })
}

/// The mount point without links on the way to it, as far as that exists: so it is found in the system's table.
fn mount_point(given: &str) -> Result<String, Problem> {
    let path = Path::new(given);
    if !MountPoint::is_whole(path) {
        return Err(lasting(
            ProblemCode::InvalidRequest,
            format!("the mount point {given:?} is no absolute path"),
            WHOLE_PATH,
        ));
    }
    let resolved = match MountPoint::resolve(path) {
        Ok(point) => point.path().to_owned(),
        // Its parent is made with it.
        Err(error)
            if error
                .io()
                .is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound) =>
        {
            let existing = path.ancestors().find_map(|folder| {
                let rest = path.strip_prefix(folder).ok()?;
                Some(MountPoint::resolve(folder).ok()?.path().join(rest))
            });
            existing.unwrap_or_else(|| path.to_owned())
        }
        Err(error) => return Err(of_host(ProblemCode::InvalidRequest, &error)),
    };
    resolved.into_os_string().into_string().map_err(|path| {
        lasting(
            ProblemCode::InvalidRequest,
            format!("the mount point {} is not UTF-8", path.to_string_lossy()),
            "Choose a folder whose name is UTF-8.",
        )
    })
}

fn clash(settings: &VolumeSettings, other: &VolumeSettings) -> Option<Problem> {
    if settings.name == other.name {
        return Some(lasting(
            ProblemCode::AlreadyExists,
            format!("there is a volume {:?} already", other.name),
            "Give it another name.",
        ));
    }
    (settings.mount_point == other.mount_point).then(|| {
        lasting(
            ProblemCode::AlreadyExists,
            format!(
                "{} is the mount point of the volume {:?} already",
                other.mount_point, other.name
            ),
            "Choose another folder.",
        )
    })
}

#[cfg(test)]
mod tests {
    use moorage_control::volume::MountOptions;

    use super::*;
    use crate::mount_command::BANDWIDTH_UNIT;

    /// A path that is absolute on this system.
    fn whole(path: &str) -> String {
        if cfg!(windows) {
            format!("C:{path}")
        } else {
            path.to_owned()
        }
    }

    fn settings(name: &str, url: &str, mount_point: &str) -> VolumeSettings {
        VolumeSettings {
            name: name.to_owned(),
            metadata_url: MetadataUrl::try_from(url.to_owned()).expect("a URL"),
            mount_point: mount_point.to_owned(),
            options: MountOptions::default(),
        }
    }

    fn entry(id: &str, settings: VolumeSettings) -> Entry {
        Entry {
            id: VolumeId(id.to_owned()),
            uuid: None,
            settings,
            secrets: std::collections::BTreeSet::new(),
            last_check: None,
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_with_what_to_do() {
        let url = &format!("sqlite3://{}", whole("/a.db"));
        let mut slow = settings("a", url, &whole("/none/a"));
        slow.options.upload_limit = Some(BANDWIDTH_UNIT - 1);
        for wrong in [
            settings(" ", url, &whole("/none/a")),
            settings("a\nb", url, &whole("/none/a")),
            settings("a", "sqlite3://a.db", &whole("/none/a")),
            settings("a", url, "a"),
            slow,
        ] {
            let refused = checked(wrong.clone(), None, &[]).expect_err(&format!("{wrong:?}"));
            assert_eq!(refused.code, ProblemCode::InvalidRequest);
            assert!(!refused.advice.is_empty());
        }
    }

    #[test]
    fn two_volumes_share_no_name_and_no_mount_point_but_a_volume_may_keep_its_own() {
        let url = "redis://host/1";
        let (one, other) = (whole("/none/a"), whole("/none/b"));
        let kept = checked(settings("a", url, &one), None, &[]).expect("kept");
        let others = [entry("1", kept)];
        for clashing in [settings("a", url, &other), settings("b", url, &one)] {
            let refused = checked(clashing, None, &others).expect_err("taken");
            assert_eq!(refused.code, ProblemCode::AlreadyExists);
        }
        let own = VolumeId("1".to_owned());
        checked(settings("a", url, &one), Some(&own), &others).expect("its own");
    }

    #[cfg(unix)]
    #[test]
    fn links_on_the_way_to_the_mount_point_are_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().canonicalize().expect("resolved").join("real");
        std::fs::create_dir(&real).expect("made");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        let given = link.join("not made yet/mount").display().to_string();
        let kept = checked(settings("a", "redis://host/1", &given), None, &[]).expect("kept");
        assert_eq!(Path::new(&kept.mount_point), real.join("not made yet/mount"));
    }
}
