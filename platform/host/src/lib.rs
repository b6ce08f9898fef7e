//! Services of the operating system that a mount and a desktop need: folders, drivers, mount points, processes,
//! and, as features, stores of secrets, and what the network and the power are like.
//!
//! Knows no volume and no file system semantics.

mod backend;
#[cfg_attr(windows, path = "windows/driver.rs")]
#[cfg_attr(target_os = "macos", path = "macos/driver.rs")]
mod driver;
mod durable_file;
#[cfg(unix)]
mod ending;
mod error;
mod folders;
#[cfg_attr(windows, path = "windows/login_item.rs")]
#[cfg_attr(target_os = "macos", path = "macos/login_item.rs")]
mod login_item;
mod machine;
#[cfg(unix)]
mod mount_entry;
#[cfg_attr(windows, path = "windows/mount_point.rs")]
mod mount_point;
#[cfg_attr(windows, path = "windows/mount_table.rs")]
#[cfg_attr(target_os = "macos", path = "macos/mount_table.rs")]
mod mount_table;
#[cfg_attr(windows, path = "windows/process.rs")]
#[cfg_attr(target_os = "macos", path = "macos/process.rs")]
mod process;
mod process_identity;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(target_os = "linux")]
mod signals;
mod standard_error;
#[cfg(feature = "surroundings")]
mod surroundings;
#[cfg(unix)]
#[cfg_attr(target_os = "macos", path = "macos/unmount.rs")]
mod unmount;
#[cfg(unix)]
mod unmount_request;
#[cfg(windows)]
mod windows;

pub use backend::{
    CaseMode, FolderMount, MountBackend, MountCapabilities, MountError, MountProblem, MountSession,
};
#[cfg(target_os = "linux")]
pub use driver::can_others_be_allowed;
pub use driver::check_driver;
#[cfg(windows)]
pub use driver::{DriverVersion, WinFsp};
pub use durable_file::replace_file;
#[cfg(unix)]
pub use ending::{ask_to_end, end_at_once};
pub use error::HostError;
pub use folders::Folders;
pub use login_item::LoginItem;
pub use machine::{host_name, ip_addresses};
#[cfg(unix)]
pub use mount_entry::MountEntry;
pub use mount_point::MountPoint;
#[cfg(unix)]
pub use mount_point::MountPointState;
#[cfg(windows)]
pub use mount_table::MountEntry;
pub use mount_table::mounts;
pub use process::process_of;
#[cfg(target_os = "linux")]
pub use process::supplementary_groups;
#[cfg(windows)]
pub use process::{ask_to_end, end_at_once};
pub use process_identity::ProcessIdentity;
#[cfg(target_os = "linux")]
pub use signals::{Heeded, SignalState, in_system_call, signal_state};
pub use standard_error::redirect_errors;
#[cfg(all(feature = "surroundings", target_os = "linux"))]
pub use surroundings::host_events_at;
#[cfg(feature = "surroundings")]
pub use surroundings::{HostEvent, HostEvents, Surroundings, host_events};
#[cfg(unix)]
pub use unmount::{holders, unmount};
#[cfg(unix)]
pub use unmount_request::{Holder, Unmount};
#[cfg(windows)]
pub use windows::{Job, keep_standard_handles, leave_own_console, start_detached};
