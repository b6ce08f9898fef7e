//! Create, link, unlink, rmdir, readdir (spec 70-semantics section 6).

use moorage_meta::{Context, CreateNode, MAX_PATH_DEPTH, RenameFlags, UnlinkOptions};
use moorage_model::{ErrorKind, Flags, Gid, Ino, Name, NodeType, Result, Uid};

use crate::check::broken_invariants;
use crate::fixture::{Volume, kind, name, user};

async fn rmdir(volume: &Volume, parent: Ino, directory: &str) -> Result<()> {
    let options = UnlinkOptions::default();
    volume
        .meta
        .rmdir(&Context::root(), parent, &name(directory), options)
        .await
}

async fn ino(volume: &Volume, parent: Ino, entry: &str) -> Option<Ino> {
    let found = volume.meta.lookup(&Context::root(), parent, &name(entry)).await;
    found.ok().map(|(ino, _)| ino)
}

async fn sound(volume: &Volume) {
    assert_eq!(
        broken_invariants(volume.engine.as_ref(), Some(&volume.data)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_new_node_belongs_to_its_maker_and_loses_the_umask() {
    let volume = Volume::new().await;
    let context = user(10, 20);
    let made = volume
        .meta
        .create(&context, Ino::ROOT, &name("f"), 0o6777, 0o022)
        .await
        .unwrap();
    assert_eq!(
        (made.attr.uid, made.attr.gid, made.attr.mode),
        (Uid(10), Gid(20), 0o6755)
    );
    assert_eq!(
        (made.attr.nlink, made.attr.length, made.attr.parent),
        (1, 0, Ino::ROOT)
    );
    let made = volume
        .meta
        .mkdir(&context, Ino::ROOT, &name("d"), 0o777, 0o022)
        .await
        .unwrap();
    assert_eq!(
        (made.attr.nlink, made.attr.length, made.attr.mode),
        (2, 4096, 0o755)
    );
    assert_eq!(volume.attr(Ino::ROOT).await.nlink, 3);
    sound(&volume).await;
}

#[tokio::test]
async fn below_a_setgid_directory_the_group_and_the_bit_are_inherited() {
    let volume = Volume::new().await;
    let root = Context::root();
    let parent = volume.directory(Ino::ROOT, "d").await;
    let change = moorage_meta::SetAttr {
        mode: Some(0o2777),
        gid: Some(Gid(50)),
        ..moorage_meta::SetAttr::default()
    };
    volume.meta.setattr(&root, parent, change).await.unwrap();
    let context = user(10, 20);
    let directory = volume
        .meta
        .mkdir(&context, parent, &name("d"), 0o755, 0)
        .await
        .unwrap()
        .attr;
    assert_eq!((directory.gid, directory.mode), (Gid(50), 0o2755));
    let file = volume
        .meta
        .create(&context, parent, &name("f"), 0o2755, 0)
        .await
        .unwrap()
        .attr;
    assert_eq!((file.gid, file.mode), (Gid(50), 0o755));
}

#[tokio::test]
async fn creation_is_refused_where_it_may_not_be() {
    let volume = Volume::with(|setting| setting.trash_days = 1).await;
    let root = Context::root();
    let file = volume.file(Ino::ROOT, "f").await;
    let gone = volume.directory(Ino::ROOT, "gone").await;
    rmdir(&volume, Ino::ROOT, "gone").await.unwrap();
    let hour = volume.attr(gone).await.parent;
    let create = |parent, file: &'static str| async move { (parent, name(file)) };
    let cases = [
        (create(Ino(999), "x").await, ErrorKind::NotFound),
        (create(file, "x").await, ErrorKind::NotDirectory),
        (create(gone, "x").await, ErrorKind::NotFound),
        (create(hour, "x").await, ErrorKind::NotPermitted),
        (create(Ino::ROOT, "f").await, ErrorKind::Exists),
        (create(Ino::ROOT, ".trash").await, ErrorKind::NotPermitted),
        (create(Ino::ROOT, "..").await, ErrorKind::Exists),
    ];
    for ((parent, entry), expected) in cases {
        let made = volume.meta.create(&root, parent, &entry, 0o644, 0).await;
        assert_eq!(kind(made), expected, "{entry} in {parent}");
    }
    let denied = volume.directory(Ino::ROOT, "denied").await;
    let made = volume
        .meta
        .create(&user(10, 20), denied, &name("x"), 0o644, 0)
        .await;
    assert_eq!(kind(made), ErrorKind::AccessDenied);
    volume
        .meta
        .set_flags(&root, denied, Flags::IMMUTABLE, Flags(0x23))
        .await
        .unwrap();
    let made = volume.meta.create(&root, denied, &name("x"), 0o644, 0).await;
    assert_eq!(kind(made), ErrorKind::NotPermitted);
    for bad in [&b""[..], &b"a/b"[..], &b"nul\0"[..]] {
        assert_eq!(kind(Name::new(bad)), ErrorKind::InvalidArgument);
    }
    assert_eq!(kind(Name::new(&[b'x'; 256])), ErrorKind::NameTooLong);
}

#[tokio::test]
async fn devices_keep_their_number_and_symlinks_their_target() {
    let volume = Volume::new().await;
    let root = Context::root();
    let device = CreateNode {
        kind: NodeType::CharDevice,
        mode: 0o600,
        umask: 0,
        rdev: 259,
        symlink_target: None,
    };
    let made = volume
        .meta
        .mknod(&root, Ino::ROOT, &name("c"), device)
        .await
        .unwrap();
    assert_eq!((made.attr.rdev, made.attr.length), (259, 0));
    let link = volume
        .meta
        .symlink(&root, Ino::ROOT, &name("l"), b"a/b")
        .await
        .unwrap();
    assert_eq!((link.attr.mode, link.attr.length), (0o777, 3));
    assert_eq!(volume.meta.readlink(link.ino).await.unwrap(), b"a/b");
    assert_eq!(
        kind(volume.meta.readlink(made.ino).await),
        ErrorKind::InvalidArgument
    );
    let long = volume
        .meta
        .symlink(&root, Ino::ROOT, &name("m"), &[b'x'; 4097])
        .await;
    assert_eq!(kind(long), ErrorKind::NameTooLong);
    let empty = volume.meta.symlink(&root, Ino::ROOT, &name("m"), b"").await;
    assert_eq!(kind(empty), ErrorKind::InvalidArgument);
    sound(&volume).await;
}

#[tokio::test]
async fn create_or_open_answers_with_the_node_there() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, entry) = (volume.file(Ino::ROOT, "f").await, name("f"));
    let open = |exclusive| {
        volume
            .meta
            .create_or_open(&root, Ino::ROOT, &entry, 0o644, 0, exclusive)
    };
    let opened = open(false).await.unwrap();
    assert_eq!((opened.ino, opened.created), (file, false));
    assert_eq!(kind(open(true).await), ErrorKind::Exists);
}

#[tokio::test]
async fn a_hard_link_shares_the_node_and_untracks_its_parent() {
    let volume = Volume::new().await;
    let root = Context::root();
    let (file, directory) = (
        volume.file(Ino::ROOT, "f").await,
        volume.directory(Ino::ROOT, "d").await,
    );
    let linked = volume
        .meta
        .link(&root, file, directory, &name("g"))
        .await
        .unwrap();
    assert_eq!((linked.nlink, linked.parent), (2, Ino::NONE));
    let mut parents = volume.meta.engine().parents(file).await.unwrap();
    parents.sort_unstable();
    assert_eq!(parents, [(Ino::ROOT, 1), (directory, 1)]);
    sound(&volume).await;
    volume.unlink(Ino::ROOT, "f").await.unwrap();
    let attr = volume.attr(file).await;
    assert_eq!(
        (attr.nlink, attr.parent),
        (1, Ino::NONE),
        "the parent stays untracked for ever"
    );
    sound(&volume).await;
    let to_directory = volume.meta.link(&root, directory, Ino::ROOT, &name("h")).await;
    assert_eq!(kind(to_directory), ErrorKind::NotPermitted);
    volume.unlink(directory, "g").await.unwrap();
    volume.flush().await;
    sound(&volume).await;
}

#[tokio::test]
async fn unlink_and_rmdir_tell_files_and_directories_apart() {
    let volume = Volume::new().await;
    volume.file(Ino::ROOT, "f").await;
    let directory = volume.directory(Ino::ROOT, "d").await;
    volume.file(directory, "inner").await;
    assert_eq!(kind(volume.unlink(Ino::ROOT, "d").await), ErrorKind::NotPermitted);
    assert_eq!(
        kind(rmdir(&volume, Ino::ROOT, "f").await),
        ErrorKind::NotDirectory
    );
    assert_eq!(kind(rmdir(&volume, Ino::ROOT, "d").await), ErrorKind::NotEmpty);
    assert_eq!(kind(rmdir(&volume, Ino::ROOT, "..").await), ErrorKind::NotEmpty);
    assert_eq!(
        kind(rmdir(&volume, Ino::ROOT, ".").await),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(volume.unlink(Ino::ROOT, "nothing").await),
        ErrorKind::NotFound
    );
    volume.unlink(directory, "inner").await.unwrap();
    rmdir(&volume, Ino::ROOT, "d").await.unwrap();
    assert_eq!(volume.attr(Ino::ROOT).await.nlink, 2);
    assert_eq!(volume.dir_stat(directory).await, None);
    volume.flush().await;
    sound(&volume).await;
}

#[tokio::test]
async fn a_sticky_directory_protects_its_entries() {
    let volume = Volume::new().await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let sticky = moorage_meta::SetAttr {
        mode: Some(0o1777),
        ..moorage_meta::SetAttr::default()
    };
    volume.meta.setattr(&root, directory, sticky).await.unwrap();
    let (owner, stranger) = (user(10, 20), user(11, 20));
    let (source, target) = (name("f"), name("g"));
    volume
        .meta
        .create(&owner, directory, &name("f"), 0o666, 0)
        .await
        .unwrap();
    let options = UnlinkOptions::default();
    let unlink = |context| volume.meta.unlink(context, directory, &source, options);
    assert_eq!(kind(unlink(&stranger).await), ErrorKind::AccessDenied);
    let moved = volume.meta.rename(
        &stranger,
        (directory, &source),
        (directory, &target),
        RenameFlags::default(),
    );
    assert_eq!(kind(moved.await), ErrorKind::AccessDenied);
    unlink(&owner).await.unwrap();
}

#[tokio::test]
async fn listing_is_paged_in_name_order_and_stable_under_change() {
    let volume = Volume::new().await;
    let root = Context::root();
    for number in 0..10 {
        volume.file(Ino::ROOT, &format!("f{number}")).await;
    }
    let first = volume
        .meta
        .read_directory(&root, Ino::ROOT, None, 4, false)
        .await
        .unwrap();
    assert_eq!(first.last().unwrap().name, name("f3"));
    volume.unlink(Ino::ROOT, "f3").await.unwrap();
    volume.unlink(Ino::ROOT, "f5").await.unwrap();
    volume.file(Ino::ROOT, "f0a").await;
    let rest = volume
        .meta
        .read_directory(&root, Ino::ROOT, Some(&name("f3")), 100, true)
        .await
        .unwrap();
    let names: Vec<_> = rest.iter().map(|item| item.name.to_string()).collect();
    assert_eq!(names, ["f4", "f6", "f7", "f8", "f9"]);
    assert!(rest.iter().all(|item| item.attr.is_some()));
    let file = ino(&volume, Ino::ROOT, "f4").await.unwrap();
    let listed = volume.meta.read_directory(&root, file, None, 4, false).await;
    assert_eq!(kind(listed), ErrorKind::NotDirectory);
}

#[tokio::test]
async fn parents_in_quick_succession_move_once_and_nlink_always() {
    let volume = Volume::new().await;
    volume.file(Ino::ROOT, "first").await;
    let before = volume.attr(Ino::ROOT).await;
    volume.file(Ino::ROOT, "second").await;
    assert_eq!(volume.attr(Ino::ROOT).await, before, "younger than 100 ms");
    volume.directory(Ino::ROOT, "d").await;
    let counted = volume.attr(Ino::ROOT).await;
    assert_eq!(counted.nlink, before.nlink + 1);
    assert!(counted.mtime > before.mtime);
    volume.clock.advance(std::time::Duration::from_millis(100));
    volume.file(Ino::ROOT, "third").await;
    assert!(volume.attr(Ino::ROOT).await.mtime > counted.mtime);
}

#[tokio::test]
async fn what_lies_deeper_than_a_path_is_built_has_no_path_and_is_known_all_the_same() {
    let volume = Volume::new().await;
    let mut directory = Ino::ROOT;
    for _ in 0..MAX_PATH_DEPTH + 2 {
        directory = volume.directory(directory, "d").await;
    }
    let file = volume.file(directory, "f").await;
    volume
        .meta
        .link(&Context::root(), file, Ino::ROOT, &name("near"))
        .await
        .unwrap();
    assert_eq!(volume.meta.paths(directory).await.unwrap(), [] as [Vec<u8>; 0]);
    assert_eq!(
        volume.meta.describe_node(directory).await.unwrap(),
        format!("inode {directory}")
    );
    let progress = moorage_meta::admin::Progress::default();
    let options = moorage_meta::admin::InfoOptions::default();
    let info = volume.meta.info(directory, options, &progress).await.unwrap();
    assert_eq!((info.paths.len(), info.deeper_paths, info.usage.files), (0, 1, 1));
    let info = volume.meta.info(file, options, &progress).await.unwrap();
    assert_eq!((info.paths, info.deeper_paths), (vec![b"/near".to_vec()], 1));
}

#[tokio::test]
async fn paths_name_every_link() {
    let volume = Volume::new().await;
    let root = Context::root();
    let directory = volume.directory(Ino::ROOT, "d").await;
    let file = volume.file(directory, "f").await;
    volume
        .meta
        .link(&root, file, Ino::ROOT, &name("g"))
        .await
        .unwrap();
    let mut paths = volume.meta.paths(file).await.unwrap();
    paths.sort();
    assert_eq!(paths, [b"/d/f".to_vec(), b"/g".to_vec()]);
    let (found, _) = volume.meta.resolve(&root, b"/d/../d/./f").await.unwrap();
    assert_eq!(found, file);
}
