//! Services of the operating system that a mount and a desktop need: folders, drivers, mount points, processes,
//! and, as a feature, stores of secrets.
//!
//! Knows no volume and no file system semantics. What concerns mounts is there for Linux only.

#[cfg(unix)]
mod driver;
mod durable_file;
mod error;
mod folders;
#[cfg(unix)]
mod login_item;
mod machine;
#[cfg(unix)]
mod mount_point;
#[cfg_attr(windows, path = "windows/mount_table.rs")]
mod mount_table;
#[cfg_attr(windows, path = "windows/process.rs")]
mod process;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod unmount;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use driver::{can_others_be_allowed, check_fuse};
pub use durable_file::replace_file;
pub use error::HostError;
pub use folders::Folders;
#[cfg(unix)]
pub use login_item::LoginItem;
pub use machine::{host_name, ip_addresses};
#[cfg(unix)]
pub use mount_point::{MountPoint, MountPointState};
pub use mount_table::{MountEntry, mounts};
pub use process::ProcessIdentity;
#[cfg(unix)]
pub use process::{process_of, supplementary_groups};
#[cfg(unix)]
pub use signals::{Heeded, SignalState, ask_to_end, end_at_once, in_system_call, signal_state};
#[cfg(unix)]
pub use unmount::{Holder, Unmount, holders, unmount};
