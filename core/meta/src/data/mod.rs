//! Contents of files: open and close, slice lists, length, holes and copies (spec 70-semantics section 7).

mod change;
mod close;
mod copy_file_range;
mod fallocate;
mod open;
mod read_slices;
mod slice_count;
mod truncate;
mod write_slice;

pub use copy_file_range::CopyOutcome;
pub use fallocate::FallocateMode;
pub use open::OpenFlags;
pub(crate) use slice_count::SliceCounts;
pub use write_slice::WriteOutcome;
