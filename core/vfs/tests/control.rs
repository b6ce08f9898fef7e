//! Commands through `.control`, as JuiceFS's command-line tool sends them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod volume;

use std::sync::Arc;

use moorage_chunk::ObjectStore;
use moorage_meta::{Key, MetaOptions, Read as _, Record};
use moorage_model::{ChunkIndex, ErrorKind, Gid, Ino, NodeType, Uid};
use moorage_vfs::control::Request;
use moorage_vfs::{Caller, Groups, KernelNotifier, NewNode, Vfs, VfsOptions};
use parking_lot::Mutex;
use serde_json::{Value, json};
use volume::faults::FailingStore;
use volume::{READ, READ_WRITE, Volume, close, content, create, pattern, uncached};

const REMOVE: u32 = 1002;
const WARM_UP: u32 = 1004;
const INFO: u32 = 1005;
const CLONE: u32 = 1006;
const SUMMARY: u32 = 1007;
const COMPACT: u32 = 1008;

/// What a command answers behind its progress.
#[derive(Debug, PartialEq)]
enum Answer {
    Status(u8),
    Data(Value),
}

fn user() -> Caller {
    Caller {
        uid: Uid(1000),
        gid: Gid(1000),
        pid: 1,
        groups: Groups::Known(Arc::from([])),
    }
}

/// Sends a command and reads its answer to the end.
async fn ask(vfs: &Vfs, caller: &Caller, command: u32, payload: &[u8]) -> Answer {
    let channel = vfs.lookup(caller, Ino::ROOT, b".control").await.unwrap();
    let handle = vfs.open(caller, channel.ino, READ_WRITE).await.unwrap().handle;
    let head = [command.to_be_bytes(), (payload.len() as u32).to_be_bytes()].concat();
    // In two parts, since a kernel may split what is written.
    vfs.write(handle, 0, &head).await.unwrap();
    vfs.write(handle, 8, payload).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let part = vfs.read_bytes(handle, bytes.len() as u64, 100).await.unwrap();
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    vfs.release(handle, None).await.unwrap();
    let mut rest = bytes.as_slice();
    while rest[0] == 0xFE {
        rest = &rest[17..];
    }
    match rest {
        [0xFF, a, b, c, d, data @ ..] => {
            assert_eq!(u32::from_be_bytes([*a, *b, *c, *d]) as usize, data.len());
            Answer::Data(serde_json::from_slice(data).unwrap())
        }
        [status] => Answer::Status(*status),
        other => panic!("{other:?}"),
    }
}

async fn data(vfs: &Vfs, caller: &Caller, command: u32, payload: &[u8]) -> Value {
    match ask(vfs, caller, command, payload).await {
        Answer::Data(value) => value,
        Answer::Status(status) => panic!("status {status}"),
    }
}

fn number(ino: Ino) -> Vec<u8> {
    ino.0.to_be_bytes().to_vec()
}

fn named(name: &str) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes()].concat()
}

fn remove(parent: Ino, name: &str) -> Vec<u8> {
    [number(parent), named(name), vec![0, 50]].concat()
}

fn clone(source: Ino, parent: Ino, name: &str) -> Vec<u8> {
    [
        number(source),
        number(Ino::ROOT),
        number(parent),
        named(name),
        vec![0, 0o22, 0, 4],
    ]
    .concat()
}

fn info(ino: Ino) -> Vec<u8> {
    [number(ino), vec![1, 0, 0]].concat()
}

fn warm_up(path: &str, action: u8) -> Vec<u8> {
    let len = (path.len() as u32).to_be_bytes().to_vec();
    [len, path.as_bytes().to_vec(), vec![0, 50, 0, action]].concat()
}

async fn folder(vfs: &Vfs, parent: Ino, name: &str, mode: u16) -> Ino {
    let node = NewNode {
        kind: NodeType::Directory,
        mode,
        umask: 0,
        rdev: 0,
    };
    let made = vfs
        .mkdir(&Caller::root(), parent, name.as_bytes(), node.mode, node.umask)
        .await;
    made.unwrap().ino
}

/// A file with this content that is written, and stored only with `sync`.
async fn file(vfs: &Vfs, parent: Ino, name: &str, data: &[u8], sync: bool) -> Ino {
    let made = vfs
        .create(&Caller::root(), parent, name.as_bytes(), volume::FILE, READ_WRITE)
        .await
        .unwrap();
    vfs.write(made.1.handle, 0, data).await.unwrap();
    if sync {
        close(vfs, made.1.handle).await.unwrap();
    }
    made.0.ino
}

async fn found(vfs: &Vfs, parent: Ino, name: &str) -> Result<Ino, ErrorKind> {
    let found = vfs.lookup(&Caller::root(), parent, name.as_bytes()).await;
    found.map(|entry| entry.ino).map_err(|error| error.kind())
}

#[tokio::test]
async fn info_tells_sums_paths_and_objects() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let root = Caller::root();
    let d = folder(&vfs, Ino::ROOT, "d", 0o755).await;
    // Counted although nothing has stored it yet.
    let a = file(&vfs, d, "a", &pattern(5000, 1), false).await;
    let answer = data(&vfs, &root, INFO, &info(a)).await;
    assert_eq!(answer["Ino"], a.0);
    assert_eq!(answer["Failed"], false);
    assert_eq!(answer["Paths"], json!(["/d/a"]));
    assert_eq!(
        answer["Summary"],
        json!({"Length": 5000, "Size": 8192, "Files": 1, "Dirs": 0})
    );
    assert_eq!(answer["Chunks"], Value::Null);
    assert_eq!(answer["Objects"][0]["Len"], 5000);
    assert!(
        answer["Objects"][0]["Key"]
            .as_str()
            .unwrap()
            .starts_with("test/chunks/0/0/")
    );
    let answer = data(&vfs, &root, INFO, &info(Ino::ROOT)).await;
    assert_eq!(
        answer["Summary"],
        json!({"Length": 5000, "Size": 16_384, "Files": 1, "Dirs": 2})
    );
    let answer = data(&vfs, &root, INFO, &info(Ino(4711))).await;
    assert_eq!(answer["Failed"], true);
    assert!(!answer["Reason"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn summary_shows_the_largest_parts_by_their_paths() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let d = folder(&vfs, Ino::ROOT, "d", 0o755).await;
    let sub = folder(&vfs, d, "sub", 0o755).await;
    file(&vfs, sub, "large", &pattern(9000, 1), true).await;
    file(&vfs, d, "small", b"x", true).await;
    let payload = [number(d), vec![2, 1, 0]].concat();
    let answer = data(&vfs, &Caller::root(), SUMMARY, &payload).await;
    assert_eq!(answer["Errno"], 0);
    let tree = &answer["Tree"];
    assert_eq!(
        (&tree["Path"], &tree["Files"], &tree["Dirs"]),
        (&json!(""), &json!(2), &json!(2))
    );
    let paths: Vec<_> = tree["Children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["Path"])
        .collect();
    assert_eq!(paths, ["sub", "..."]);
    assert_eq!(tree["Children"][0]["Children"][0]["Path"], "sub/large");
    assert_eq!(tree["Children"][0]["Inode"], sub.0);
}

#[derive(Debug, Default)]
struct Told {
    entries: Mutex<Vec<(Ino, Vec<u8>)>>,
    news: tokio::sync::Notify,
}

impl KernelNotifier for Told {
    fn inval_inode(&self, _: Ino, _: i64, _: i64) {}

    fn expire_attributes(&self, _: Ino) {}

    fn drop_content(&self, _: Ino) {}

    fn inval_entry(&self, parent: Ino, name: &[u8]) {
        self.entries.lock().push((parent, name.to_vec()));
        self.news.notify_one();
    }
}

#[tokio::test]
async fn a_tree_is_removed_and_the_kernel_told() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let told = Arc::new(Told::default());
    vfs.set_notifier(Arc::clone(&told) as _);
    let d = folder(&vfs, Ino::ROOT, "d", 0o755).await;
    let sub = folder(&vfs, d, "sub", 0o755).await;
    file(&vfs, sub, "f", b"x", true).await;
    let root = Caller::root();
    assert_eq!(
        ask(&vfs, &root, REMOVE, &remove(d, "sub")).await,
        Answer::Status(0)
    );
    assert_eq!(found(&vfs, d, "sub").await, Err(ErrorKind::NotFound));
    told.news.notified().await;
    assert_eq!(*told.entries.lock(), [(d, b"sub".to_vec())]);
    assert_eq!(
        ask(&vfs, &root, REMOVE, &remove(d, "sub")).await,
        Answer::Status(2)
    );
    // What would mean the folder itself, or what belongs to the mount.
    assert_eq!(ask(&vfs, &root, REMOVE, &remove(d, "")).await, Answer::Status(22));
    for name in [".", ".."] {
        assert_ne!(
            ask(&vfs, &root, REMOVE, &remove(d, name)).await,
            Answer::Status(0)
        );
    }
    for name in [".trash", ".control"] {
        assert_eq!(
            ask(&vfs, &root, REMOVE, &remove(Ino::ROOT, name)).await,
            Answer::Status(1)
        );
    }
    assert_eq!(found(&vfs, Ino::ROOT, "d").await, Ok(d));
}

#[tokio::test]
async fn a_clone_has_what_was_written_before() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let d = folder(&vfs, Ino::ROOT, "d", 0o755).await;
    file(&vfs, d, "f", b"not stored yet", false).await;
    let root = Caller::root();
    let payload = clone(d, Ino::ROOT, "copy");
    assert_eq!(ask(&vfs, &root, CLONE, &payload).await, Answer::Status(0));
    let copy = found(&vfs, Ino::ROOT, "copy").await.unwrap();
    let f = found(&vfs, copy, "f").await.unwrap();
    let handle = vfs.open(&root, f, READ).await.unwrap().handle;
    assert_eq!(content(&vfs, handle).await, b"not stored yet");
    assert_eq!(ask(&vfs, &root, CLONE, &payload).await, Answer::Status(17));
}

#[tokio::test]
async fn the_pieces_of_a_file_are_joined() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let (entry, handle) = create(&vfs, "f").await;
    for n in 0..3_u64 {
        vfs.write(handle, n * 10, &[n as u8; 10]).await.unwrap();
        vfs.fsync(handle, false).await.unwrap();
    }
    let payload = [number(entry.ino), vec![0, 10]].concat();
    assert_eq!(
        ask(&vfs, &Caller::root(), COMPACT, &payload).await,
        Answer::Status(0)
    );
    let records = volume
        .engine
        .read(&[Key::Chunk(entry.ino, ChunkIndex(0))])
        .await
        .unwrap();
    assert!(
        matches!(&records[0], Some(Record::Chunk(slices)) if slices.len() == 1),
        "{records:?}"
    );
    let expected: Vec<u8> = (0..3).flat_map(|n| [n; 10]).collect();
    assert_eq!(content(&vfs, handle).await, expected);
}

#[tokio::test]
async fn the_cache_is_checked_emptied_and_filled() {
    let volume = Volume::new().await;
    let writer = volume.client().await;
    let d = folder(&writer, Ino::ROOT, "d", 0o755).await;
    file(&writer, d, "f", &pattern(100_000, 1), true).await;
    writer.shutdown().await.unwrap();
    let vfs = volume.client().await;
    let root = Caller::root();
    let missing = async |action| {
        let answer = data(&vfs, &root, WARM_UP, &warm_up("/d", action)).await;
        assert_eq!(
            (&answer["FileCount"], &answer["TotalBytes"]),
            (&json!(1), &json!(100_000))
        );
        answer["MissBytes"].clone()
    };
    let (fill, evict, check) = (0, 1, 2);
    assert_eq!(missing(check).await, 100_000);
    assert_eq!(missing(fill).await, 100_000);
    assert_eq!(missing(check).await, 0);
    assert_eq!(missing(evict).await, 0);
    assert_eq!(missing(check).await, 100_000);
    let nothing = data(&vfs, &root, WARM_UP, &warm_up("/nosuch", check)).await;
    assert_eq!(nothing["FileCount"], 0);
}

fn detailed(path: &str, action: u8) -> Vec<u8> {
    let request = [warm_up(path, action), vec![1]].concat();
    assert!(matches!(
        Request::decode(WARM_UP, &request),
        Ok(Request::WarmUp(request)) if request.detailed
    ));
    request
}

#[tokio::test]
async fn whoever_asks_for_details_hears_what_failed_and_where_it_is() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let writer = volume.client().await;
    let d = folder(&writer, Ino::ROOT, "d", 0o755).await;
    file(&writer, d, "good", &pattern(100_000, 1), true).await;
    file(&writer, d, "bad", &pattern(100_000, 2), true).await;
    let private = folder(&writer, Ino::ROOT, "private", 0o700).await;
    file(&writer, private, "f", b"x", true).await;
    let info = data(
        &writer,
        &Caller::root(),
        INFO,
        &info(found(&writer, d, "bad").await.unwrap()),
    )
    .await;
    let key = info["Objects"][0]["Key"].as_str().unwrap();
    store.delete(key.strip_prefix("test/").unwrap()).await.unwrap();
    writer.shutdown().await.unwrap();
    let vfs = volume.client().await;
    let filled = data(&vfs, &Caller::root(), WARM_UP, &detailed("/d", 0)).await;
    assert_eq!(
        (
            &filled["FileCount"],
            &filled["FailedCount"],
            &filled["UnfitCount"]
        ),
        (&json!(1), &json!(1), &json!(0)),
        "{filled}"
    );
    assert_eq!(
        (&filled["Failed"][0]["Path"], &filled["Failed"][0]["Errno"]),
        (&json!("/d/bad"), &json!(2))
    );
    let checked = data(&vfs, &Caller::root(), WARM_UP, &detailed("/d/good", 2)).await;
    assert_eq!(
        (
            &checked["BlockCount"],
            &checked["MissBlocks"],
            &checked["TotalBytes"]
        ),
        (&json!(2), &json!(0), &json!(100_000))
    );
    assert_eq!(checked["Cache"]["Kind"], "Memory");
    for (caller, path) in [
        (Caller::root(), "/nosuch"),
        (user(), "/private"),
        (user(), "/private/f"),
    ] {
        let refused = data(&vfs, &caller, WARM_UP, &detailed(path, 0)).await;
        assert_eq!(refused["Failed"][0]["Path"], path, "{refused}");
    }
}

#[tokio::test]
async fn what_did_not_stay_in_the_cache_is_named() {
    let volume = Volume::new().await;
    let writer = volume.client().await;
    let d = folder(&writer, Ino::ROOT, "d", 0o755).await;
    // More than the memory of a client holds, which is the cache where there is none on disk.
    for n in 0..12 {
        file(&writer, d, &n.to_string(), &pattern(1 << 20, n), true).await;
    }
    writer.shutdown().await.unwrap();
    let vfs = volume.client().await;
    let filled = data(&vfs, &Caller::root(), WARM_UP, &detailed("/d", 0)).await;
    assert_eq!(
        (&filled["FileCount"], &filled["MissBytes"]),
        (&json!(12), &json!(12 << 20))
    );
    let unfit = filled["UnfitCount"].as_u64().unwrap();
    assert!((1..=12).contains(&unfit), "{filled}");
    assert!(filled["UnfitBytes"].as_u64().unwrap() >= 4 << 20, "{filled}");
    assert_eq!(filled["Unfit"].as_array().unwrap().len() as u64, unfit);
    assert!(filled["Unfit"][0]["Path"].as_str().unwrap().starts_with("/d/"));
}

#[tokio::test]
async fn warm_ups_in_the_background_are_bounded_and_later_ones_refused() {
    let store = Arc::new(FailingStore::default());
    let volume = Volume::on(Arc::clone(&store) as Arc<dyn ObjectStore>).await;
    let writer = volume.client().await;
    file(&writer, Ino::ROOT, "f", &pattern(100_000, 1), true).await;
    writer.shutdown().await.unwrap();
    let vfs = volume.client().await;
    let root = Caller::root();
    let mut in_background = warm_up("/f", 0);
    let flag = in_background.len() - 2;
    in_background[flag] = 1;
    store.silent.send_replace(true);
    let mut accepted = 0;
    while let Answer::Data(_) = ask(&vfs, &root, WARM_UP, &in_background).await {
        accepted += 1;
        assert!(accepted < 100, "without a bound");
    }
    assert_eq!(
        ask(&vfs, &root, WARM_UP, &in_background).await,
        Answer::Status(16)
    );
    store.silent.send_replace(false);
    while ask(&vfs, &root, WARM_UP, &in_background).await == Answer::Status(16) {
        tokio::task::yield_now().await;
    }
    vfs.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_user_learns_and_changes_only_what_a_path_would_allow() {
    let volume = Volume::new().await;
    // As on a mount whose kernel checks permissions.
    let options = VfsOptions {
        check_permissions: false,
        ..uncached()
    };
    let vfs = volume.client_with(options, MetaOptions::default()).await;
    let private = folder(&vfs, Ino::ROOT, "private", 0o700).await;
    let inner = folder(&vfs, private, "inner", 0o777).await;
    let secret = file(&vfs, inner, "secret", b"x", true).await;
    let public = folder(&vfs, Ino::ROOT, "public", 0o755).await;
    let own = folder(&vfs, Ino::ROOT, "own", 0o777).await;
    let user = user();
    for ino in [private, secret, inner] {
        let answer = data(&vfs, &user, INFO, &info(ino)).await;
        assert_eq!(
            (&answer["Failed"], &answer["Paths"]),
            (&json!(true), &Value::Null)
        );
        let payload = [number(ino), vec![2, 10, 0]].concat();
        assert_eq!(data(&vfs, &user, SUMMARY, &payload).await["Errno"], 13);
        let payload = [number(ino), vec![0, 10]].concat();
        assert_eq!(ask(&vfs, &user, COMPACT, &payload).await, Answer::Status(13));
    }
    let cached = data(&vfs, &user, WARM_UP, &warm_up("/private/inner", 0)).await;
    assert_eq!(cached["FileCount"], 0);
    assert_eq!(
        ask(&vfs, &user, REMOVE, &remove(inner, "secret")).await,
        Answer::Status(13)
    );
    assert_eq!(
        ask(&vfs, &user, REMOVE, &remove(Ino::ROOT, "private")).await,
        Answer::Status(13)
    );
    assert_eq!(
        ask(&vfs, &user, CLONE, &clone(secret, own, "mine")).await,
        Answer::Status(13)
    );
    assert_eq!(
        ask(&vfs, &user, CLONE, &clone(own, public, "mine")).await,
        Answer::Status(13)
    );
    assert_eq!(
        ask(&vfs, &user, CLONE, &clone(public, own, "mine")).await,
        Answer::Status(0)
    );
    assert_eq!(found(&vfs, inner, "secret").await, Ok(secret));
}

#[tokio::test]
async fn a_sub_directory_mount_answers_for_its_own_nodes_only() {
    let volume = Volume::new().await;
    let whole = volume.client().await;
    let d = folder(&whole, Ino::ROOT, "d", 0o755).await;
    let inside = file(&whole, d, "inside", b"x", true).await;
    let outside = file(&whole, Ino::ROOT, "outside", b"x", true).await;
    let options = VfsOptions {
        subdir: Some("d".to_owned()),
        ..uncached()
    };
    let vfs = volume.client_with(options, MetaOptions::default()).await;
    let root = Caller::root();
    assert_eq!(
        data(&vfs, &root, INFO, &info(Ino::ROOT)).await["Paths"],
        json!(["/"])
    );
    assert_eq!(
        data(&vfs, &root, INFO, &info(inside)).await["Paths"],
        json!(["/inside"])
    );
    for ino in [outside, d] {
        assert_eq!(data(&vfs, &root, INFO, &info(ino)).await["Failed"], true);
    }
    assert_eq!(
        ask(&vfs, &root, CLONE, &clone(outside, Ino::ROOT, "x")).await,
        Answer::Status(2)
    );
    assert_eq!(
        ask(&vfs, &root, REMOVE, &remove(d, "outside")).await,
        Answer::Status(2)
    );
    assert_eq!(
        ask(&vfs, &root, REMOVE, &remove(Ino::ROOT, "inside")).await,
        Answer::Status(0)
    );
    assert_eq!(found(&whole, Ino::ROOT, "outside").await, Ok(outside));
}

#[tokio::test]
async fn the_channel_is_found_in_every_folder_that_has_no_file_of_its_name() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let d = folder(&vfs, Ino::ROOT, "d", 0o755).await;
    let channel = found(&vfs, Ino::ROOT, ".control").await.unwrap();
    assert_eq!(found(&vfs, d, ".control").await, Ok(channel));
    assert_eq!(found(&vfs, d, ".stats").await, Err(ErrorKind::NotFound));
    let ordinary = file(&vfs, d, ".control", b"x", true).await;
    assert_eq!(found(&vfs, d, ".control").await, Ok(ordinary));
}

#[tokio::test]
async fn what_is_no_command_is_answered_so() {
    let volume = Volume::new().await;
    let vfs = volume.client().await;
    let root = Caller::root();
    assert_eq!(
        ask(&vfs, &root, 1003, &number(Ino::ROOT)).await,
        Answer::Status(95)
    );
    assert_eq!(ask(&vfs, &root, 4711, b"abc").await, Answer::Status(95));
    assert_eq!(ask(&vfs, &root, REMOVE, b"abc").await, Answer::Status(22));
    let channel = found(&vfs, Ino::ROOT, ".control").await.unwrap();
    let handle = vfs.open(&root, channel, READ_WRITE).await.unwrap().handle;
    let nothing_asked = vfs.read_bytes(handle, 0, 100).await.unwrap();
    assert!(nothing_asked.is_empty());
    let endless = [0, 0, 3, 0xEA, 0xFF, 0xFF, 0xFF, 0xFF];
    let refused = vfs.write(handle, 0, &endless).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    // Two in one write are answered one after the other.
    let two = [INFO.to_be_bytes(), 11_u32.to_be_bytes()].concat();
    let two = [two, info(Ino::ROOT)].concat().repeat(2);
    vfs.write(handle, 0, &two).await.unwrap();
    let mut answers = Vec::new();
    loop {
        let part = vfs.read_bytes(handle, 0, 1000).await.unwrap();
        if part.is_empty() {
            break;
        }
        answers.extend_from_slice(&part);
    }
    let text = String::from_utf8_lossy(&answers);
    assert_eq!(text.matches("\"Ino\":1,").count(), 2);
}
