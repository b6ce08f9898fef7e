//! What a writer owes the other clients of a volume: one test per line of spec 00-overview section 6, in its order
//! and numbered like it.

use std::time::Duration;

use moorage_meta::{
    Context, FallocateMode, Key, Meta, OpenFlags, Record, RenameFlags, Scan, SetAttr, TxnExt as _,
    UnlinkOptions, Wait, encode_setting, run,
};
use moorage_model::{
    AclEntry, AclKind, AclRule, Attr, ChunkIndex, Counter, DirStat, ErrorKind, FileLockKind, Flags, Ino,
    LockOwner, QuotaKey, Setting, TierId, Uid,
};

use crate::check::broken_invariants;
use crate::fixture::{Volume, kind, name, quiet, setting, write};

const FIRST: ChunkIndex = ChunkIndex(0);

/// Stores a record as another client would.
async fn put(volume: &Volume, key: Key, record: Record) {
    run(volume.engine.as_ref(), "another client", move |txn| {
        txn.put(key.clone(), record.clone());
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
}

async fn put_setting(volume: &Volume, setting: &Setting) {
    let text = encode_setting(setting).unwrap();
    put(volume, Key::Setting, Record::Setting(text)).await;
}

async fn sound(volume: &Volume) {
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn line_01_gates_are_honoured_and_a_vanished_or_replaced_setting_stops_the_client() {
    let volume = Volume::new().await;
    for (min, max, version) in [("9.0.0", "", 1), ("", "1.0.0", 1), ("", "", 2)] {
        let gated = Setting {
            min_client_version: min.to_owned(),
            max_client_version: max.to_owned(),
            meta_version: version,
            ..setting()
        };
        put_setting(&volume, &gated).await;
        let opened = Meta::open(volume.engine.clone(), quiet(), volume.clock.clone()).await;
        assert_eq!(kind(opened), ErrorKind::VersionMismatch, "{min} {max} {version}");
    }
    put_setting(&volume, &setting()).await;
    let root = Context::root();

    let client = volume.client(quiet()).await;
    let other = Setting {
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        ..setting()
    };
    put_setting(&volume, &other).await;
    assert_eq!(kind(client.refresh_session().await), ErrorKind::VersionMismatch);
    let made = client.create(&root, Ino::ROOT, &name("f"), 0o644, 0).await;
    assert_eq!(kind(made), ErrorKind::VersionMismatch);
    assert!(client.stopped().await.contains("test-volume"));

    put_setting(&volume, &setting()).await;
    let client = volume.client(quiet()).await;
    run(volume.engine.as_ref(), "another client", |txn| {
        txn.delete(Key::Setting);
        Box::pin(async { Ok(()) })
    })
    .await
    .unwrap();
    assert_eq!(kind(client.refresh_session().await), ErrorKind::NotFormatted);
    assert!(
        client
            .unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn line_02_a_session_carries_locks_and_open_files_and_is_cleaned_at_exit() {
    let volume = Volume::new().await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let meta = volume.session().await;
    let registered = volume.scan(Scan::Sessions).await;
    assert_eq!(registered.len(), 1);
    meta.flock(file, LockOwner(1), Some(FileLockKind::Exclusive), Wait::No)
        .await
        .unwrap();
    assert_eq!(volume.scan(Scan::FileLocks(file)).await.len(), 1);
    meta.open_file(&root, file, OpenFlags::default()).await.unwrap();
    meta.unlink(&root, Ino::ROOT, &name("f"), UnlinkOptions::default())
        .await
        .unwrap();
    assert_eq!(volume.scan(Scan::Sustained(meta.session())).await.len(), 1);
    volume.clock.advance(Duration::from_secs(60));
    meta.refresh_session().await.unwrap();
    let refreshed = volume.scan(Scan::Sessions).await;
    assert_ne!(refreshed, registered);
    meta.close_session().await.unwrap();
    for range in [Scan::Sessions, Scan::AllSustained, Scan::FileLocks(file)] {
        assert_eq!(volume.scan(range).await, []);
    }
}

#[tokio::test]
async fn line_03_numbers_come_from_the_counters_only() {
    let volume = Volume::new().await;
    assert_eq!(volume.counter(Counter::NextInode).await, 2);
    assert_eq!(volume.counter(Counter::NextChunk).await, 1);
    let other = volume.client(quiet()).await;
    let root = Context::root();
    let first = volume.file(Ino::ROOT, "a").await;
    let second = other
        .create(&root, Ino::ROOT, &name("b"), 0o644, 0)
        .await
        .unwrap()
        .ino;
    let third = volume.file(Ino::ROOT, "c").await;
    assert_eq!((first, second, third), (Ino(2), Ino(2 + 1024), Ino(3)));
    assert_eq!(
        volume.counter(Counter::NextInode).await,
        2 + 2 * 1024,
        "next free"
    );
    let slices = [
        volume.meta.allocate_slice().await.unwrap().0,
        other.allocate_slice().await.unwrap().0,
    ];
    assert_eq!(slices, [1, 1 + 4096]);
    assert_eq!(volume.counter(Counter::NextChunk).await, 1 + 2 * 4096);
    let sessions = [
        volume.session().await.session().0,
        volume.session().await.session().0,
    ];
    assert_eq!(sessions, [1, 2]);
    assert_eq!(volume.counter(Counter::NextSession).await, 2, "last used");
}

#[tokio::test]
async fn line_04_a_record_is_added_only_for_a_slice_that_is_complete() {
    // The data layer stores the blocks before it calls this one; here: nothing of a refused slice is recorded, and the
    // record appears with its reference or not at all.
    let volume = Volume::with(|setting| setting.capacity = 8192).await;
    let file = volume.file(Ino::ROOT, "f").await;
    let refused = write(&volume.meta, &volume.data, file, 0, 100_000).await;
    assert_eq!(kind(refused), ErrorKind::NoSpace);
    assert_eq!(volume.scan(Scan::AllChunks).await, []);
    assert_eq!(volume.scan(Scan::SliceRefs).await, []);
    assert_eq!(volume.attr(file).await.length, 0);
    let slice = volume.write(file, 0, 100).await;
    assert_eq!(volume.owners(slice).await, Some(1));
}

#[tokio::test]
async fn line_05_lists_grow_at_their_end_and_only_compaction_replaces_what_it_compared() {
    let volume = Volume::new().await;
    let file = volume.file(Ino::ROOT, "f").await;
    let other = volume.client(quiet()).await;
    let mut expected = Vec::new();
    for part in 0..4 {
        expected.push(volume.write(file, part * 10, 10).await);
        expected.push(
            write(&other, &volume.data, file, part * 10 + 5, 10)
                .await
                .unwrap(),
        );
    }
    volume.meta.truncate(&Context::root(), file, 20).await.unwrap();
    let list = other.read_slices(file, FIRST).await.unwrap();
    assert_eq!(list[..8], expected[..]);
    let (_, appended) = tokio::join!(
        volume.meta.compact_chunk(file, FIRST),
        write(&other, &volume.data, file, 100, 10)
    );
    let list = other.read_slices(file, FIRST).await.unwrap();
    assert_eq!(
        list.last(),
        Some(&appended.unwrap()),
        "an append during a compaction stays behind it"
    );
    sound(&volume).await;
}

#[tokio::test]
async fn line_06_references_change_in_the_transaction_of_their_records() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, copy) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    let slice = volume.write(file, 0, 100).await;
    sound(&volume).await;
    for offset in [0, 200, 400] {
        volume
            .meta
            .copy_file_range(&root, file, 0, copy, offset, 100)
            .await
            .unwrap();
        sound(&volume).await;
    }
    assert_eq!(volume.owners(slice).await, Some(4));
    volume.meta.compact_chunk(copy, FIRST).await.unwrap();
    sound(&volume).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    sound(&volume).await;
    volume.flush().await;
    assert_eq!(volume.owners(slice).await, None);
    sound(&volume).await;
}

#[tokio::test]
async fn line_07_every_change_of_content_or_length_changes_mtime() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, source) = (
        volume.file(Ino::ROOT, "f").await,
        volume.file(Ino::ROOT, "g").await,
    );
    volume.write(source, 0, 50).await;
    let mut last = volume.attr(file).await.mtime;
    let mut changed = |attr: Attr, what: &str| {
        assert_ne!(attr.mtime, last, "{what}");
        last = attr.mtime;
    };
    // The same mtime is asked for each time.
    for offset in [0, 0, 10] {
        volume.write(file, offset, 10).await;
        changed(volume.attr(file).await, "write");
    }
    changed(volume.meta.truncate(&root, file, 5).await.unwrap(), "shrink");
    changed(volume.meta.truncate(&root, file, 500).await.unwrap(), "grow");
    let mode = FallocateMode::from_bits(3).unwrap();
    changed(
        volume.meta.fallocate(&root, file, mode, 0, 5).await.unwrap(),
        "punch",
    );
    let copied = volume
        .meta
        .copy_file_range(&root, source, 0, file, 0, 50)
        .await
        .unwrap();
    changed(copied.attr, "copy");
    let keep_mtime = SetAttr {
        size: Some(1),
        mtime: Some(moorage_meta::SetTime::At(volume.attr(file).await.mtime)),
        ..SetAttr::default()
    };
    changed(
        volume.meta.setattr(&root, file, keep_mtime).await.unwrap(),
        "size with the old mtime",
    );
}

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
        "CREATE",
        "CREATE",
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
    let create = lines[0].split('|').nth(1).unwrap();
    assert!(create.starts_with("CREATE(1,d%2C1,0,0,2,"), "{create}");
    assert!(create.ends_with(&format!("):{directory}")), "{create}");
    assert!(
        lines[9].contains(&format!("|DELCHUNK({file},0)|")),
        "{}",
        lines[9]
    );
    assert!(
        lines[10].contains(&format!("|DELETESLICE({},100)|", slice.id)),
        "{}",
        lines[10]
    );
    assert!(
        lines[0].ends_with("|(0,1)") && lines[0].starts_with("1700000000."),
        "{}",
        lines[0]
    );
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
async fn line_13_clients_that_decide_on_the_same_records_do_not_both_win() {
    let volume = Volume::new().await;
    let other = volume.client(quiet()).await;
    let root = Context::root();
    let entry = name("same");
    let (first, second) = tokio::join!(
        volume.meta.create(&root, Ino::ROOT, &entry, 0o644, 0),
        other.create(&root, Ino::ROOT, &entry, 0o644, 0)
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let (directory, gone) = (volume.directory(Ino::ROOT, "d").await, name("d"));
    let (removed, made) = (
        volume
            .meta
            .rmdir(&root, Ino::ROOT, &gone, UnlinkOptions::default()),
        other.create(&root, directory, &entry, 0o644, 0),
    );
    let (removed, made) = tokio::join!(removed, made);
    assert!(removed.is_ok() != made.is_ok(), "{removed:?} {made:?}");
    sound(&volume).await;
}
