//! An object store on a line that swallows everything for a while.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::{FILE_BYTES, truth, write_durably};
use crate::fixture::until;
use crate::proxy::Proxy;
use crate::remote::RemoteVolume;
use crate::running::Agent;

/// Longest that a call of a program may take.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// Longest until all is well after the line is.
const HEALING_LIMIT: Duration = Duration::from_secs(10);
/// How long the line is away at least, so that every wait between attempts has become a long one.
const AWAY: Duration = Duration::from_secs(40);

fn read_in_time(file: &Path) -> std::io::Result<Vec<u8>> {
    let begun = Instant::now();
    let read = fs::read(file);
    assert!(begun.elapsed() < CALL_LIMIT, "a read took {:?}", begun.elapsed());
    read
}

fn behind_a_line() -> Option<(RemoteVolume, Proxy)> {
    let mut line = None;
    let remote = RemoteVolume::format_over(|runtime, server| {
        let bucket = server.bucket();
        let authority = bucket.split('/').nth(2).expect("an authority");
        let proxy = runtime.block_on(Proxy::start(authority.parse().expect("an address")));
        let bucket = bucket.replace(authority, &proxy.address.to_string());
        line = Some(proxy);
        bucket
    })?;
    Some((remote, line?))
}

#[test]
fn a_store_behind_a_line_that_swallows_everything_holds_no_call_and_is_never_called_safe_and_heals() {
    let Some((remote, line)) = behind_a_line() else {
        return;
    };
    let mount = remote.volume.mounted("mount");
    let cache = remote.volume.path().join("cache");
    let agent = Agent::start(&remote.volume);
    agent.add(&["--mount", "--cache-dir", &cache.display().to_string()]);
    write_durably(&mount.file("far"), 1);
    until("it to be stored", || truth(&agent)["truth"] == "stored");
    // From here on the store alone has it.
    agent.run(&["volume", "unmount", "disk"]);
    fs::remove_dir_all(&cache).expect("deleted");
    agent.run(&["volume", "mount", "disk"]);

    line.swallow(true);
    let gone = Instant::now();
    let begun = Instant::now();
    write_durably(&mount.file("near"), 2);
    assert!(begun.elapsed() < CALL_LIMIT, "a write took {:?}", begun.elapsed());
    let far = mount.file("far");
    let reading = thread::spawn(move || read_in_time(&far).is_err());
    let mut told = false;
    while gone.elapsed() < AWAY || !told {
        let truth = truth(&agent);
        assert_eq!(truth["truth"], "only_here", "{truth}");
        told |= agent.only_volume()["state"]["reasons"][0]["code"] == "store_unavailable";
        assert!(gone.elapsed() < 2 * AWAY, "nobody was told");
        thread::sleep(Duration::from_secs(1));
    }
    assert!(reading.join().expect("in time"), "what nobody has was read");
    let begun = Instant::now();
    read_in_time(&mount.file("far")).expect_err("nobody has it");
    assert!(
        begun.elapsed() < HEALING_LIMIT,
        "a store that is known to be away is waited for"
    );
    assert_eq!(
        read_in_time(&mount.file("near")).expect("it is here"),
        [2; FILE_BYTES]
    );

    line.swallow(false);
    let back = Instant::now();
    until("all to be stored", || truth(&agent)["truth"] == "stored");
    assert!(back.elapsed() < HEALING_LIMIT, "it took {:?}", back.elapsed());
    assert_eq!(
        read_in_time(&mount.file("far")).expect("it is there"),
        [1; FILE_BYTES]
    );
    until("it to be well", || agent.state() == "mounted");
}
