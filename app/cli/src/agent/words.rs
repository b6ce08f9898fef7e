//! The sentence of truth in words.

use moorage_control::settings::HoldRule;
use moorage_control::truth::Truth;

use crate::noun::{FILES, agree};
use crate::size;

/// Why a rule holds transfers.
pub(crate) fn rule_in_words(rule: HoldRule) -> &'static str {
    match rule {
        HoldRule::Metered => "the connection is metered",
        HoldRule::Battery => "this computer runs on its battery",
    }
}

/// Whether what was written is stored, as the rest of a sentence after its subject.
pub(crate) fn truth_in_words(truth: &Truth) -> String {
    match truth {
        Truth::Stored => "all files are safely stored".to_owned(),
        Truth::OnlyHere { files, bytes, .. } => format!(
            "{}, {}, {} only on this computer",
            FILES.count(*files),
            size::show(*bytes),
            agree(*files, "exists", "exist")
        ),
        Truth::Lost { message } => format!("data is lost: {message}"),
        Truth::Unknown { message } => format!("whether all are stored is not known: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_and_many_are_told_with_their_bytes() {
        let here = |files| {
            truth_in_words(&Truth::OnlyHere {
                files,
                bytes: 2048,
                oldest: None,
            })
        };
        assert_eq!(here(1), "1 file, 2.0 KiB, exists only on this computer");
        assert_eq!(here(3), "3 files, 2.0 KiB, exist only on this computer");
    }
}
