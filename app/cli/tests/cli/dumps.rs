//! `dump` and `load`.

use std::os::unix::fs::PermissionsExt as _;

use moorage_chunk::{Cipher, DataKey, Sealer};

use crate::program::{Place, Run, finish};
use crate::reformat::private_key;

#[test]
fn a_volume_moves_through_a_dump_of_every_form() {
    let place = Place::new();
    let url = place.volume(&[]);
    place
        .run(&[
            "quota", "set", &url, "--path", "/team", "--create", "--inodes", "5",
        ])
        .ends_with(0);
    let plain = place.run(&["dump", &url]).ends_with(0).out;
    assert!(plain.contains("\"team\": {"), "{plain}");
    for file in ["a.json", "a.json.gz", "a.json.zstd"] {
        let dumped = place.run(&["dump", "--json", &url, file]).ends_with(0).json();
        assert_eq!(
            (&dumped["entries"], &dumped["unreadable"]),
            (&3.into(), &0.into())
        );
        let mode = std::fs::metadata(place.path(file))
            .expect("a dump")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let copy = place.url(&format!("{file}.db"));
        let loaded = place.run(&["load", "--json", &copy, file]).ends_with(0).json();
        assert_eq!((&loaded["name"], &loaded["nodes"]), (&"disk".into(), &1.into()));
        assert_eq!(place.run(&["dump", &copy, "-"]).ends_with(0).out, plain, "{file}");
    }
    place.run(&["dump", "--binary", &url, "a.bin"]).ends_with(0);
    let copy = place.url("a.bin.db");
    place.run(&["load", &copy, "a.bin"]).ends_with(0);
    assert_eq!(place.run(&["dump", &copy]).ends_with(0).out, plain);
    let left: Vec<_> = std::fs::read_dir(place.path("."))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().starts_with(".moorage-dump"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_database_that_holds_a_volume_takes_no_dump() {
    let place = Place::new();
    let url = place.volume(&[]);
    place.run(&["dump", &url, "a.json"]).ends_with(0);
    let refused = place.run(&["load", &url, "a.json"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.err.contains("holds volume disk already"),
        "{}",
        refused.err
    );
}

#[test]
fn a_dump_that_was_cut_off_leaves_no_volume_behind() {
    let place = Place::new();
    let url = place.volume(&[]);
    let whole = place.run(&["dump", &url]).ends_with(0).out;
    std::fs::write(place.path("cut.json"), &whole[..whole.len() / 2]).expect("a file");
    let copy = place.url("copy.db");
    let refused = place.run(&["load", &copy, "cut.json"]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("cut.json"), "{}", refused.err);
    std::fs::write(place.path("whole.json"), whole).expect("a file");
    place.run(&["load", &copy, "whole.json"]).ends_with(0);
}

#[test]
fn a_dump_that_can_not_be_written_leaves_what_was_there() {
    let place = Place::new();
    let url = place.volume(&[]);
    std::fs::write(place.path("a.json"), "before").expect("a file");
    let refused = place.run(&["dump", &url, "--subdir", "/nothing", "a.json"]);
    assert_ne!(refused.code, 0);
    assert_eq!(
        std::fs::read_to_string(place.path("a.json")).expect("a file"),
        "before"
    );
    let nowhere = place.run(&["dump", &url, "missing/a.json"]);
    assert_ne!(nowhere.code, 0);
    let both = finish(&mut place.command(&["dump", "--json", &url]));
    assert_ne!(both.code, 0);
}

#[test]
fn a_dump_takes_no_place_of_a_pipe_or_a_link() {
    let place = Place::new();
    let url = place.volume(&[]);
    let plain = place.run(&["dump", &url]).ends_with(0).out;
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    let reader = {
        let pipe = place.path("pipe");
        std::thread::spawn(move || std::fs::read_to_string(pipe))
    };
    place.run(&["dump", &url, "pipe"]).ends_with(0);
    assert_eq!(reader.join().expect("a reader").expect("text"), plain);
    let kind = std::fs::symlink_metadata(place.path("pipe"))
        .expect("the pipe")
        .file_type();
    assert!(!kind.is_file());

    std::fs::write(place.path("target.json"), "before").expect("a file");
    std::os::unix::fs::symlink("target.json", place.path("link.json")).expect("a link");
    place.run(&["dump", &url, "link.json"]).ends_with(0);
    let written = std::fs::read_to_string(place.path("target.json")).expect("a file");
    assert_eq!(written, plain);
    assert!(place.path("link.json").is_symlink());
}

#[test]
fn a_dump_says_that_it_has_no_secrets_and_only_then() {
    let place = Place::new();
    let url = place.volume(&["--access-key", "me", "--secret-key", "hunter2"]);
    let said = place.run(&["dump", &url, "a.json"]).ends_with(0).out;
    assert!(said.contains("secrets are left out"), "{said}");
    let dumped = place.run(&["dump", "--json", &url, "a.json"]).ends_with(0).json();
    assert_eq!(dumped["secrets_removed"], true);
    let whole = ["dump", "--json", "--keep-secret-key", &url, "a.json"];
    let dumped = place.run(&whole).ends_with(0).json();
    assert_eq!(dumped["secrets_removed"], false);
}

pub(crate) const PASSPHRASE: &str = "hunter2-of-the-key";

/// The program with the passphrase of the volume's key.
fn with_passphrase(place: &Place, arguments: &[&str]) -> Run {
    finish(place.command(arguments).env("JFS_RSA_PASSPHRASE", PASSPHRASE))
}

/// An encrypted volume and the path of its key; `None` where openssl is not installed.
pub(crate) fn encrypted(place: &Place) -> Option<(String, String)> {
    let Some(key) = private_key(place, PASSPHRASE) else {
        println!("skipped: openssl is not installed");
        return None;
    };
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let format = [
        "format",
        "--bucket",
        &bucket,
        "--encrypt-rsa-key",
        &key,
        "--access-key",
        "me",
        "--secret-key",
        "hunter2-of-the-bucket",
        &url,
        "disk",
    ];
    with_passphrase(place, &format).ends_with(0);
    Some((url, key))
}

#[test]
fn a_dump_of_an_encrypted_volume_keeps_its_key_sealed_and_no_other_secret() {
    let place = Place::new();
    let Some((url, _)) = encrypted(&place) else { return };
    let plain = place.run(&["dump", &url]).ends_with(0).out;
    for secret in ["hunter2", "PRIVATE KEY"] {
        assert!(!plain.contains(secret), "{plain}");
    }
    place.run(&["dump", &url, "a.json.gz"]).ends_with(0);
    let copy = place.url("copy.db");
    place.run(&["load", &copy, "a.json.gz"]).ends_with(0);
    assert_eq!(place.run(&["dump", &copy]).ends_with(0).out, plain);
    let config = ["config", &copy, "--secret-key", "hunter2-of-the-bucket"];
    with_passphrase(&place, &config).ends_with(0);
    // Nothing but the passphrase is missing to open its objects.
    with_passphrase(&place, &["fsck", "--verify-contents", &copy]).ends_with(0);
    let without = place.run(&["fsck", "--verify-contents", &copy]);
    assert_ne!(without.code, 0);
    assert!(without.err.contains("RSA_PASSPHRASE"), "{}", without.err);
}

#[test]
fn a_backup_of_an_encrypted_volume_loads_with_its_key_alone() {
    let place = Place::new();
    let Some((url, key)) = encrypted(&place) else {
        return;
    };
    let plain = place.run(&["dump", &url]).ends_with(0).out;
    place.run(&["dump", &url, "a.json.gz"]).ends_with(0);
    // As a mount stores it.
    let pem = std::fs::read_to_string(&key).expect("the key");
    let data_key = DataKey::from_pem(&pem, Some(PASSPHRASE)).expect("a key");
    let packed = std::fs::read(place.path("a.json.gz")).expect("the dump");
    let sealed = Sealer::new(data_key, Cipher::Aes256Gcm).seal(&packed);
    std::fs::write(place.path("backup.json.gz"), sealed.expect("sealed")).expect("written");

    let copy = place.url("copy.db");
    let load = |options: &[&str]| {
        let mut command = place.command(&["load"]);
        command.args(options).args([&copy, "backup.json.gz"]);
        command
    };
    let open = ["--encrypt-rsa-key", key.as_str()];
    let without = finish(&mut load(&[]));
    assert_ne!(without.code, 0);
    assert!(without.err.contains("--encrypt-rsa-key"), "{}", without.err);
    let locked = finish(&mut load(&open));
    assert_ne!(locked.code, 0);
    assert!(locked.err.contains("RSA_PASSPHRASE"), "{}", locked.err);
    let otherwise = [&open[..], &["--encrypt-algo", "chacha20-rsa"]].concat();
    let wrong = finish(load(&otherwise).env("JFS_RSA_PASSPHRASE", PASSPHRASE));
    assert_ne!(wrong.code, 0);
    assert!(wrong.err.contains("backup.json.gz"), "{}", wrong.err);
    finish(load(&open).env("JFS_RSA_PASSPHRASE", PASSPHRASE)).ends_with(0);
    assert_eq!(place.run(&["dump", &copy]).ends_with(0).out, plain);
}

/// A second key, and the path that the first one has now.
fn another_key(place: &Place, key: &str) -> (String, String) {
    let mine = place.path("mine.pem").display().to_string();
    std::fs::rename(key, &mine).expect("the key");
    let other = private_key(place, PASSPHRASE).expect("a second key");
    (mine, other)
}

#[test]
fn a_binary_dump_of_an_encrypted_volume_is_usable_again_with_its_key() {
    let place = Place::new();
    let Some((url, key)) = encrypted(&place) else {
        return;
    };
    std::fs::create_dir_all(place.path("from")).expect("a folder");
    std::fs::write(place.path("from/a.txt"), "one").expect("a file");
    with_passphrase(&place, &["sync", "from", &url]).ends_with(0);
    let said = place.run(&["dump", "--binary", &url, "a.bin"]).ends_with(0).out;
    assert!(said.contains("moorage load --encrypt-rsa-key"), "{said}");
    let (mine, other) = another_key(&place, &key);

    // Without the key: every command says which one sets it, and it is set once only.
    let copy = place.url("copy.db");
    let said = place.run(&["load", &copy, "a.bin"]).ends_with(0).err;
    assert!(said.contains("config META-URL --encrypt-rsa-key"), "{said}");
    for command in [&["fsck", &copy] as &[&str], &["sync", &copy, "nowhere"]] {
        let refused = with_passphrase(&place, command);
        assert_ne!(refused.code, 0);
        assert!(
            refused.err.contains("config META-URL --encrypt-rsa-key"),
            "{}",
            refused.err
        );
    }
    let secret = ["config", &copy, "--secret-key", "hunter2-of-the-bucket"];
    let said = with_passphrase(&place, &secret).ends_with(0).err;
    assert!(said.contains("not tested yet"), "{said}");
    let give = |key: &str| with_passphrase(&place, &["config", &copy, "--encrypt-rsa-key", key]);
    let wrong = give(&other);
    assert_ne!(wrong.code, 0);
    assert!(wrong.err.contains("another key"), "{}", wrong.err);
    give(&mine).ends_with(0);
    give(&mine).ends_with(0);
    let replaced = give(&other);
    assert_ne!(replaced.code, 0);
    assert!(replaced.err.contains("has its key"), "{}", replaced.err);
    with_passphrase(&place, &["sync", &copy, "out"]).ends_with(0);
    assert_eq!(
        std::fs::read_to_string(place.path("out/a.txt")).expect("it"),
        "one"
    );

    // With the key.
    let second = place.url("second.db");
    let load = ["load", "--encrypt-rsa-key", &mine, &second, "a.bin"];
    with_passphrase(&place, &load).ends_with(0);
    let secret = ["config", &second, "--secret-key", "hunter2-of-the-bucket"];
    with_passphrase(&place, &secret).ends_with(0);
    with_passphrase(&place, &["fsck", "--verify-contents", &second]).ends_with(0);
    let shown = place.run(&["config", &second]).ends_with(0).out;
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[test]
fn a_loaded_volume_takes_no_key_that_does_not_open_its_objects() {
    let place = Place::new();
    let Some(key) = private_key(&place, PASSPHRASE) else {
        println!("skipped: openssl is not installed");
        return;
    };
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let format = [
        "format",
        "--bucket",
        &bucket,
        "--encrypt-rsa-key",
        &key,
        &url,
        "disk",
    ];
    with_passphrase(&place, &format).ends_with(0);
    place.run(&["dump", "--binary", &url, "a.bin"]).ends_with(0);
    let (mine, other) = another_key(&place, &key);
    let copy = place.url("copy.db");
    let load = ["load", "--encrypt-rsa-key", &other, &copy, "a.bin"];
    let loaded = with_passphrase(&place, &load);
    assert_ne!(loaded.code, 0);
    assert!(loaded.err.contains("its key is not set"), "{}", loaded.err);
    assert!(loaded.err.contains("another key"), "{}", loaded.err);
    let config = ["config", &copy, "--encrypt-rsa-key", &mine];
    with_passphrase(&place, &config).ends_with(0);
    with_passphrase(&place, &["fsck", &copy]).ends_with(0);
}

#[test]
fn a_key_that_a_dump_does_not_need_is_said_to_be_so() {
    let place = Place::new();
    let Some((url, key)) = encrypted(&place) else {
        return;
    };
    for file in ["a.json", "a.json.gz", "a.json.zstd"] {
        place.run(&["dump", &url, file]).ends_with(0);
        let copy = place.url(&format!("{file}.db"));
        let load = ["load", "--encrypt-rsa-key", &key, &copy, file];
        let said = with_passphrase(&place, &load).ends_with(0).err;
        assert!(said.contains("is not encrypted"), "{file}: {said}");
    }
    let whole = ["dump", "--binary", "--keep-secret-key", &url, "a.bin"];
    place.run(&whole).ends_with(0);
    let copy = place.url("binary.db");
    let load = ["load", "--encrypt-rsa-key", &key, &copy, "a.bin"];
    let said = with_passphrase(&place, &load).ends_with(0).err;
    assert!(said.contains("is not encrypted"), "{said}");
    let plain = place.url("plain.db");
    let bucket = place.path("plain").display().to_string();
    place
        .run(&["format", "--bucket", &bucket, &plain, "bare"])
        .ends_with(0);
    let refused = with_passphrase(&place, &["config", &plain, "--encrypt-rsa-key", &key]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("is not encrypted"), "{}", refused.err);
}
