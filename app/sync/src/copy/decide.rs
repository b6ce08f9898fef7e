//! What happens to one name: a pure function of what both sides have under it.

use crate::copy::CopyOptions;
use crate::{Entry, Kind};

/// What is done about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Skip,
    /// The source's takes the place of what the destination has.
    Copy,
    /// The destination seems to have it: contents are compared first if anything depends on that, and what differs is
    /// copied.
    Same,
    /// The destination's goes, because the source has none.
    DeleteDestination,
    /// A folder in one side and something else in the other.
    Clash,
}

/// Decides about what the source and the destination have under a name. Folders are decided on by themselves, never for
/// what is in them.
pub fn decide(source: Option<&Entry>, destination: Option<&Entry>, options: &CopyOptions) -> Step {
    let selection = options.selection;
    match (source, destination) {
        (None, None) => Step::Skip,
        (None, Some(extra)) => {
            if options.deletions.destination && (options.folders || !extra.is_folder()) {
                Step::DeleteDestination
            } else {
                Step::Skip
            }
        }
        (Some(found), _) if found.kind == Kind::Special => Step::Skip,
        (Some(found), None) => {
            if selection.existing || (found.is_folder() && !options.folders) {
                Step::Skip
            } else {
                Step::Copy
            }
        }
        (Some(found), Some(other)) if found.is_folder() && other.is_folder() => Step::Skip,
        (Some(found), Some(other)) if found.is_folder() != other.is_folder() => Step::Clash,
        (Some(_), Some(_)) if selection.ignore_existing => Step::Skip,
        (Some(_), Some(_)) if selection.force_update => Step::Copy,
        (Some(found), Some(other)) if found.kind != other.kind => Step::Copy,
        (Some(found), Some(other)) if selection.update => {
            if found.modified() > other.modified() {
                Step::Copy
            } else {
                Step::Same
            }
        }
        // The target of a link is looked at where its length says nothing.
        (Some(found), Some(_)) if found.kind == Kind::Link => Step::Same,
        (Some(found), Some(other)) => {
            if found.size() == other.size() {
                Step::Same
            } else {
                Step::Copy
            }
        }
    }
}
