//! A local folder and a folder of a mounted volume are kept in sync, whatever ends meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::fixture::{Mounted, Volume, is_mounted, text, until};
use crate::running::{Agent, said};

/// Below the volume's root and below the home.
const FOLDER: &str = "documents";

fn local(volume: &Volume) -> PathBuf {
    volume.path().join(FOLDER)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The one pair of the list.
fn only_pair(agent: &Agent<'_>) -> Value {
    let pairs = agent.json(&["pair", "list"]);
    let pairs = pairs.as_array().expect("a list");
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    pairs[0].clone()
}

fn state(agent: &Agent<'_>) -> String {
    let pair = only_pair(agent);
    pair["state"]["state"].as_str().expect("a word").to_owned()
}

/// Adds a pair of the local folder, which holds one file, and waits until both sides are the same.
fn pair_with_one_file(volume: &Volume, agent: &Agent<'_>, mount: &Mounted<'_>) {
    fs::create_dir_all(local(volume)).expect("made");
    fs::write(local(volume).join("one"), "1").expect("written");
    agent.run(&["pair", "add", &shown(&local(volume)), "disk"]);
    arrives(volume, &mount.file("documents/one"), "1");
    until("the run to end", || state(agent) == "up_to_date");
}

fn arrives(volume: &Volume, file: &Path, content: &str) {
    until(&format!("{} to arrive; {}", file.display(), said(volume)), || {
        fs::read_to_string(file).is_ok_and(|found| found == content)
    });
}

/// The processes of pairs that the agent started.
fn processes(agent: &Agent<'_>) -> Vec<i32> {
    let parent = format!("PPid:\t{}\n", agent.pid());
    let numbers = fs::read_dir("/proc").expect("listed").flatten();
    numbers
        .filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
            read("status").contains(&parent) && read("cmdline").contains("\0pair\0keep")
        })
        .collect()
}

fn is_running(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

#[test]
fn an_edit_of_either_side_arrives_at_the_other_without_being_asked() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    let dry = ["pair", "add", &shown(&local(&volume)), "disk", "--dry"];
    fs::create_dir_all(local(&volume)).expect("made");
    fs::write(local(&volume).join("one"), "1").expect("written");
    let preview = agent.json(&dry);
    assert_eq!(
        (
            &preview["to_volume"],
            &preview["to_volume_bytes"],
            &preview["asks"]
        ),
        (&json!(1), &json!(1), &json!(false))
    );
    assert_eq!(agent.json(&["pair", "list"]), json!([]), "nothing was added");
    assert!(!mount.file(FOLDER).exists(), "nor made");
    pair_with_one_file(&volume, &agent, &mount);
    fs::create_dir(local(&volume).join("new")).expect("made");
    fs::write(local(&volume).join("new/two"), "2").expect("written");
    arrives(&volume, &mount.file("documents/new/two"), "2");
    // What others change in the volume is found by the next run.
    until("the run to end", || state(&agent) == "up_to_date");
    fs::write(mount.file("documents/three"), "3").expect("written");
    let run = agent.run(&["pair", "run", &shown(&local(&volume))]);
    assert!(run.contains("1 copied to this computer"), "{run}");
    arrives(&volume, &local(&volume).join("three"), "3");
    let pair = only_pair(&agent);
    assert_eq!(pair["watched"], true, "{pair}");
    assert!(pair["next_run"].as_u64().is_some(), "{pair}");
}

/// Changes the one file on both sides before the pair hears of either.
fn change_on_both_sides(volume: &Volume, agent: &Agent<'_>, mount: &Mounted<'_>) {
    let folder = shown(&local(volume));
    agent.run(&["pair", "pause", &folder]);
    fs::write(local(volume).join("one"), "mine").expect("written");
    fs::write(mount.file("documents/one"), "theirs").expect("written");
    agent.run(&["pair", "resume", &folder]);
}

#[test]
fn a_conflict_is_settled_by_the_version_that_a_person_keeps() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    change_on_both_sides(&volume, &agent, &mount);
    let folder = shown(&local(&volume));
    until("the conflict to be told of", || {
        state(&agent) == "up_to_date" && only_pair(&agent)["conflicts"] != json!([])
    });
    let copy = only_pair(&agent)["conflicts"][0]["copy"].clone();
    let copy = copy.as_str().expect("a name");
    let unknown = agent.attempt(&["pair", "resolve", &folder, "other", "--keep", "both"]);
    assert!(!unknown.status.success(), "{}", text(&unknown));
    // Of two files one goes, which is more than a quarter, and was agreed to.
    agent.run(&["pair", "resolve", &folder, copy, "--keep", "copy"]);
    arrives(&volume, &mount.file("documents/one"), "mine");
    assert_eq!(
        fs::read_to_string(local(&volume).join("one")).expect("kept"),
        "mine"
    );
    until("the copy to go", || {
        !local(&volume).join(copy).exists() && !mount.file(&format!("documents/{copy}")).exists()
    });
    assert_eq!(only_pair(&agent)["conflicts"], json!([]));
}

#[test]
fn a_folder_that_is_left_out_stays_as_it_is_on_both_sides_and_limits_of_removals_are_those_that_were_set() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    for file in ["one", "two", "raw [1]/three"] {
        let path = local(&volume).join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, "1").expect("written");
    }
    let folder = shown(&local(&volume));
    agent.run(&["pair", "add", &folder, "disk", "--leave-out", "raw [1]/"]);
    arrives(&volume, &mount.file("documents/one"), "1");
    until("the run to end", || state(&agent) == "up_to_date");
    assert!(!mount.file("documents/raw [1]").exists());
    let settings = only_pair(&agent)["settings"].clone();
    assert_eq!(settings["left_out"], json!(["raw [1]"]));
    assert_eq!(settings["guard"], json!({"files": 100, "percent": 25}));

    agent.run(&["pair", "change", &folder, "--ask-above-percent", "50"]);
    fs::remove_file(local(&volume).join("two")).expect("removed");
    until("half of the files to go unasked", || {
        !mount.file("documents/two").exists()
    });
    agent.run(&["pair", "change", &folder, "--ask-above", "0", "--no-leave-out"]);
    arrives(&volume, &mount.file("documents/raw [1]/three"), "1");
    fs::remove_file(local(&volume).join("one")).expect("removed");
    until("it to ask before one file goes", || state(&agent) == "asking");
    assert!(mount.file("documents/one").exists());
}

#[test]
fn versions_of_both_sides_are_kept_and_named() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    change_on_both_sides(&volume, &agent, &mount);
    arrives(&volume, &local(&volume).join("one"), "theirs");
    until("the conflict to be told of", || {
        only_pair(&agent)["conflicts"]
            .as_array()
            .is_some_and(|conflicts| !conflicts.is_empty())
    });
    let conflict = only_pair(&agent)["conflicts"][0].clone();
    assert_eq!(
        (&conflict["path"], &conflict["side"]),
        (&json!("one"), &json!("local"))
    );
    let copy = conflict["copy"].as_str().expect("a name").to_owned();
    assert_eq!(
        fs::read_to_string(local(&volume).join(&copy)).expect("kept"),
        "mine"
    );
    let list = agent.run(&["pair", "list"]);
    assert!(list.contains(&copy), "{list}");
    fs::remove_file(local(&volume).join(&copy)).expect("removed");
    until("the conflict to be settled", || {
        only_pair(&agent)["conflicts"] == json!([])
    });
}

#[test]
fn a_pair_that_would_remove_much_asks_and_does_what_it_is_told() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    let folder = shown(&local(&volume));
    let nothing = agent.attempt(&["pair", "answer", &folder, "--keep"]);
    assert!(text(&nothing).contains("asks nothing now"), "{}", text(&nothing));
    fs::remove_file(local(&volume).join("one")).expect("removed");
    until("the question", || state(&agent) == "asking");
    let list = agent.run(&["pair", "list"]);
    assert!(
        list.contains("It would remove 1 file from disk, of 1 file"),
        "{list}"
    );
    assert!(mount.file("documents/one").exists());
    let notices = || agent.json(&["agent", "status"])["notices"].to_string();
    assert!(notices().contains("asks first"), "{}", notices());
    agent.run(&["pair", "answer", &folder, "--keep"]);
    assert_eq!(notices(), "[]");
    assert_eq!(
        fs::read_to_string(local(&volume).join("one")).expect("it is back"),
        "1"
    );
    until("the runs to end", || state(&agent) == "up_to_date");
    fs::remove_file(local(&volume).join("one")).expect("removed");
    until("the question", || state(&agent) == "asking");
    agent.run(&["pair", "answer", &folder, "--remove"]);
    assert!(!mount.file("documents/one").exists());
}

#[test]
fn whatever_is_killed_the_pair_goes_on() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    for (round, name) in ["two", "three"].into_iter().enumerate() {
        let before = processes(&agent);
        let &[process] = before.as_slice() else {
            panic!("one process keeps the pair: {before:?}");
        };
        fs::write(local(&volume).join(name), name).expect("written");
        kill(Pid::from_raw(process), Signal::SIGKILL).expect("ours");
        arrives(&volume, &mount.file(&format!("documents/{name}")), name);
        until("the run to end", || state(&agent) == "up_to_date");
        assert_ne!(processes(&agent), before, "round {round}");
    }
    let left = processes(&agent);
    agent.kill();
    for process in left {
        until("the process to end with its agent", || !is_running(process));
    }
    fs::write(local(&volume).join("four"), "4").expect("written");
    let agent = Agent::start(&volume);
    arrives(&volume, &mount.file("documents/four"), "4");
    until("the run to end", || state(&agent) == "up_to_date");
}

#[test]
fn what_is_held_has_no_process_and_keeps_no_volume_in_use() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    agent.run(&["agent", "pause"]);
    until("the process to end", || processes(&agent).is_empty());
    assert_eq!(
        only_pair(&agent)["state"],
        json!({"state": "paused", "all": true})
    );
    fs::write(local(&volume).join("two"), "2").expect("written");
    agent.run(&["agent", "resume"]);
    arrives(&volume, &mount.file("documents/two"), "2");
    agent.run(&["volume", "unmount", "disk"]);
    assert!(!is_mounted(mount.point()));
    assert_eq!(state(&agent), "waiting");
    assert!(processes(&agent).is_empty());
    let refused = agent.attempt(&["volume", "remove", "disk"]);
    assert!(
        text(&refused).contains("moorage pair remove"),
        "{}",
        text(&refused)
    );
    fs::write(local(&volume).join("three"), "3").expect("written");
    agent.run(&["volume", "mount", "disk"]);
    arrives(&volume, &mount.file("documents/three"), "3");
    agent.run(&["pair", "remove", &shown(&local(&volume))]);
    assert!(processes(&agent).is_empty());
    let known = volume.path().join(".local/state/moorage/pairs");
    assert_eq!(fs::read_dir(known).expect("listed").count(), 0);
    assert!(local(&volume).join("three").exists() && mount.file("documents/three").exists());
}

#[test]
fn a_folder_that_was_taken_away_is_no_emptied_one() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    pair_with_one_file(&volume, &agent, &mount);
    let away = volume.path().join("away");
    fs::rename(local(&volume), &away).expect("renamed");
    until("the failure", || state(&agent) == "error");
    let problem = only_pair(&agent)["state"]["problem"].clone();
    assert_eq!(problem["code"], "not_found", "{problem}");
    fs::rename(&away, local(&volume)).expect("back");
    fs::write(local(&volume).join("two"), "2").expect("written");
    agent.run(&["pair", "run", &shown(&local(&volume))]);
    assert_eq!(
        fs::read_to_string(mount.file("documents/two")).expect("arrived"),
        "2"
    );
    assert!(mount.file("documents/one").exists());
}

#[test]
fn a_run_that_is_killed_again_and_again_is_finished_by_the_last_one() {
    /// More than one run finishes between two kills, small enough for a slow machine.
    const FILES: u32 = 300;
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    fs::create_dir_all(local(&volume)).expect("made");
    let name = |number: u32| format!("file {number}");
    for number in 0..FILES {
        fs::write(local(&volume).join(name(number)), number.to_string()).expect("written");
    }
    agent.run(&["pair", "add", &shown(&local(&volume)), "disk"]);
    for kills in 1..=3 {
        let begun = || fs::read_dir(mount.file(FOLDER)).is_ok_and(|listed| listed.count() > 10 * kills);
        until("a run to be under way", || {
            begun() && !processes(&agent).is_empty()
        });
        for process in processes(&agent) {
            kill(Pid::from_raw(process), Signal::SIGKILL).expect("ours");
        }
    }
    until("a run to end", || state(&agent) == "up_to_date");
    for number in 0..FILES {
        let copy = mount.file(FOLDER).join(name(number));
        assert_eq!(fs::read_to_string(copy).expect("arrived"), number.to_string());
    }
    let listed = |folder: &Path| fs::read_dir(folder).expect("listed").count();
    let both = (listed(&local(&volume)), listed(&mount.file(FOLDER)));
    assert_eq!(both, (FILES as usize, FILES as usize), "nothing half is left");
    assert_eq!(only_pair(&agent)["conflicts"], json!([]));
}

#[test]
fn the_root_of_a_volume_is_a_folder_as_well_and_what_a_mount_adds_to_it_is_none_of_its_files() {
    let Some(volume) = Volume::format(&[]) else { return };
    let mount = volume.mounted("mount");
    let agent = Agent::start(&volume);
    agent.add(&["--mount"]);
    fs::write(mount.file("one"), "1").expect("written");
    fs::write(mount.file("gone"), "0").expect("written");
    fs::remove_file(mount.file("gone")).expect("removed");
    let folder = shown(&local(&volume));
    agent.run(&["pair", "add", &folder, "disk", "/", "--mode", "mirror"]);
    arrives(&volume, &local(&volume).join("one"), "1");
    until("the run to end", || state(&agent) == "up_to_date");
    assert_eq!(fs::read_dir(local(&volume)).expect("listed").count(), 1);
    // A mirror never changes the volume.
    fs::write(local(&volume).join("own"), "own").expect("written");
    agent.run(&["pair", "run", &folder]);
    assert!(!mount.file("own").exists() && local(&volume).join("own").exists());
}
