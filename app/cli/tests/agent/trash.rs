//! The trash of a volume as a client of the agent sees it.

use std::fs;

use moorage_control::client::{Client, ClientError, deadline};
use moorage_control::job::JobState;
use moorage_control::message::{Request, Response};
use moorage_control::problem::ProblemCode;
use moorage_control::trash::{
    OldFolder, RestoreOutcome, TrashChosen, TrashFolder, TrashJob, TrashKind, TrashPage, TrashWork,
};
use moorage_control::volume::VolumeId;

use crate::fixture::{Volume, until};
use crate::remote::RemoteVolume;
use crate::running::{Agent, processes, socket};
use crate::server::Mood;

/// Asks the agent of a home.
pub(crate) fn ask(home: &Volume, request: Request) -> Result<Response, ClientError> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let client = Client::connect(&socket(home), "test").await?;
        let deadline = deadline(&request);
        client.ask(request, deadline).await
    })
}

/// The name that the agent has for the only volume of the list.
pub(crate) fn only_id(agent: &Agent<'_>) -> VolumeId {
    let id = agent.only_volume()["id"].as_str().expect("an id").to_owned();
    VolumeId(id)
}

fn page(home: &Volume, id: &VolumeId, inside: Option<TrashFolder>) -> TrashPage {
    let request = Request::TrashList {
        id: id.clone(),
        inside,
        from: None,
    };
    match ask(home, request).expect("a page") {
        Response::TrashPage { page } => page,
        other => panic!("{other:?}"),
    }
}

fn chosen(hour: &str, entries: &[&str]) -> Vec<TrashChosen> {
    let entries = entries.iter().map(|&entry| entry.to_owned()).collect();
    vec![TrashChosen {
        hour: hour.to_owned(),
        entries,
    }]
}

fn job(home: &Volume, request: Request) -> Option<TrashJob> {
    match ask(home, request).expect("an answer") {
        Response::TrashJob { job } => job.map(|job| *job),
        other => panic!("{other:?}"),
    }
}

/// What is known of the work when it has ended.
fn ended(home: &Volume, id: &VolumeId) -> TrashJob {
    let mut ended = None;
    until("the work to end", || {
        let seen = job(home, Request::TrashJob { id: id.clone() });
        ended = seen.filter(|job| !matches!(job.state, JobState::Running { .. }));
        ended.is_some()
    });
    ended.expect("it ended")
}

/// What came of it when this was done.
fn run(home: &Volume, id: &VolumeId, work: TrashWork) -> TrashJob {
    job(home, Request::TrashStart { id: id.clone(), work });
    let ended = ended(home, id);
    assert!(matches!(ended.state, JobState::Done { .. }), "{ended:?}");
    ended
}

#[test]
fn what_was_removed_from_a_mounted_volume_comes_back_or_goes_for_good() {
    let Some(home) = Volume::format(&[]) else { return };
    let mount = home.mounted("mount");
    let agent = Agent::start(&home);
    agent.add(&[]);
    agent.run(&["volume", "mount", "disk"]);
    fs::create_dir(mount.file("docs")).expect("made");
    for file in ["docs/one", "docs/two", "note"] {
        fs::write(mount.file(file), file).expect("written");
    }
    fs::remove_dir_all(mount.file("docs")).expect("removed");
    fs::remove_file(mount.file("note")).expect("removed");
    let id = only_id(&agent);
    let hours = ask(&home, Request::TrashHours { id: id.clone() }).expect("hours");
    let Response::TrashHours { hours } = hours else {
        panic!("{hours:?}");
    };
    assert_eq!((hours.days, hours.damaged), (1, 0));
    let listed = page(&home, &id, None);
    let docs = listed.entries.iter().find(|entry| entry.name == "docs");
    let docs = docs.unwrap_or_else(|| panic!("{listed:?}"));
    assert_eq!(
        (docs.kind, docs.folder, docs.inside),
        (TrashKind::Folder, OldFolder::There, 2)
    );
    let folder = TrashFolder {
        hour: docs.hour.clone(),
        entry: docs.entry.clone(),
    };
    let inside = page(&home, &id, Some(folder));
    let one = inside.entries.iter().find(|entry| entry.name == "one");
    let one = one.unwrap_or_else(|| panic!("{inside:?}"));
    assert_eq!(one.path.as_deref(), Some("/docs/one"));
    let restore = TrashWork::Restore {
        chosen: chosen(&one.hour, &[&one.entry, "1-99999-none"]),
    };
    let entries = run(&home, &id, restore).restored;
    let outcome = |entry: &str| {
        let found = entries.iter().find(|restored| restored.entry == entry);
        found.map(|restored| restored.outcome)
    };
    assert_eq!(outcome(&one.entry), Some(RestoreOutcome::Restored));
    assert_eq!(outcome("1-99999-none"), Some(RestoreOutcome::NotThere));
    until("the file to be seen again", || {
        fs::read(mount.file("docs/one")).is_ok_and(|bytes| bytes == b"docs/one")
    });
    let old = TrashWork::PurgeOlder { seconds: 86_400 };
    let purged = run(&home, &id, old).purged;
    assert_eq!((purged.deleted, purged.entries), (true, 0), "nothing is that old");
    let note = listed.entries.iter().find(|entry| entry.name == "note");
    let note = note.unwrap_or_else(|| panic!("{listed:?}"));
    let one_of_them = TrashWork::Purge {
        chosen: chosen(&note.hour, &[&note.entry]),
    };
    assert_eq!(run(&home, &id, one_of_them).purged.entries, 1);
    let purged = run(&home, &id, TrashWork::PurgeAll).purged;
    assert_eq!((purged.deleted, purged.entries), (true, 1));
    assert_eq!(page(&home, &id, None).entries, []);
    agent.run(&["volume", "unmount", "disk"]);
}

#[test]
fn what_can_not_be_meant_is_refused_before_anything_is_started() {
    let Some(home) = Volume::format(&[]) else { return };
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    let refused = |request| match ask(&home, request) {
        Err(ClientError::Failed(problem)) => problem.code,
        other => panic!("{other:?}"),
    };
    let start = |id: &VolumeId, work| Request::TrashStart { id: id.clone(), work };
    let nothing = TrashWork::Purge { chosen: Vec::new() };
    assert_eq!(refused(start(&id, nothing)), ProblemCode::InvalidRequest);
    let nobody = VolumeId("nobody".to_owned());
    assert_eq!(
        refused(start(&nobody, TrashWork::PurgeAll)),
        ProblemCode::NotFound
    );
    let cancel = Request::TrashCancel { id: id.clone() };
    assert_eq!(refused(cancel), ProblemCode::WrongState);
    assert_eq!(job(&home, Request::TrashJob { id: id.clone() }), None);
    let no_hour = TrashWork::Purge {
        chosen: chosen("--all", &["1-2-a"]),
    };
    job(&home, start(&id, no_hour));
    match ended(&home, &id).state {
        JobState::Failed { problem, .. } => assert_eq!(problem.code, ProblemCode::NotFound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn work_on_a_trash_is_one_at_a_time_goes_on_without_its_client_and_is_cancelled() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let home = &remote.volume;
    let agent = Agent::start(home);
    agent.add(&[]);
    let id = only_id(&agent);
    remote.server.be(Mood::Silent);
    let start = Request::TrashStart {
        id: id.clone(),
        work: TrashWork::PurgeAll,
    };
    job(home, start.clone());
    until("the purge to be a process", || processes(home, "purge") == 1);
    match ask(home, start.clone()) {
        Err(ClientError::Failed(problem)) => assert_eq!(problem.code, ProblemCode::WrongState),
        other => panic!("{other:?}"),
    }
    job(home, Request::TrashCancel { id: id.clone() });
    let state = ended(home, &id).state;
    assert!(matches!(state, JobState::Cancelled { .. }), "{state:?}");
    assert_eq!(processes(home, "purge"), 0);
    job(home, start);
    until("the purge to be a process", || processes(home, "purge") == 1);
    agent.run(&["volume", "remove", "disk"]);
    until("the purge to end", || processes(home, "purge") == 0);
}
