//! The session info record (spec 10-setting section 8).

use serde::{Deserialize, Serialize};

/// Who a session is; one JSON line in the database. A missing record reads as the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SessionInfo {
    /// Client version; must parse as `X.Y.Z` so that others can judge version floors.
    pub version: String,
    /// Host name.
    pub host_name: String,
    /// Addresses of the interfaces that are up, loopback excluded.
    #[serde(rename = "IPAddrs", skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
    /// Mount path or door name.
    pub mount_point: String,
    /// RFC 3339 with nanoseconds and zone; the time the record was made.
    pub mount_time: String,
    /// Process id on that host.
    #[serde(rename = "ProcessID")]
    pub process_id: u32,
}
