//! Services of the operating system that a mount and a desktop need: folders, drivers, mount points, processes,
//! and, as a feature, stores of secrets.
//!
//! Knows no volume and no file system semantics.

mod driver;
mod durable_file;
mod error;
mod folders;
mod login_item;
mod machine;
mod mount_point;
mod mount_table;
mod process;
#[cfg(feature = "secrets")]
pub mod secrets;
mod signals;
mod unmount;

pub use driver::{can_others_be_allowed, check_fuse};
pub use durable_file::replace_file;
pub use error::HostError;
pub use folders::Folders;
pub use login_item::LoginItem;
pub use machine::{host_name, ip_addresses};
pub use mount_point::{MountPoint, MountPointState};
pub use mount_table::{MountEntry, mounts};
pub use process::{ProcessIdentity, process_of, supplementary_groups};
pub use signals::{Heeded, SignalState, in_system_call, signal_state};
pub use unmount::{Holder, Unmount, holders, unmount};
