//! Lines 8 to 12: links, usage, protections, unknown members, changelog.

use moorage_meta::{Context, Key, Meta, Record, RenameFlags, Scan, SetAttr, TxnExt as _, UnlinkOptions};
use moorage_model::{
    AclEntry, AclKind, AclRule, Counter, DirStat, ErrorKind, Flags, Ino, QuotaKey, TierId, Uid,
};

use super::{put, put_setting, sound};
use crate::fixture::{Volume, kind, name, quiet, setting, write};

#[tokio::test]
async fn line_08_links_and_parents_change_with_the_entries() {
    let volume = Volume::new().await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let file = volume.file(Ino::ROOT, "f").await;
    sound(&volume).await;
    volume
        .meta
        .link(&root, file, directory, &name("g"))
        .await
        .unwrap();
    assert_eq!(volume.attr(file).await.parent, Ino::NONE);
    sound(&volume).await;
    let other = volume.directory(directory, "sub").await;
    let (from, to) = (name("sub"), name("moved"));
    volume
        .meta
        .rename(
            &root,
            (directory, &from),
            (Ino::ROOT, &to),
            RenameFlags::default(),
        )
        .await
        .unwrap();
    assert_eq!(volume.attr(other).await.parent, Ino::ROOT);
    assert_eq!(
        (
            volume.attr(Ino::ROOT).await.nlink,
            volume.attr(directory).await.nlink
        ),
        (4, 2)
    );
    sound(&volume).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    volume.unlink(directory, "g").await.unwrap();
    sound(&volume).await;
}

#[tokio::test]
async fn line_09_usage_statistics_and_quotas_follow_every_change() {
    let volume = Volume::with(|setting| setting.user_group_quota = true).await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let quota = moorage_model::Quota::default();
    put(
        &volume,
        Key::Quota(QuotaKey::Directory(directory)),
        Record::Quota(quota),
    )
    .await;
    let client = volume.client(quiet()).await;
    let file = client
        .create(&root, directory, &name("f"), 0o644, 0)
        .await
        .unwrap()
        .ino;
    write(&client, &volume.data, file, 0, 5000).await.unwrap();
    let used = |key| {
        let volume = &volume;
        async move {
            let mut found = volume.engine.get(&[Key::Quota(key)]).await.unwrap();
            let quota = found.quota().unwrap().unwrap();
            (quota.used_space, quota.used_inodes)
        }
    };
    assert_eq!(volume.counter(Counter::UsedSpace).await, 4096 + 8192);
    assert_eq!(volume.counter(Counter::TotalInodes).await, 2);
    let stat = DirStat {
        length: 5000,
        space: 8192,
        inodes: 1,
    };
    assert_eq!(volume.dir_stat(directory).await, Some(stat));
    assert_eq!(used(QuotaKey::Directory(directory)).await, (8192, 1));
    assert_eq!(used(QuotaKey::User(Uid(0))).await, (4096 + 8192, 2));
    client
        .unlink(&root, directory, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    assert_eq!(volume.counter(Counter::UsedSpace).await, 4096);
    assert_eq!(volume.dir_stat(directory).await, Some(DirStat::default()));
    assert_eq!(used(QuotaKey::Directory(directory)).await, (0, 0));
    assert_eq!(used(QuotaKey::User(Uid(0))).await, (4096, 1));
    sound(&volume).await;
}

#[tokio::test]
async fn line_10_trash_flags_and_reserved_names_are_respected() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    assert!(volume.attr(file).await.in_trash());
    let mask = Flags(0x23);
    let guarded = volume.file(Ino::ROOT, "g").await;
    for flags in [Flags::IMMUTABLE, Flags::APPEND] {
        volume.meta.set_flags(&root, guarded, flags, mask).await.unwrap();
        assert_eq!(kind(volume.unlink(Ino::ROOT, "g").await), ErrorKind::NotPermitted);
        assert_eq!(
            kind(volume.meta.truncate(&root, guarded, 5).await),
            ErrorKind::NotPermitted
        );
    }
    volume
        .meta
        .set_flags(&root, guarded, Flags::SKIP_TRASH, mask)
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "g").await.unwrap();
    assert_eq!(kind(volume.meta.getattr(guarded).await), ErrorKind::NotFound);
    let reserved = name(".trash");
    assert_eq!(
        kind(volume.meta.create(&root, Ino::ROOT, &reserved, 0o644, 0).await),
        ErrorKind::NotPermitted
    );
    assert_eq!(
        kind(volume.unlink(Ino::ROOT, ".trash").await),
        ErrorKind::NotPermitted
    );
    let below = volume.directory(Ino::ROOT, "d").await;
    assert!(
        volume
            .meta
            .create(&root, below, &reserved, 0o644, 0)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn line_11_what_this_release_does_not_know_is_kept() {
    let volume = Volume::with(|setting| setting.enable_acl = true).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let rule = AclRule {
        owner: 6,
        group: 4,
        mask: 7,
        other: 4,
        users: vec![AclEntry {
            id: 1001,
            permissions: 7,
        }],
        groups: Vec::new(),
    };
    volume
        .meta
        .set_acl(&root, file, AclKind::Access, Some(rule))
        .await
        .unwrap();
    let mut attr = volume.attr(file).await;
    attr.flags = Flags(0xC0);
    attr.tier = TierId(2);
    let (flags, tier, acl) = (attr.flags, attr.tier, attr.access_acl);
    put(&volume, Key::Node(file), Record::Node(attr)).await;
    volume.write(file, 0, 100).await;
    volume.meta.truncate(&root, file, 50).await.unwrap();
    volume
        .meta
        .link(&root, file, Ino::ROOT, &name("g"))
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    let chown = SetAttr {
        uid: Some(Uid(7)),
        ..SetAttr::default()
    };
    volume.meta.setattr(&root, file, chown).await.unwrap();
    volume
        .meta
        .set_flags(&root, file, Flags::WINDOWS_HIDDEN, Flags::WINDOWS_HIDDEN)
        .await
        .unwrap();
    let attr = volume.attr(file).await;
    assert_eq!(attr.flags, flags | Flags::WINDOWS_HIDDEN);
    assert_eq!((attr.tier, attr.access_acl), (tier, acl));

    let mut future = setting();
    future.enable_acl = true;
    future
        .unknown
        .insert("FromTheFuture".to_owned(), serde_json::json!({"a": 1}));
    put_setting(&volume, &future).await;
    let shared: std::sync::Arc<dyn moorage_meta::Engine> = volume.engine.clone();
    let mut wanted = setting();
    (wanted.enable_acl, wanted.capacity) = (true, 1 << 30);
    Meta::format(&shared, &wanted, volume.clock.as_ref())
        .await
        .unwrap();
    let stored = Meta::load_setting(&shared).await.unwrap().unwrap();
    assert_eq!(
        stored.unknown.get("FromTheFuture"),
        Some(&serde_json::json!({"a": 1}))
    );
    assert_eq!(stored.capacity, 1 << 30);
}

async fn lines(volume: &Volume) -> Vec<String> {
    let items = volume.scan(Scan::Changelog).await.into_iter();
    items
        .filter_map(|(_, record)| match record {
            Record::ChangelogLine(line) => Some(line),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn line_12_with_a_changelog_every_change_appends_its_line_or_neither_happens() {
    let volume = Volume::with(|setting| setting.change_log = true).await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d,1").await;
    let file = volume.file(directory, "f").await;
    let slice = volume.write(file, 0, 100).await;
    volume.meta.truncate(&root, file, 50).await.unwrap();
    volume
        .meta
        .link(&root, file, Ino::ROOT, &name("g"))
        .await
        .unwrap();
    let (from, to) = (name("g"), name("h"));
    volume
        .meta
        .rename(
            &root,
            (Ino::ROOT, &from),
            (Ino::ROOT, &to),
            RenameFlags::default(),
        )
        .await
        .unwrap();
    volume.unlink(Ino::ROOT, "h").await.unwrap();
    volume.unlink(directory, "f").await.unwrap();
    volume
        .meta
        .rmdir(&root, Ino::ROOT, &name("d,1"), UnlinkOptions::default())
        .await
        .unwrap();
    volume.flush().await;
    let refused = volume.meta.create(&root, file, &name("x"), 0o644, 0).await;
    assert_eq!(kind(refused), ErrorKind::NotFound);
    let lines = lines(&volume).await;
    let operations: Vec<&str> = lines
        .iter()
        .map(|line| line.split('|').nth(1).unwrap().split('(').next().unwrap())
        .collect();
    let expected = [
        "INCR_COUNTER",
        "CREATE",
        "CREATE",
        "INCR_COUNTER",
        "WRITE",
        "TRUNCATE",
        "LINK",
        "MOVE",
        "UNLINK",
        "UNLINK",
        "RMDIR",
        "DELCHUNK",
        "DELETESLICE",
    ];
    assert_eq!(operations, expected, "{lines:#?}");
    let create = lines[1].split('|').nth(1).unwrap();
    assert!(create.starts_with("CREATE(1,d%2C1,0,0,2,"), "{create}");
    assert!(create.ends_with(&format!("):{directory}")), "{create}");
    assert!(
        lines[11].contains(&format!("|DELCHUNK({file},0)|")),
        "{}",
        lines[11]
    );
    assert!(
        lines[12].contains(&format!("|DELETESLICE({},100)|", slice.id)),
        "{}",
        lines[12]
    );
    assert!(
        lines[0].ends_with("|(0,1)") && lines[0].starts_with("1700000000."),
        "{}",
        lines[0]
    );
}
