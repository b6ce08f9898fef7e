//! Making a volume that is killed on its way: the next run of the command goes on.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::program::{Place, finish};
use crate::server::{Mood, Server};

/// Longest wait for a program that has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the server takes for each request, so that the program is killed while it waits for the answer.
const DELAY: Duration = Duration::from_millis(100);
/// More requests than making a volume takes.
const MOST_REQUESTS: usize = 50;

fn begin(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Kills the program once the server has heard of request `number`; `false` when it ended before it.
fn killed_at(child: &mut Child, server: &Server, number: usize) -> bool {
    let begun = Instant::now();
    while server.requests.load(Ordering::Relaxed) <= number {
        if child.try_wait().expect("ours").is_some() {
            return false;
        }
        assert!(begun.elapsed() < PATIENCE, "request {number} never came");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("ours");
    child.wait().expect("ours");
    // The server follows the request all the same.
    std::thread::sleep(2 * DELAY);
    true
}

#[test]
fn a_format_that_is_killed_at_any_request_to_the_store_is_done_by_the_next_one() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for number in 0..MOST_REQUESTS {
        let place = Place::new();
        let server = runtime.block_on(Server::start());
        let (url, bucket) = (place.url("meta.db"), server.bucket());
        let secrets = ["--access-key", "key", "--secret-key", "secret"];
        let mut arguments = vec!["format", "--storage", "s3", "--bucket", &bucket];
        arguments.extend(secrets);
        arguments.extend([url.as_str(), "disk"]);
        server.be(Mood::Slow(DELAY));
        let killed = killed_at(&mut begin(&mut place.command(&arguments)), &server, number);
        server.be(Mood::Well);
        place.run(&arguments).ends_with(0);
        let setting = place.run(&["config", "--json", &url]).ends_with(0).json();
        let claim = server
            .objects
            .lock()
            .expect("not poisoned")
            .get("disk/juicefs_uuid")
            .cloned();
        let claim = claim.expect("the claim of the volume").body;
        assert_eq!(
            setting["UUID"].as_str().map(str::as_bytes),
            Some(claim.as_slice())
        );
        let mut other = arguments.clone();
        let other_url = place.url("other.db");
        other[arguments.len() - 2] = &other_url;
        let refused = place.run(&other).ends_with(4);
        assert!(refused.err.contains("juicefs_uuid"), "{}", refused.err);
        if !killed {
            assert!(number > 4, "a making that asks the store {number} times");
            return;
        }
    }
    panic!("making a volume takes more than {MOST_REQUESTS} requests");
}

#[test]
fn a_format_that_is_killed_in_its_first_moments_is_done_by_the_next_one() {
    /// Milliseconds in which a format in a local folder is done.
    const MOST: u64 = 40;
    for delay in (0..MOST).step_by(4) {
        let place = Place::new();
        let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
        let arguments = ["format", "--bucket", &bucket, &url, "disk"];
        let mut child = begin(&mut place.command(&arguments));
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().expect("ours");
        child.wait().expect("ours");
        let again = finish(&mut place.command(&arguments));
        assert_eq!(again.code, 0, "killed after {delay} ms: {}", again.err);
        let checked = place.run(&["fsck", &url]).ends_with(0);
        assert_eq!(checked.err, "", "killed after {delay} ms");
    }
}

#[test]
fn no_volume_is_made_in_the_place_of_one_that_has_no_files_yet() {
    let place = Place::new();
    place.volume(&[]);
    let bucket = place.path("objects").display().to_string();
    let other = ["format", "--bucket", &bucket, &place.url("other.db"), "disk"];
    let refused = place.run(&other).ends_with(4);
    assert!(refused.err.contains("juicefs_uuid"), "{}", refused.err);
}

#[test]
fn an_unused_volume_whose_place_was_taken_meanwhile_is_refused_by_name() {
    let place = Place::new();
    let url = place.volume(&[]);
    let claim = place.path("objects/disk/juicefs_uuid");
    std::fs::write(&claim, "b8a54f0c-0f0e-4d52-9a56-6f1d2c3b4a59").expect("the claim of another");
    let refused = place.run(&["format", &url, "disk"]).ends_with(4);
    assert!(refused.err.contains("b8a54f0c"), "{}", refused.err);
}
