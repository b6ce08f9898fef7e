//! Names that are the same but for capital and small letters, for doors to which such names are one.

mod fold;
mod index;

pub use fold::fold_case;
pub(crate) use index::{LetterIndex, Spellings};
