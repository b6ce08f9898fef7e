//! config.

use moorage_meta::admin::SettingChange;
use moorage_meta::{Key, Meta, Record};
use moorage_model::{ErrorKind, Ino, Setting};

use crate::volume::{Volume, on_each_engine};

async fn change(volume: &Volume, change: SettingChange) -> moorage_model::Result<Setting> {
    Meta::change_setting(&volume.engine, volume.clock.as_ref(), move |setting| {
        change.apply(setting)
    })
    .await
    .map(|changed| changed.after)
}

#[tokio::test]
async fn a_change_keeps_members_of_newer_releases() {
    on_each_engine(
        |setting| {
            setting
                .unknown
                .insert("Future".to_owned(), serde_json::json!({"a": [1, 2]}));
        },
        async |volume| {
            let wanted = SettingChange {
                trash_days: Some(7),
                capacity: Some(1 << 30),
                ..SettingChange::default()
            };
            change(volume, wanted).await.unwrap();
            let stored = Meta::load_setting(&volume.engine).await.unwrap().unwrap();
            assert_eq!((stored.trash_days, stored.capacity), (7, 1 << 30));
            assert_eq!(stored.unknown["Future"], serde_json::json!({"a": [1, 2]}));
            let trash = volume.engine.read(&[Key::Node(Ino::TRASH)]).await.unwrap();
            assert!(
                matches!(trash[0], Some(Record::Node(_))),
                "the trash root is made with it"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn what_a_volume_fixes_can_not_be_changed() {
    on_each_engine(
        |setting| setting.enable_acl = true,
        async |volume| {
            let before = Meta::load_setting(&volume.engine).await.unwrap();
            let no_acl = SettingChange {
                enable_acl: Some(false),
                ..SettingChange::default()
            };
            let refused = change(volume, no_acl).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
            assert!(refused.to_string().contains("EnableACL"), "{refused}");
            for edit in [
                (|setting: &mut Setting| setting.name = "other".to_owned()) as fn(&mut Setting),
                |setting| setting.block_size *= 2,
                |setting| setting.hash_prefix = true,
                |setting| setting.uuid = "00000000-0000-4000-8000-000000000000".to_owned(),
                |setting| setting.compression = "zstd".to_owned(),
            ] {
                let refused = Meta::change_setting(&volume.engine, volume.clock.as_ref(), move |setting| {
                    edit(setting);
                    Ok(())
                })
                .await;
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
            }
            assert_eq!(Meta::load_setting(&volume.engine).await.unwrap(), before);
        },
    )
    .await;
}

#[tokio::test]
async fn acls_and_tiers_raise_the_floor_that_an_operator_can_not_lower_below_it() {
    on_each_engine(
        |_| {},
        async |volume| {
            let wanted = SettingChange {
                enable_acl: Some(true),
                ..SettingChange::default()
            };
            let after = change(volume, wanted).await.unwrap();
            assert_eq!(after.min_client_version, "1.2.0-A");
            let wanted = SettingChange {
                min_client_version: Some("1.0.0".to_owned()),
                ..SettingChange::default()
            };
            let after = change(volume, wanted).await.unwrap();
            assert_eq!(after.min_client_version, "1.2.0-A");
        },
    )
    .await;
}
