//! All keys of a volume.

use moorage_model::Result;

use super::cells::unexpected;
use super::names::scanned;
use super::reader::Reader;
use super::token::TOKEN_NAME;

/// Keys that one command removes, so that the server answers others in between.
const KEYS_AT_ONCE: usize = 1000;
/// Names of keys that hold numbers.
const KEY_PATTERNS: [&str; 10] = [
    "i[0-9]*",
    "d[0-9]*",
    "p[0-9]*",
    "c[0-9]*_[0-9]*",
    "s[0-9]*",
    "x[0-9]*",
    "lock[fp][0-9]*",
    "k[0-9]*_[0-9]*",
    "session[0-9]*",
    "locked[0-9]*",
];
/// The other names of keys of a volume.
const KEY_NAMES: [&str; 36] = [
    "setting",
    "allSessions",
    "sessionInfos",
    "delfiles",
    "detachedNodes",
    "sliceRef",
    "delSlices",
    "dirDataLength",
    "dirUsedSpace",
    "dirUsedInodes",
    "dirQuota",
    "dirQuotaUsedSpace",
    "dirQuotaUsedInodes",
    "userQuota",
    "userQuotaUsedSpace",
    "userQuotaUsedInodes",
    "groupQuota",
    "groupQuotaUsedSpace",
    "groupQuotaUsedInodes",
    "acl",
    "krbToken",
    "txnLog",
    "txnLastLog",
    "nextinode",
    "nextchunk",
    "nextsession",
    "nextTrash",
    "usedSpace",
    "totalInodes",
    "aclMaxId",
    "krbTokenMaxId",
    "nextCleanupSlices",
    "lastCleanupSessions",
    "lastCleanupFiles",
    "lastCleanupTrash",
    "lastCleanupChangelog",
];
/// Has no hash tag on a cluster, where it never was.
const LEGACY_SESSIONS: &str = "sessions";

impl Reader {
    /// Whether the database holds no key but those that tell of commits; on a cluster, no key with the hash tag.
    pub(super) async fn is_empty(&self) -> Result<bool> {
        let tokens = self.layout.key(TOKEN_NAME);
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("COUNT").arg(KEYS_AT_ONCE);
            if !self.layout.prefix.is_empty() {
                command.arg("MATCH").arg(format!("{}*", self.layout.prefix));
            }
            let answer = self.connection.ask_node_of(&self.layout.prefix, command).await?;
            let (next, keys) = scanned(answer)?;
            if keys.iter().any(|key| !key.starts_with(&tokens)) {
                return Ok(false);
            }
            if next == b"0" {
                return Ok(true);
            }
            cursor = next;
        }
    }

    /// Removes every key of the volume and nothing else.
    pub(super) async fn wipe(&self) -> Result<()> {
        let mut keys: Vec<Vec<u8>> = KEY_NAMES.iter().map(|name| self.layout.key(name)).collect();
        if self.layout.prefix.is_empty() {
            keys.push(LEGACY_SESSIONS.into());
        }
        let tokens = format!("{TOKEN_NAME}*");
        for pattern in KEY_PATTERNS.iter().copied().chain([tokens.as_str()]) {
            let pattern = format!("{}{pattern}", self.layout.prefix);
            keys.extend(self.keys_like(&pattern).await?);
        }
        let unlink = keys.chunks(KEYS_AT_ONCE).map(|part| {
            let mut command = redis::cmd("UNLINK");
            command.arg(part);
            command
        });
        for answer in self.connection.ask_all(unlink.collect()).await? {
            if !matches!(answer, redis::Value::Int(_)) {
                return Err(unexpected(&answer));
            }
        }
        Ok(())
    }
}
