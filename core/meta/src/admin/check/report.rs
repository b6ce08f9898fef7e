//! What a check of a volume answers.

use std::collections::BTreeMap;
use std::fmt;

/// Findings kept in a report; the rest is only counted.
pub const MAX_FINDINGS: usize = 10_000;

/// How bad a finding is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A number that is allowed to drift (spec 70-semantics section 8), or something that could not be compared.
    Note,
    /// Nothing is lost, but something is wrong: space is not freed, or a name is missing.
    Warning,
    /// Data or names are lost or in danger.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// A record can not be read.
    DamagedRecord,
    /// An entry whose node does not exist.
    MissingNode,
    /// An entry that says another kind than its node.
    WrongKind,
    /// A node that says another parent than the directory that has it.
    WrongParent,
    /// A directory with more than one name, or a file with more names than it knows.
    SecondName,
    /// An entry whose name means something else, or is one that no entry can have.
    ReservedName,
    /// An entry in a directory that does not exist, or in something that is no directory.
    MissingDirectory,
    /// Directories that contain each other and hang below nothing.
    Loop,
    /// A node that no entry leads to.
    Orphan,
    /// A wrong number of links.
    LinkCount,
    /// A symlink without a target.
    MissingTarget,
    /// An ACL rule that nodes refer to and that does not exist.
    MissingAcl,
    /// A file that is recorded as deleted and still exists.
    DeletedButPresent,
    /// Directory statistics that differ from a listing.
    DirectoryStatistics,
    /// A usage counter that differs from a scan.
    UsageCounter,
    /// A counter that would give a number a second time.
    AllocationCounter,
    /// Slice lists of files that do not exist.
    OrphanedChunk,
    /// A number of slice owners that differs from the records.
    SliceOwners,
    /// An object that a slice needs is not in the store.
    MissingObject,
    /// An object that a slice needs waits on this computer for its upload.
    NotUploaded,
    /// An object of another size than its block.
    WrongObjectSize,
    /// An object whose content can not be read back.
    DamagedObject,
}

impl Defect {
    /// Stable word for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Defect::DamagedRecord => "damaged-record",
            Defect::MissingNode => "missing-node",
            Defect::WrongKind => "wrong-kind",
            Defect::WrongParent => "wrong-parent",
            Defect::SecondName => "second-name",
            Defect::ReservedName => "reserved-name",
            Defect::MissingDirectory => "missing-directory",
            Defect::Loop => "loop",
            Defect::Orphan => "orphan",
            Defect::LinkCount => "link-count",
            Defect::MissingTarget => "missing-target",
            Defect::MissingAcl => "missing-acl",
            Defect::DeletedButPresent => "deleted-but-present",
            Defect::DirectoryStatistics => "directory-statistics",
            Defect::UsageCounter => "usage-counter",
            Defect::AllocationCounter => "allocation-counter",
            Defect::OrphanedChunk => "orphaned-chunk",
            Defect::SliceOwners => "slice-owners",
            Defect::MissingObject => "missing-object",
            Defect::NotUploaded => "not-uploaded",
            Defect::WrongObjectSize => "wrong-object-size",
            Defect::DamagedObject => "damaged-object",
        }
    }
}

/// What was done about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairState {
    /// It could be repaired; nobody asked.
    Possible,
    /// It was repaired.
    Done,
    /// There is no safe repair.
    Impossible,
    /// The repair failed.
    Failed(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub defect: Defect,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence that names the object.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// What was done.
    pub repair: RepairState,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity.name(), self.message)?;
        match &self.repair {
            RepairState::Done => f.write_str(" (repaired)"),
            RepairState::Failed(why) => write!(f, " (not repaired: {why}). {}", self.advice),
            RepairState::Possible | RepairState::Impossible => write!(f, ". {}", self.advice),
        }
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// Nodes.
    pub nodes: u64,
    /// Directories.
    pub directories: u64,
    /// Entries of directories.
    pub entries: u64,
    /// Slices that records show or hold back.
    pub slices: u64,
    /// Objects that slices need.
    pub objects: u64,
    /// Bytes of those before compression.
    pub object_bytes: u64,
    /// Records that can not be read.
    pub damaged: u64,
    /// Objects whose content was read.
    pub verified_objects: u64,
    /// Bytes of those before compression.
    pub verified_bytes: u64,
}

/// The answer of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How much was looked at.
    pub counts: CheckCounts,
    /// What was found, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Findings by severity that are not repaired, those not kept included.
    pub open: BTreeMap<Severity, u64>,
    /// Findings that were repaired.
    pub repaired: u64,
    /// Open findings that have a safe repair which nobody asked for.
    pub repairable: u64,
}

impl CheckReport {
    /// The worst severity among what is not repaired; `None` for a clean volume.
    pub fn worst(&self) -> Option<Severity> {
        self.open.keys().next_back().copied()
    }

    /// Notes a finding.
    pub fn add(&mut self, finding: Finding) {
        if finding.repair == RepairState::Done {
            self.repaired += 1;
        } else {
            *self.open.entry(finding.severity).or_default() += 1;
        }
        self.repairable += u64::from(finding.repair == RepairState::Possible);
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Takes over what another check of the same volume found.
    pub fn merge(&mut self, other: CheckReport) {
        for (severity, count) in other.open {
            *self.open.entry(severity).or_default() += count;
        }
        self.repaired += other.repaired;
        self.repairable += other.repairable;
        let room = MAX_FINDINGS.saturating_sub(self.findings.len());
        self.findings.extend(other.findings.into_iter().take(room));
        let (own, more) = (&mut self.counts, other.counts);
        own.nodes += more.nodes;
        own.directories += more.directories;
        own.entries += more.entries;
        own.slices += more.slices;
        own.objects += more.objects;
        own.object_bytes += more.object_bytes;
        own.damaged += more.damaged;
        own.verified_objects += more.verified_objects;
        own.verified_bytes += more.verified_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repaired_finding_does_not_make_a_volume_bad() {
        let finding = |severity, repair| Finding {
            defect: Defect::LinkCount,
            severity,
            message: "x".to_owned(),
            advice: String::new(),
            repair,
        };
        let mut report = CheckReport::default();
        assert_eq!(report.worst(), None);
        report.add(finding(Severity::Error, RepairState::Done));
        assert_eq!((report.worst(), report.repaired), (None, 1));
        report.add(finding(Severity::Note, RepairState::Possible));
        report.add(finding(Severity::Warning, RepairState::Impossible));
        assert_eq!(report.worst(), Some(Severity::Warning));
        assert_eq!(report.repairable, 1);
    }
}
