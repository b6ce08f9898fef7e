//! The trash as a person meets it: its hours, what lies in them and where that was, bringing back and deleting for good
//! what was chosen (spec 70-semantics section 3).

mod entry_name;
mod hour_index;
mod hours;
mod list;
mod named;
mod origin;
mod purge;
mod put_back;

pub(super) use entry_name::EntryName;
pub use hours::{HourContent, TrashHour, TrashHours};
pub use list::{MAX_TRASH_PAGE, RemovedAttributes, TrashEntry, TrashPage, TrashQuery};
pub use origin::OldFolder;
pub use purge::{EntryPurged, PurgeScope};
pub use put_back::{EntryRestored, RestoreOutcome};
