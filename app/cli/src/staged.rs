//! What mounts on this computer have acknowledged and not uploaded yet (`--writeback`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use moorage_model::SessionInfo;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Names of the file in which a mount says how it is (spec 70-semantics section 13).
const STATS_FILES: [&str; 2] = [".stats", ".jfs.stats"];
/// Longest wait for a mount to answer: one that hangs must not hang those who look at it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Blocks that only this computer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Staged {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// What the mount of a session has staged; `None` for one of another computer or one that does not tell.
pub(crate) async fn of_session(session: &SessionInfo) -> Option<Staged> {
    if session.host_name.is_empty() || session.host_name != moorage_host::host_name() {
        return None;
    }
    let point = PathBuf::from(&session.mount_point);
    let asked = spawn_blocking(move || read(&point));
    timeout(PATIENCE, asked).await.ok()?.ok()?
}

fn read(point: &Path) -> Option<Staged> {
    let mounts = moorage_host::mounts().ok()?;
    let is_mounted = mounts.iter().any(|mount| mount.is_fuse() && mount.point == point);
    if !is_mounted {
        return None;
    }
    let text = STATS_FILES
        .iter()
        .find_map(|name| std::fs::read_to_string(point.join(name)).ok())?;
    parse(&text)
}

fn parse(stats: &str) -> Option<Staged> {
    let value = |name: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    };
    Some(Staged {
        blocks: value("juicefs_staging_blocks")?,
        bytes: value("juicefs_staging_block_bytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_blocks_are_read_from_the_statistics_of_a_mount() {
        let stats = "juicefs_uptime 1.5\njuicefs_staging_blocks 3\njuicefs_staging_block_bytes 4096\n";
        assert_eq!(
            parse(stats),
            Some(Staged {
                blocks: 3,
                bytes: 4096
            })
        );
        assert_eq!(parse("juicefs_uptime 1.5\n"), None);
    }
}
