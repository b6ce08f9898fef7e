//! After any sequence of operations the counted usage equals what a full listing adds up to.

use moorage_engines::SeededFaults;
use moorage_meta::{Context, Counting, Meta, QuotaLimits, RenameFlags, Scan, SetAttr, UnlinkOptions};
use moorage_model::{Counter, Gid, Ino, QuotaKey, Uid};
use proptest::prelude::*;

use crate::volume::{Volume, name, on_each_engine, root};

/// Names in each of the directories.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Directories that operations work in; the first three have quotas.
const DIRECTORIES: usize = 4;

#[derive(Clone, Debug)]
enum Operation {
    Create(usize, usize),
    Mkdir(usize, usize),
    Symlink(usize, usize),
    Truncate(usize, usize, u64),
    Unlink(usize, usize),
    Rmdir(usize, usize),
    Rename(usize, usize, usize, usize, bool),
    Link(usize, usize, usize, usize),
    Chown(usize, usize, u32, u32),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    use Operation::*;
    let place = || (0..DIRECTORIES, 0..NAMES.len());
    let operation = prop_oneof![
        3 => place().prop_map(|(d, n)| Create(d, n)),
        2 => place().prop_map(|(d, n)| Mkdir(d, n)),
        1 => place().prop_map(|(d, n)| Symlink(d, n)),
        3 => (place(), 0..40_000_u64).prop_map(|((d, n), length)| Truncate(d, n, length)),
        2 => place().prop_map(|(d, n)| Unlink(d, n)),
        1 => place().prop_map(|(d, n)| Rmdir(d, n)),
        4 => (place(), place(), any::<bool>()).prop_map(|((d, n), (e, m), swap)| Rename(d, n, e, m, swap)),
        2 => (place(), place()).prop_map(|((d, n), (e, m))| Link(d, n, e, m)),
        2 => (place(), 1..4_u32, 1..4_u32).prop_map(|((d, n), uid, gid)| Chown(d, n, uid, gid)),
    ];
    proptest::collection::vec(operation, 1..60)
}

/// Applies an operation; failures (missing, existing, over quota) are part of the game.
async fn apply(meta: &Meta, directories: &[Ino], operation: &Operation) {
    let context = root();
    let at = |d: usize, n: usize| (directories[d], name(NAMES[n]));
    match *operation {
        Operation::Create(d, n) => {
            let (parent, name) = at(d, n);
            let _ = meta.create(&context, parent, &name, 0o644, 0).await;
        }
        Operation::Mkdir(d, n) => {
            let (parent, name) = at(d, n);
            let _ = meta.mkdir(&context, parent, &name, 0o755, 0).await;
        }
        Operation::Symlink(d, n) => {
            let (parent, name) = at(d, n);
            let _ = meta.symlink(&context, parent, &name, b"target").await;
        }
        Operation::Truncate(d, n, length) => {
            if let Some(ino) = find(meta, &context, at(d, n)).await {
                let _ = meta.truncate(&context, ino, length).await;
            }
        }
        Operation::Unlink(d, n) => {
            let (parent, name) = at(d, n);
            let _ = meta
                .unlink(&context, parent, &name, UnlinkOptions::default())
                .await;
        }
        Operation::Rmdir(d, n) => {
            let (parent, name) = at(d, n);
            let _ = meta
                .rmdir(&context, parent, &name, UnlinkOptions::default())
                .await;
        }
        Operation::Rename(d, n, e, m, exchange) => {
            let ((from, source), (to, target)) = (at(d, n), at(e, m));
            let flags = RenameFlags {
                exchange,
                ..RenameFlags::default()
            };
            let _ = meta.rename(&context, (from, &source), (to, &target), flags).await;
        }
        Operation::Link(d, n, e, m) => {
            let (to, target) = at(e, m);
            if let Some(ino) = find(meta, &context, at(d, n)).await {
                let _ = meta.link(&context, ino, to, &target).await;
            }
        }
        Operation::Chown(d, n, uid, gid) => {
            if let Some(ino) = find(meta, &context, at(d, n)).await {
                let change = SetAttr {
                    uid: Some(Uid(uid)),
                    gid: Some(Gid(gid)),
                    ..SetAttr::default()
                };
                let _ = meta.setattr(&context, ino, change).await;
            }
        }
    }
}

async fn find(meta: &Meta, context: &Context, (parent, name): (Ino, moorage_model::Name)) -> Option<Ino> {
    meta.lookup(context, parent, &name).await.ok().map(|(ino, _)| ino)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn usage_on_record_equals_a_full_listing(operations in operations(), trash in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_each_engine(
            |setting| setting.trash_days = u32::from(trash),
            |volume| stays_consistent(volume, operations.clone(), None),
        ));
    }

    #[test]
    fn usage_stays_exact_when_commits_are_lost_repeated_or_reported_wrongly(
        operations in operations(),
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_each_engine(
            |setting| setting.trash_days = 1,
            |volume| stays_consistent(volume, operations.clone(), Some(seed)),
        ));
    }
}

async fn stays_consistent(volume: Volume, operations: Vec<Operation>, faults: Option<u64>) {
    let meta = &volume.meta;
    let mut directories = vec![Ino::ROOT];
    for number in 1..DIRECTORIES {
        // The second lies in the first, the others beside them.
        let parent = if number == 2 { directories[1] } else { Ino::ROOT };
        directories.push(volume.directory(parent, &format!("dir{number}")).await);
    }
    for (directory, max_inodes) in directories[..3].iter().zip([20, 8, 4]) {
        let limits = QuotaLimits {
            max_space: Some(200_000),
            max_inodes: Some(max_inodes),
        };
        let key = QuotaKey::Directory(*directory);
        meta.set_quota(key, limits, Counting::Entries).await.unwrap();
    }
    for (number, operation) in operations.iter().enumerate() {
        if let Some(seed) = faults {
            let mut faults = SeededFaults::new(seed.wrapping_add(number as u64));
            (faults.conflicts, faults.before, faults.after) = (300, 100, 100);
            volume.set_faults(faults);
        }
        apply(meta, &directories, operation).await;
        volume.end_faults();
        for check in meta.check_quotas(Counting::Entries, false).await.unwrap().checks {
            assert!(check.is_consistent(), "after {operation:?}: {check:?}");
        }
    }
    for check in meta
        .check_quotas(Counting::Statistics, false)
        .await
        .unwrap()
        .checks
    {
        assert!(check.is_consistent(), "by statistics: {check:?}");
    }
    counters_equal_nodes(&volume).await;
}

/// The counters of the volume count every node but the root and the trash root.
async fn counters_equal_nodes(volume: &Volume) {
    let mut nodes = 0;
    let mut space = 0;
    for (key, record) in volume.records(Scan::AllNodes).await {
        if let (moorage_meta::Key::Node(ino), moorage_meta::Record::Node(attr)) = (key, record)
            && ino != Ino::ROOT
            && ino != Ino::TRASH
        {
            nodes += 1;
            space += attr.used_space();
        }
    }
    let keys = [Counter::TotalInodes, Counter::UsedSpace].map(moorage_meta::Key::Counter);
    let counters = moorage_meta::Read::read(volume.meta.engine().as_ref(), &keys)
        .await
        .unwrap();
    let expected = [nodes, space].map(|value| Some(moorage_meta::Record::Counter(value)));
    assert_eq!(counters, expected);
}
