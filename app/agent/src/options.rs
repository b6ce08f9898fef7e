//! The options of a volume itself: `moorage config` shows, checks and changes them.

use std::time::Duration;

use moorage_control::message::Response;
use moorage_control::options::{VolumeLimits, VolumeOptions};
use moorage_control::problem::Problem;
use moorage_control::volume::VolumeId;
use serde::Deserialize;

use crate::mounts::MountTable;
use crate::service::Desk;
use crate::volume_command::VolumeCommand;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(60);
/// How long a change may take: what quotas are about is counted when they are turned on.
const CHANGE: Duration = Duration::from_secs(600);
/// Bytes in the setting's unit of block sizes.
const KIB: u64 = 1024;

/// What of the setting is of use here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Setting {
    name: String,
    storage: String,
    bucket: String,
    block_size: u64,
    #[serde(default)]
    compression: String,
    #[serde(default)]
    encrypt_key: String,
    #[serde(default)]
    capacity: u64,
    #[serde(default)]
    inodes: u64,
    #[serde(default)]
    trash_days: u32,
    #[serde(default)]
    upload_limit: u64,
    #[serde(default)]
    download_limit: u64,
    #[serde(default)]
    dir_stats: bool,
    #[serde(default)]
    user_group_quota: bool,
}

impl<T: MountTable> Desk<T> {
    pub(crate) async fn options(&self, id: &VolumeId) -> Result<Response, Problem> {
        let command = VolumeCommand {
            words: &["config"],
            flags: Vec::new(),
            operands: Vec::new(),
            task: "reading the options of {}",
            deadline: LOOK,
        };
        self.ask_volume(id, command).await.map(answer)
    }

    /// Changes what is not as it is to be. Nobody else's change of another option is undone.
    pub(crate) async fn change_options(
        &self,
        id: &VolumeId,
        before: &VolumeLimits,
        limits: &VolumeLimits,
    ) -> Result<Response, Problem> {
        let command = VolumeCommand {
            words: &["config"],
            flags: changes(before, limits),
            operands: Vec::new(),
            task: "changing the options of {}",
            deadline: CHANGE,
        };
        self.ask_volume(id, command).await.map(answer)
    }
}

fn answer(setting: Setting) -> Response {
    let options = VolumeOptions {
        limits: VolumeLimits {
            capacity: setting.capacity,
            inodes: setting.inodes,
            trash_days: setting.trash_days,
            upload_limit: setting.upload_limit,
            download_limit: setting.download_limit,
            dir_stats: setting.dir_stats,
            user_group_quota: setting.user_group_quota,
        },
        name: setting.name,
        storage: setting.storage,
        bucket: setting.bucket,
        block_size: setting.block_size.saturating_mul(KIB),
        compression: match setting.compression.as_str() {
            "none" => String::new(),
            _ => setting.compression,
        },
        encrypted: !setting.encrypt_key.is_empty(),
    };
    Response::VolumeOptions {
        options: Box::new(options),
    }
}

/// A flag for each option that a person changed.
fn changes(before: &VolumeLimits, after: &VolumeLimits) -> Vec<String> {
    let texts = |limits: &VolumeLimits| {
        [
            ("capacity", format!("{}B", limits.capacity)),
            ("inodes", limits.inodes.to_string()),
            ("trash-days", limits.trash_days.to_string()),
            ("upload-limit", limits.upload_limit.to_string()),
            ("download-limit", limits.download_limit.to_string()),
            ("dir-stats", limits.dir_stats.to_string()),
            ("user-group-quota", limits.user_group_quota.to_string()),
        ]
    };
    texts(before)
        .into_iter()
        .zip(texts(after))
        .filter(|(before, after)| before != after)
        .map(|(_, (flag, value))| format!("--{flag}={value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_changed_becomes_a_flag() {
        let before = VolumeLimits {
            capacity: 0,
            inodes: 7,
            trash_days: 1,
            upload_limit: 0,
            download_limit: 0,
            dir_stats: true,
            user_group_quota: false,
        };
        assert_eq!(changes(&before, &before), [""; 0]);
        let after = VolumeLimits {
            capacity: 1 << 30,
            trash_days: 0,
            user_group_quota: true,
            ..before.clone()
        };
        let expected = [
            "--capacity=1073741824B",
            "--trash-days=0",
            "--user-group-quota=true",
        ];
        assert_eq!(changes(&before, &after), expected);
    }

    #[test]
    fn what_a_setting_leaves_out_is_no_limit() {
        let text = r#"{"Name":"disk","UUID":"u","Storage":"file","Bucket":"/o/","BlockSize":4096,
            "Compression":"none","TrashDays":1,"MetaVersion":1,"DirStats":true}"#;
        let setting: Setting = serde_json::from_str(text).expect("a setting");
        let Response::VolumeOptions { options } = answer(setting) else {
            panic!("another answer");
        };
        assert_eq!((options.limits.capacity, options.block_size), (0, 4 << 20));
        assert_eq!((options.compression.as_str(), options.encrypted), ("", false));
    }
}
