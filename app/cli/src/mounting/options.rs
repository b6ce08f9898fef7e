//! From flags to the options of each layer.

use std::path::Path;
use std::time::SystemTime;

use moorage_chunk::{CacheConfig, ChunkConfig, Hold, WritebackConfig};
use moorage_control::pause_file;
use moorage_control::settings::Pause;
#[cfg(target_os = "linux")]
use moorage_fuse::{Audience, MountOptions};
use moorage_host::{Folders, MountPoint};
use moorage_meta::MetaOptions;
use moorage_model::{Error, ErrorKind, Result, Setting};
#[cfg(unix)]
use moorage_nfs::NfsOptions;
use moorage_vfs::VfsOptions;

#[cfg(target_os = "linux")]
use super::backend::MountWay;
use super::backend::SessionOptions;
#[cfg(unix)]
use super::flags::AccessFlags;
use super::hold::hold;
#[cfg(unix)]
use super::mount_error;
use super::timestamp;
use super::{MountFlags, host_error};
use crate::arguments::MetaUrl;

/// Everything that is known before the volume is opened.
#[derive(Clone, Debug)]
pub(crate) struct MountPlan {
    /// Database of the volume.
    pub(crate) url: MetaUrl,
    /// Where it appears.
    pub(crate) point: MountPoint,
    /// Folders of this user.
    pub(crate) folders: Folders,
    flags: MountFlags,
    #[cfg(target_os = "linux")]
    mount_options: MountOptions,
}

impl MountPlan {
    /// Joins the flags with a checked mount point.
    ///
    /// # Errors
    /// `InvalidArgument` for unknown mount options and flags that exclude each other; what is in the way at the mount
    /// point.
    pub(crate) fn new(url: MetaUrl, point: &Path, flags: MountFlags) -> Result<MountPlan> {
        #[cfg(target_os = "linux")]
        let mount_options = MountOptions::parse(flags.access.mount_options.iter().map(String::as_str))?;
        let folders = Folders::of_user().map_err(|error| host_error(ErrorKind::NotFound, &error))?;
        #[cfg(unix)]
        check_way(&flags.access)?;
        #[cfg(target_os = "linux")]
        let point = super::prepare(point, mount_options.non_empty)?;
        #[cfg(target_os = "macos")]
        let point = super::prepare(point, false)?;
        #[cfg(windows)]
        let point = super::prepare(point)?;
        let plan = MountPlan {
            url,
            point,
            folders,
            flags,
            #[cfg(target_os = "linux")]
            mount_options,
        };
        if plan.flags.cache.writeback && plan.staging_folder().is_none() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "--writeback needs a folder, and --cache-dir names none",
            )
            .with_advice("Give a folder with --cache-dir."));
        }
        let point = plan.point.path();
        if let Some(folder) = plan
            .cache_folders()
            .iter()
            .find(|folder| folder.starts_with(point))
        {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the cache folder {} is in the mount point {}: the cache would keep itself",
                    folder.display(),
                    point.display()
                ),
            )
            .with_advice("Name a folder elsewhere with --cache-dir."));
        }
        Ok(plan)
    }

    /// The directory of the volume that takes the place of its root.
    pub(super) fn subdir(&self) -> Option<&str> {
        self.flags.access.subdir.as_deref()
    }

    #[cfg(target_os = "linux")]
    fn read_only(&self) -> bool {
        self.flags.access.read_only || self.mount_options.read_only
    }

    #[cfg(not(target_os = "linux"))]
    fn read_only(&self) -> bool {
        self.flags.access.read_only
    }

    /// Whether a client without a kernel module of ours uses it: nobody checks permissions for a server, and the internal files
    /// need handles of their own.
    fn is_served(&self) -> bool {
        #[cfg(target_os = "linux")]
        return self.flags.access.backend == MountWay::Nfs;
        #[cfg(not(target_os = "linux"))]
        cfg!(target_os = "macos")
    }

    /// Whether it can be served in the background: a mount through a server is not taken over by the next one yet.
    ///
    /// # Errors
    /// `NotSupported`.
    #[cfg(unix)]
    pub(crate) fn check_background(&self) -> Result<()> {
        if !self.is_served() {
            return Ok(());
        }
        Err(
            Error::new(ErrorKind::NotSupported, "--backend nfs serves in the foreground")
                .with_advice("Leave out --background, and let the system's service manager start it."),
        )
    }

    /// Whether changes of directories are durable before they are answered.
    fn syncs_directories(&self) -> bool {
        #[cfg(target_os = "linux")]
        return self.mount_options.syncs_directories();
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Write-back stages in the first cache folder.
    pub(super) fn staging_folder(&self) -> Option<std::path::PathBuf> {
        self.cache_folders().into_iter().next()
    }

    /// Where acknowledged blocks lie before they are uploaded; none without write-back.
    pub(super) fn writeback_folder(&self) -> Option<std::path::PathBuf> {
        self.staging_folder().filter(|_| self.flags.cache.writeback)
    }

    fn cache_folders(&self) -> Vec<std::path::PathBuf> {
        self.flags.cache.folders(self.folders.cache.clone())
    }

    pub(super) fn meta_options(&self) -> MetaOptions {
        let flags = &self.flags.metadata;
        MetaOptions {
            read_only: self.read_only(),
            background_jobs: !flags.no_bgjob,
            heartbeat: flags.heartbeat,
            skip_dir_mtime: flags.skip_dir_mtime,
            atime: flags.atime_mode.into(),
            mount_point: self.point.path().display().to_string(),
            host_name: moorage_host::host_name(),
            ip_addresses: moorage_host::ip_addresses(),
            max_deletes: self.flags.data.max_deletes,
            ..MetaOptions::default()
        }
    }

    pub(super) fn vfs_options(&self) -> VfsOptions {
        let (access, data, metadata) = (&self.flags.access, &self.flags.data, &self.flags.metadata);
        VfsOptions {
            attr_ttl: metadata.attr_cache,
            entry_ttl: metadata.entry_cache,
            dir_entry_ttl: metadata.dir_entry_cache,
            negative_ttl: metadata.negative_entry_cache,
            open_cache: metadata.open_cache,
            push_invalidation: metadata.push_invalidation,
            sync_mode: data.sync.into(),
            sync_directories: self.syncs_directories(),
            read_only: self.read_only(),
            prefix_internal: access.prefix_internal,
            // Explorer would show them in every window of the drive.
            hide_internal: access.hide_internal || cfg!(windows) || self.is_served(),
            #[cfg(windows)]
            ignore_case: !access.case_sensitive,
            max_readahead: data.max_readahead,
            buffer_size: data.buffer_size,
            squash: access.squash(),
            check_permissions: access.non_default_permission || self.is_served(),
            subdir: access.subdir.clone(),
            enable_capabilities: access.enable_cap,
            enable_selinux: access.enable_selinux,
            enable_xattr: access.enable_xattr,
            backup: metadata.backup(),
            mount_point: self.point.path().to_owned(),
            ..VfsOptions::default()
        }
    }

    /// The pause of this user, which the agent keeps on disk.
    fn hold(&self) -> Option<Hold> {
        let file = pause_file::path(&self.folders.state);
        match pause_file::read(&file, timestamp(SystemTime::now())) {
            Ok(Pause::Paused { until }) => Some(hold(until)),
            Ok(Pause::Running) => None,
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "whether transfers are paused can not be read; they are not");
                None
            }
        }
    }

    /// Whether what is written waits on the local disk for its upload.
    pub(super) fn writeback(&self) -> bool {
        self.flags.cache.writeback
    }

    /// Puts this machine's side into what the volume prescribes.
    pub(super) fn adjust(&self, config: &mut ChunkConfig) {
        /// A megabit per second in bytes per second.
        const MEGABIT_BYTES: u64 = 1_000_000 / 8;
        let (data, cache) = (&self.flags.data, &self.flags.cache);
        config.max_uploads = data.max_uploads;
        config.max_downloads = data.max_downloads;
        config.max_deletes = data.max_deletes.max(1);
        config.prefetch = data.prefetch;
        config.buffer_size = data.buffer_size;
        config.get_timeout = data.get_timeout;
        config.put_timeout = data.put_timeout;
        config.retries = data.io_retries;
        if let Some(limit) = data.upload_limit {
            config.upload_limit = u64::from(limit) * MEGABIT_BYTES;
            config.own_upload_limit = true;
        }
        if let Some(limit) = data.download_limit {
            config.download_limit = u64::from(limit) * MEGABIT_BYTES;
            config.own_download_limit = true;
        }
        let dirs = self.cache_folders();
        config.cache = (cache.cache_size > 0 && !dirs.is_empty()).then_some(CacheConfig {
            dirs,
            size_bytes: cache.cache_size,
            free_space_ratio: cache.free_space_ratio,
        });
        config.hold = self.hold();
        config.writeback = self.writeback_folder().map(|dir| WritebackConfig {
            dir,
            max_bytes: cache.writeback_size,
            deadline: cache.writeback_deadline,
        });
    }

    #[cfg(windows)]
    pub(super) fn session_options(&self, setting: &Setting) -> SessionOptions {
        SessionOptions {
            name: setting.name.clone(),
            uuid: setting.uuid.clone(),
            read_only: self.read_only(),
            network: !self.flags.access.fixed_drive,
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn session_options(&self, setting: &Setting) -> SessionOptions {
        if self.is_served() {
            return SessionOptions::Nfs(self.served_options(setting));
        }
        let mut mount = self.mount_options.clone();
        mount.read_only = self.read_only();
        SessionOptions::Fuse(moorage_fuse::SessionOptions {
            mount,
            // As JuiceFS does: what root mounts is for everyone, within the permissions of the files.
            audience: if nix::unistd::geteuid().is_root() {
                Audience::Everyone
            } else {
                Audience::Owner
            },
            source: format!("Moorage:{}", setting.name),
            kernel_checks: !self.flags.access.non_default_permission,
            posix_acl: setting.enable_acl,
            // A lock needs a session to hold it, and a read-only mount has none.
            shared_locks: !self.read_only(),
        })
    }

    #[cfg(target_os = "macos")]
    pub(super) fn session_options(&self, setting: &Setting) -> SessionOptions {
        SessionOptions::Nfs(self.served_options(setting))
    }

    #[cfg(unix)]
    fn served_options(&self, setting: &Setting) -> NfsOptions {
        NfsOptions {
            uuid: setting.uuid.clone(),
            state: self.folders.state.clone(),
            read_only: self.read_only(),
            attributes: self.flags.metadata.attr_cache,
            serve_only: self.flags.access.no_mount,
        }
    }
}

/// Checks that the flags fit the way to mount, and that this computer has it.
///
/// # Errors
/// `InvalidArgument` naming the flags; `NotSupported` with what is missing.
#[cfg(target_os = "linux")]
fn check_way(access: &AccessFlags) -> Result<()> {
    let checked = match (access.backend, access.no_mount) {
        (MountWay::Fuse, true) => {
            return Err(
                Error::new(ErrorKind::InvalidArgument, "only a server serves without a mount")
                    .with_advice("Add --backend nfs, or leave out --no-mount."),
            );
        }
        (MountWay::Nfs, _) if !access.mount_options.is_empty() => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "-o has options of FUSE, and --backend nfs mounts without it",
            )
            .with_advice("Leave out -o; --read-only works with both."));
        }
        (MountWay::Nfs, true) => return Ok(()),
        (MountWay::Nfs, false) => moorage_nfs::check(),
        (MountWay::Fuse, false) => moorage_host::check_driver(),
    };
    checked.map_err(|error| mount_error(&error))
}

/// Checks that this computer has what mounts.
///
/// # Errors
/// `NotSupported` with what is missing.
#[cfg(target_os = "macos")]
fn check_way(access: &AccessFlags) -> Result<()> {
    if access.no_mount {
        return Ok(());
    }
    moorage_nfs::check().map_err(|error| mount_error(&error))
}
