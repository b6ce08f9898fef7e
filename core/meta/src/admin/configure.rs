//! Changing the setting of a volume (the command `config`; spec 10-setting section 2).

use std::sync::Arc;

use moorage_model::{Clock, Error, ErrorKind, Result, Setting, Tier, VersionGate, compare_versions};

use crate::{Engine, Meta, format};

/// Seconds that changelog lines are kept when nobody says how long (spec 10-setting section 2).
const DEFAULT_CHANGELOG_AGE: i64 = 7200;

/// What to change; `None` leaves a member as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingChange {
    /// Object storage driver.
    pub storage: Option<String>,
    /// Bucket URL or folder.
    pub bucket: Option<String>,
    /// Access key.
    pub access_key: Option<String>,
    /// Storage class and tag of these tiers.
    pub tiers: Vec<Tier>,
    /// Bytes, 0 = unlimited.
    pub capacity: Option<u64>,
    /// Nodes, 0 = unlimited.
    pub inodes: Option<u64>,
    /// Days, 0 = trash off.
    pub trash_days: Option<u32>,
    /// Mbit/s, 0 = unlimited.
    pub upload_limit: Option<i64>,
    /// Mbit/s, 0 = unlimited.
    pub download_limit: Option<i64>,
    /// Directory statistics are maintained; from off to on clears them, they are counted again as they are needed. What
    /// changed meanwhile below folders with a quota is missing there until `quota check --repair`.
    pub dir_stats: Option<bool>,
    /// User and group usage is maintained; from off to on clears it, but no limit, and
    /// `quota check --repair` counts it again.
    pub user_group_quota: Option<bool>,
    /// POSIX ACLs; can not be turned off again.
    pub enable_acl: Option<bool>,
    /// Lowest client version allowed; the floor that used features ask for stays.
    pub min_client_version: Option<String>,
    /// Highest client version allowed; empty for any.
    pub max_client_version: Option<String>,
    /// Every change appends a changelog line.
    pub change_log: Option<bool>,
    /// Seconds, 0 = no age limit.
    pub change_log_max_age: Option<i64>,
    /// Lines, 0 = no limit.
    pub change_log_max_lines: Option<i64>,
}

/// A setting before and after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChanged {
    /// As it was.
    pub before: Setting,
    /// As it is now.
    pub after: Setting,
}

impl SettingChange {
    /// Changes a setting in memory.
    ///
    /// # Errors
    /// `InvalidArgument` naming the member whose value can not be.
    pub fn apply(&self, setting: &mut Setting) -> Result<()> {
        let texts = [
            (&self.storage, &mut setting.storage),
            (&self.bucket, &mut setting.bucket),
            (&self.access_key, &mut setting.access_key),
            (&self.max_client_version, &mut setting.max_client_version),
        ];
        for (wanted, member) in texts {
            if let Some(wanted) = wanted {
                member.clone_from(wanted);
            }
        }
        set(&mut setting.capacity, self.capacity);
        set(&mut setting.inodes, self.inodes);
        set(&mut setting.trash_days, self.trash_days);
        set(&mut setting.upload_limit, self.upload_limit);
        set(&mut setting.download_limit, self.download_limit);
        set(&mut setting.dir_stats, self.dir_stats);
        set(&mut setting.user_group_quota, self.user_group_quota);
        set(&mut setting.enable_acl, self.enable_acl);
        for tier in &self.tiers {
            let tiers = setting.tiers.get_or_insert_default();
            tiers.insert(tier.id.to_string(), tier.clone());
        }
        self.apply_changelog(setting);
        self.apply_versions(setting)
    }

    fn apply_changelog(&self, setting: &mut Setting) {
        let switched_on = self.change_log == Some(true) && !setting.change_log;
        set(&mut setting.change_log, self.change_log);
        set(&mut setting.change_log_max_age, self.change_log_max_age);
        set(&mut setting.change_log_max_lines, self.change_log_max_lines);
        if switched_on && self.change_log_max_age.is_none() && setting.change_log_max_age == 0 {
            setting.change_log_max_age = DEFAULT_CHANGELOG_AGE;
        }
    }

    fn apply_versions(&self, setting: &mut Setting) -> Result<()> {
        for version in [&self.min_client_version, &self.max_client_version] {
            if let Some(version) = version.as_deref().filter(|version| !version.is_empty()) {
                check_version(version)?;
            }
        }
        if let Some(lowest) = &self.min_client_version {
            setting.min_client_version.clone_from(lowest);
        }
        let (min, max) = (&setting.min_client_version, &setting.max_client_version);
        if !min.is_empty() && !max.is_empty() && compare_versions(min, max).is_gt() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("no client version is at least {min} and at most {max}"),
            ));
        }
        self.check_own_version()
    }

    /// Refuses versions that shut this client out: it could not take them back.
    fn check_own_version(&self) -> Result<()> {
        let own = VersionGate::FORMAT_LEVEL;
        let named = |version: &Option<String>| version.clone().filter(|version| !version.is_empty());
        let (what, limit) = match (named(&self.min_client_version), named(&self.max_client_version)) {
            (Some(min), _) if compare_versions(own, &min).is_lt() => ("lowest", min),
            (_, Some(max)) if compare_versions(own, &max).is_gt() => ("highest", max),
            _ => return Ok(()),
        };
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("with {limit} as {what} client version this client, of version {own}, would be shut out"),
        )
        .with_advice(
            "Set it with a client that may use the volume afterwards: no other one can take it back.",
        ))
    }
}

fn set<T>(member: &mut T, wanted: Option<T>) {
    if let Some(wanted) = wanted {
        *member = wanted;
    }
}

/// Three numbers with dots, then whatever (spec 10-setting section 4).
fn check_version(version: &str) -> Result<()> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = numbers.trim_start_matches('v').split('.').collect();
    let valid = (1..=3).contains(&parts.len()) && parts.iter().all(|part| part.parse::<u32>().is_ok());
    if valid {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{version:?} is no client version"),
        )
        .with_advice("Write three numbers, for example 1.4.0."))
    }
}

impl Meta {
    /// Changes members of the stored setting in one transaction that reads it again, so that the change of another
    /// client in between is kept. Members unknown to this release stay. Running clients see the change with their
    /// next heartbeat. `change` may run several times.
    ///
    /// Secrets must be set as they are stored: sealed for the UUID of the volume, with `key_encrypted`.
    ///
    /// # Errors
    /// `NotFormatted`; `VersionMismatch`; `InvalidArgument` naming a member that is fixed when the volume is made,
    /// that can not be turned off again, or whose value breaks a rule; the error of `change`.
    pub async fn change_setting<F>(
        engine: &Arc<dyn Engine>,
        clock: &dyn Clock,
        change: F,
    ) -> Result<SettingChanged>
    where
        F: Fn(&mut Setting) -> Result<()> + Send + Sync + 'static,
    {
        if Meta::load_setting(engine).await?.is_none() {
            return Err(Error::new(
                ErrorKind::NotFormatted,
                format!("the database {} holds no volume", engine.location()),
            )
            .with_advice("Make one with `moorage format`, or check the metadata URL."));
        }
        let (before, after) = format::change(engine, clock.now(), Arc::new(change)).await?;
        Ok(SettingChanged { before, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_not_named_stay() {
        let mut setting = Setting {
            trash_days: 3,
            bucket: "a".to_owned(),
            ..Setting::default()
        };
        let change = SettingChange {
            capacity: Some(1 << 30),
            ..SettingChange::default()
        };
        change.apply(&mut setting).unwrap();
        assert_eq!((setting.trash_days, setting.capacity), (3, 1 << 30));
        assert_eq!(setting.bucket, "a");
    }

    #[test]
    fn a_changelog_that_is_switched_on_keeps_two_hours_unless_told() {
        let mut setting = Setting::default();
        let mut change = SettingChange {
            change_log: Some(true),
            ..SettingChange::default()
        };
        change.apply(&mut setting).unwrap();
        assert_eq!(setting.change_log_max_age, 7200);
        change.change_log_max_age = Some(0);
        change.apply(&mut setting).unwrap();
        assert_eq!(setting.change_log_max_age, 0);
    }

    #[test]
    fn versions_that_shut_every_client_out_are_refused() {
        let change = SettingChange {
            min_client_version: Some("1.4.0".to_owned()),
            max_client_version: Some("1.3.9".to_owned()),
            ..SettingChange::default()
        };
        assert!(change.apply(&mut Setting::default()).is_err());
        let only = |min: Option<&str>, max: Option<&str>| {
            let change = SettingChange {
                min_client_version: min.map(str::to_owned),
                max_client_version: max.map(str::to_owned),
                ..SettingChange::default()
            };
            change.apply(&mut Setting::default())
        };
        for (min, max) in [(Some("9.9"), None), (None, Some("1.0.0"))] {
            let refused = only(min, max).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
            assert!(refused.advice().is_some(), "{refused}");
        }
        let own = VersionGate::FORMAT_LEVEL;
        only(Some(own), Some(own)).unwrap();
        only(Some(""), Some("")).unwrap();
        assert!(check_version("one").is_err());
        assert!(check_version("1.4.0-beta+7").is_ok());
    }
}
