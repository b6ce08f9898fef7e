//! Contents of files: open and close, slice lists, length, holes and copies (spec 70-semantics section 7).

mod append_slices;
mod change;
mod close;
mod compact;
mod copy_file_range;
mod fallocate;
mod hold;
mod open;
mod read_slices;
mod sample;
mod slice_count;
mod slice_records;
mod truncate;
mod write_slice;

pub use append_slices::AppendOutcome;
pub(crate) use change::touch_content;
pub use compact::CompactOutcome;
pub use copy_file_range::CopyOutcome;
pub use fallocate::FallocateMode;
pub use hold::HeldFile;
pub use open::OpenFlags;
pub(crate) use open::Opening;
pub(crate) use slice_count::SliceCounts;
pub(crate) use truncate::{change_length, check_new_length};
pub use write_slice::WriteOutcome;
