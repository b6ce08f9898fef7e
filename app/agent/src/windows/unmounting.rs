//! Taking a mount away: its process does that itself, stores what was written, and is watched doing so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moorage_control::mount::{AskError, MountEnd, MountRequest, ask};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_host::MountPoint;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::mounts::{MountTable, Watched};
use crate::trouble::{caused, lasting};

/// How long a mount may take to say that it ends: it does so from memory, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether the mount point is free.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Unmounts; returns when the mount point is free. One whose process is gone is not brought back.
///
/// # Errors
/// `mount_point_busy` with the files that are open, unless `lazy`; when nobody answers for the mount.
pub(crate) async fn take_away<T: MountTable>(
    table: &Arc<T>,
    volume: Watched,
    lazy: bool,
) -> Result<(), Problem> {
    let shown = volume.settings.mount_point.clone();
    let table = Arc::clone(table);
    let looked = spawn_blocking(move || {
        let processes = table.look(std::slice::from_ref(&volume)).pop()?.processes;
        if processes.is_empty() {
            table.give_up(&volume);
        }
        processes.into_iter().next()
    });
    let Ok(Some(serving)) = looked.await else {
        return Ok(());
    };
    let silent = || {
        lasting(
            ProblemCode::Unreachable,
            format!("the process of the mount at {shown} does not answer"),
            format!(
                "End it with `moorage umount --force {shown}`, which gives up what can not be stored within seconds."
            ),
        )
    };
    let Some(socket) = serving else {
        return Err(silent());
    };
    let how = if lazy { MountEnd::Now } else { MountEnd::Unused };
    match ask(&socket, MountRequest::End { how }, PATIENCE).await {
        Ok(_) => {}
        Err(AskError::Failed(problem)) => {
            return Err(Problem {
                message: format!("{shown}: {}", problem.message),
                ..problem
            });
        }
        Err(error) => return Err(caused(silent(), error)),
    }
    until_free(&shown).await;
    Ok(())
}

/// Returns when nothing is at the mount point any more: what is seen there later is another mount. One that takes long is
/// watched on as one that is unmounted.
async fn until_free(point: &str) {
    let Ok(point) = MountPoint::resolve(Path::new(point)) else {
        return;
    };
    let asked = Instant::now();
    while point.is_occupied() && asked.elapsed() < PATIENCE {
        sleep(LOOK_INTERVAL).await;
    }
}
