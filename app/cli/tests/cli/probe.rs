//! Trying the steps to a volume.
#![expect(clippy::indexing_slicing, reason = "a member that is missing fails the test")]

use std::net::TcpListener;

use serde_json::Value;

use crate::program::{Place, Run, files_below};
use crate::server::{Mood, Server};

/// Steps and how they ended, as `step outcome`.
fn outcomes(run: &Run) -> Vec<String> {
    let lines = run.json()["lines"].as_array().cloned().expect("a list");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    lines
        .iter()
        .map(|line| format!("{} {}", word(&line["step"]), word(&line["outcome"]["outcome"])))
        .collect()
}

fn problem(run: &Run, step: &str) -> Value {
    let lines = run.json()["lines"].as_array().cloned().expect("a list");
    let line = lines
        .into_iter()
        .find(|line| line["step"] == step)
        .expect("the step");
    line["outcome"]["problem"].clone()
}

/// What would be needed for a volume in a bucket.
fn probe_bucket(place: &Place, bucket: &str) -> Run {
    let url = place.url("meta.db");
    let keys = ["--access-key", "key", "--secret-key", "hunter2"];
    let mut arguments = vec!["probe", "--json", "--storage", "minio", "--bucket", bucket];
    arguments.extend(keys);
    arguments.extend([url.as_str(), "disk"]);
    let run = place.run(&arguments);
    assert!(
        !run.out.contains("hunter2") && !run.err.contains("hunter2"),
        "{run:?}"
    );
    run
}

#[test]
fn a_good_place_passes_and_no_volume_is_made_there() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    let place = Place::new();
    let run = probe_bucket(&place, &server.bucket()).ends_with(0);
    let expected = [
        "metadata_ping passed",
        "dns passed",
        "tcp passed",
        "tls skipped",
        "clock_skew skipped",
        "authentication passed",
        "list passed",
        "put passed",
        "get passed",
        "delete passed",
        "latency passed",
        "prefix_empty passed",
    ];
    assert_eq!(outcomes(&run), expected);
    assert!(server.objects.lock().expect("not poisoned").is_empty());
    assert!(!place.path("meta.db").exists());
}

#[test]
fn a_store_that_refuses_the_keys_says_so_and_the_rest_is_skipped() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    server.be(Mood::Denying);
    let run = probe_bucket(&Place::new(), &server.bucket()).ends_with(7);
    let outcomes = outcomes(&run);
    assert!(outcomes.contains(&"tcp passed".to_owned()), "{outcomes:?}");
    let failed = outcomes.iter().filter(|outcome| outcome.ends_with("failed"));
    assert!(failed.count() >= 1, "{outcomes:?}");
    assert!(!outcomes.contains(&"put passed".to_owned()), "{outcomes:?}");
}

#[test]
fn a_missing_bucket_fails_at_the_list() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start());
    server.be(Mood::Bucketless);
    let run = probe_bucket(&Place::new(), &server.bucket()).ends_with(7);
    let problem = problem(&run, "list");
    assert!(problem.to_string().contains("bucket"), "{problem}");
    assert!(outcomes(&run).contains(&"put skipped".to_owned()));
}

#[test]
fn a_closed_port_fails_before_any_key_is_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let run = probe_bucket(&Place::new(), &format!("http://127.0.0.1:{port}/bucket")).ends_with(7);
    let outcomes = outcomes(&run);
    assert!(outcomes.contains(&"tcp failed".to_owned()), "{outcomes:?}");
    assert!(
        outcomes.contains(&"authentication skipped".to_owned()),
        "{outcomes:?}"
    );
    let problem = problem(&run, "tcp");
    assert_eq!(problem["code"], "unreachable");
    assert!(
        problem["advice"]
            .as_str()
            .is_some_and(|advice| !advice.is_empty())
    );
}

#[test]
fn a_volume_that_exists_is_tried_with_its_own_store() {
    let place = Place::new();
    let url = place.volume(&[]);
    let objects = files_below(&place.path("objects"));
    let run = place.run(&["probe", "--json", &url]).ends_with(0);
    assert!(outcomes(&run).contains(&"put passed".to_owned()), "{}", run.out);
    assert_eq!(files_below(&place.path("objects")), objects);
    let text = place.run(&["probe", &url]).ends_with(0).out;
    assert!(text.contains("ok       database"), "{text}");
}

#[test]
fn a_database_without_a_volume_and_a_place_that_is_taken_fail() {
    let place = Place::new();
    let missing = place.url("missing.db");
    let run = place.run(&["probe", "--json", &missing]).ends_with(7);
    assert_eq!(problem(&run, "metadata_ping")["code"], "not_found");
    let url = place.volume(&[]);
    let bucket = place.path("objects").display().to_string();
    let run = place
        .run(&["probe", "--json", "--bucket", &bucket, &url, "disk"])
        .ends_with(7);
    for step in ["metadata_ping", "prefix_empty"] {
        assert_eq!(problem(&run, step)["code"], "already_exists", "{}", run.out);
    }
}
