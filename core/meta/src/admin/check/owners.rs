//! Stored numbers of slice owners against the records that own them.

use std::collections::{BTreeMap, BTreeSet};

use moorage_model::{Result, SliceId};

use super::namespace::Namespace;
use super::report::{Defect, Severity};
use crate::admin::Damage;
use crate::{Key, TxnExt as _};

/// Slices looked at a second time at once.
const SUSPECTS: usize = 100_000;

impl Namespace<'_> {
    pub(super) async fn check_owners(&mut self) -> Result<()> {
        let mut from = SliceId::HOLE;
        loop {
            let window = match self.meta.slice_window(from, self.progress).await {
                Ok(window) => window,
                Err(error) => return self.damaged(error, "the owners of slices were not checked"),
            };
            self.report.counts.slices += window.slices.len() as u64;
            if let Some(id) = window.slices.keys().next_back() {
                self.highest_slice = self.highest_slice.max(*id);
            }
            if !window.damage.is_empty() {
                // Each window scans all records.
                if from == SliceId::HOLE {
                    self.report_unread_owners(&window.damage).await?;
                }
                match window.next {
                    Some(next) => from = next,
                    None => return Ok(()),
                }
                continue;
            }
            let suspects: BTreeMap<SliceId, (u32, i64, i64)> = window
                .slices
                .iter()
                // Without records and without owners it only waits for its deletion.
                .filter(|(_, known)| known.counted() != known.stored().max(0))
                .map(|(id, known)| (*id, (known.size, known.counted(), known.stored())))
                .take(SUSPECTS)
                .collect();
            if !suspects.is_empty() {
                self.judge_owners(suspects).await?;
            }
            match window.next {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    /// Damaged records that own slices or count owners: without them no number of owners is known to be wrong.
    async fn report_unread_owners(&mut self, damage: &Damage) -> Result<()> {
        for found in &damage.records {
            self.report_unreadable(found).await?;
        }
        self.report.counts.damaged += damage.count - damage.records.len() as u64;
        self.add(
            Defect::SliceOwners,
            Severity::Note,
            format!(
                "the owners of slices were not compared: {} of the records that own or count them can not be read",
                damage.count
            ),
            "Restore them, then check again.",
            None,
        );
        Ok(())
    }

    /// Counts suspects again; those that stay the same are findings.
    async fn judge_owners(&mut self, suspects: BTreeMap<SliceId, (u32, i64, i64)>) -> Result<()> {
        let ids: BTreeSet<SliceId> = suspects.keys().copied().collect();
        let again = self.meta.count_slices(&ids, self.progress).await?;
        for (id, (size, counted, stored)) in suspects {
            let now = self.meta.engine.get(&[Key::SliceRef(id, size)]).await?.owners()?;
            if again.get(&id).copied().unwrap_or(0) != counted || now.unwrap_or(1) != stored {
                continue;
            }
            let (severity, consequence) = if counted > stored {
                (Severity::Error, "deleting one file would take data from another")
            } else {
                (Severity::Warning, "its space would never be given back")
            };
            let repair = match (self.options.repair, self.alone) {
                (true, true) => Some(self.meta.repair_owners(id, size, stored, counted).await),
                (true, false) => Some(Err(super::repair::in_use())),
                (false, _) => None,
            };
            self.add(
                Defect::SliceOwners,
                severity,
                format!("slice {id} has {counted} owners and says {stored}: {consequence}"),
                "`fsck --repair` corrects the number while nobody has the volume mounted.",
                Some(repair),
            );
        }
        Ok(())
    }
}
