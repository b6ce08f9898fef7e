//! The flags of `mount` and `quickstart`, named as JuiceFS names them.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, FromArgMatches as _, ValueEnum};
#[cfg(target_os = "linux")]
use moorage_fuse::MountOptions;
use moorage_meta::AtimeMode;
use moorage_model::{Error, ErrorKind, Gid, Result, Uid};
use moorage_vfs::{BackupOptions, Squash, SyncMode};

#[cfg(target_os = "linux")]
use super::backend::MountWay;
use crate::{duration, size};

/// Least memory for data: less than this holds no request of the kernel beside the block that it is part of.
const LEAST_BUFFER: u64 = 1 << 20;
/// Most memory for data: no machine gives a mount more, so it is a slip.
const MOST_BUFFER: u64 = 1 << 40;
/// Seconds between renewals of a session that the format allows (spec 70-semantics section 1).
const HEARTBEAT_SECONDS: RangeInclusive<f64> = 1.0..=600.0;
/// Stands between folders: what the system has between those of the search path.
const FOLDER_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };
/// Days that attributes and names may be kept at most; more is a slip, and kernels count such times in few bits.
const MOST_DAYS_KEPT: u64 = 365;

/// How a volume is mounted.
#[derive(Args, Clone, Debug)]
pub(crate) struct MountFlags {
    #[command(flatten)]
    pub(super) access: AccessFlags,
    #[command(flatten)]
    pub(super) data: DataFlags,
    #[command(flatten)]
    pub(super) cache: CacheFlags,
    #[command(flatten)]
    pub(super) metadata: MetadataFlags,
}

impl MountFlags {
    /// All defaults.
    ///
    /// # Errors
    /// None in practice: defaults parse.
    pub(crate) fn none_given() -> Result<MountFlags> {
        let command = MountFlags::augment_args(clap::Command::new("mount").no_binary_name(true));
        command
            .try_get_matches_from(std::iter::empty::<&str>())
            .and_then(|matches| MountFlags::from_arg_matches(&matches))
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, "mount flags").with_source(error))
    }
}

/// Who may do what.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Access")]
pub(super) struct AccessFlags {
    /// Refuse every change: no session, no background jobs
    #[arg(long, visible_alias = "ro")]
    pub(super) read_only: bool,

    /// Show only this folder of the volume, as the root of the mount; made when it does not exist
    #[arg(long, value_name = "PATH")]
    pub(super) subdir: Option<String>,

    /// Show a drive as one of this computer instead of one of a network: programs that refuse network drives work, and
    /// Explorer reads files to show what is in them
    #[cfg(windows)]
    #[arg(long)]
    pub(super) fixed_drive: bool,

    /// Names that differ in capital and small letters alone are different names, as on Linux
    #[cfg(windows)]
    #[arg(long)]
    pub(super) case_sensitive: bool,

    /// How the volume appears
    #[cfg(target_os = "linux")]
    #[arg(long, value_enum, value_name = "WAY", default_value_t = MountWay::Fuse)]
    pub(super) backend: MountWay,

    #[cfg_attr(
        target_os = "linux",
        doc = "With --backend nfs: serve, and print the command that mounts it"
    )]
    #[cfg_attr(target_os = "macos", doc = "Serve, and print the command that mounts it")]
    #[cfg(unix)]
    #[arg(long)]
    pub(super) no_mount: bool,

    // The help lists what is taken, so it comes from there.
    #[cfg(target_os = "linux")]
    #[arg(short = 'o', value_name = "OPTIONS", help = mount_option_help())]
    pub(super) mount_options: Vec<String>,

    /// Extended attributes, on by default; --enable-xattr=false refuses them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true,
          default_missing_value = "true", action = ArgAction::Set, hide_default_value = true,
          hide_possible_values = true)]
    pub(super) enable_xattr: bool,

    /// Keep security.capability attributes
    #[cfg_attr(windows, arg(hide = true))]
    #[arg(long)]
    pub(super) enable_cap: bool,

    /// Keep security.selinux attributes
    #[cfg_attr(windows, arg(hide = true))]
    #[arg(long)]
    pub(super) enable_selinux: bool,

    /// Root acts as this user and group in the mount; commands such as rmr, which open the database themselves, act as
    /// whoever runs them
    #[cfg_attr(windows, arg(hide = true))]
    #[arg(long, value_name = "UID:GID", value_parser = identity)]
    pub(super) root_squash: Option<(Uid, Gid)>,

    /// Everyone acts as this user and group
    #[arg(long, value_name = "UID:GID", value_parser = identity, conflicts_with = "root_squash")]
    pub(super) all_squash: Option<(Uid, Gid)>,

    /// Let Moorage check permissions instead of the kernel: needed where the kernel does not know a caller's groups
    #[cfg_attr(windows, arg(hide = true))]
    #[arg(long)]
    pub(super) non_default_permission: bool,

    /// Name the internal files .jfs.stats, .jfs.config, … instead of .stats, .config, …
    #[arg(long)]
    pub(super) prefix_internal: bool,

    /// Do not list the internal files; they still open by name
    #[arg(long)]
    pub(super) hide_internal: bool,
}

/// The way to and from the object store.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// What closing a file promises: close survives the death of Moorage, always also a power cut
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = SyncWhen::Close)]
    pub(super) sync: SyncWhen,

    /// Memory for data being written, read ahead or just used; plain numbers count MiB
    #[arg(long, value_name = "SIZE", default_value = "300M", value_parser = buffer)]
    pub(super) buffer_size: u64,

    /// Most bytes that one open file reads ahead; plain numbers count MiB
    #[arg(long, value_name = "SIZE", default_value = "32M", value_parser = size::from_mib)]
    pub(super) max_readahead: u64,

    /// Whole blocks fetched in the background after a small read of a part; 0 turns that off
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) prefetch: usize,

    /// Uploads at the same time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    pub(super) max_uploads: usize,

    /// Downloads at the same time
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = at_least_one)]
    pub(super) max_downloads: usize,

    /// Deletions of objects at the same time; 0 leaves them to another client
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) max_deletes: usize,

    /// Upload bandwidth in Mbit/s, 0 is unlimited [default: what the volume says]
    #[arg(long, value_name = "MBPS")]
    pub(super) upload_limit: Option<u32>,

    /// Download bandwidth in Mbit/s, 0 is unlimited [default: what the volume says]
    #[arg(long, value_name = "MBPS")]
    pub(super) download_limit: Option<u32>,

    /// Longest time for one read of the store
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = store_timeout)]
    pub(super) get_timeout: Duration,

    /// Longest time for one write to the store
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = store_timeout)]
    pub(super) put_timeout: Duration,

    /// Attempts after the first for a call of the store that failed for a passing reason
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) io_retries: u32,
}

/// What stays on the local disk.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Local cache")]
pub(super) struct CacheFlags {
    /// Folders for cached blocks of a remote store, separated by colons; "memory" keeps none on disk [default: in this
    /// user's cache folder]
    #[cfg_attr(windows, doc = "(semicolons on Windows)")]
    #[arg(long, value_name = "FOLDERS", value_parser = cache_folders)]
    pub(super) cache_dir: Option<String>,

    /// Most bytes of cached blocks; plain numbers count MiB, 0 caches nothing on disk
    #[arg(long, value_name = "SIZE", default_value = "100G", value_parser = size::from_mib)]
    pub(super) cache_size: u64,

    /// Part of the cache's disk that stays free
    #[arg(long, value_name = "RATIO", default_value_t = 0.1, value_parser = ratio)]
    pub(super) free_space_ratio: f64,

    /// Acknowledge blocks when the local disk has them, synced, and upload them in the background; a store in a local
    /// folder is as fast without
    #[arg(long)]
    pub(super) writeback: bool,

    /// Most bytes that wait for their upload; beyond it blocks go to the store at once. Plain numbers count MiB
    #[arg(long, value_name = "SIZE", default_value = "10G", value_parser = size::from_mib, requires = "writeback")]
    pub(super) writeback_size: u64,

    /// Longest time that a block waits for its upload while the store answers
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::from_seconds,
          requires = "writeback")]
    pub(super) writeback_deadline: Duration,
}

/// What is remembered of names and attributes, and the session.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metadata")]
pub(super) struct MetadataFlags {
    /// How long the kernel may keep attributes
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = kept_time)]
    pub(super) attr_cache: Duration,

    /// How long the kernel may keep names of files
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = kept_time)]
    pub(super) entry_cache: Duration,

    /// How long the kernel may keep names of folders
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = kept_time)]
    pub(super) dir_entry_cache: Duration,

    /// How long the kernel may keep that a name does not exist
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = kept_time)]
    pub(super) negative_entry_cache: Duration,

    /// How long opening a file again may trust its last attributes; more than 0 gives up close-to-open consistency
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = kept_time)]
    pub(super) open_cache: Duration,

    /// Have the metadata engine tell what other clients change, and drop it from all caches at once, so that long cache
    /// times stay right: Redis, and PostgreSQL among clients of Moorage
    #[arg(long)]
    pub(super) push_invalidation: bool,

    /// When reading changes the access time
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = AtimeWhen::Noatime)]
    pub(super) atime_mode: AtimeWhen,

    /// Do not change a folder's times again within this time
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration::from_seconds)]
    pub(super) skip_dir_mtime: Duration,

    /// Take no part in background jobs: cleaning up, deleting data, compaction, backups of the metadata
    #[arg(long)]
    pub(super) no_bgjob: bool,

    /// Time between backups of the metadata into the object store, whichever mount of the volume makes them: 5m or more,
    /// 0 for none
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = backup_interval)]
    pub(super) backup_meta: Duration,

    /// Leave the trash out of these backups
    #[arg(long)]
    pub(super) backup_skip_trash: bool,

    /// Interval at which the session is renewed; others take over what it held five intervals after the last
    #[arg(long, value_name = "TIME", default_value = "12s", value_parser = heartbeat)]
    pub(super) heartbeat: Duration,
}

/// When a close is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SyncWhen {
    Close,
    Always,
}

impl From<SyncWhen> for SyncMode {
    fn from(when: SyncWhen) -> SyncMode {
        match when {
            SyncWhen::Close => SyncMode::Close,
            SyncWhen::Always => SyncMode::Always,
        }
    }
}

/// When reads update access times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AtimeWhen {
    Noatime,
    Relatime,
    Strictatime,
}

impl From<AtimeWhen> for AtimeMode {
    fn from(when: AtimeWhen) -> AtimeMode {
        match when {
            AtimeWhen::Noatime => AtimeMode::Never,
            AtimeWhen::Relatime => AtimeMode::Relative,
            AtimeWhen::Strictatime => AtimeMode::Strict,
        }
    }
}

impl AccessFlags {
    pub(super) fn squash(&self) -> Squash {
        match (self.root_squash, self.all_squash) {
            (_, Some((uid, gid))) => Squash::All(uid, gid),
            (Some((uid, gid)), None) => Squash::Root(uid, gid),
            (None, None) => Squash::None,
        }
    }
}

impl MetadataFlags {
    pub(super) fn backup(&self) -> Option<BackupOptions> {
        (!self.backup_meta.is_zero()).then_some(BackupOptions {
            interval: self.backup_meta,
            skip_trash: self.backup_skip_trash,
        })
    }
}

impl CacheFlags {
    /// The folders named, best on different disks; none for "memory".
    pub(super) fn folders(&self, default: PathBuf) -> Vec<PathBuf> {
        match self.cache_dir.as_deref() {
            None => vec![default],
            Some("memory") => Vec::new(),
            Some(list) => list
                .split(FOLDER_SEPARATOR)
                .filter(|folder| !folder.is_empty())
                .map(|folder| std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder)))
                .collect(),
        }
    }
}

#[cfg(target_os = "linux")]
fn mount_option_help() -> String {
    format!(
        "Options of mount(8): {}; words of fstab are taken and left to mount(8): {}. Root mounts with allow_other unless \
         told otherwise",
        MountOptions::known_words(),
        MountOptions::fstab_words()
    )
}

fn buffer(text: &str) -> std::result::Result<u64, String> {
    match size::from_mib(text)? {
        bytes if bytes < LEAST_BUFFER => Err("the buffer needs 1M or more".to_owned()),
        bytes if bytes > MOST_BUFFER => Err("the buffer takes 1T at most".to_owned()),
        bytes => Ok(bytes),
    }
}

fn cache_folders(text: &str) -> std::result::Result<String, String> {
    if text.split(FOLDER_SEPARATOR).all(str::is_empty) {
        return Err("a folder is needed, or \"memory\" for none".to_owned());
    }
    Ok(text.to_owned())
}

fn kept_time(text: &str) -> std::result::Result<Duration, String> {
    match duration::from_seconds(text)? {
        time if time.as_secs() > MOST_DAYS_KEPT * 24 * 60 * 60 => {
            Err(format!("{text:?} is longer than {MOST_DAYS_KEPT} days"))
        }
        time => Ok(time),
    }
}

fn heartbeat(text: &str) -> std::result::Result<Duration, String> {
    match duration::from_seconds(text)? {
        interval if HEARTBEAT_SECONDS.contains(&interval.as_secs_f64()) => Ok(interval),
        _ => Err("a session is renewed every 1s to 10m".to_owned()),
    }
}

fn store_timeout(text: &str) -> std::result::Result<Duration, String> {
    match duration::from_seconds(text)? {
        Duration::ZERO => Err("no store answers in no time; give it seconds".to_owned()),
        timeout => Ok(timeout),
    }
}

fn backup_interval(text: &str) -> std::result::Result<Duration, String> {
    match duration::from_seconds(text)? {
        interval if !interval.is_zero() && interval < BackupOptions::SHORTEST => {
            Err("a backup every 5m is the most; 0 makes none".to_owned())
        }
        interval => Ok(interval),
    }
}

fn identity(text: &str) -> std::result::Result<(Uid, Gid), String> {
    text.split_once(':')
        .and_then(|(uid, gid)| Some((Uid(uid.parse().ok()?), Gid(gid.parse().ok()?))))
        .ok_or_else(|| format!("{text:?} is no user and group; write their numbers, such as 1000:1000"))
}

fn ratio(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if (0.0..1.0).contains(&ratio) => Ok(ratio),
        _ => Err(format!(
            "{text:?} is no part of a disk; write a number from 0 to below 1"
        )),
    }
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on is needed".to_owned()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_parse() {
        let flags = MountFlags::none_given().expect("defaults");
        assert!(flags.access.enable_xattr && !flags.access.read_only);
        assert_eq!(flags.data.buffer_size, 300 << 20);
        assert_eq!(flags.metadata.attr_cache, Duration::from_secs(1));
    }

    #[test]
    fn identities_are_two_numbers() {
        assert_eq!(identity("65534:100"), Ok((Uid(65_534), Gid(100))));
        assert!(identity("nobody:nogroup").is_err());
        assert!(identity("1").is_err());
    }

    #[test]
    fn a_backup_is_made_every_hour_unless_told_otherwise() {
        let flags = MountFlags::none_given().expect("defaults").metadata;
        let hourly = flags.backup().expect("a backup");
        assert_eq!(
            (hourly.interval, hourly.skip_trash),
            (Duration::from_secs(3600), false)
        );
        assert_eq!(backup_interval("0"), Ok(Duration::ZERO));
        assert_eq!(backup_interval("5m"), Ok(BackupOptions::SHORTEST));
        assert!(backup_interval("299s").is_err());
    }

    #[test]
    fn memory_means_no_folder() {
        let mut flags = MountFlags::none_given().expect("defaults").cache;
        assert_eq!(flags.folders(PathBuf::from("/c")), [PathBuf::from("/c")]);
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        flags.cache_dir = Some(format!("{root}a{FOLDER_SEPARATOR}{root}b"));
        assert_eq!(
            flags.folders(PathBuf::from("/c")),
            [
                PathBuf::from(format!("{root}a")),
                PathBuf::from(format!("{root}b"))
            ]
        );
        flags.cache_dir = Some("memory".to_owned());
        assert!(flags.folders(PathBuf::from("/c")).is_empty());
    }
}
