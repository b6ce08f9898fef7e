//! What the agent sees of mounts: the records that their processes write, and the system's table.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use moorage_agent::{Journal, Look, MountTable, Sighting, Watched};
use moorage_chunk::{StagedFiles, staged_files};
use moorage_host::Folders;

use super::presence::Presence;
use crate::arguments::MetaUrl;
use crate::mounting::{MountPhase, MountRecord, timestamp};

/// The mounts of this user.
#[derive(Debug)]
pub(crate) struct OwnMounts {
    folders: Folders,
    presence: Presence,
}

impl OwnMounts {
    /// With the records in the state folder.
    pub(crate) fn new(folders: Folders) -> OwnMounts {
        OwnMounts {
            folders,
            presence: Presence::new(),
        }
    }

    /// The cache folders in which a volume may be staged: that of its settings, and those that its mounts had.
    fn staging_places(&self, volume: &Watched, uuid: &str) -> BTreeSet<PathBuf> {
        let chosen = volume.settings.options.cache_folder.as_ref().map(PathBuf::from);
        let records = MountRecord::all(&self.folders.state).into_iter();
        records
            .filter(|record| record.uuid == uuid)
            .filter_map(|record| record.cache)
            .chain(chosen)
            .chain([self.folders.cache.clone()])
            .collect()
    }
}

impl MountTable for OwnMounts {
    fn look(&self, volumes: &[Watched]) -> Vec<Look> {
        let records = MountRecord::all(&self.folders.state);
        // Without the table nothing is known to be mounted, and nothing to be gone.
        let present = self.presence.look();
        volumes
            .iter()
            .map(|volume| {
                let own = records_of(volume, &records);
                let uuid = own
                    .iter()
                    .find(|record| !record.uuid.is_empty())
                    .map(|record| record.uuid.clone());
                let point = Path::new(&volume.settings.mount_point);
                let sighting = match &present {
                    Some(present) => sighting(present.has(point, &own), &own),
                    None => Sighting::Changing,
                };
                Look {
                    sighting,
                    uuid,
                    processes: processes(&own),
                }
            })
            .collect()
    }

    fn all_processes(&self) -> Vec<PathBuf> {
        let records = MountRecord::all(&self.folders.state).into_iter();
        let running = records.filter(MountRecord::is_running);
        running.filter_map(|record| record.socket).collect()
    }

    fn journal(&self, volume: &Watched) -> Result<Journal, String> {
        let name = &volume.settings.name;
        let Some(uuid) = &volume.uuid else {
            return Err(format!(
                "{name} was not mounted yet since it is in the list, so what it left here before is not known"
            ));
        };
        let mut staged = StagedFiles::default();
        for folder in self.staging_places(volume, uuid) {
            let found = staged_files(&folder, uuid).map_err(|error| {
                let folder = folder.display();
                format!("what {name} has staged in {folder} can not be read: {error}")
            })?;
            staged.merge(found);
        }
        Ok(Journal {
            files: staged.files(),
            bytes: staged.bytes(),
            oldest: staged.oldest.map(timestamp),
        })
    }

    #[cfg(windows)]
    fn give_up(&self, volume: &Watched) {
        let records = MountRecord::all(&self.folders.state);
        for record in records_of(volume, &records) {
            if !record.is_running() {
                record.remove(&self.folders.state);
            }
        }
    }
}

/// The records of mounts of this volume at its mount point.
fn records_of<'a>(volume: &Watched, records: &'a [MountRecord]) -> Vec<&'a MountRecord> {
    let url = MetaUrl::from(volume.settings.metadata_url.as_str().to_owned()).to_share();
    let point = Path::new(&volume.settings.mount_point);
    records
        .iter()
        .filter(|record| record.point == point && record.database == url.as_str())
        .collect()
}

/// Where the processes answer that run: those that serve first.
fn processes(records: &[&MountRecord]) -> Vec<Option<PathBuf>> {
    let mut running: Vec<&MountRecord> = records
        .iter()
        .copied()
        .filter(|record| record.is_running())
        .collect();
    running.sort_by_key(|record| record.phase != MountPhase::Serving);
    running.into_iter().map(|record| record.socket.clone()).collect()
}

/// What the records say, given whether the system has a mount there.
fn sighting(is_mounted: bool, records: &[&MountRecord]) -> Sighting {
    let (running, ended): (Vec<&MountRecord>, Vec<&MountRecord>) =
        records.iter().copied().partition(|record| record.is_running());
    if let Some(record) = running.iter().find(|record| record.phase == MountPhase::Serving) {
        if !is_mounted {
            return Sighting::Changing;
        }
        return Sighting::Serving {
            process: record.pid,
            supervisor: record.supervisor.map(|supervisor| supervisor.pid),
        };
    }
    let died = ended
        .iter()
        .filter(|record| !matches!(record.phase, MountPhase::Failed { .. }));
    for record in died {
        if record
            .supervisor
            .is_some_and(|supervisor| supervisor.is_running())
        {
            return Sighting::Returning;
        }
        if is_mounted {
            return Sighting::Dead;
        }
    }
    if let Some(storing) = running.iter().find_map(|record| storing(&record.phase)) {
        return storing;
    }
    if !running.is_empty() {
        return Sighting::Changing;
    }
    let lost = ended.iter().find_map(|record| match &record.phase {
        MountPhase::Failed { text, .. } => Some(text.clone()),
        _ => None,
    });
    Sighting::Absent { lost }
}

fn storing(phase: &MountPhase) -> Option<Sighting> {
    match phase {
        MountPhase::Storing {
            files,
            file_bytes,
            bytes,
            ..
        } => Some(Sighting::Storing {
            files: *files,
            bytes: file_bytes + bytes,
        }),
        // How much is left is said while it is being stored, not between two attempts.
        MountPhase::NotStored { .. } => Some(Sighting::Storing { files: 0, bytes: 0 }),
        MountPhase::Serving | MountPhase::Failed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(phase: MountPhase) -> MountRecord {
        MountRecord {
            phase,
            ..MountRecord::own(
                Path::new("/mnt/x"),
                "disk",
                &MetaUrl::from("sqlite3:///a.db".to_owned()),
                None,
            )
        }
    }

    /// No process has this start.
    fn ended(phase: MountPhase) -> MountRecord {
        MountRecord {
            started: 1,
            ..record(phase)
        }
    }

    fn supervised(record: MountRecord) -> MountRecord {
        let own = moorage_host::ProcessIdentity::own().expect("this process");
        let supervisor = crate::mounting::Supervisor {
            pid: own.pid,
            started: own.start,
        };
        MountRecord {
            supervisor: Some(supervisor),
            ..record
        }
    }

    #[test]
    fn a_mount_is_served_when_its_process_runs_and_the_system_has_it() {
        let record = record(MountPhase::Serving);
        let serving = Sighting::Serving {
            process: record.pid,
            supervisor: None,
        };
        assert_eq!(sighting(true, &[&record]), serving);
        assert_eq!(sighting(false, &[&record]), Sighting::Changing);
    }

    #[test]
    fn a_mount_without_its_process_returns_while_its_supervisor_lives_and_is_dead_after() {
        let record = ended(MountPhase::Serving);
        assert_eq!(sighting(true, &[&record]), Sighting::Dead);
        assert_eq!(sighting(false, &[&record]), Sighting::Absent { lost: None });
        let record = supervised(record);
        assert_eq!(sighting(true, &[&record]), Sighting::Returning);
        assert_eq!(sighting(false, &[&record]), Sighting::Returning);
    }

    #[test]
    fn what_is_being_stored_and_what_was_lost_is_seen() {
        let phase = MountPhase::Storing {
            files: 1,
            file_bytes: 2,
            blocks: 3,
            bytes: 4,
            problem: None,
            paused: false,
        };
        let storing = Sighting::Storing { files: 1, bytes: 6 };
        assert_eq!(sighting(false, &[&record(phase)]), storing);
        let failed = ended(MountPhase::Failed {
            text: "/a is lost".to_owned(),
            code: 1,
        });
        let lost = Some("/a is lost".to_owned());
        assert_eq!(sighting(false, &[&supervised(failed)]), Sighting::Absent { lost });
    }
}
