//! Records are kept as they are.

use moorage_meta::{Key, Record, Scan, TxnExt as _, run};
use moorage_model::{AclRule, ChunkIndex, Counter, ErrorKind, Ino, NodeType, Slice, SliceId};

use super::samples::{directory, entry, file, name, of_every_kind, rule, slice};
use super::{Fresh, read, scan_all, write};

pub(crate) async fn every_kind_of_record_is_stored_read_back_replaced_and_deleted(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let keys: Vec<Key> = of_every_kind().into_iter().map(|(key, ..)| key).collect();
    write(engine, |txn| {
        for (key, first, _) in of_every_kind() {
            txn.insert(key, first);
        }
    })
    .await
    .unwrap();
    let stored = fresh.other.read(&keys).await.unwrap();
    for ((key, first, _), found) in of_every_kind().into_iter().zip(stored) {
        assert_eq!(found, Some(first), "{key} after its insertion");
    }
    write(engine, |txn| {
        for (key, _, second) in of_every_kind() {
            txn.put(key, second);
        }
    })
    .await
    .unwrap();
    for ((key, _, second), found) in of_every_kind().into_iter().zip(engine.read(&keys).await.unwrap()) {
        assert_eq!(found, Some(second), "{key} after its replacement");
    }
    write(engine, |txn| {
        for (key, ..) in of_every_kind() {
            txn.delete(key);
        }
    })
    .await
    .unwrap();
    for (key, found) in keys.iter().zip(engine.read(&keys).await.unwrap()) {
        assert_eq!(found, None, "{key} after its deletion");
    }
}

/// TiKV holds no empty value.
pub(crate) async fn an_empty_attribute_is_kept_or_refused(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let key = || Key::Xattr(Ino(7), b"user.empty".to_vec());
    let stored = write(engine, move |txn| txn.put(key(), Record::Xattr(Vec::new()))).await;
    let found = read(engine, &key()).await;
    match stored {
        Ok(()) => assert_eq!(found, Some(Record::Xattr(Vec::new()))),
        Err(refused) => assert_eq!((refused.kind(), found), (ErrorKind::InvalidArgument, None)),
    }
}

pub(crate) async fn absent_records_are_none_in_the_order_of_the_keys(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    write(engine, |txn| {
        txn.insert(Key::Node(Ino(2)), Record::Node(file(Ino(1))));
    })
    .await
    .unwrap();
    let keys = [
        Key::Node(Ino(1)),
        Key::Node(Ino(2)),
        Key::Symlink(Ino(2)),
        Key::Node(Ino(2)),
    ];
    let found = engine.read(&keys).await.unwrap();
    let present: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(present, [false, true, false, true]);
    assert!(engine.read(&[]).await.unwrap().is_empty());
}

pub(crate) async fn a_transaction_reads_its_own_writes(fresh: &Fresh) {
    run(fresh.engine.as_ref(), "own writes", |txn| {
        Box::pin(async move {
            txn.insert(Key::Node(Ino(2)), Record::Node(directory(Ino(1))));
            txn.insert(Key::Edge(Ino(1), name("d")), entry(NodeType::Directory, 2));
            assert_eq!(txn.lock_node(Ino(2)).await?, Some(directory(Ino(1))));
            let (found, attr) = txn
                .lookup(Ino(1), &name("d"))
                .await?
                .expect("the entry just made");
            assert_eq!((found.ino, attr), (Ino(2), Some(directory(Ino(1)))));
            assert_eq!(txn.parents(Ino(9)).await?, []);
            txn.append_slices(Ino(3), ChunkIndex(0), &[slice(1, 0, 10)]);
            txn.append_slices(Ino(3), ChunkIndex(0), &[slice(2, 10, 10)]);
            let chunk = txn.get(&[Key::Chunk(Ino(3), ChunkIndex(0))]).await?.chunk()?;
            assert_eq!(chunk, Some(vec![slice(1, 0, 10), slice(2, 10, 10)]));
            txn.add_counter(Counter::UsedSpace, 4096);
            txn.add_counter(Counter::UsedSpace, 4096);
            assert_eq!(
                txn.get(&[Key::Counter(Counter::UsedSpace)]).await?.counter()?,
                Some(8192)
            );
            txn.delete(Key::Node(Ino(2)));
            assert_eq!(txn.lock_node(Ino(2)).await?, None);
            txn.insert(Key::Node(Ino(2)), Record::Node(file(Ino(1))));
            assert_eq!(txn.lock_node(Ino(2)).await?, Some(file(Ino(1))));
            Ok(())
        })
    })
    .await
    .unwrap();
    assert_eq!(
        read(fresh.engine.as_ref(), &Key::Node(Ino(2))).await,
        Some(Record::Node(file(Ino(1))))
    );
    let used = read(fresh.engine.as_ref(), &Key::Counter(Counter::UsedSpace)).await;
    assert_eq!(used, Some(Record::Counter(8192)));
}

pub(crate) async fn deleting_attachments_leaves_other_nodes_alone(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    write(engine, |txn| {
        for ino in [5, 6] {
            for key in ["user.a", "user.b"] {
                txn.insert(Key::Xattr(Ino(ino), key.into()), Record::Xattr(b"v".to_vec()));
            }
        }
    })
    .await
    .unwrap();
    write(engine, |txn| txn.delete_attachments(Ino(5))).await.unwrap();
    assert_eq!(scan_all(engine, &Scan::Xattrs(Ino(5)), 10).await, []);
    assert_eq!(scan_all(engine, &Scan::Xattrs(Ino(6)), 10).await.len(), 2);
}

pub(crate) async fn appends_extend_a_slice_list(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let key = Key::Chunk(Ino(3), ChunkIndex(1));
    let mut expected: Vec<Slice> = Vec::new();
    for id in 1..=5 {
        // Bytes of every value, so that a text column would show.
        let slices = [slice(id * 0x00FF_00FF_80FF, 0xFF00, 0x80), Slice::hole(0, 7)];
        expected.extend(slices);
        write(engine, move |txn| {
            txn.append_slices(Ino(3), ChunkIndex(1), &slices);
        })
        .await
        .unwrap();
        assert_eq!(read(engine, &key).await, Some(Record::Chunk(expected.clone())));
    }
}

pub(crate) async fn owners_change_relatively_and_dead_slices_are_found(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let key = Key::SliceRef(SliceId(8), 100);
    write(engine, |txn| txn.new_slice(SliceId(8), 100)).await.unwrap();
    write(engine, |txn| txn.add_owners(SliceId(8), 100, 2))
        .await
        .unwrap();
    assert_eq!(read(engine, &key).await, Some(Record::Owners(3)));
    assert_eq!(scan_all(engine, &Scan::DeadSlices, 10).await, []);
    write(engine, |txn| txn.add_owners(SliceId(8), 100, -3))
        .await
        .unwrap();
    assert_eq!(
        scan_all(engine, &Scan::DeadSlices, 10).await,
        [(key, Record::Owners(0))]
    );
}

pub(crate) async fn acl_rules_get_distinct_ids(fresh: &Fresh) {
    let store = |rule: AclRule| {
        run(fresh.engine.as_ref(), "acl", move |txn| {
            let rule = rule.clone();
            Box::pin(async move { txn.insert_acl(&rule).await })
        })
    };
    let (first, second) = (
        store(rule()).await.unwrap(),
        store(AclRule::default()).await.unwrap(),
    );
    assert!(first.0 >= 1 && first != second, "{first} and {second}");
    assert_eq!(
        read(fresh.engine.as_ref(), &Key::Acl(first)).await,
        Some(Record::Acl(rule()))
    );
    let all = scan_all(fresh.engine.as_ref(), &Scan::Acls, 1).await;
    assert_eq!(all.len(), 2);
}

pub(crate) async fn a_record_of_the_wrong_kind_is_refused(fresh: &Fresh) {
    let engine = fresh.engine.as_ref();
    let refused = write(engine, |txn| txn.put(Key::Node(Ino(2)), Record::Sustained))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    assert_eq!(read(engine, &Key::Node(Ino(2))).await, None);
}
