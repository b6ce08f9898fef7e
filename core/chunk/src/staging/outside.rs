//! The staging folders of a volume in a cache folder, seen from outside of any mount.

use std::fs::{self, ReadDir};
use std::io;
use std::path::Path;

use moorage_model::Result;

use super::folder::MAX_FOLDERS;
use crate::disk_cache::folder_name;
use crate::disk_error::disk_error;

/// Shows `look` each staging folder of the volume `uuid` that is there, in either order. Changes nothing. Blocks the
/// thread: one listing for each mount that staged there.
///
/// Blocks of an ended mount move to the folder of a living one, up or down: what escapes a pass in one order is seen by one
/// in the other.
///
/// # Errors
/// `InvalidArgument` for an impossible UUID; the disk's when a folder that is there can not be read.
pub(super) fn each_folder(
    cache: &Path,
    uuid: &str,
    order: Order,
    mut look: impl FnMut(&Path, ReadDir) -> io::Result<()>,
) -> Result<()> {
    let base = cache.join(folder_name(uuid)?);
    for number in 0..MAX_FOLDERS {
        let number = match order {
            Order::Ascending => number,
            Order::Descending => MAX_FOLDERS - 1 - number,
        };
        let root = base.join(format!("staging-{number}"));
        let looked = match fs::read_dir(&root) {
            Ok(entries) => look(&root, entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        looked.map_err(|error| disk_error("can not read the staging folder", root.display(), error))?;
    }
    Ok(())
}

/// The order in which folders are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl Order {
    pub(super) const BOTH: [Order; 2] = [Order::Ascending, Order::Descending];
}
