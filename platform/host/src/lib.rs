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
#[cfg_attr(windows, path = "windows/mount_point.rs")]
mod mount_point;
#[cfg_attr(windows, path = "windows/mount_table.rs")]
#[cfg_attr(target_os = "macos", path = "macos/mount_table.rs")]
mod mount_table;
#[cfg_attr(windows, path = "windows/process.rs")]
#[cfg_attr(target_os = "macos", path = "macos/process.rs")]
mod process;
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
pub use mount_point::MountPoint;
#[cfg(unix)]
pub use mount_point::MountPointState;
pub use mount_table::{MountEntry, mounts};
#[cfg(target_os = "linux")]
pub use process::supplementary_groups;
pub use process::{ProcessIdentity, process_of};
#[cfg(windows)]
pub use process::{ask_to_end, end_at_once};
#[cfg(target_os = "linux")]
pub use signals::{Heeded, SignalState, in_system_call, signal_state};
pub use standard_error::redirect_errors;
#[cfg(all(feature = "surroundings", target_os = "linux"))]
pub use surroundings::host_events_at;
#[cfg(feature = "surroundings")]
pub use surroundings::{HostEvent, HostEvents, Surroundings, host_events};
#[cfg(unix)]
pub use unmount::{Holder, Unmount, holders, unmount};
#[cfg(windows)]
pub use windows::{Job, keep_standard_handles, leave_own_console, start_detached};
