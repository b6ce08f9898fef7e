//! Limits that nobody keeps, because the volume does not count what they are about.

use moorage_model::{Quota, QuotaKey, Setting};

use crate::noun::QUOTAS;

/// What to know about them, a line for each kind of them.
pub(in crate::commands) fn idle_limits(setting: &Setting, quotas: &[(QuotaKey, Quota)]) -> Vec<String> {
    let limited = |of_folders: bool| {
        let chosen = quotas
            .iter()
            .filter(|(key, quota)| quota.has_limits() && matches!(key, QuotaKey::Directory(_)) == of_folders);
        chosen.count() as u64
    };
    let kinds = [
        (setting.dir_stats, limited(true), "folders", "--dir-stats"),
        (
            setting.user_group_quota,
            limited(false),
            "users and groups",
            "--user-group-quota",
        ),
    ];
    let idle = kinds
        .into_iter()
        .filter(|(counts, limits, ..)| !counts && *limits > 0);
    idle.map(|(_, limits, whose, option)| {
        format!(
            "not enforced while {option} is off: {} of {whose}; `moorage config {option}=true` turns it on",
            QUOTAS.count(limits)
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use moorage_model::{Ino, Uid};

    use super::*;

    #[test]
    fn only_limits_of_what_is_not_counted_are_idle() {
        let limit = Quota {
            max_inodes: 5,
            ..Quota::default()
        };
        let quotas = [
            (QuotaKey::Directory(Ino(2)), limit),
            (QuotaKey::User(Uid(7)), limit),
            (QuotaKey::User(Uid(8)), Quota::default()),
        ];
        let mut setting = Setting {
            dir_stats: true,
            user_group_quota: true,
            ..Setting::default()
        };
        assert!(idle_limits(&setting, &quotas).is_empty());
        setting.dir_stats = false;
        assert_eq!(idle_limits(&setting, &quotas).len(), 1);
        setting.user_group_quota = false;
        let said = idle_limits(&setting, &quotas).join(" ");
        assert!(
            said.contains("1 quota of folders") && said.contains("1 quota of users"),
            "{said}"
        );
    }
}
