//! The files of a mounted volume as a client of the agent sees them.

use std::fs;

use moorage_control::client::ClientError;
use moorage_control::files::{FilePage, FilePin, FileState};
use moorage_control::message::{Request, Response};
use moorage_control::problem::ProblemCode;
use moorage_control::volume::VolumeId;

use crate::figures::truth;
use crate::fixture::{Volume, until};
use crate::remote::RemoteVolume;
use crate::running::Agent;
use crate::trash::{ask, only_id};

/// Files of the test: more than one page.
const FILES: usize = 130;

fn page(home: &Volume, id: &VolumeId, folder: &str, after: Option<String>) -> Result<FilePage, ClientError> {
    let request = Request::Files {
        id: id.clone(),
        folder: folder.to_owned(),
        after,
    };
    ask(home, request).map(|response| match response {
        Response::Files { page } => page,
        other => panic!("{other:?}"),
    })
}

fn code(refused: ClientError) -> ProblemCode {
    match refused {
        ClientError::Failed(problem) => problem.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_listed_page_by_page_with_where_its_files_are_and_what_is_pinned() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    // A disk in memory is nearly empty, however full that of the other tests is: pins leave a tenth of it free.
    let cache = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let home = &remote.volume;
    let mount = home.mounted("mount");
    let agent = Agent::start(home);
    agent.add(&["--mount", "--cache-dir", &cache.path().display().to_string()]);
    until("it to be mounted", || agent.state() == "mounted");
    let id = only_id(&agent);
    fs::create_dir(mount.file("folder")).expect("made");
    let expected: Vec<String> = (0..FILES).map(|number| format!("{number:03}")).collect();
    for name in &expected {
        fs::write(mount.file("folder").join(name), "content").expect("written");
    }
    until("all to be stored", || truth(&agent)["truth"] == "stored");

    let first = page(home, &id, "folder", None).expect("a page");
    let rest = page(home, &id, "folder", first.next.clone()).expect("the rest");
    assert!(first.next.is_some() && rest.next.is_none());
    let entries = first.entries.iter().chain(&rest.entries);
    let names: Vec<&String> = entries.map(|entry| &entry.name).collect();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());

    let path = "folder/000".to_owned();
    let pin = |pinned| Request::FilePin {
        id: id.clone(),
        path: path.clone(),
        pinned,
    };
    let shown = || {
        let page = page(home, &id, "folder", None).expect("a page");
        let entry = page.entries.first().cloned().expect("an entry");
        (entry.pinned, entry.state)
    };
    ask(home, pin(true)).expect("pinned");
    until("it to be here", || {
        shown() == (FilePin::Own, Some(FileState::Local))
    });
    ask(home, pin(false)).expect("unpinned");
    assert_eq!(shown().0, FilePin::No);
}

#[test]
fn what_is_not_mounted_or_not_inside_is_refused() {
    let Some(home) = Volume::format(&[]) else { return };
    let mount = home.mounted("mount");
    let agent = Agent::start(&home);
    agent.add(&["--no-mount-at-start"]);
    let id = only_id(&agent);
    let refused = page(&home, &id, "", None).expect_err("it is not mounted");
    assert_eq!(code(refused), ProblemCode::WrongState);
    agent.run(&["volume", "mount", "disk"]);
    fs::write(mount.file("file"), "content").expect("written");
    for outside in ["../mount", "/etc", "a/../../b"] {
        let refused = page(&home, &id, outside, None).expect_err(outside);
        assert_eq!(code(refused), ProblemCode::InvalidRequest, "{outside}");
    }
    assert!(page(&home, &id, "file", None).is_err(), "it is no folder");
}
