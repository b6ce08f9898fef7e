//! The `-o` options of mount(8), as far as a FUSE mount knows them.

use fuser::{MountOption, SessionACL};
use moorage_model::{Error, ErrorKind, Result};

/// Words of /etc/fstab that mount(8) acts on itself and still passes to its helpers.
const FSTAB_WORDS: [&str; 9] = [
    "defaults", "_netdev", "auto", "noauto", "nofail", "user", "nouser", "users", "owner",
];

/// Whose processes may use a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// The user who mounted it.
    #[default]
    Owner,
    /// That user and root.
    OwnerAndRoot,
    /// Everyone, within the permissions of the files.
    Everyone,
}

/// Parsed options. Of contradicting words the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOptions {
    /// Whose processes may use it; `None` when no option says so.
    pub audience: Option<Audience>,
    /// The kernel refuses every change.
    pub read_only: bool,
    /// The mount point may hold entries, which the mount hides.
    pub non_empty: bool,
    /// What the mount table shows as the source.
    pub source: Option<String>,
    subtype: String,
    devices: bool,
    set_user_id: bool,
    execute: bool,
    access_times: bool,
    synchronous: bool,
    synchronous_directories: bool,
    max_read_bytes: Option<u32>,
}

impl Default for MountOptions {
    fn default() -> MountOptions {
        MountOptions {
            audience: None,
            read_only: false,
            non_empty: false,
            source: None,
            subtype: "moorage".to_owned(),
            devices: false,
            set_user_id: false,
            execute: true,
            access_times: true,
            synchronous: false,
            synchronous_directories: false,
            max_read_bytes: None,
        }
    }
}

impl MountOptions {
    /// Parses the values of all `-o`: words separated by commas.
    ///
    /// # Errors
    /// `InvalidArgument` naming the word that is unknown or has a bad value.
    pub fn parse<'a>(lists: impl IntoIterator<Item = &'a str>) -> Result<MountOptions> {
        let mut options = MountOptions::default();
        for word in lists
            .into_iter()
            .flat_map(|list| list.split(','))
            .filter(|word| !word.is_empty())
        {
            options.apply(word)?;
        }
        Ok(options)
    }

    fn apply(&mut self, word: &str) -> Result<()> {
        if let Some((name, value)) = word.split_once('=') {
            return self.apply_value(word, name, value);
        }
        match word {
            "allow_other" => self.audience = Some(Audience::Everyone),
            "allow_root" => self.audience = Some(Audience::OwnerAndRoot),
            "ro" => self.read_only = true,
            "rw" => self.read_only = false,
            "nonempty" => self.non_empty = true,
            "dev" => self.devices = true,
            "nodev" => self.devices = false,
            "suid" => self.set_user_id = true,
            "nosuid" => self.set_user_id = false,
            "exec" => self.execute = true,
            "noexec" => self.execute = false,
            "atime" => self.access_times = true,
            "noatime" => self.access_times = false,
            "sync" => self.synchronous = true,
            "async" => self.synchronous = false,
            "dirsync" => self.synchronous_directories = true,
            // The kernel checks permissions on every mount of ours unless a flag of its own turns that off.
            "default_permissions" => {}
            word if FSTAB_WORDS.contains(&word) || word.starts_with("x-") => {}
            word => return Err(unknown(word)),
        }
        Ok(())
    }

    fn apply_value(&mut self, word: &str, name: &str, value: &str) -> Result<()> {
        match name {
            "fsname" if !value.is_empty() => self.source = Some(value.to_owned()),
            "subtype" if !value.is_empty() => value.clone_into(&mut self.subtype),
            "max_read" => self.max_read_bytes = Some(value.parse().map_err(|_| no_number(word))?),
            name if name.starts_with("x-") || name == "comment" => {}
            _ => return Err(unknown(word)),
        }
        Ok(())
    }

    /// Whether changes of directories are to be durable before they are answered: the kernel leaves that to us.
    pub fn syncs_directories(&self) -> bool {
        self.synchronous || self.synchronous_directories
    }

    /// As fuser wants them.
    pub(crate) fn for_fuser(&self, source: &str, kernel_checks: bool) -> Vec<MountOption> {
        let choose = |on: bool, yes: MountOption, no: MountOption| if on { yes } else { no };
        let mut list = vec![
            MountOption::FSName(self.source.clone().unwrap_or_else(|| source.to_owned())),
            // fuser would tell only the set-uid helper; the kernel knows the word itself.
            MountOption::CUSTOM(format!("subtype={}", self.subtype)),
            choose(self.read_only, MountOption::RO, MountOption::RW),
            choose(self.devices, MountOption::Dev, MountOption::NoDev),
            choose(self.set_user_id, MountOption::Suid, MountOption::NoSuid),
            choose(self.execute, MountOption::Exec, MountOption::NoExec),
            choose(self.access_times, MountOption::Atime, MountOption::NoAtime),
        ];
        if kernel_checks {
            list.push(MountOption::DefaultPermissions);
        }
        if self.synchronous {
            list.push(MountOption::Sync);
        }
        if self.synchronous_directories {
            list.push(MountOption::DirSync);
        }
        if let Some(bytes) = self.max_read_bytes {
            list.push(MountOption::CUSTOM(format!("max_read={bytes}")));
        }
        list
    }
}

impl Audience {
    pub(crate) fn acl(self) -> SessionACL {
        match self {
            Audience::Owner => SessionACL::Owner,
            Audience::OwnerAndRoot => SessionACL::RootAndOwner,
            Audience::Everyone => SessionACL::All,
        }
    }
}

fn no_number(word: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("mount option {word} needs a number of bytes"),
    )
    .with_advice("Write for example max_read=131072, or leave it out.")
}

fn unknown(word: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("mount option {word} is not known"),
    )
    .with_advice(
        "Known are allow_other, allow_root, ro, rw, nonempty, [no]dev, [no]suid, [no]exec, [no]atime, sync, async, \
         dirsync, default_permissions, fsname=NAME, subtype=NAME, max_read=BYTES.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_contradicting_words_counts() {
        let options = MountOptions::parse(["ro,nosuid,allow_root", "rw,allow_other"]).expect("known words");
        assert!(!options.read_only);
        assert_eq!(options.audience, Some(Audience::Everyone));
    }

    #[test]
    fn an_unknown_word_is_named() {
        let error = MountOptions::parse(["ro,frobnicate"]).expect_err("unknown");
        assert!(error.to_string().contains("frobnicate"), "{error}");
        let error = MountOptions::parse(["max_read=much"]).unwrap_err();
        assert!(error.to_string().contains("number of bytes"), "{error}");
        assert!(MountOptions::parse(["fsname="]).is_err());
    }

    #[test]
    fn a_line_of_fstab_is_taken() {
        let options =
            MountOptions::parse(["defaults,_netdev,x-systemd.automount,fsname=disk"]).expect("known words");
        assert_eq!(options.source.as_deref(), Some("disk"));
    }

    #[test]
    fn devices_and_set_user_id_are_off_unless_asked_for() {
        let list = MountOptions::default().for_fuser("disk", true);
        assert!(list.contains(&MountOption::NoDev) && list.contains(&MountOption::NoSuid));
        assert!(list.contains(&MountOption::DefaultPermissions));
    }
}
