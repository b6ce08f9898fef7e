//! The trash of a volume as a client of the agent sees it.

use std::fs;

use moorage_control::client::{Client, ClientError, deadline};
use moorage_control::message::{Request, Response};
use moorage_control::problem::ProblemCode;
use moorage_control::trash::{OldFolder, RestoreOutcome, TrashChoice, TrashFolder, TrashKind, TrashPage};
use moorage_control::volume::VolumeId;

use crate::fixture::{Volume, until};
use crate::running::{Agent, socket};

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
    let restore = Request::TrashRestore {
        id: id.clone(),
        hour: one.hour.clone(),
        entries: vec![one.entry.clone(), "1-99999-none".to_owned()],
    };
    let restored = ask(&home, restore).expect("an answer");
    let Response::TrashRestored { entries } = restored else {
        panic!("{restored:?}");
    };
    let outcome = |entry: &str| {
        let found = entries.iter().find(|restored| restored.entry == entry);
        found.map(|restored| restored.outcome)
    };
    assert_eq!(outcome(&one.entry), Some(RestoreOutcome::Restored));
    assert_eq!(outcome("1-99999-none"), Some(RestoreOutcome::NotThere));
    until("the file to be seen again", || {
        fs::read(mount.file("docs/one")).is_ok_and(|bytes| bytes == b"docs/one")
    });
    let purge = Request::TrashPurge {
        id: id.clone(),
        what: TrashChoice::Everything,
    };
    let purged = ask(&home, purge).expect("an answer");
    let Response::TrashPurged { purged } = purged else {
        panic!("{purged:?}");
    };
    assert_eq!((purged.deleted, purged.entries), (true, 2));
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
    let nothing = TrashChoice::Chosen {
        hour: "2026-01-05-09".to_owned(),
        entries: Vec::new(),
    };
    let purge = |id, what| Request::TrashPurge { id, what };
    assert_eq!(refused(purge(id.clone(), nothing)), ProblemCode::InvalidRequest);
    let nobody = VolumeId("nobody".to_owned());
    assert_eq!(
        refused(purge(nobody, TrashChoice::Everything)),
        ProblemCode::NotFound
    );
    let no_hour = TrashChoice::Chosen {
        hour: "--all".to_owned(),
        entries: vec!["1-2-a".to_owned()],
    };
    assert_eq!(refused(purge(id, no_hour)), ProblemCode::NotFound);
}
