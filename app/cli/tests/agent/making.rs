//! Volumes that the agent makes.

use std::fs;
use std::path::Path;

use moorage_control::check::{CheckLine, CheckOutcome, CheckStep};
use moorage_control::client::{Client, ClientError, deadline};
use moorage_control::message::{Request, Response};
use moorage_control::problem::ProblemCode;
use moorage_control::secret::{Secret, VolumeSecrets};
use moorage_control::volume::{
    AddVolume, MetadataUrl, MountOptions, Volume as Added, VolumeFormat, VolumeSettings,
};

use crate::fixture::{Volume, text};
use crate::running::{Agent, socket};

#[test]
fn a_demo_volume_needs_nothing_and_comes_back_with_its_files() {
    let Some(home) = Volume::home() else { return };
    let mount = home.mounted("Moorage Demo");
    let agent = Agent::start(&home);
    agent.run(&["volume", "demo"]);
    assert_eq!(agent.state(), "mounted");
    fs::write(mount.file("kept"), b"before").expect("written");
    let again = agent.attempt(&["volume", "demo"]);
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
    agent.run(&["volume", "unmount", "Moorage Demo"]);
    agent.run(&["volume", "remove", "Moorage Demo"]);
    assert!(fs::read(mount.file("kept")).is_err());
    agent.run(&["volume", "demo"]);
    assert_eq!(fs::read(mount.file("kept")).expect("read"), b"before");
    agent.run(&["volume", "unmount", "Moorage Demo"]);
}

fn create(home: &Volume, name: &str, mount_point: &Path) -> Result<Added, ClientError> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let volume = wanted(home, name, mount_point);
    runtime.block_on(async {
        let client = Client::connect(&socket(home), "test").await?;
        client.add_volume(volume).await
    })
}

fn wanted(home: &Volume, name: &str, mount_point: &Path) -> AddVolume {
    let settings = VolumeSettings {
        name: name.to_owned(),
        metadata_url: MetadataUrl::try_from(home.url()).expect("a URL"),
        mount_point: mount_point.display().to_string(),
        options: MountOptions::default(),
    };
    let format = VolumeFormat {
        storage: "file".to_owned(),
        bucket: home.path().join("objects").display().to_string(),
        block_size: Some(1 << 20),
        compression: Some("zstd".to_owned()),
        trash_days: Some(3),
        quota: None,
    };
    let secrets = VolumeSecrets {
        secret_key: Some(Secret::new("hunter2".to_owned())),
        ..VolumeSecrets::default()
    };
    AddVolume::Create {
        settings,
        format,
        secrets,
    }
}

fn tested(home: &Volume, volume: AddVolume) -> Vec<CheckLine> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answer = runtime.block_on(async {
        let client = Client::connect(&socket(home), "test").await?;
        let request = Request::ConnectionTest { volume };
        let deadline = deadline(&request);
        client.ask(request, deadline).await
    });
    match answer.expect("an answer") {
        Response::Checklist { checklist } => checklist.lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_connection_is_tested_before_a_volume_is_added() {
    let Some(home) = Volume::home() else { return };
    let agent = Agent::start(&home);
    let wanted = || wanted(&home, "My Photos", &home.path().join("mount"));
    let failed = |lines: &[CheckLine]| {
        let failed = lines
            .iter()
            .filter(|line| matches!(line.outcome, CheckOutcome::Failed { .. }));
        failed.map(|line| line.step).collect::<Vec<CheckStep>>()
    };
    let lines = tested(&home, wanted());
    assert_eq!(failed(&lines), [], "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.step == CheckStep::Put && line.outcome == CheckOutcome::Passed)
    );
    assert_eq!(agent.json(&["volume", "list"]), serde_json::json!([]));
    create(&home, "My Photos", &home.path().join("mount")).expect("made");
    let lines = tested(&home, wanted());
    assert_eq!(
        failed(&lines),
        [CheckStep::MetadataPing, CheckStep::PrefixEmpty],
        "{lines:?}"
    );
}

#[test]
fn a_volume_is_made_as_a_client_wants_it_and_never_over_another() {
    let Some(home) = Volume::home() else { return };
    let mount = home.mounted("mount");
    let agent = Agent::start(&home);
    let added = create(&home, "My Photos", mount.point()).expect("made");
    agent.run(&["volume", "mount", &added.id.0]);
    fs::write(mount.file("file"), b"x").expect("written");
    let status = agent.json(&["status", &home.url()]);
    let setting = &status["Setting"];
    assert_eq!(setting["Name"], "my-photos", "{status}");
    assert_eq!(
        (&setting["Compression"], &setting["TrashDays"]),
        (&"zstd".into(), &3.into()),
        "{status}"
    );
    let refused = create(&home, "another", &home.path().join("another")).expect_err("taken");
    let ClientError::Failed(problem) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(problem.code, ProblemCode::AlreadyExists, "{problem:?}");
    assert_eq!(agent.only_volume()["settings"]["name"], "My Photos");
    agent.run(&["volume", "unmount", "My Photos"]);
}
