//! A volume goes through its dumps from every engine to every other.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use moorage_engines::MemoryEngine;
use moorage_meta::admin::{CheckOptions, CloneOptions, Progress};
use moorage_meta::{
    Context, Counting, CreateNode, DumpCompression, DumpOptions, DumpSummary, Engine, FallocateMode,
    LoadSummary, Meta, QuotaLimits, RenameFlags, SetAttr, UnlinkOptions, XattrMode, dump_channel,
};
use moorage_model::{
    AclEntry, AclKind, AclRule, ChunkIndex, Flags, Gid, Ino, Name, NodeType, QuotaKey, Slice, Timestamp, Uid,
};

use crate::fixture::{START, TestClock, Volume, name, quiet};
#[cfg(unix)]
use crate::tikv_server;
use crate::{mysql_server, postgres_server, redis_server};

/// Entries of one directory: more than one page of every engine.
const MANY: u32 = 3000;

/// A volume in both forms.
pub(crate) struct Dumps {
    pub(crate) json: String,
    pub(crate) binary: Vec<u8>,
}

/// Both dumps of the volume in an engine.
pub(crate) async fn dumps(engine: &Arc<dyn Engine>) -> Dumps {
    let clock = Arc::new(TestClock::new());
    let meta = Meta::open(Arc::clone(engine), quiet(), clock).await.unwrap();
    let mut made = Vec::new();
    for binary in [false, true] {
        let (dump, summary) = dump(&meta, &DumpOptions::default(), binary).await;
        assert_eq!(summary.unreadable, 0);
        made.push(dump);
    }
    let binary = made.pop().unwrap();
    let json = String::from_utf8(made.pop().unwrap()).unwrap();
    Dumps { json, binary }
}

/// A dump in one of the forms.
async fn dump(meta: &Meta, options: &DumpOptions, binary: bool) -> (Vec<u8>, DumpSummary) {
    let (output, blocks) = dump_channel();
    let packer = tokio::task::spawn_blocking(move || DumpCompression::None.pack(blocks, Vec::new()));
    let progress = Progress::default();
    let summary = if binary {
        meta.dump_binary(options, output, &progress).await.unwrap()
    } else {
        meta.dump_json(options, output, &progress).await.unwrap()
    };
    (packer.await.unwrap().unwrap(), summary)
}

/// Makes a volume of a dump of either form.
pub(crate) async fn load(engine: &Arc<dyn Engine>, dump: Vec<u8>) -> LoadSummary {
    let clock = TestClock::new();
    Meta::load_dump(engine, Cursor::new(dump), &clock, &Progress::default())
        .await
        .unwrap()
}

/// Two JSON dumps are the same, byte for byte.
pub(crate) fn same(found: &str, expected: &str, place: &str) {
    for (line, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{place}, line {}", line + 1);
    }
    assert_eq!(found.len(), expected.len(), "{place}");
}

/// A volume with something of everything that a dump holds and every engine can.
async fn rich_volume() -> Volume {
    let volume = Volume::with(|setting| {
        setting.trash_days = 1;
        setting.enable_acl = true;
        setting.user_group_quota = true;
    })
    .await;
    let (meta, root) = (volume.session().await, Context::root());
    let folder = volume.directory(Ino::ROOT, "folder").await;
    odd_nodes(&meta, folder).await;
    content(&volume, &meta, folder).await;
    let many = volume.directory(Ino::ROOT, "many").await;
    for number in 0..MANY {
        volume.file(many, &format!("entry {number}")).await;
    }
    let mut directory = volume.directory(Ino::ROOT, "deep").await;
    for _ in 0..40 {
        directory = volume.directory(directory, "er").await;
    }
    let clone = CloneOptions::default();
    meta.clone_tree(
        &root,
        folder,
        Ino::ROOT,
        &name("clone"),
        clone,
        &Progress::default(),
    )
    .await
    .unwrap();
    let limits = QuotaLimits {
        max_space: Some(1 << 40),
        max_inodes: Some(1_000_000),
    };
    for key in [
        QuotaKey::Directory(folder),
        QuotaKey::Directory(many),
        QuotaKey::User(Uid(1000)),
        QuotaKey::Group(Gid(100)),
    ] {
        meta.set_quota(key, limits, Counting::Entries).await.unwrap();
    }
    // Into the trash, of two hours.
    for entry in ["entry 7", "entry 8"] {
        meta.unlink(&root, many, &name(entry), UnlinkOptions::default())
            .await
            .unwrap();
        volume.clock.advance(Duration::from_secs(3600));
    }
    meta.flush_deletions().await.unwrap();
    meta.close_session().await.unwrap();
    volume.meta.make_durable().await.unwrap();
    volume
}

/// Nodes of every kind, names of every byte, owners, flags, links, extended attributes and ACLs.
async fn odd_nodes(meta: &Meta, folder: Ino) {
    let root = Context::root();
    let devices = [
        (NodeType::Fifo, 0),
        (NodeType::Socket, 0),
        (NodeType::CharDevice, 0x0103),
        (NodeType::BlockDevice, 0x0801),
    ];
    for (kind, rdev) in devices {
        let node = CreateNode {
            kind,
            rdev,
            ..CreateNode::file(0o640, 0)
        };
        let entry = name(&format!("{kind:?}"));
        meta.mknod(&root, folder, &entry, node).await.unwrap();
    }
    let names: [&[u8]; 8] = [
        b"bytes-\xff\xfe",
        b"quoted \"%41\\",
        b"line\nbreak",
        "\u{fffd}".as_bytes(),
        "\u{65e5}\u{672c} <&>".as_bytes(),
        b"\x7f\x01",
        b"%41",
        &[b'x'; 255],
    ];
    for text in names {
        let entry = Name::new(text).unwrap();
        let made = meta.create(&root, folder, &entry, 0o4755, 0).await.unwrap();
        meta.set_xattr(&root, made.ino, b"user.name", text, XattrMode::Any)
            .await
            .unwrap();
    }
    meta.symlink(&root, folder, &name("symlink"), b"../to \xff%41")
        .await
        .unwrap();
    let linked = meta
        .create(&root, folder, &name("linked"), 0o600, 0)
        .await
        .unwrap();
    let other = meta
        .mkdir(&root, folder, &name("other"), 0o1777, 0)
        .await
        .unwrap()
        .ino;
    for (directory, entry) in [(folder, "again"), (other, "there"), (other, "and there")] {
        meta.link(&root, linked.ino, directory, &name(entry))
            .await
            .unwrap();
    }
    // One name moves: its parent counts move with it.
    let flags = RenameFlags::default();
    let (from, to) = (name("again"), name("moved"));
    meta.rename(&root, (folder, &from), (other, &to), flags)
        .await
        .unwrap();
    let owned = SetAttr {
        uid: Some(Uid(1000)),
        gid: Some(Gid(100)),
        ..SetAttr::default()
    };
    meta.setattr(&root, linked.ino, owned).await.unwrap();
    let entry = |id, permissions| AclEntry { id, permissions };
    let rule = AclRule {
        owner: 7,
        group: 5,
        mask: 7,
        other: 1,
        users: vec![entry(1001, 7), entry(1002, 4)],
        groups: vec![entry(2001, 6)],
    };
    for (ino, kind) in [
        (linked.ino, AclKind::Access),
        (other, AclKind::Access),
        (other, AclKind::Default),
    ] {
        meta.set_acl(&root, ino, kind, Some(rule.clone())).await.unwrap();
    }
    meta.create(&root, other, &name("inherits"), 0o666, 0)
        .await
        .unwrap();
    meta.set_flags(&root, linked.ino, Flags::APPEND, Flags::APPEND)
        .await
        .unwrap();
}

/// Files of several chunks and slices, with holes, shared slices, and content that was cut off and replaced.
async fn content(volume: &Volume, meta: &Meta, folder: Ino) {
    let root = Context::root();
    let file = volume.file(folder, "content").await;
    let border = moorage_model::CHUNK_SIZE;
    for (offset, len) in [
        (0, 5000),
        (100, 200),
        (border - 100, 100),
        (border, 4096),
        (3 * border + 7, 70),
    ] {
        write(volume, meta, file, offset, len).await;
    }
    let punch = FallocateMode {
        keep_size: true,
        punch_hole: true,
        zero_range: false,
    };
    for offset in [50, 1000] {
        meta.fallocate(&root, file, punch, offset, 30).await.unwrap();
    }
    let copy = volume.file(folder, "copy").await;
    meta.copy_file_range(&root, file, 0, copy, 10, 2 * border)
        .await
        .unwrap();
    let sparse = volume.file(folder, "sparse").await;
    meta.truncate(&root, sparse, 10 * border + 1).await.unwrap();
    let cut = volume.file(folder, "cut").await;
    write(volume, meta, cut, 0, 9000).await;
    meta.truncate(&root, cut, 10).await.unwrap();
}

async fn write(volume: &Volume, meta: &Meta, ino: Ino, offset: u64, len: u32) {
    let chunk = ChunkIndex::of(offset).unwrap();
    let slice = Slice {
        pos: (offset - chunk.start()) as u32,
        id: meta.allocate_slice().await.unwrap(),
        size: len,
        off: 0,
        len,
    };
    volume.data.store(slice.id, vec![1; len as usize]);
    // SQL keeps microseconds.
    let mtime = Timestamp::new(START, 5000);
    meta.write_slice(ino, chunk, slice, mtime).await.unwrap();
}

/// An empty database and what keeps its server alive.
type Empty = (Arc<dyn Engine>, Option<Box<dyn std::any::Any>>);

/// An empty database of each kind that is there.
async fn empty_databases() -> Vec<Empty> {
    let folder = tempfile::tempdir().unwrap();
    let open = |url: &str| moorage_engines::open(url, None).unwrap();
    let sqlite = open(&format!("sqlite3://{}/volume.db", folder.path().display()));
    let mut found: Vec<Empty> = vec![
        (Arc::new(MemoryEngine::new()), None),
        (sqlite, Some(Box::new(folder))),
    ];
    if let Some(server) = redis_server::Server::start(&[]) {
        found.push((open(&server.url()), Some(Box::new(server))));
    }
    if let Some(server) = postgres_server::Server::shared() {
        let url = server.url(&server.new_database());
        found.push((open(&url), Some(Box::new(server))));
    }
    if let Some(server) = mysql_server::Server::shared() {
        let url = server.url(&server.new_database());
        found.push((open(&url), Some(Box::new(server))));
    }
    #[cfg(unix)]
    if let Some(server) = tikv_server::Server::start() {
        found.push((open(&server.url()), Some(Box::new(server))));
    }
    found
}

async fn check(engine: &Arc<dyn Engine>, place: &str) {
    let clock = Arc::new(TestClock::new());
    let meta = Meta::open(Arc::clone(engine), quiet(), clock).await.unwrap();
    let report = meta
        .check(CheckOptions::default(), &Progress::default())
        .await
        .unwrap();
    assert!(report.findings.is_empty(), "{place}: {:#?}", report.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rich_volume_goes_from_every_engine_to_every_other() {
    let volume = rich_volume().await;
    let origin: Arc<dyn Engine> = volume.engine.clone();
    let first = dumps(&origin).await;
    for wanted in [
        "\"symlink\"",
        "posix_acl_default",
        "\"Trash\"",
        "UserQuotas",
        "\"off\"",
        "%FF%FE",
    ] {
        assert!(first.json.contains(wanted), "{wanted}");
    }
    let sources = empty_databases().await;
    for (source, _keep) in &sources {
        load(source, first.json.clone().into_bytes()).await;
        let from = source.location();
        check(source, &from).await;
        let made = dumps(source).await;
        same(&made.json, &first.json, &from);
        for (target, _keep) in empty_databases().await {
            let place = format!("{from} to {}", target.location());
            load(&target, made.json.clone().into_bytes()).await;
            same(&dumps(&target).await.json, &first.json, &place);
            target.wipe().await.unwrap();
            load(&target, made.binary.clone()).await;
            same(
                &dumps(&target).await.json,
                &first.json,
                &format!("{place}, binary"),
            );
            check(&target, &place).await;
        }
    }
}

#[tokio::test]
async fn secrets_in_the_address_of_the_bucket_are_left_out_as_the_others_are() {
    const BUCKET: &str = "https://me:hunter2@store.example/disk?token=t0k3n";
    let volume = Volume::with(|setting| BUCKET.clone_into(&mut setting.bucket)).await;
    for (keep_secrets, bucket) in [
        (true, BUCKET),
        (false, "https://me:removed@store.example/disk?token=removed"),
    ] {
        let options = DumpOptions {
            keep_secrets,
            ..DumpOptions::default()
        };
        for binary in [false, true] {
            let (made, summary) = dump(&volume.meta, &options, binary).await;
            for secret in ["hunter2", "t0k3n"] {
                let found = String::from_utf8_lossy(&made).contains(secret);
                assert_eq!(found, keep_secrets, "{secret}, binary: {binary}");
            }
            assert_eq!(summary.secrets_removed, !keep_secrets);
            let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
            assert_eq!(load(&engine, made).await.secrets_removed, !keep_secrets);
            let setting = Meta::load_setting(&engine).await.unwrap().unwrap();
            assert_eq!(setting.bucket, bucket);
        }
    }
}
