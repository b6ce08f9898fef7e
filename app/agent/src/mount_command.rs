//! Starting the process that mounts a volume: `moorage mount --background`, with the secrets through a pipe.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeSettings;
use moorage_host::MountProblem;

use crate::child;
use crate::trouble::{caused, lasting, of_host};

/// How long a volume may take to be mounted; then the attempt is given up, and another is made later.
const DEADLINE: Duration = Duration::from_secs(120);
/// Bytes in the unit of the command's bandwidth limits, a megabit per second.
pub(crate) const BANDWIDTH_UNIT: u64 = 1_000_000 / 8;

/// Mounts a volume in the background, and returns when the mount answers.
///
/// # Cancel safety
/// The mount ends by itself when this is dropped before it answers.
///
/// # Errors
/// Why there is no mount; within two minutes.
pub(crate) async fn start(
    program: &Path,
    settings: &VolumeSettings,
    secrets: &VolumeSecrets,
) -> Result<(), Problem> {
    moorage_host::check_driver().map_err(|error| of_host(code_of(error.problem()), error.error()))?;
    let point = Path::new(&settings.mount_point);
    if let Some(folder) = folder_of(point) {
        make_folder(folder).await?;
    }
    let task = format!("mounting {}", settings.name);
    child::run(program, arguments(settings), secrets, &task, DEADLINE).await
}

fn code_of(problem: MountProblem) -> ProblemCode {
    match problem {
        MountProblem::DriverMissing | MountProblem::DriverTooOld => ProblemCode::DriverMissing,
        MountProblem::InUse | MountProblem::NotEmpty => ProblemCode::MountPointBusy,
        MountProblem::NotFound => ProblemCode::NotFound,
        MountProblem::NotSupported => ProblemCode::NotSupported,
        MountProblem::Refused => ProblemCode::PermissionDenied,
        MountProblem::System => ProblemCode::Internal,
    }
}

/// The command line; every value stands behind its flag or behind `--`, so none is taken for a flag.
fn arguments(settings: &VolumeSettings) -> Vec<String> {
    let options = &settings.options;
    let mut arguments = ["mount", "--background", "--json", "--secrets-from-stdin"]
        .map(str::to_owned)
        .to_vec();
    if options.read_only {
        arguments.push("--read-only".to_owned());
    }
    if options.write_back {
        arguments.push("--writeback".to_owned());
    }
    if let Some(bytes) = options.cache_size {
        arguments.push(format!("--cache-size={bytes}B"));
    }
    if let Some(folder) = &options.cache_folder {
        arguments.push(format!("--cache-dir={folder}"));
    }
    for (flag, limit) in [
        ("--upload-limit", options.upload_limit),
        ("--download-limit", options.download_limit),
    ] {
        if let Some(bytes) = limit {
            arguments.push(format!("{flag}={}", bytes / BANDWIDTH_UNIT));
        }
    }
    arguments.push("--".to_owned());
    arguments.push(settings.metadata_url.as_str().to_owned());
    arguments.push(settings.mount_point.clone());
    arguments
}

/// The folder that has to be there: the mount point itself.
#[cfg(unix)]
fn folder_of(point: &Path) -> Option<&Path> {
    Some(point)
}

/// The folder that has to be there: the one that the mount point is to be in, which the driver makes. A drive is in none.
#[cfg(windows)]
fn folder_of(point: &Path) -> Option<&Path> {
    point.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// Makes the folder when nothing is there. A dead mount of an earlier process is something: it can not be looked at,
/// and the command mounts over it.
async fn make_folder(folder: &Path) -> Result<(), Problem> {
    match tokio::fs::symlink_metadata(folder).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        _ => return Ok(()),
    }
    tokio::fs::create_dir_all(folder).await.map_err(|error| {
        let what = format!("the folder {} can not be made", folder.display());
        let advice = "Choose another mount point, or make this folder yourself.";
        caused(lasting(ProblemCode::PermissionDenied, what, advice), error)
    })
}

#[cfg(test)]
mod tests {
    use moorage_control::volume::{MetadataUrl, MountOptions};

    use super::*;

    fn settings(options: MountOptions) -> VolumeSettings {
        VolumeSettings {
            name: "photos".to_owned(),
            metadata_url: MetadataUrl::try_from("redis://me@host/1".to_owned()).expect("a URL"),
            mount_point: "/mnt/--photos".to_owned(),
            options,
        }
    }

    #[test]
    fn every_option_becomes_a_flag_and_values_come_last() {
        let given = arguments(&settings(MountOptions {
            mount_at_start: true,
            read_only: true,
            write_back: true,
            cache_size: Some(1 << 30),
            cache_folder: Some("/cache".to_owned()),
            upload_limit: Some(10 * BANDWIDTH_UNIT + 1),
            download_limit: Some(BANDWIDTH_UNIT),
        }));
        let expected = [
            "mount",
            "--background",
            "--json",
            "--secrets-from-stdin",
            "--read-only",
            "--writeback",
            "--cache-size=1073741824B",
            "--cache-dir=/cache",
            "--upload-limit=10",
            "--download-limit=1",
            "--",
            "redis://me@host/1",
            "/mnt/--photos",
        ];
        assert_eq!(given, expected);
    }
}
