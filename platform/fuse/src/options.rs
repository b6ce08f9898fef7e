//! The `-o` options of mount(8), as far as a FUSE mount knows them.

use fuser::{MountOption, SessionACL};
use moorage_model::{Error, ErrorKind, Result};

/// What a word does to the options.
type Effect = fn(&mut MountOptions);
/// What a word with a value does to the options; the second argument is the value.
type ValueEffect = fn(&mut MountOptions, &str) -> Result<()>;

/// Every word, with what it does. Help and errors list them from here.
const WORDS: &[(&str, Effect)] = &[
    ("allow_other", |o| o.audience = Some(Audience::Everyone)),
    ("allow_root", |o| o.audience = Some(Audience::OwnerAndRoot)),
    ("ro", |o| o.read_only = true),
    ("rw", |o| o.read_only = false),
    ("nonempty", |o| o.non_empty = true),
    ("dev", |o| o.devices = true),
    ("nodev", |o| o.devices = false),
    ("suid", |o| o.set_user_id = true),
    ("nosuid", |o| o.set_user_id = false),
    ("exec", |o| o.execute = true),
    ("noexec", |o| o.execute = false),
    ("atime", |o| o.access_times = true),
    ("noatime", |o| o.access_times = false),
    ("sync", |o| o.synchronous = true),
    ("async", |o| o.synchronous = false),
    ("dirsync", |o| o.synchronous_directories = true),
    // The kernel checks permissions on every mount of ours unless a flag of its own turns that off.
    ("default_permissions", |_| {}),
];

/// Every word that takes a value, with what the value is and what it does.
const VALUES: &[(&str, &str, ValueEffect)] = &[
    ("fsname", "NAME", |o, name| {
        o.source = Some(not_empty("fsname", name)?);
        Ok(())
    }),
    ("subtype", "NAME", |o, name| {
        o.subtype = not_empty("subtype", name)?;
        Ok(())
    }),
    ("max_read", "BYTES", |o, bytes| {
        o.max_read_bytes = Some(bytes.parse().map_err(|_| no_number("max_read", bytes))?);
        Ok(())
    }),
];

/// Words of /etc/fstab that mount(8) acts on itself and still passes to its helpers; so it does with `comment=…` and
/// everything that begins with `x-`.
const FSTAB_WORDS: &[&str] = &[
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
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        if name.starts_with("x-") {
            return Ok(());
        }
        match value {
            None if FSTAB_WORDS.contains(&name) => Ok(()),
            None => match WORDS.iter().find(|(known, _)| *known == name) {
                Some((_, effect)) => {
                    effect(self);
                    Ok(())
                }
                None => Err(unknown(word)),
            },
            Some(_) if name == "comment" => Ok(()),
            Some(value) => match VALUES.iter().find(|(known, ..)| *known == name) {
                Some((.., effect)) => effect(self, value),
                None => Err(unknown(word)),
            },
        }
    }

    /// Every word that is taken, for people: separated by commas, those with a value as `NAME=VALUE`.
    pub fn known_words() -> String {
        let words = WORDS.iter().map(|(word, _)| (*word).to_owned());
        let values = VALUES.iter().map(|(word, value, _)| format!("{word}={value}"));
        words.chain(values).collect::<Vec<_>>().join(", ")
    }

    /// Every word of /etc/fstab that is taken and left to mount(8), for people.
    pub fn fstab_words() -> String {
        format!("{}, comment=TEXT, x-…", FSTAB_WORDS.join(", "))
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

fn not_empty(word: &str, value: &str) -> Result<String> {
    if value.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("mount option {word} needs a name"),
        )
        .with_advice(format!("Write for example {word}=disk, or leave it out.")));
    }
    Ok(value.to_owned())
}

fn no_number(word: &str, value: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("mount option {word}={value} needs a number of bytes"),
    )
    .with_advice(format!("Write for example {word}=131072, or leave it out."))
}

fn unknown(word: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("mount option {word} is not known"),
    )
    .with_advice(format!(
        "Known are {}, and of fstab {}.",
        MountOptions::known_words(),
        MountOptions::fstab_words()
    ))
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
    fn every_word_that_people_are_told_of_is_taken_and_every_word_that_is_taken_is_told() {
        let told = format!("{}, {}", MountOptions::known_words(), MountOptions::fstab_words());
        for word in told.split(", ") {
            let typed = word.replace("=BYTES", "=4096");
            MountOptions::parse([typed.as_str()]).unwrap_or_else(|error| panic!("{word}: {error}"));
        }
        let error = MountOptions::parse(["frobnicate"]).expect_err("unknown");
        assert!(
            error.advice().is_some_and(|advice| advice.contains("async")),
            "{error}"
        );
        for (word, _) in WORDS {
            assert!(told.split(", ").any(|listed| listed == *word), "{word}");
        }
    }

    #[test]
    fn devices_and_set_user_id_are_off_unless_asked_for() {
        let list = MountOptions::default().for_fuser("disk", true);
        assert!(list.contains(&MountOption::NoDev) && list.contains(&MountOption::NoSuid));
        assert!(list.contains(&MountOption::DefaultPermissions));
    }
}
