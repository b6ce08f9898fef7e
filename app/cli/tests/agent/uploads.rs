//! Uploads, one by one.

use serde_json::Value;

use crate::figures::{truth, write_durably};
use crate::fixture::until;
use crate::remote::RemoteVolume;
use crate::running::Agent;
use crate::server::Mood;

fn transfers(agent: &Agent<'_>) -> Vec<Value> {
    let transfers = agent.json(&["agent", "transfers"]);
    transfers.as_array().expect("a list").clone()
}

/// Words for how the uploads go, with the paths of their files, sorted.
fn told(agent: &Agent<'_>) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    let mut told: Vec<(String, String)> = transfers(agent)
        .iter()
        .map(|transfer| (word(&transfer["progress"]["progress"]), word(&transfer["path"])))
        .collect();
    told.sort();
    told
}

fn each(word: &str) -> Vec<(String, String)> {
    ["/one", "/two"]
        .map(|path| (word.to_owned(), path.to_owned()))
        .to_vec()
}

#[test]
fn files_are_told_of_while_they_are_paused_fail_and_arrive() {
    let Some(remote) = RemoteVolume::format() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount"]);
    assert_eq!(transfers(&agent), Vec::<Value>::new());
    agent.run(&["agent", "pause"]);
    write_durably(&mount.file("one"), 1);
    write_durably(&mount.file("two"), 2);
    until("both to be paused", || told(&agent) == each("paused"));
    let before = transfers(&agent);
    remote.server.be(Mood::Denying);
    agent.run(&["agent", "resume"]);
    until("both to fail", || told(&agent) == each("failed"));
    let ids = |transfers: &[Value]| -> Vec<Value> {
        transfers.iter().map(|transfer| transfer["id"].clone()).collect()
    };
    assert_eq!(ids(&transfers(&agent)), ids(&before), "they are the same ones");
    let problem = transfers(&agent)[0]["progress"]["problem"].clone();
    assert_eq!(problem["code"], "authentication", "{problem}");
    let shown = agent.run(&["agent", "transfers"]);
    assert!(
        shown.contains("/one") && shown.contains("Check the keys"),
        "{shown}"
    );
    remote.server.be(Mood::Well);
    agent.run(&["agent", "transfers", "--retry"]);
    until("both to arrive", || told(&agent) == each("done"));
    assert_eq!(truth(&agent)["truth"], "stored");
}
