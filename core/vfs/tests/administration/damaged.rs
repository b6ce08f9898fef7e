//! Records that can not be read end no job, and nothing is deleted that only they may name.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moorage_meta::admin::{CheckScope, Defect, Progress, SummaryOptions};
use moorage_meta::{Counting, Meta, MetaOptions, QuotaLimits, Scan};
use moorage_model::{Clock, ErrorKind, Ino, QuotaKey, SessionId};
use moorage_vfs::volume_check::{
    GarbageOptions, GarbageReport, ObjectCheckOptions, check_objects, collect_garbage,
};
use moorage_vfs::{Caller, RenameFlags, Vfs, VfsOptions};

use crate::volume::{Volume, on_sqlite};

async fn collect(volume: &Volume, delete: bool) -> GarbageReport {
    let options = GarbageOptions {
        delete,
        compact: delete,
        min_age: Duration::ZERO,
        ..GarbageOptions::default()
    };
    volume.clock.advance(10);
    collect_garbage(
        &volume.meta,
        volume.store.as_ref(),
        volume.clock.as_ref(),
        options,
        &Progress::default(),
    )
    .await
    .unwrap()
}

/// An object that nothing names.
async fn leak(volume: &Volume) {
    let id = volume.meta.allocate_slice().await.unwrap();
    let key = format!("chunks/0/0/{id}_0_10");
    let body = Bytes::from_static(b"0123456789");
    volume.store.put(&key, body).await.unwrap();
}

#[tokio::test]
async fn no_object_is_deleted_that_only_a_damaged_record_may_name() {
    for damage in [
        "UPDATE jfs_chunk SET slices = zeroblob(23) WHERE inode = {hurt}",
        "INSERT INTO jfs_delslices VALUES (7, 1700000000, zeroblob(13))",
        "INSERT INTO jfs_chunk_ref (chunkid, size, refs) VALUES (7, 100, 'x')",
    ] {
        let volume = on_sqlite(|_| {}).await;
        let hurt = volume.file(Ino::ROOT, "hurt", 100).await;
        volume.file(Ino::ROOT, "sound", 100).await;
        leak(&volume).await;
        volume.file(Ino::ROOT, "gone", 100).await;
        volume.unlink(Ino::ROOT, "gone").await;
        volume.damage(&damage.replace("{hurt}", &hurt.to_string()));
        let report = collect(&volume, true).await;
        assert!(report.leaks_are_kept(), "{damage}");
        assert_eq!(report.unread_owners, 1, "{damage}");
        assert!(report.leaked.objects >= 1, "{damage}: it is counted");
        let objects = volume.objects().await;
        assert_eq!(objects.len(), 3, "{damage}: {objects:?}");
    }
}

#[tokio::test]
async fn a_deleted_file_that_can_not_be_read_keeps_no_other() {
    let volume = on_sqlite(|_| {}).await;
    volume.damage(
        "INSERT INTO jfs_delfile (inode, length, expire) VALUES (90, 5, 1), (91, 5, 1), (92, 5, 'x'); \
         INSERT INTO jfs_chunk (inode, indx, slices) VALUES (90, 0, zeroblob(23)), (91, 0, zeroblob(24))",
    );
    for delete in [false, true] {
        let report = collect(&volume, delete).await;
        // A dry run does not read what it would delete.
        let found = (report.deleted_files.count, report.deleted_files.damaged);
        assert_eq!(found, if delete { (1, 2) } else { (2, 1) });
        assert!(report.damaged > 0 && report.unread_owners == 1);
    }
    let left = volume.engine.survey(&Scan::DeletedFiles, None, 10).await.unwrap();
    assert_eq!((left.items.len(), left.damaged.len()), (1, 1));
}

#[tokio::test]
async fn a_damaged_node_keeps_no_garbage() {
    let volume = on_sqlite(|_| {}).await;
    let hurt = volume.file(Ino::ROOT, "hurt", 100).await;
    leak(&volume).await;
    volume.damage(&format!("UPDATE jfs_node SET mode = 70000 WHERE inode = {hurt}"));
    let report = collect(&volume, true).await;
    assert!(!report.leaks_are_kept());
    assert_eq!((report.leaked.objects, volume.objects().await.len()), (1, 1));
}

#[tokio::test]
async fn missing_objects_are_found_beside_a_damaged_slice_list() {
    let volume = on_sqlite(|_| {}).await;
    let hurt = volume.file(Ino::ROOT, "hurt", 100).await;
    let objects = volume.objects().await;
    volume.file(Ino::ROOT, "sound", 100).await;
    volume.damage(&format!(
        "UPDATE jfs_chunk SET slices = zeroblob(23) WHERE inode = {hurt}"
    ));
    for key in volume.objects().await {
        if !objects.contains(&key) {
            volume.store.delete(&key).await.unwrap();
        }
    }
    for scope in [CheckScope::Volume, CheckScope::Tree(Ino::ROOT)] {
        let options = ObjectCheckOptions {
            scope,
            ..ObjectCheckOptions::default()
        };
        let report = check_objects(
            &volume.meta,
            volume.store.as_ref(),
            options,
            &HashSet::new,
            &Progress::default(),
        )
        .await
        .unwrap();
        let of = |defect| {
            let found = report.findings.iter().filter(move |found| found.defect == defect);
            found.map(|found| found.message.clone()).collect::<Vec<_>>()
        };
        assert!(of(Defect::MissingObject)[0].contains("/sound"), "{scope:?}");
        if scope != CheckScope::Volume {
            assert!(
                of(Defect::DamagedRecord)[0].contains("/hurt"),
                "{:?}",
                report.findings
            );
        }
    }
}

#[tokio::test]
async fn a_mount_lists_a_damaged_file_and_uses_those_beside_it() {
    let volume = on_sqlite(|_| {}).await;
    let hurt = volume.file(Ino::ROOT, "hurt", 100).await;
    let sound = volume.file(Ino::ROOT, "sound", 100).await;
    volume.damage(&format!("UPDATE jfs_node SET mode = 70000 WHERE inode = {hurt}"));
    let clock = Arc::clone(&volume.clock) as Arc<dyn Clock>;
    let meta = Meta::open(Arc::clone(&volume.engine), MetaOptions::default(), clock);
    let chunks = Arc::clone(&volume.chunks);
    let vfs = Vfs::open_volume(meta.await.unwrap(), chunks, VfsOptions::default())
        .await
        .unwrap();
    let caller = Caller::root();
    for plus in [false, true] {
        let handle = vfs.opendir(&caller, Ino::ROOT).await.unwrap().handle;
        let mut seen = Vec::new();
        vfs.readdir(handle, 0, plus, &mut |item| {
            seen.push((item.name.to_vec(), item.ino, item.entry.is_some()));
            true
        })
        .await
        .unwrap();
        seen.retain(|(_, ino, _)| [hurt, sound].contains(ino));
        let expected = [(b"hurt".to_vec(), hurt, false), (b"sound".to_vec(), sound, plus)];
        assert_eq!(seen, expected);
    }
    // An input/output error to programs.
    let found = vfs.lookup(&caller, Ino::ROOT, b"hurt").await.map(drop);
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(
        vfs.getattr(hurt).await.map(drop).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    let found = vfs.lookup(&caller, Ino::ROOT, b"sound").await.unwrap();
    assert_eq!(vfs.getattr(found.ino).await.unwrap().attr.length, 100);
    vfs.rename(
        &caller,
        (Ino::ROOT, b"sound"),
        (Ino::ROOT, b"moved"),
        RenameFlags::default(),
    )
    .await
    .unwrap();
    vfs.unlink(&caller, Ino::ROOT, b"moved").await.unwrap();
    vfs.shutdown().await.unwrap();
}

#[tokio::test]
async fn sums_tell_what_they_leave_out() {
    let volume = on_sqlite(|_| {}).await;
    let folder = volume.mkdir(Ino::ROOT, "folder").await;
    let hurt = volume.file(folder, "hurt", 5000).await;
    volume.file(folder, "sound", 5000).await;
    let unnamed = volume.file(folder, "unnamed", 5000).await;
    volume.damage(&format!(
        "UPDATE jfs_node SET mode = 70000 WHERE inode = {hurt}; \
         UPDATE jfs_edge SET type = 0 WHERE inode = {unnamed}"
    ));
    let progress = Progress::default();
    for depth in [0, 2] {
        let options = SummaryOptions {
            depth,
            ..SummaryOptions::default()
        };
        let summary = volume
            .meta
            .summary(Ino::ROOT, b"/", options, &progress)
            .await
            .unwrap();
        assert_eq!(
            (summary.usage.unreadable, summary.usage.length),
            (2, 5000),
            "{depth}"
        );
    }
}

#[tokio::test]
async fn a_quota_is_not_repaired_from_a_count_that_leaves_nodes_out() {
    let volume = on_sqlite(|setting| setting.user_group_quota = true).await;
    let folder = volume.mkdir(Ino::ROOT, "folder").await;
    let key = QuotaKey::Directory(folder);
    let limits = QuotaLimits {
        max_inodes: Some(100),
        ..QuotaLimits::default()
    };
    let hurt = volume.file(folder, "hurt", 5000).await;
    volume
        .meta
        .set_quota(key, limits, Counting::Entries)
        .await
        .unwrap();
    volume.damage(&format!("UPDATE jfs_node SET mode = 70000 WHERE inode = {hurt}"));
    let before = volume.meta.get_quota(key).await.unwrap().unwrap();
    let found = volume.meta.check_quotas(Counting::Entries, true).await.unwrap();
    assert!(!found.checks.is_empty());
    for check in &found.checks {
        assert_eq!((check.unreadable, check.repaired), (1, false), "{check:?}");
    }
    assert_eq!(volume.meta.get_quota(key).await.unwrap(), Some(before));
}

#[tokio::test]
async fn damaged_quotas_and_sessions_are_listed_beside_the_others() {
    let volume = on_sqlite(|_| {}).await;
    volume.damage(
        "INSERT INTO jfs_dir_quota (inode, max_space, max_inodes, used_space, used_inodes) VALUES \
         (8, 'x', 0, 0, 0), (9, 5, 0, 0, 0); \
         INSERT INTO jfs_session2 (sid, expire, info) VALUES (7, 'x', '{}')",
    );
    let list = volume.meta.list_quotas().await.unwrap();
    assert_eq!((list.quotas.len(), list.damage.count), (1, 1));
    assert!(list.damage.records[0].reason.contains("directory 8"));
    let sessions = volume.meta.list_sessions().await.unwrap();
    let damaged: Vec<u64> = sessions
        .iter()
        .filter(|session| session.damaged && !session.expired)
        .map(|session| session.id.0)
        .collect();
    assert_eq!(damaged, [7]);
    volume.damage(
        "INSERT INTO jfs_flock (inode, sid, owner, ltype) VALUES (5, 7, 1, 88); \
         INSERT INTO jfs_sustained (sid, inode) VALUES (7, 5); \
         INSERT INTO jfs_session2 (sid, expire, info) VALUES (8, 1, '{}')",
    );
    let detail = volume.meta.session_detail(SessionId(7)).await.unwrap();
    assert_eq!((detail.sustained.len(), detail.damaged), (1, 1));
    assert_eq!(volume.meta.reap_sessions().await.unwrap(), 1, "the sound one");
}
