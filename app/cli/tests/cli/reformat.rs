//! Making a volume, and running `format` on one that exists.

use std::fs;

use crate::program::{Place, files_below, finish};

#[test]
fn a_fresh_volume_has_exactly_the_members_of_the_format() {
    let place = Place::new();
    let url = place.volume(&[]);
    let setting = place.run(&["config", "--json", &url]).ends_with(0).json();
    let members: Vec<&String> = setting.as_object().expect("an object").keys().collect();
    let expected = [
        "Name",
        "UUID",
        "Storage",
        "Tiers",
        "Bucket",
        "BlockSize",
        "Compression",
        "EncryptAlgo",
        "TrashDays",
        "MetaVersion",
        "MinClientVersion",
        "DirStats",
        "EnableACL",
    ];
    assert_eq!(members, expected);
    assert_eq!(setting["BlockSize"], 4096);
    let bucket = setting["Bucket"].as_str().expect("text");
    assert!(
        bucket.starts_with('/') && bucket.ends_with("/objects/"),
        "{bucket}"
    );
}

#[test]
fn the_bucket_is_claimed_and_the_probe_leaves_nothing() {
    let place = Place::new();
    let url = place.volume(&[]);
    let setting = place.run(&["config", "--json", &url]).ends_with(0).json();
    let files = files_below(&place.path("objects"));
    assert_eq!(files, [place.path("objects/disk/juicefs_uuid")]);
    assert_eq!(
        fs::read_to_string(&files[0]).expect("the claim"),
        setting["UUID"].as_str().expect("text")
    );
}

#[test]
fn a_second_format_changes_what_is_given_and_keeps_the_rest() {
    let place = Place::new();
    let url = place.volume(&["--trash-days", "3", "--capacity", "10"]);
    let before = place.run(&["config", "--json", &url]).ends_with(0).json();
    place
        .run(&["format", &url, "disk", "--capacity", "20G"])
        .ends_with(0);
    let after = place.run(&["config", "--json", &url]).ends_with(0).json();
    assert_eq!(after["Capacity"], 20u64 << 30);
    for kept in ["UUID", "TrashDays", "Bucket"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

#[test]
fn what_a_volume_fixes_is_refused_and_nothing_changes() {
    let place = Place::new();
    let url = place.volume(&[]);
    let before = place.run(&["config", "--json", &url]).ends_with(0).out;
    for (change, has) in [
        (vec!["--block-size", "1M"], "4096 KiB"),
        (vec!["--compress", "lz4"], "none"),
        (vec!["--shards", "4"], "volume has 0"),
        (vec!["--hash-prefix"], "volume has false"),
        (vec!["--encrypt-algo", "aes256gcm-rsa"], "not encrypted"),
        (vec!["--encrypt-algo", "chacha20-rsa", "--force"], "not encrypted"),
    ] {
        let refused = place
            .run(&[vec!["format", &url, "disk"], change].concat())
            .ends_with(2);
        assert!(refused.err.contains(has), "{has} in {}", refused.err);
        assert!(refused.err.contains("what to do: "), "{}", refused.err);
    }
    let renamed = place.run(&["format", &url, "another"]).ends_with(2);
    assert!(renamed.err.contains("volume has disk"), "{}", renamed.err);
    assert_eq!(place.run(&["config", "--json", &url]).ends_with(0).out, before);
}

#[test]
fn no_update_leaves_an_existing_volume_alone() {
    let place = Place::new();
    let url = place.volume(&[]);
    place
        .run(&["format", "--no-update", &url, "disk", "--trash-days", "9"])
        .ends_with(0);
    let setting = place.run(&["config", "--json", &url]).ends_with(0).json();
    assert_eq!(setting["TrashDays"], 1);
}

#[test]
fn a_bucket_with_objects_of_others_is_refused() {
    let place = Place::new();
    fs::create_dir_all(place.path("objects/disk")).expect("a folder");
    fs::write(place.path("objects/disk/photo.jpg"), "mine").expect("a file");
    let bucket = place.path("objects").display().to_string();
    let run = place
        .run(&["format", "--bucket", &bucket, &place.url("meta.db"), "disk"])
        .ends_with(4);
    assert!(run.err.contains("photo.jpg"), "{}", run.err);
    assert_eq!(files_below(&place.path("objects")).len(), 1);
}

#[test]
fn bad_names_are_usage_errors() {
    let place = Place::new();
    for name in ["ab", "Upper", "under_score", "-dash", "dash-"] {
        place
            .run(&["format", "--bucket", "objects", &place.url("meta.db"), "--", name])
            .ends_with(2);
    }
}

#[test]
fn a_wrong_passphrase_opens_no_volume() {
    let place = Place::new();
    let Some(key) = private_key(&place, "right") else {
        println!("skipped: openssl is not installed");
        return;
    };
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let arguments = [
        "format",
        "--bucket",
        &bucket,
        "--encrypt-rsa-key",
        &key,
        &url,
        "disk",
    ];
    let format = |passphrase: &str| finish(place.command(&arguments).env("JFS_RSA_PASSPHRASE", passphrase));
    let wrong = format("wrong");
    assert_ne!(wrong.code, 0);
    assert!(
        !wrong.err.contains("wrong\""),
        "the passphrase is repeated: {}",
        wrong.err
    );
    place.run(&["status", &url]).ends_with(3);
    format("right").ends_with(0);
    let claim = fs::read(place.path("objects/disk/juicefs_uuid")).expect("the claim");
    assert!(claim.len() > 36, "the claim is not encrypted");
    let fsck = |passphrase: &str| {
        finish(
            place
                .command(&["fsck", &url])
                .env("MOORAGE_RSA_PASSPHRASE", passphrase),
        )
    };
    fsck("right").ends_with(0);
    assert_ne!(fsck("wrong").code, 0);
}

#[test]
fn another_key_or_cipher_than_the_volume_has_is_refused() {
    let place = Place::new();
    let Some(key) = private_key(&place, "open") else {
        println!("skipped: openssl is not installed");
        return;
    };
    let own = place.path("own.pem").display().to_string();
    fs::rename(&key, &own).expect("renamed");
    let other = private_key(&place, "open").expect("openssl is there");
    let run = |arguments: &[&str]| finish(place.command(arguments).env("JFS_RSA_PASSPHRASE", "open"));
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let format = ["format", &url, "disk"];
    let secret = ["--secret-key", "kept", "--bucket", &bucket, "--encrypt-rsa-key"];
    run(&[&format[..], &secret, &[&own]].concat()).ends_with(0);
    let before = fs::read(place.path("meta.db")).expect("the database");
    for (change, has) in [
        (vec!["--encrypt-rsa-key", &other], "another key"),
        (vec!["--encrypt-rsa-key", &other, "--force"], "another key"),
        (vec!["--encrypt-algo", "sm4gcm"], "aes256gcm-rsa"),
        (vec!["--encrypt-algo", "chacha20-rsa", "--force"], "aes256gcm-rsa"),
    ] {
        let refused = run(&[&format[..], &change].concat()).ends_with(2);
        assert!(refused.err.contains(has), "{has} in {}", refused.err);
        assert!(refused.err.contains("what to do: "), "{}", refused.err);
    }
    assert_eq!(fs::read(place.path("meta.db")).expect("the database"), before);
    let same = [
        "--encrypt-rsa-key",
        &own,
        "--encrypt-algo",
        "aes256gcm-rsa",
        "--trash-days",
        "3",
    ];
    run(&[&format[..], &same].concat()).ends_with(0);
    run(&["fsck", &url]).ends_with(0);
}

#[test]
fn a_volume_that_is_not_encrypted_takes_no_key() {
    let place = Place::new();
    let url = place.volume(&[]);
    fs::write(place.path("key.pem"), "-----BEGIN PRIVATE KEY-----\n").expect("a file");
    let refused = place
        .run(&["format", &url, "disk", "--encrypt-rsa-key", "key.pem"])
        .ends_with(2);
    assert!(refused.err.contains("not encrypted"), "{}", refused.err);
}

/// Makes an RSA key that a passphrase protects; its path, or `None` where openssl is not installed.
pub(crate) fn private_key(place: &Place, passphrase: &str) -> Option<String> {
    let key = place.path("key.pem").display().to_string();
    let made = std::process::Command::new("openssl")
        .args([
            "genrsa",
            "-aes256",
            "-passout",
            &format!("pass:{passphrase}"),
            "-out",
            &key,
            "2048",
        ])
        .output()
        .ok()?;
    made.status.success().then_some(key)
}

#[test]
fn an_empty_key_file_makes_no_volume_without_encryption() {
    let place = Place::new();
    std::fs::write(place.path("key.pem"), "\n").expect("a file");
    let (url, bucket) = (place.url("meta.db"), place.path("objects").display().to_string());
    let refused = place.run(&[
        "format",
        "--bucket",
        &bucket,
        "--encrypt-rsa-key",
        "key.pem",
        &url,
        "disk",
    ]);
    assert!(refused.err.contains("key.pem is empty"), "{}", refused.err);
    assert!(!place.path("objects").exists(), "nothing was made");
}
