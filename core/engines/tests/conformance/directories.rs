//! Entries, listings and parents.

use moorage_meta::{Key, Record, Scan, run};
use moorage_model::{ErrorKind, Ino, Name, NodeType};

use super::samples::{directory, entry, file, name};
use super::{Fresh, write};

async fn fill(fresh: &Fresh) {
    write(fresh.engine.as_ref(), |txn| {
        txn.insert(Key::Node(Ino(1)), Record::Node(directory(Ino(1))));
        txn.insert(Key::Node(Ino(5)), Record::Node(file(Ino::NONE)));
        txn.insert(Key::Node(Ino(6)), Record::Node(directory(Ino(1))));
        for (parent, text) in [(1, "a"), (1, "b"), (6, "c")] {
            txn.insert(Key::Edge(Ino(parent), name(text)), entry(NodeType::File, 5));
            txn.add_parent(Ino(5), Ino(parent), 1);
        }
        txn.insert(Key::Edge(Ino(1), name("dir")), entry(NodeType::Directory, 6));
        txn.insert(Key::Edge(Ino(1), name("lost")), entry(NodeType::File, 404));
    })
    .await
    .unwrap();
}

pub(crate) async fn a_lookup_joins_entry_and_attributes(fresh: &Fresh) {
    fill(fresh).await;
    let engine = fresh.engine.as_ref();
    let (found, attr) = engine
        .lookup(Ino(1), &name("a"))
        .await
        .unwrap()
        .expect("a is there");
    assert_eq!(
        (found.kind, found.ino, attr),
        (NodeType::File, Ino(5), Some(file(Ino::NONE)))
    );
    let (found, attr) = engine
        .lookup(Ino(1), &name("lost"))
        .await
        .unwrap()
        .expect("its entry is there");
    assert_eq!((found.ino, attr), (Ino(404), None));
    assert_eq!(engine.lookup(Ino(1), &name("A")).await.unwrap(), None);
    assert_eq!(engine.lookup(Ino(2), &name("a")).await.unwrap(), None);
    run(engine, "lock_child", |txn| {
        Box::pin(async move {
            let (found, attr) = txn.lock_child(Ino(1), &name("dir")).await?.expect("dir is there");
            assert_eq!((found.ino, attr), (Ino(6), Some(directory(Ino(1)))));
            assert_eq!(txn.lock_child(Ino(1), &name("none")).await?, None);
            Ok(())
        })
    })
    .await
    .unwrap();
}

pub(crate) async fn a_listing_carries_attributes_when_asked(fresh: &Fresh) {
    fill(fresh).await;
    for attributes in [false, true] {
        let listed = fresh
            .engine
            .read_directory(Ino(1), None, 100, attributes)
            .await
            .unwrap();
        let found: Vec<(String, u64, bool)> = listed
            .iter()
            .map(|item| (item.name.to_string(), item.entry.ino.0, item.attr.is_some()))
            .collect();
        let expected = [
            ("a", 5, true),
            ("b", 5, true),
            ("dir", 6, true),
            ("lost", 404, false),
        ];
        let expected: Vec<(String, u64, bool)> = expected
            .map(|(text, ino, stored)| (text.to_owned(), ino, stored && attributes))
            .to_vec();
        assert_eq!(found, expected);
    }
    assert_eq!(
        fresh
            .engine
            .read_directory(Ino(7), None, 100, true)
            .await
            .unwrap(),
        []
    );
}

pub(crate) async fn parents_are_counted_per_directory(fresh: &Fresh) {
    fill(fresh).await;
    let engine = fresh.engine.as_ref();
    let mut parents = engine.parents(Ino(5)).await.unwrap();
    parents.sort_unstable();
    assert_eq!(parents, [(Ino(1), 2), (Ino(6), 1)]);
    write(engine, |txn| {
        txn.delete(Key::Edge(Ino(1), name("a")));
        txn.add_parent(Ino(5), Ino(1), -1);
        txn.delete(Key::Edge(Ino(6), name("c")));
        txn.add_parent(Ino(5), Ino(6), -1);
    })
    .await
    .unwrap();
    assert_eq!(engine.parents(Ino(5)).await.unwrap(), [(Ino(1), 1)]);
}

pub(crate) async fn emptiness_is_seen_with_own_writes(fresh: &Fresh) {
    fill(fresh).await;
    run(fresh.engine.as_ref(), "emptiness", |txn| {
        Box::pin(async move {
            assert!(!txn.lock_is_empty(Ino(6)).await?);
            txn.delete(Key::Edge(Ino(6), name("c")));
            assert!(txn.lock_is_empty(Ino(6)).await?);
            assert!(txn.lock_is_empty(Ino(77)).await?);
            txn.insert(Key::Edge(Ino(77), name("x")), entry(NodeType::File, 5));
            assert!(!txn.lock_is_empty(Ino(77)).await?);
            Ok(())
        })
    })
    .await
    .unwrap();
}

pub(crate) async fn an_entry_with_an_impossible_name_is_told_and_can_get_another(fresh: &Fresh) {
    fill(fresh).await;
    let engine = fresh.engine.as_ref();
    let impossible = [&b""[..], b"b/c", b"d\0"].map(Name::as_stored);
    let names = impossible.clone();
    write(engine, move |txn| {
        for name in names.clone() {
            txn.insert(Key::Edge(Ino(6), name), entry(NodeType::File, 5));
        }
    })
    .await
    .unwrap();
    let expected: Vec<Key> = impossible
        .iter()
        .map(|name| Key::Edge(Ino(6), name.clone()))
        .collect();
    for range in [Scan::Edges(Ino(6)), Scan::AllEdges] {
        for limit in [1, 2, 100] {
            let (mut sound, mut damaged) = (Vec::new(), Vec::new());
            let mut after = None;
            loop {
                let page = engine.survey(&range, after.as_ref(), limit).await.unwrap();
                sound.extend(page.items.into_iter().map(|(key, _)| key));
                damaged.extend(page.damaged.into_iter().filter_map(|found| found.key));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            damaged.sort();
            assert_eq!(damaged, expected, "{range:?} in pages of {limit}");
            assert!(
                sound.contains(&Key::Edge(Ino(6), name("c"))),
                "{range:?} in pages of {limit}"
            );
        }
    }
    for attributes in [false, true] {
        let listed = engine.read_directory(Ino(6), None, 100, attributes).await;
        assert_eq!(listed.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    for (number, key) in expected.into_iter().enumerate() {
        run(engine, "rename", move |txn| {
            let key = key.clone();
            Box::pin(async move {
                let found = txn.get_locked(std::slice::from_ref(&key)).await?.edge()?;
                txn.delete(key);
                let renamed = Key::Edge(Ino(6), name(format!("renamed-{number}")));
                txn.insert(renamed, Record::Edge(found.expect("it is there")));
                Ok(())
            })
        })
        .await
        .unwrap();
    }
    let listed = engine.read_directory(Ino(6), None, 100, true).await.unwrap();
    let found: Vec<String> = listed.iter().map(|item| item.name.to_string()).collect();
    assert_eq!(found, ["c", "renamed-0", "renamed-1", "renamed-2"]);
    assert!(listed.iter().all(|item| item.attr.is_some()));
}
