//! The sentence of truth, from what was seen and nothing else.

use moorage_control::mount::{Lost, MountReport};
use moorage_control::truth::Truth;

use crate::mounts::{Journal, Sighting};

/// What was seen of one volume. The journal was read after the report was asked for: so a mount that dies in between
/// hides nothing.
pub(crate) struct Evidence<'a> {
    /// What the person calls it.
    pub(crate) name: &'a str,
    pub(crate) sighting: &'a Sighting,
    /// What each of its processes says; none for one that does not answer.
    pub(crate) reports: &'a [Option<MountReport>],
    /// What is staged on this disk; an error in words when that is not known.
    pub(crate) journal: &'a Result<Journal, String>,
}

/// Whether the files of a volume are stored: claimed only when its journals are empty on disk, and every process that
/// serves it or did says that nothing is in its memory.
pub(crate) fn of_volume(seen: &Evidence<'_>) -> Truth {
    let unknown = |message: String| Truth::Unknown { message };
    let journal = match seen.journal {
        Ok(journal) => journal,
        Err(message) => return unknown(message.clone()),
    };
    if let Some(lost) = seen
        .reports
        .iter()
        .flatten()
        .find_map(|report| report.lost.as_ref())
    {
        return Truth::Lost {
            message: in_words(seen.name, lost),
        };
    }
    // Processes count what is in their memory, too; the disk also has what other mounts of the volume left.
    let told = || seen.reports.iter().flatten().map(|report| &report.figures);
    let files = told()
        .map(|told| told.staged_files)
        .sum::<u64>()
        .max(journal.files);
    let bytes = told()
        .map(|told| told.staged_bytes)
        .sum::<u64>()
        .max(journal.bytes);
    if files > 0 || bytes > 0 {
        let oldest = told()
            .filter_map(|told| told.oldest_staged)
            .chain(journal.oldest)
            .min();
        return Truth::OnlyHere { files, bytes, oldest };
    }
    let name = seen.name;
    if seen.reports.iter().any(Option::is_none) {
        return unknown(format!("the mount of {name} does not say whether all is stored"));
    }
    if matches!(seen.sighting, Sighting::Absent { lost: Some(_) }) {
        return unknown(format!(
            "the last mount of {name} ended before everything that was written to it was stored"
        ));
    }
    Truth::Stored
}

/// What a staging folder lost: no file of it waits, and none is stored.
fn in_words(name: &str, lost: &Lost) -> String {
    /// Files in a sentence that a person reads in a moment.
    const MOST_NAMED: usize = 3;
    let named = lost.named.iter().take(MOST_NAMED).map(|file| match &file.path {
        Some(path) => path.clone(),
        None => format!("inode {}", file.inode),
    });
    let mut named: Vec<String> = named.collect();
    let more = lost.files.saturating_sub(named.len() as u64);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    format!(
        "{name}: {} (deleted from the staging folder before the upload)",
        named.join(", ")
    )
}

/// The sentence of truth over all volumes: it claims only what holds for each, and names what is lost of any before what
/// merely waits.
pub(crate) fn over_all<'a>(truths: impl Iterator<Item = &'a Truth>) -> Truth {
    let (mut files, mut bytes, mut oldest) = (0, 0, None);
    let mut unknown = None;
    let mut lost: Vec<&str> = Vec::new();
    for truth in truths {
        match truth {
            Truth::Stored => {}
            Truth::OnlyHere {
                files: more,
                bytes: more_bytes,
                oldest: since,
            } => {
                files += more;
                bytes += more_bytes;
                oldest = [oldest, *since].into_iter().flatten().min();
            }
            Truth::Lost { message } => lost.push(message),
            Truth::Unknown { .. } => unknown = unknown.or(Some(truth)),
        }
    }
    if !lost.is_empty() {
        return Truth::Lost {
            message: lost.join("; "),
        };
    }
    match (files, bytes, unknown) {
        (0, 0, Some(unknown)) => unknown.clone(),
        (0, 0, None) => Truth::Stored,
        (files, bytes, _) => Truth::OnlyHere { files, bytes, oldest },
    }
}

#[cfg(test)]
mod tests {
    use moorage_control::figures::Figures;
    use moorage_control::mount::LostFile;
    use moorage_control::state::Timestamp;

    use super::*;

    const SERVING: Sighting = Sighting::Serving {
        process: 1,
        supervisor: None,
    };
    const GONE: Sighting = Sighting::Absent { lost: None };

    fn holding(files: u64, bytes: u64, oldest: Option<u64>) -> MountReport {
        MountReport {
            figures: Figures {
                staged_files: files,
                staged_bytes: bytes,
                oldest_staged: oldest.map(Timestamp),
                ..Figures::default()
            },
            ..MountReport::default()
        }
    }

    fn truth(
        sighting: &Sighting,
        reports: &[Option<MountReport>],
        journal: &Result<Journal, String>,
    ) -> Truth {
        of_volume(&Evidence {
            name: "photos",
            sighting,
            reports,
            journal,
        })
    }

    fn journal(files: u64, bytes: u64, oldest: u64) -> Journal {
        Journal {
            files,
            bytes,
            oldest: Some(Timestamp(oldest)),
        }
    }

    fn only_here(files: u64, bytes: u64, oldest: Option<u64>) -> Truth {
        Truth::OnlyHere {
            files,
            bytes,
            oldest: oldest.map(Timestamp),
        }
    }

    fn is_unknown(truth: &Truth) -> bool {
        matches!(truth, Truth::Unknown { .. })
    }

    #[test]
    fn all_is_stored_when_the_journal_is_empty_and_no_process_holds_anything() {
        let empty = &Ok(Journal::default());
        let nothing = || Some(holding(0, 0, None));
        assert_eq!(truth(&SERVING, &[nothing()], empty), Truth::Stored);
        assert_eq!(truth(&GONE, &[], empty), Truth::Stored);
        assert!(
            is_unknown(&truth(&SERVING, &[None], empty)),
            "it may hold something"
        );
        let earlier = [nothing(), None];
        assert!(
            is_unknown(&truth(&SERVING, &earlier, empty)),
            "so may an earlier one"
        );
        let earlier = [nothing(), Some(holding(1, 5, None))];
        assert_eq!(truth(&SERVING, &earlier, empty), only_here(1, 5, None));
    }

    #[test]
    fn what_is_staged_is_told_whether_or_not_a_process_answers() {
        let staged = &Ok(journal(2, 100, 7));
        assert_eq!(truth(&SERVING, &[None], staged), only_here(2, 100, Some(7)));
        for sighting in [GONE, Sighting::Dead, Sighting::Returning] {
            let told = truth(&sighting, &[], staged);
            assert_eq!(told, only_here(2, 100, Some(7)), "{sighting:?}");
        }
        // The process holds bytes in memory beside what is staged.
        let told = truth(&SERVING, &[Some(holding(3, 150, Some(9)))], staged);
        assert_eq!(told, only_here(3, 150, Some(7)));
    }

    #[test]
    fn nothing_is_claimed_of_a_journal_that_can_not_be_read_and_after_a_loss() {
        let unreadable = &Err("no journal".to_owned());
        assert!(is_unknown(&truth(&GONE, &[], unreadable)));
        let nothing = [Some(holding(0, 0, None))];
        assert!(is_unknown(&truth(&SERVING, &nothing, unreadable)));
        let lost = Sighting::Absent {
            lost: Some("/a is lost".to_owned()),
        };
        assert!(is_unknown(&truth(&lost, &[], &Ok(Journal::default()))));
    }

    #[test]
    fn all_volumes_are_stored_only_when_that_is_known_of_each() {
        let here = only_here(1, 2, None);
        let unknown = Truth::Unknown {
            message: "no journal".to_owned(),
        };
        assert_eq!(over_all([Truth::Stored, Truth::Stored].iter()), Truth::Stored);
        assert_eq!(over_all([Truth::Stored, here.clone()].iter()), here);
        assert_eq!(over_all([Truth::Stored, unknown.clone()].iter()), unknown);
        // What is known to be at risk is not hidden by what is not known.
        assert_eq!(
            over_all([unknown, here.clone(), here].iter()),
            only_here(2, 4, None)
        );
    }

    #[test]
    fn a_loss_of_one_volume_is_told_before_what_waits_in_others() {
        let lost = |message: &str| Truth::Lost {
            message: message.to_owned(),
        };
        let truths = [only_here(1, 2, None), lost("a: /x"), Truth::Stored, lost("b: /y")];
        assert_eq!(over_all(truths.iter()), lost("a: /x; b: /y"));
    }

    #[test]
    fn what_a_staging_folder_lost_is_neither_stored_nor_waiting() {
        let file = |inode, path: Option<&str>| LostFile {
            inode,
            path: path.map(str::to_owned),
            bytes: 1,
        };
        let lost = Lost {
            files: 5,
            bytes: 9,
            named: vec![file(2, Some("/a")), file(3, None)],
        };
        let report = MountReport {
            lost: Some(lost),
            ..holding(1, 1, None)
        };
        let Truth::Lost { message } = truth(&SERVING, &[Some(report)], &Ok(journal(1, 1, 1))) else {
            panic!("nothing is claimed");
        };
        assert!(
            message.contains(": /a, inode 3, 3 more (deleted from"),
            "{message}"
        );
    }
}
