//! Settings and sizes.

use moorage_meta::{decode_setting, encode_setting};
use moorage_model::Ino;

use super::volume::{fixtures, volumes};

#[test]
fn settings_are_rewritten_byte_for_byte() {
    let Some(folder) = fixtures() else {
        return;
    };
    for fixture in std::fs::read_dir(folder).unwrap() {
        let path = fixture.unwrap().path().join("setting.json");
        let stored = std::fs::read_to_string(&path).unwrap();
        let setting = decode_setting(&stored, &path.display().to_string()).unwrap();
        assert_eq!(encode_setting(&setting).unwrap(), stored, "{}", path.display());
    }
}

#[tokio::test]
async fn statfs_shows_the_same_numbers() {
    for volume in volumes().await {
        // The root of this volume has a quota, which the read-only mount of the fixture had not loaded.
        if volume.name == "quota" {
            continue;
        }
        let shown = volume.meta.statfs(Ino::ROOT).await.unwrap();
        let expected = &volume.expected["statfs"];
        let blocks = |name: &str| expected[name].as_u64().unwrap() * 4096;
        assert_eq!(shown.total_space, blocks("blocks"), "{}", volume.name);
        assert_eq!(shown.available_space, blocks("bavail"), "{}", volume.name);
        assert_eq!(
            shown.available_inodes,
            expected["ffree"].as_u64().unwrap(),
            "{}",
            volume.name
        );
        let files = shown.used_inodes + shown.available_inodes;
        assert_eq!(files, expected["files"].as_u64().unwrap(), "{}", volume.name);
    }
}
