use moorage_meta::{Context, CreateNode, MAY_READ, MAY_WRITE, Meta, Scan, SetAttr, XattrMode};
use moorage_model::{
    ACL_ACCESS_XATTR, ACL_DEFAULT_XATTR, ACL_UNSET, AclEntry, AclKind, AclRule, ErrorKind, Gid, Ino,
    NodeType, Uid,
};

use crate::fixture::{self, resolve};
use crate::volume::{Volume, kind, name, on_each_engine, root, unchanged, user};

fn entries(list: &[(u32, u16)]) -> Vec<AclEntry> {
    list.iter()
        .map(|(id, permissions)| AclEntry {
            id: *id,
            permissions: *permissions,
        })
        .collect()
}

fn base(owner: u16, group: u16, other: u16) -> AclRule {
    AclRule {
        owner,
        group,
        other,
        ..AclRule::default()
    }
}

/// The rule that the golden volume calls "rich".
fn rich() -> AclRule {
    AclRule {
        mask: 7,
        users: entries(&[(1001, 7), (1002, 4)]),
        groups: entries(&[(2001, 6)]),
        ..base(7, 5, 0)
    }
}

async fn chmod(meta: &Meta, ino: Ino, mode: u16) -> u16 {
    let change = SetAttr {
        mode: Some(mode),
        ..SetAttr::default()
    };
    meta.setattr(&root(), ino, change).await.unwrap().mode
}

async fn set(meta: &Meta, ino: Ino, which: AclKind, rule: AclRule) {
    let value = rule.encode_xattr();
    meta.set_xattr(&root(), ino, which.xattr_name(), &value, XattrMode::Any)
        .await
        .unwrap();
}

/// The steps of the `acl` section of the workload that made the golden volume.
async fn build_golden_tree(volume: &Volume) {
    let meta = &volume.meta;
    let top = volume.directory(Ino::ROOT, "acl").await;
    let mut files = std::collections::HashMap::new();
    for file in [
        "minimal",
        "rich",
        "rich2",
        "mask_only",
        "removed",
        "chmodded",
        "chowned",
        "long",
    ] {
        files.insert(file, volume.file(top, file).await);
    }
    set(meta, files["minimal"], AclKind::Access, base(6, 4, 4)).await;
    for file in ["rich", "rich2", "removed", "chmodded", "chowned"] {
        set(meta, files[file], AclKind::Access, rich()).await;
    }
    let mask_only = AclRule {
        mask: 4,
        ..base(6, 6, 0)
    };
    set(meta, files["mask_only"], AclKind::Access, mask_only).await;
    meta.remove_xattr(&root(), files["removed"], ACL_ACCESS_XATTR)
        .await
        .unwrap();
    chmod(meta, files["chmodded"], 0o640).await;
    let chown = SetAttr {
        uid: Some(Uid(1000)),
        gid: Some(Gid(1000)),
        ..SetAttr::default()
    };
    meta.setattr(&root(), files["chowned"], chown).await.unwrap();
    let many = AclRule {
        mask: 6,
        users: (0..40)
            .map(|i| entries(&[(3000 + i, (i % 8) as u16)])[0])
            .collect(),
        groups: (0..30)
            .map(|i| entries(&[(4000 + i, (i % 8) as u16)])[0])
            .collect(),
        ..base(6, 4, 4)
    };
    set(meta, files["long"], AclKind::Access, many).await;

    let default = volume.directory(top, "default").await;
    set(meta, default, AclKind::Default, rich()).await;
    let sub = meta
        .mkdir(&root(), default, &name("sub"), 0o777, 0o022)
        .await
        .unwrap();
    meta.mkdir(&root(), sub.ino, &name("subsub"), 0o700, 0o022)
        .await
        .unwrap();
    meta.create(&root(), default, &name("file"), 0o666, 0o022)
        .await
        .unwrap();
    meta.create(&root(), default, &name("file600"), 0o600, 0o022)
        .await
        .unwrap();
    meta.symlink(&root(), default, &name("symlink"), b"file")
        .await
        .unwrap();
    let fifo = CreateNode {
        kind: NodeType::Fifo,
        ..CreateNode::file(0o666, 0o022)
    };
    meta.mknod(&root(), default, &name("fifo"), fifo).await.unwrap();

    let both = volume.directory(top, "both").await;
    let default_rule = AclRule {
        mask: 5,
        users: entries(&[(1003, 5)]),
        ..base(7, 5, 5)
    };
    set(meta, both, AclKind::Default, default_rule).await;
    set(meta, both, AclKind::Access, rich()).await;
    let minimal = volume.directory(top, "min_default").await;
    set(meta, minimal, AclKind::Default, base(7, 5, 1)).await;
    meta.create(&root(), minimal, &name("file"), 0o666, 0o022)
        .await
        .unwrap();
    meta.mkdir(&root(), minimal, &name("sub"), 0o777, 0o022)
        .await
        .unwrap();
    let dropped = volume.directory(top, "dropped_default").await;
    set(meta, dropped, AclKind::Default, rich()).await;
    meta.remove_xattr(&root(), dropped, ACL_DEFAULT_XATTR)
        .await
        .unwrap();
}

#[tokio::test]
async fn every_mode_and_acl_comes_out_as_in_juicefs() {
    on_each_engine(unchanged, |volume| async move {
        let Some(golden) = fixture::open("acl").await else {
            return;
        };
        build_golden_tree(&volume).await;
        let shown = golden.shown_below("acl");
        assert_eq!(shown.len(), 21);
        for node in shown {
            let ino = resolve(&volume.meta, node.path).await;
            let attr = volume.meta.getattr(ino).await.unwrap();
            assert_eq!(attr.mode, node.mode(), "mode of {}", node.path);
            for which in [AclKind::Access, AclKind::Default] {
                let rule = volume.meta.get_acl(ino, which).await.unwrap();
                let value = rule.map(|rule| rule.encode_xattr());
                node.assert_xattr(which.xattr_name(), value.as_deref());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn acls_that_juicefs_stored_are_read_and_listed() {
    let Some(golden) = fixture::open("acl").await else {
        return;
    };
    for node in golden.shown_below("acl") {
        let ino = golden.resolve(node.path).await;
        let listed = golden.meta.list_xattrs(ino).await.unwrap();
        for attribute in [ACL_ACCESS_XATTR, ACL_DEFAULT_XATTR] {
            let value = golden.meta.get_xattr(&root(), ino, attribute).await.ok();
            node.assert_xattr(attribute, value.as_deref());
            let is_listed = listed.iter().any(|name| name == attribute);
            assert_eq!(is_listed, value.is_some(), "at {}", node.path);
        }
    }
}

#[tokio::test]
async fn what_juicefs_refuses_is_refused() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        let set = async |attribute: &[u8], value: &[u8]| {
            meta.set_xattr(&root(), file, attribute, value, XattrMode::Any)
                .await
        };
        let value = rich().encode_xattr();
        assert_eq!(
            kind(set(ACL_DEFAULT_XATTR, &value).await),
            ErrorKind::AccessDenied
        );
        let mut unmasked = rich();
        unmasked.mask = ACL_UNSET;
        let no_mask = set(ACL_ACCESS_XATTR, &unmasked.encode_xattr()).await;
        assert_eq!(kind(no_mask), ErrorKind::InvalidArgument);
        let old_version = [&[1, 0, 0, 0], &value[4..]].concat();
        assert_eq!(
            kind(set(ACL_ACCESS_XATTR, &old_version).await),
            ErrorKind::NotSupported
        );
        // Removing a default ACL that can not be there is no failure.
        meta.remove_xattr(&root(), file, ACL_DEFAULT_XATTR).await.unwrap();
        let link = meta
            .symlink(&root(), Ino::ROOT, &name("s"), b"f")
            .await
            .unwrap()
            .ino;
        let on_link = meta.set_acl(&root(), link, AclKind::Access, Some(rich())).await;
        assert_eq!(kind(on_link), ErrorKind::NotSupported);
        assert_eq!(meta.getattr(file).await.unwrap().mode, 0o644);
        assert_eq!(volume.records(Scan::Acls).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_volume_without_acls_says_so() {
    on_each_engine(
        |setting| setting.enable_acl = false,
        |volume| async move {
            let file = volume.file(Ino::ROOT, "f").await;
            let value = rich().encode_xattr();
            let set = volume
                .meta
                .set_xattr(&root(), file, ACL_ACCESS_XATTR, &value, XattrMode::Any)
                .await;
            assert_eq!(kind(set), ErrorKind::NotSupported);
            let get = volume.meta.get_xattr(&root(), file, ACL_ACCESS_XATTR).await;
            assert_eq!(kind(get), ErrorKind::NotSupported);
        },
    )
    .await;
}

#[tokio::test]
async fn equal_rules_of_all_clients_share_one_id() {
    on_each_engine(unchanged, |volume| async move {
        let other = volume.client().await;
        let (first, second) = (
            volume.file(Ino::ROOT, "f").await,
            volume.file(Ino::ROOT, "g").await,
        );
        set(&volume.meta, first, AclKind::Access, rich()).await;
        set(&other, second, AclKind::Access, rich()).await;
        assert_eq!(volume.records(Scan::Acls).await.len(), 1);
        let left = volume.meta.getattr(first).await.unwrap();
        let right = volume.meta.getattr(second).await.unwrap();
        assert_eq!(left.access_acl, right.access_acl);
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_and_root_set_acls_and_only_on_what_may_change() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        let chown = SetAttr {
            uid: Some(Uid(10)),
            gid: Some(Gid(20)),
            ..SetAttr::default()
        };
        meta.setattr(&root(), file, chown).await.unwrap();
        let set = async |context: &Context| meta.set_acl(context, file, AclKind::Access, Some(rich())).await;
        assert_eq!(kind(set(&user(11, 20)).await), ErrorKind::NotPermitted);
        set(&user(10, 20)).await.unwrap();
        assert_eq!(meta.getattr(file).await.unwrap().mode, 0o770);
    })
    .await;
}

#[tokio::test]
async fn setgid_goes_when_the_setter_is_not_in_the_group_but_not_with_a_removal() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        let chown = SetAttr {
            uid: Some(Uid(10)),
            gid: Some(Gid(20)),
            ..SetAttr::default()
        };
        meta.setattr(&root(), file, chown).await.unwrap();
        assert_eq!(chmod(meta, file, 0o2755).await, 0o2755);
        let stranger = user(10, 99);
        meta.set_acl(&stranger, file, AclKind::Access, None)
            .await
            .unwrap();
        assert_eq!(meta.getattr(file).await.unwrap().mode, 0o2755);
        meta.set_acl(&user(10, 20), file, AclKind::Access, Some(base(7, 7, 5)))
            .await
            .unwrap();
        assert_eq!(meta.getattr(file).await.unwrap().mode, 0o2775);
        meta.set_acl(&stranger, file, AclKind::Access, Some(base(7, 5, 5)))
            .await
            .unwrap();
        assert_eq!(meta.getattr(file).await.unwrap().mode, 0o755);
    })
    .await;
}

#[tokio::test]
async fn setting_the_same_acl_again_changes_nothing() {
    on_each_engine(unchanged, |volume| async move {
        let file = volume.file(Ino::ROOT, "f").await;
        set(&volume.meta, file, AclKind::Access, rich()).await;
        let before = volume.meta.getattr(file).await.unwrap();
        set(&volume.meta, file, AclKind::Access, rich()).await;
        assert_eq!(volume.meta.getattr(file).await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn access_follows_owner_named_users_groups_mask_and_other() {
    on_each_engine(unchanged, |volume| async move {
        let meta = &volume.meta;
        let file = volume.file(Ino::ROOT, "f").await;
        let rule = AclRule {
            mask: 6,
            users: entries(&[(1001, 7), (1002, 0)]),
            groups: entries(&[(2001, 4), (2002, 2)]),
            ..base(4, 0, 2)
        };
        set(meta, file, AclKind::Access, rule).await;
        let chown = SetAttr {
            uid: Some(Uid(10)),
            gid: Some(Gid(20)),
            ..SetAttr::default()
        };
        let attr = meta.setattr(&root(), file, chown).await.unwrap();
        let may = async |context: Context, mask| meta.check_access(&context, &attr, mask).await.is_ok();
        let with_groups = |groups: &[u32]| Context {
            groups: groups.iter().copied().map(Gid).collect(),
            ..user(50, 50)
        };
        assert!(may(user(10, 20), MAY_READ).await && !may(user(10, 20), MAY_WRITE).await);
        // The mask takes execution away; a named user is not judged by groups or other.
        assert!(may(user(1001, 50), MAY_READ | MAY_WRITE).await && !may(user(1001, 50), 1).await);
        assert!(!may(user(1002, 2001), MAY_READ).await && !may(user(1002, 50), MAY_WRITE).await);
        // One group has to grant everything; a group that matches shuts other out.
        assert!(may(with_groups(&[2001]), MAY_READ).await && !may(with_groups(&[2001]), MAY_WRITE).await);
        assert!(may(with_groups(&[2001, 2002]), MAY_WRITE).await);
        assert!(!may(with_groups(&[2001, 2002]), MAY_READ | MAY_WRITE).await);
        assert!(!may(with_groups(&[20]), MAY_WRITE).await);
        assert!(may(with_groups(&[]), MAY_WRITE).await && !may(with_groups(&[]), MAY_READ).await);
        // Without group bits the mode decides alone.
        chmod(meta, file, 0o604).await;
        let attr = meta.getattr(file).await.unwrap();
        assert!(meta.check_access(&user(1001, 50), &attr, MAY_READ).await.is_ok());
        assert!(
            meta.check_access(&user(1001, 50), &attr, MAY_WRITE)
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn trashed_and_internal_nodes_keep_their_acls() {
    on_each_engine(
        |setting| setting.trash_days = 1,
        |volume| async move {
            let meta = &volume.meta;
            let file = volume.file(Ino::ROOT, "f").await;
            meta.unlink(&root(), Ino::ROOT, &name("f"), Default::default())
                .await
                .unwrap();
            for ino in [file, Ino::TRASH, Ino(Ino::INTERNAL.0 + 2)] {
                let set = meta.set_acl(&root(), ino, AclKind::Access, Some(rich())).await;
                assert_eq!(kind(set), ErrorKind::NotPermitted);
            }
        },
    )
    .await;
}
