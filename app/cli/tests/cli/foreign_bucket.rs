//! Whether the objects are those of the volume: looked at before anything is read, written or deleted.

use std::fs;

use crate::program::{Place, Run, files_below, finish};

/// A volume whose bucket was swapped for that of another volume of the same name. URL and UUID of the first, UUID of
/// the second.
fn swapped(place: &Place) -> (String, String, String) {
    let url = place.volume(&[]);
    let other = place.url("other.db");
    let bucket = place.path("others").display().to_string();
    place
        .run(&["format", "--bucket", &bucket, &other, "disk"])
        .ends_with(0);
    let own = uuid(place, &url);
    let theirs = uuid(place, &other);
    fs::remove_dir_all(place.path("objects")).expect("the own bucket");
    fs::rename(place.path("others"), place.path("objects")).expect("the other bucket");
    (url, own, theirs)
}

fn uuid(place: &Place, url: &str) -> String {
    let setting = place.run(&["config", "--json", url]).ends_with(0).json();
    setting
        .get("UUID")
        .and_then(serde_json::Value::as_str)
        .expect("text")
        .to_owned()
}

fn unchecked(place: &Place, arguments: &[&str]) -> Run {
    finish(
        place
            .command(arguments)
            .env("MOORAGE_NO_CHECK_OBJECT_STORAGE", "1"),
    )
}

#[test]
fn the_bucket_of_another_volume_is_refused_and_left_alone() {
    let place = Place::new();
    let (url, own, theirs) = swapped(&place);
    let objects = files_below(&place.path("objects"));
    for arguments in [
        vec!["fsck", &url],
        vec!["gc", "--delete", &url],
        vec!["destroy", "--yes", &url, &own],
    ] {
        let run = place.run(&arguments).ends_with(4);
        assert!(run.err.contains(&own) && run.err.contains(&theirs), "{}", run.err);
    }
    assert_eq!(files_below(&place.path("objects")), objects);
    unchecked(&place, &["fsck", &url]).ends_with(0);
}

#[test]
fn a_bucket_without_objects_or_without_a_claim_is_pointed_out() {
    let place = Place::new();
    let url = place.volume(&[]);
    assert_eq!(place.run(&["fsck", &url]).ends_with(0).err, "");
    let claim = place.path("objects/disk/juicefs_uuid");
    fs::remove_file(&claim).expect("the claim");
    let empty = place.run(&["fsck", &url]).ends_with(0);
    assert!(empty.err.contains("EMPTY"), "{}", empty.err);
    fs::write(place.path("objects/disk/photo.jpg"), "mine").expect("an object");
    let unclaimed = place.run(&["fsck", &url]).ends_with(0);
    assert!(
        unclaimed.err.contains("belongs to volume disk") && !unclaimed.err.contains("EMPTY"),
        "{}",
        unclaimed.err
    );
    assert_eq!(unchecked(&place, &["fsck", &url]).ends_with(0).err, "");
}

#[test]
fn a_volume_is_not_pointed_at_the_bucket_of_another() {
    let place = Place::new();
    let url = place.volume(&[]);
    let bucket = place.path("others").display().to_string();
    let other = place.url("other.db");
    place
        .run(&["format", "--bucket", &bucket, &other, "disk"])
        .ends_with(0);
    let before = place.run(&["config", "--json", &url]).ends_with(0).out;
    place.run(&["config", "--bucket", &bucket, &url]).ends_with(4);
    assert_eq!(place.run(&["config", "--json", &url]).ends_with(0).out, before);
}
