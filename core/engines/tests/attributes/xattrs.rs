use moorage_meta::{Context, Meta, XattrMode};
use moorage_model::{ErrorKind, Ino};
use proptest::prelude::*;

use crate::volume::{Volume, kind, name, on_each_engine, root, unchanged, user};

async fn set(meta: &Meta, ino: Ino, attribute: &str, value: &[u8]) {
    meta.set_xattr(&root(), ino, attribute.as_bytes(), value, XattrMode::Any)
        .await
        .unwrap();
}

#[tokio::test]
async fn attributes_are_kept_per_node_byte_by_byte() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let (file, other) = (
            volume.file(Ino::ROOT, "f").await,
            volume.file(Ino::ROOT, "g").await,
        );
        let binary: Vec<u8> = (0..=255).collect();
        set(meta, file, "user.binary", &binary).await;
        set(meta, file, "user.empty", b"").await;
        set(meta, file, "user.Case", b"1").await;
        set(meta, file, "user.case", b"2").await;
        set(meta, other, "user.case", b"3").await;
        let get = async |ino, attribute: &str| meta.get_xattr(&root(), ino, attribute.as_bytes()).await;
        assert_eq!(get(file, "user.binary").await.unwrap(), binary);
        assert_eq!(get(file, "user.empty").await.unwrap(), b"");
        assert_eq!(get(file, "user.Case").await.unwrap(), b"1");
        assert_eq!(get(file, "user.case").await.unwrap(), b"2");
        assert_eq!(get(other, "user.case").await.unwrap(), b"3");
        assert_eq!(kind(get(other, "user.Case").await), ErrorKind::NoAttribute);
        let mut names = meta.list_xattrs(file).await.unwrap();
        names.sort();
        let expected: [&[u8]; 4] = [b"user.Case", b"user.binary", b"user.case", b"user.empty"];
        assert_eq!(names, expected);
    })
    .await;
}

#[tokio::test]
async fn create_and_replace_are_told_apart() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let set =
            async |value: &[u8], mode| volume.meta.set_xattr(&root(), file, b"user.x", value, mode).await;
        assert_eq!(kind(set(b"0", XattrMode::Replace).await), ErrorKind::NoAttribute);
        set(b"1", XattrMode::Create).await.unwrap();
        assert_eq!(kind(set(b"2", XattrMode::Create).await), ErrorKind::Exists);
        set(b"3", XattrMode::Replace).await.unwrap();
        assert_eq!(
            volume.meta.get_xattr(&root(), file, b"user.x").await.unwrap(),
            b"3"
        );
        volume.meta.remove_xattr(&root(), file, b"user.x").await.unwrap();
        let again = volume.meta.remove_xattr(&root(), file, b"user.x").await;
        assert_eq!(kind(again), ErrorKind::NoAttribute);
    })
    .await;
}

#[tokio::test]
async fn the_change_time_stays() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let before = volume.meta.getattr(file).await.unwrap();
        set(&volume.meta, file, "user.x", b"1").await;
        assert_eq!(volume.meta.getattr(file).await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn names_and_values_have_limits() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        let set = async |name: &[u8], value: &[u8]| {
            volume
                .meta
                .set_xattr(&root(), file, name, value, XattrMode::Any)
                .await
        };
        set(&[b'n'; 255], &[7; 65_536]).await.unwrap();
        assert_eq!(
            volume.meta.get_xattr(&root(), file, &[b'n'; 255]).await.unwrap(),
            [7; 65_536]
        );
        assert_eq!(kind(set(&[b'n'; 256], b"").await), ErrorKind::OutOfRange);
        assert_eq!(kind(set(b"user.x", &[7; 65_537]).await), ErrorKind::OutOfRange);
        assert_eq!(kind(set(b"", b"").await), ErrorKind::InvalidArgument);
        assert_eq!(kind(set(b"a\0b", b"").await), ErrorKind::InvalidArgument);
        // Any other name is taken, with or without a known prefix, and in any encoding.
        for odd in [
            &b"other.ns"[..],
            b"user.",
            b"\xFF\xFE",
            "user.\u{e9}\u{65e5}".as_bytes(),
        ] {
            set(odd, b"v").await.unwrap();
            assert_eq!(volume.meta.get_xattr(&root(), file, odd).await.unwrap(), b"v");
        }
        let names = volume.meta.list_xattrs(file).await.unwrap();
        assert!(names.contains(&b"\xFF\xFE".to_vec()));
        assert_eq!(names.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn more_names_than_a_page_are_all_listed() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        for number in 0..600 {
            set(&volume.meta, file, &format!("user.{number}"), b"").await;
        }
        let mut names = volume.meta.list_xattrs(file).await.unwrap();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 600);
    })
    .await;
}

#[tokio::test]
async fn a_missing_node_has_none_and_gets_none() {
    on_each_engine(unchanged, |volume| async move {
        let missing = Ino(999_999);
        let set = volume
            .meta
            .set_xattr(&root(), missing, b"user.x", b"", XattrMode::Any)
            .await;
        assert_eq!(kind(set), ErrorKind::NotFound);
        assert_eq!(kind(volume.meta.list_xattrs(missing).await), ErrorKind::NotFound);
        let removed = volume.meta.remove_xattr(&root(), missing, b"user.x").await;
        assert_eq!(kind(removed), ErrorKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn internal_and_trash_directories_have_none_and_take_none() {
    on_each_engine(unchanged, |volume| async move {
        for ino in [Ino(Ino::INTERNAL.0 + 1), Ino::TRASH, Ino(Ino::TRASH.0 + 1)] {
            let get = volume.meta.get_xattr(&root(), ino, b"user.x").await;
            assert_eq!(kind(get), ErrorKind::NoAttribute);
            assert_eq!(kind(volume.meta.list_xattrs(ino).await), ErrorKind::NoAttribute);
            let set = volume
                .meta
                .set_xattr(&root(), ino, b"user.x", b"", XattrMode::Any)
                .await;
            assert_eq!(kind(set), ErrorKind::NotPermitted);
        }
    })
    .await;
}

#[tokio::test]
async fn attributes_go_with_the_node_even_when_set_while_it_was_open() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        assert!(meta.note_open(file));
        set(meta, file, "user.before", b"").await;
        let options = moorage_meta::UnlinkOptions { skip_trash: true };
        meta.unlink(&root(), Ino::ROOT, &name("f"), options)
            .await
            .unwrap();
        set(meta, file, "user.after", b"").await;
        meta.close_file(file).await.unwrap();
        assert_eq!(volume.records(moorage_meta::Scan::Xattrs(file)).await, []);
    })
    .await;
}

#[tokio::test]
async fn only_root_sets_attributes_of_trashed_files() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        |volume| async move {
            let meta = &volume.meta;
            let owner = user(10, 20);
            let created = meta
                .create(&root(), Ino::ROOT, &name("f"), 0o666, 0)
                .await
                .unwrap();
            meta.unlink(&root(), Ino::ROOT, &name("f"), Default::default())
                .await
                .unwrap();
            let set = async |context: &Context| {
                meta.set_xattr(context, created.ino, b"user.x", b"", XattrMode::Any)
                    .await
            };
            assert_eq!(kind(set(&owner).await), ErrorKind::NotPermitted);
            set(&root()).await.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn unchecked_callers_are_judged_by_the_namespace_of_the_name() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        let link = meta
            .symlink(&root(), Ino::ROOT, &name("s"), b"f")
            .await
            .unwrap()
            .ino;
        let stranger = user(10, 20);
        let as_root = Context {
            check_permission: true,
            ..root()
        };
        let set = async |context: &Context, ino, attribute: &[u8]| {
            meta.set_xattr(context, ino, attribute, b"v", XattrMode::Any)
                .await
        };
        assert_eq!(
            kind(set(&stranger, file, b"user.x").await),
            ErrorKind::AccessDenied
        );
        assert_eq!(
            kind(set(&stranger, file, b"trusted.x").await),
            ErrorKind::NotPermitted
        );
        assert_eq!(
            kind(set(&as_root, link, b"user.x").await),
            ErrorKind::NotPermitted
        );
        set(&as_root, link, b"trusted.x").await.unwrap();
        set(&as_root, file, b"user.x").await.unwrap();
        assert_eq!(meta.get_xattr(&stranger, file, b"user.x").await.unwrap(), b"v");
        let hidden = meta.get_xattr(&stranger, link, b"trusted.x").await;
        assert_eq!(kind(hidden), ErrorKind::NoAttribute);
    })
    .await;
}

#[tokio::test]
async fn what_one_client_sets_the_other_reads() {
    on_each_engine(unchanged, |volume| async move {
        let other = volume.client().await;
        let file = volume.file(Ino::ROOT, "f").await;
        set(&volume.meta, file, "user.x", b"1").await;
        assert_eq!(other.get_xattr(&root(), file, b"user.x").await.unwrap(), b"1");
    })
    .await;
}

#[derive(Clone, Debug)]
enum Operation {
    Set(u8, Vec<u8>, XattrMode),
    Remove(u8),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let mode = prop_oneof![
        Just(XattrMode::Any),
        Just(XattrMode::Create),
        Just(XattrMode::Replace)
    ];
    let operation = prop_oneof![
        3 => (0..6_u8, proptest::collection::vec(any::<u8>(), 0..9), mode)
            .prop_map(|(name, value, mode)| Operation::Set(name, value, mode)),
        1 => (0..6_u8).prop_map(Operation::Remove),
    ];
    proptest::collection::vec(operation, 1..30)
}

/// Names that differ in case, in their encoding, or by what follows.
const NAMES: [&[u8]; 6] = [
    b"user.a",
    b"user.A",
    b"user.a\xFF",
    b"user.a ",
    b"user.ab",
    b"trusted.a",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sequence_of_changes_leaves_what_a_map_would_hold(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_each_engine(unchanged, |volume| agrees_with_a_map(volume, operations.clone())));
    }
}

async fn agrees_with_a_map(volume: Volume, operations: Vec<Operation>) {
    let file = volume.file(Ino::ROOT, "f").await;
    let mut model = std::collections::BTreeMap::new();
    for operation in operations {
        match operation {
            Operation::Set(index, value, mode) => {
                let name = NAMES[usize::from(index)];
                let set = volume.meta.set_xattr(&root(), file, name, &value, mode).await;
                match (mode, model.contains_key(name)) {
                    (XattrMode::Create, true) => assert_eq!(kind(set), ErrorKind::Exists),
                    (XattrMode::Replace, false) => assert_eq!(kind(set), ErrorKind::NoAttribute),
                    _ => {
                        set.unwrap();
                        model.insert(name, value);
                    }
                }
            }
            Operation::Remove(index) => {
                let name = NAMES[usize::from(index)];
                let removed = volume.meta.remove_xattr(&root(), file, name).await;
                assert_eq!(removed.is_ok(), model.remove(name).is_some());
            }
        }
    }
    let mut names = volume.meta.list_xattrs(file).await.unwrap();
    names.sort();
    let mut expected: Vec<Vec<u8>> = model.keys().map(|name| name.to_vec()).collect();
    expected.sort();
    assert_eq!(names, expected);
    for (name, value) in &model {
        assert_eq!(&volume.meta.get_xattr(&root(), file, name).await.unwrap(), value);
    }
}
