//! Administration that needs records and objects together: garbage collection, the object half of `fsck`, the objects
//! of a file, and the end of a volume.

mod collect;
mod content_check;
mod destroy;
mod file_objects;
mod listing;
mod object_check;
mod store_clock;

pub use collect::{GarbageOptions, GarbageReport, MINIMUM_AGE, ObjectCount, collect_garbage};
pub use content_check::verify_contents;
pub use destroy::{DestroyOptions, destroy_volume};
pub use file_objects::{ObjectPiece, file_objects};
pub use object_check::{ObjectCheckOptions, OnlyHere, check_objects};
