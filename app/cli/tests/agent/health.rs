//! Checks of a volume, and freeing what it takes for nothing, as a client of the agent sees them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use moorage_control::client::ClientError;
use moorage_control::health::{
    CheckReport, CheckedContents, FindingRepair, FindingSeverity, GarbageReport, HealthJob, HealthWork,
    VolumeHealth,
};
use moorage_control::job::JobState;
use moorage_control::message::{Request, Response};
use moorage_control::problem::ProblemCode;
use moorage_control::volume::VolumeId;

use crate::fixture::{Volume, succeed, until};
use crate::remote::RemoteVolume;
use crate::running::{Agent, processes, settings};
use crate::server::Mood;
use crate::trash::{ask, only_id};

/// Longer than an object has to be there before it is judged.
const OLD: Duration = Duration::from_secs(2 * 3600);
const CHECK: HealthWork = HealthWork::Check { contents: false };

fn health(home: &Volume, request: Request) -> VolumeHealth {
    match ask(home, request).expect("an answer") {
        Response::VolumeHealth { health } => *health,
        other => panic!("{other:?}"),
    }
}

fn start(id: &VolumeId, work: HealthWork) -> Request {
    Request::VolumeHealthStart { id: id.clone(), work }
}

fn is_running(job: &HealthJob) -> bool {
    matches!(job.state, JobState::Running { .. })
}

/// What is known when the job at work has ended.
fn ended(home: &Volume, id: &VolumeId) -> VolumeHealth {
    let mut ended = None;
    until("a job to end", || {
        let seen = health(home, Request::VolumeHealth { id: id.clone() });
        ended = Some(seen).filter(|seen| seen.job.as_ref().is_some_and(|job| !is_running(job)));
        ended.is_some()
    });
    ended.expect("it ended")
}

/// What is known when this was done.
fn run(home: &Volume, id: &VolumeId, work: HealthWork) -> VolumeHealth {
    health(home, start(id, work));
    let seen = ended(home, id);
    let job = seen.job.as_ref().expect("a job");
    assert_eq!(job.work, work);
    assert!(
        matches!(job.state, JobState::Done { .. }),
        "{job:?} {}",
        crate::running::said(home)
    );
    seen
}

fn checked(home: &Volume, id: &VolumeId, contents: bool) -> CheckReport {
    let seen = run(home, id, HealthWork::Check { contents });
    seen.check.expect("a check").report
}

fn collected(home: &Volume, id: &VolumeId, work: HealthWork) -> GarbageReport {
    run(home, id, work).garbage.expect("a collection").report
}

fn refused(home: &Volume, request: Request) -> ProblemCode {
    match ask(home, request) {
        Err(ClientError::Failed(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

/// Writes one file into the volume; its only object.
fn with_object(home: &Volume) -> PathBuf {
    let from = home.path().join("from");
    fs::create_dir_all(&from).expect("a folder");
    fs::write(from.join("note"), "text").expect("a file");
    succeed(home.program().arg("sync").arg(&from).arg(home.url()));
    let mut below = vec![home.path().join("objects/testvolume/chunks")];
    while let Some(place) = below.pop() {
        if place.is_file() {
            return place;
        }
        let entries = fs::read_dir(place).expect("a folder");
        below.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    panic!("no object");
}

#[test]
fn a_volume_is_checked_and_what_is_lost_is_named() {
    let Some(home) = Volume::format(&[]) else { return };
    let object = with_object(&home);
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    let nothing = health(&home, Request::VolumeHealth { id: id.clone() });
    assert_eq!(nothing, VolumeHealth::default());
    let report = checked(&home, &id, false);
    assert_eq!((report.objects, report.findings.len()), (1, 0));
    assert_eq!((report.open.error, report.open.warning), (0, 0));
    assert_eq!(
        (report.contents, report.verified_objects),
        (CheckedContents::NotRead, 0)
    );
    let report = checked(&home, &id, true);
    assert_eq!(
        (report.contents, report.verified_objects),
        (CheckedContents::Length, 1)
    );
    fs::remove_file(object).expect("lost");
    let report = checked(&home, &id, false);
    let [finding] = report.findings.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(
        (finding.defect.as_str(), finding.severity, finding.repair),
        (
            "missing-object",
            FindingSeverity::Error,
            FindingRepair::Impossible
        )
    );
    assert_eq!((report.open.error, report.repairable), (1, 0));
    assert_eq!(
        refused(&home, start(&id, HealthWork::Repair)),
        ProblemCode::WrongState
    );
    until("the check to be kept", || {
        let kept = fs::read_to_string(settings(&home)).expect("the settings file");
        kept.contains("\"error\": 1")
    });
    drop(agent);
    let _agent = Agent::start(&home);
    let known = health(&home, Request::VolumeHealth { id });
    let report = known.check.expect("the check is known over a restart").report;
    assert_eq!((report.open.error, report.findings.len()), (1, 0));
}

#[test]
fn what_has_a_safe_repair_is_repaired_after_it_was_found() {
    let Some(home) = Volume::format(&[]) else { return };
    with_object(&home);
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    let database = rusqlite::Connection::open(home.path().join("meta.db")).expect("the database");
    let changed = database.execute("UPDATE jfs_node SET nlink = 7 WHERE type = 1", []);
    assert_eq!(changed.expect("changed"), 1);
    drop(database);
    let seen = run(&home, &id, CHECK);
    let report = &seen.check.as_ref().expect("a check").report;
    let [finding] = report.findings.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(
        (finding.defect.as_str(), finding.repair),
        ("link-count", FindingRepair::Possible)
    );
    assert!(seen.can_repair);
    let seen = run(&home, &id, HealthWork::Repair);
    let check = seen.check.expect("a check");
    assert!(check.repair && !seen.can_repair);
    assert_eq!((check.report.repaired, check.report.repairable), (1, 0));
    assert_eq!(checked(&home, &id, false).findings, []);
}

#[test]
fn what_nothing_names_is_found_first_and_freed_then() {
    let Some(home) = Volume::format(&[]) else { return };
    let object = with_object(&home);
    let name = object.file_name().and_then(|name| name.to_str()).expect("a name");
    let (number, rest) = name.split_once('_').expect("a number");
    let next = number.parse::<u64>().expect("a number") + 1;
    let leaked = object.with_file_name(format!("{next}_{rest}"));
    fs::copy(&object, &leaked).expect("copied");
    let file = fs::File::options().write(true).open(&leaked).expect("the copy");
    file.set_modified(SystemTime::now() - OLD).expect("aged");
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    let free = || start(&id, HealthWork::FreeGarbage);
    assert_eq!(refused(&home, free()), ProblemCode::WrongState);
    let report = collected(&home, &id, HealthWork::FindGarbage);
    assert_eq!((report.deleted, report.leaked.objects), (false, 1));
    assert!(leaked.exists());
    let report = collected(&home, &id, HealthWork::FreeGarbage);
    assert_eq!((report.deleted, report.leaked.objects), (true, 1));
    assert!(!leaked.exists() && object.exists());
    assert_eq!(refused(&home, free()), ProblemCode::WrongState);
}

#[test]
fn a_check_that_hangs_is_cancelled_and_so_is_one_of_a_volume_that_leaves_the_list() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let home = &remote.volume;
    let agent = Agent::start(home);
    agent.add(&[]);
    let id = only_id(&agent);
    remote.server.be(Mood::Silent);
    let cancel = Request::VolumeHealthCancel { id: id.clone() };
    assert_eq!(refused(home, cancel.clone()), ProblemCode::WrongState);
    health(home, start(&id, CHECK));
    assert_eq!(
        refused(home, start(&id, HealthWork::FindGarbage)),
        ProblemCode::WrongState
    );
    until("the check to be a process", || processes(home, "fsck") == 1);
    let told = health(home, cancel).job.expect("a job").state;
    assert!(
        !matches!(told, JobState::Running { ending: false, .. }),
        "{told:?}"
    );
    let state = ended(home, &id).job.expect("a job").state;
    assert!(matches!(state, JobState::Cancelled { .. }), "{state:?}");
    assert_eq!(processes(home, "fsck"), 0);
    begin_check(home, &id);
    agent.run(&["volume", "remove", "disk"]);
    until("the check to end", || processes(home, "fsck") == 0);
}

#[test]
fn a_check_ends_with_the_agent() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let home = &remote.volume;
    let agent = Agent::start(home);
    agent.add(&[]);
    let id = only_id(&agent);
    remote.server.be(Mood::Silent);
    begin_check(home, &id);
    agent.run(&["agent", "stop"]);
    until("the check to end", || processes(home, "fsck") == 0);
}

/// Begins a check, and waits until it is at work.
fn begin_check(home: &Volume, id: &VolumeId) {
    health(home, start(id, CHECK));
    until("the check to be a process", || processes(home, "fsck") == 1);
}
