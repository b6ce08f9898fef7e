//! Who uses a volume, and its options, as a client of the agent sees them.

use moorage_control::client::ClientError;
use moorage_control::message::{Request, Response};
use moorage_control::options::VolumeOptions;
use moorage_control::problem::ProblemCode;
use moorage_control::session::{SessionState, VolumeSession};
use moorage_control::volume::VolumeId;

use crate::fixture::Volume;
use crate::running::Agent;
use crate::trash::{ask, only_id};

fn sessions(home: &Volume, id: &VolumeId) -> Vec<VolumeSession> {
    match ask(home, Request::VolumeSessions { id: id.clone() }).expect("sessions") {
        Response::VolumeSessions { sessions } => sessions,
        other => panic!("{other:?}"),
    }
}

fn options(home: &Volume, request: Request) -> VolumeOptions {
    match ask(home, request).expect("options") {
        Response::VolumeOptions { options } => *options,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mount_of_this_computer_is_told_as_such_while_it_lives() {
    let Some(home) = Volume::format(&[]) else { return };
    let mount = home.mounted("mount");
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    assert_eq!(sessions(&home, &id), []);
    agent.run(&["volume", "mount", "disk"]);
    let found = sessions(&home, &id);
    let [session] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((session.here, session.state), (true, SessionState::Alive));
    assert_eq!(session.mount_point, mount.point().display().to_string());
    agent.run(&["volume", "unmount", "disk"]);
    assert_eq!(sessions(&home, &id), []);
}

#[test]
fn options_of_a_volume_change_one_by_one_and_what_can_not_be_is_refused() {
    let Some(home) = Volume::format(&[]) else { return };
    let agent = Agent::start(&home);
    agent.add(&[]);
    let id = only_id(&agent);
    let seen = options(&home, Request::VolumeOptions { id: id.clone() });
    assert_eq!((seen.limits.trash_days, seen.limits.capacity), (1, 0));
    // Somebody else changes another option meanwhile.
    agent.run(&["config", &home.url(), "--inodes", "500"]);
    let mut limits = seen.limits.clone();
    limits.trash_days = 9;
    limits.capacity = 1 << 30;
    let change = |limits: &moorage_control::options::VolumeLimits| Request::VolumeOptionsChange {
        id: id.clone(),
        before: seen.limits.clone(),
        limits: limits.clone(),
    };
    let changed = options(&home, change(&limits));
    assert_eq!(
        (
            changed.limits.trash_days,
            changed.limits.capacity,
            changed.limits.inodes
        ),
        (9, 1 << 30, 500)
    );
    limits.upload_limit = u64::MAX;
    match ask(&home, change(&limits)) {
        Err(ClientError::Failed(problem)) => assert_eq!(problem.code, ProblemCode::InvalidRequest),
        other => panic!("{other:?}"),
    }
}
