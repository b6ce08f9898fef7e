//! Writes the seeds of the targets whose inputs are bytes, from records as a volume holds them:
//! `cargo run --example write_seeds` in `tests/fuzz`. Inputs that once failed lie beside them and are left alone.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorage_chunk::{BlockId, BlockTrailer, Compression, Form, StagedName};
use moorage_engines::MemoryEngine;
use moorage_meta::admin::Progress;
use moorage_meta::{
    Context, DumpCompression, DumpOptions, Engine, Meta, MetaOptions, XattrMode, dump_channel, encode_setting,
};
use moorage_model::{
    AclEntry, AclId, AclRule, Attr, DelayedSlice, Entry, Gid, Ino, LockOwner, Name, NodeType, RecordLock,
    RecordLockKind, RecordLocks, SessionId, Setting, Slice, SliceId, SystemClock, Tier, TierId, Timestamp, Uid,
    encode_slices,
};

type Outcome = Result<(), Box<dyn Error>>;

const BLOCK: BlockId = BlockId {
    slice: SliceId(33_000_021),
    index: 1,
    len: 65_000,
};

fn main() -> Outcome {
    attributes()?;
    acls()?;
    lists()?;
    setting()?;
    rows()?;
    redis()?;
    objects()?;
    commands()?;
    agent()?;
    volume_file()?;
    dumps()?;
    addresses()
}

/// A volume with a file, a link and a directory, in both forms.
fn dumps() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (name, dump) in runtime.block_on(small_volume())? {
        seed("dump", name, dump)?;
    }
    Ok(())
}

async fn small_volume() -> Result<[(&'static str, Vec<u8>); 2], Box<dyn Error>> {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let setting = Setting {
        name: "seeds".to_owned(),
        uuid: "d5f5ec0a-8a16-4a42-8414-92ffede9bddb".to_owned(),
        storage: "file".to_owned(),
        bucket: "/objects".to_owned(),
        block_size: 4096,
        ..Setting::default()
    };
    Meta::format(&engine, &setting, &SystemClock).await?;
    let clock = Arc::new(SystemClock);
    let meta = Meta::open(Arc::clone(&engine), MetaOptions::default(), clock).await?;
    let root = Context::root();
    let directory = meta.mkdir(&root, Ino::ROOT, &Name::new(b"directory")?, 0o755, 0).await?.ino;
    let file = meta.create(&root, directory, &Name::new(b"file \xff")?, 0o644, 0).await?.ino;
    meta.set_xattr(&root, file, b"user.name", b"value", XattrMode::Any).await?;
    meta.symlink(&root, Ino::ROOT, &Name::new(b"link")?, b"directory/file").await?;
    let options = DumpOptions::default();
    let (output, blocks) = dump_channel();
    let packer = tokio::task::spawn_blocking(move || DumpCompression::None.pack(blocks, Vec::new()));
    meta.dump_json(&options, output, &Progress::default()).await?;
    let json = packer.await??;
    let (output, blocks) = dump_channel();
    let packer = tokio::task::spawn_blocking(move || DumpCompression::None.pack(blocks, Vec::new()));
    meta.dump_binary(&options, output, &Progress::default()).await?;
    Ok([("json", json), ("binary", packer.await??)])
}

fn seed(target: &str, name: &str, bytes: impl AsRef<[u8]>) -> Outcome {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

fn attributes() -> Outcome {
    let now = Timestamp::new(1_700_000_000, 123_456_789);
    let mut file = Attr::new(NodeType::File, 0o644, Uid(1000), Gid(1000), now, Ino(1));
    file.length = 12_345;
    seed("attr", "file", file.encode())?;
    seed("attr", "oldest", &file.encode()[..63])?;
    file.access_acl = AclId(7);
    seed("attr", "with_acl", file.encode())?;
    file.tier = TierId(2);
    seed("attr", "with_acl_and_tier", file.encode())?;
    let directory = Attr::new(NodeType::Directory, 0o1777, Uid(0), Gid(0), now, Ino(1));
    seed("attr", "directory", directory.encode())?;
    seed(
        "entry",
        "file",
        Entry {
            ino: Ino(9),
            kind: NodeType::File,
        }
        .encode(),
    )
}

fn acls() -> Outcome {
    let entry = |id, permissions| AclEntry { id, permissions };
    let rule = AclRule {
        owner: 7,
        group: 5,
        mask: 7,
        other: 0,
        users: vec![entry(1001, 7), entry(1002, 4)],
        groups: vec![entry(2001, 6)],
    };
    let minimal = AclRule {
        owner: 6,
        group: 4,
        other: 4,
        ..AclRule::default()
    };
    for (name, rule) in [
        ("rich", &rule),
        ("minimal", &minimal),
        ("empty", &AclRule::default()),
    ] {
        seed("acl_rule", name, rule.encode())?;
        seed("acl_attribute", name, rule.encode_xattr())?;
    }
    seed("acl_entries", "two", AclRule::encode_entries(&rule.users))
}

fn lists() -> Outcome {
    let slice = |pos, id, size, off, len| Slice {
        pos,
        id: SliceId(id),
        size,
        off,
        len,
    };
    let overwritten = [
        slice(0, 1, 100, 0, 100),
        slice(50, 2, 100, 10, 20),
        Slice::hole(10, 30),
        slice(90, 3, 4096, 0, 4096),
        slice(0, 4, 64 << 20, 0, 64 << 20),
        slice(5, 5, 3, 1, 2),
    ];
    seed("slices", "overwritten", encode_slices(&overwritten))?;
    let replaced = [
        DelayedSlice {
            id: SliceId(1),
            size: 100,
        },
        DelayedSlice {
            id: SliceId(2),
            size: 64 << 20,
        },
    ];
    seed("delayed_slices", "two", DelayedSlice::encode_all(&replaced))?;
    let lock = |kind, start, end| RecordLock {
        kind,
        pid: 77,
        start,
        end,
    };
    let locks = RecordLocks {
        session: SessionId(1),
        owner: LockOwner(5),
        ranges: vec![
            lock(RecordLockKind::Read, 0, 99),
            lock(RecordLockKind::Write, 100, 199),
            lock(RecordLockKind::Read, 4096, RecordLock::TO_END),
        ],
    };
    seed("record_locks", "three", locks.encode_ranges())
}

/// Commands as JuiceFS 1.4.1 writes them. The target takes the payload first and the number, less 1000, from the end.
fn commands() -> Outcome {
    let command = |name, number: u8, payload: &[u8]| {
        let bytes = [payload, &[number]].concat();
        seed("control_request", name, bytes)
    };
    command("remove", 2, b"\0\0\0\0\0\0\0\x12\x05inner\x01\x32")?;
    command("warm_up", 4, b"\0\0\0\x0b/d/a\n/d/sub\0\x32\0\x02")?;
    command("info", 5, b"\0\0\0\0\0\0\0\x04\x01\0\0")?;
    command(
        "clone",
        6,
        b"\0\0\0\0\0\0\0\x13\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\x05acopy\0\x12\x02\x04",
    )?;
    command("summary", 7, b"\0\0\0\0\0\0\0\x02\x02\x0a\0")?;
    command("compact", 8, b"\0\0\0\0\0\0\0\x02\0\x0a")
}

/// Frames of the agent's protocol: four bytes of length and JSON.
fn agent() -> Outcome {
    let hello = r#"{"message":"hello","protocol":1,"product":"0.1.0"}"#;
    let add = r#"{"message":"ask","id":1,"request":{"request":"volume_add","volume":{"add":"join","settings":
        {"name":"photos","metadata_url":"redis://me@host:6379/1","mount_point":"/home/me/Photos","options":
        {"mount_at_start":true,"cache_size":1073741824}},"secrets":{"metadata_password":"secret"}}}}"#;
    let unmount = r#"{"message":"ask","id":2,"request":{"request":"volume_unmount","id":"7","lazy":false}}"#;
    let volume = r#"{"message":"answer","id":1,"answer":{"answer":"done","response":{"response":"volume","volume":
        {"id":"7","settings":{"name":"photos","metadata_url":"sqlite3:///a.db","mount_point":"M:"},"state":
        {"state":"degraded","reasons":[{"code":"crashed","message":"it ended","advice":"Nothing.","since":7}]},"truth":
        {"truth":"only_here","files":1,"bytes":2,"oldest":null},"figures":{"operations":3}}}}}"#;
    let failed = r#"{"message":"answer","id":2,"answer":{"answer":"failed","problem":{"code":"mount_point_busy","message":
        "in use","cause":"EBUSY","advice":"Close it.","retryable":false}}}"#;
    let changed = r#"{"message":"changed","revision":9,"previous":7,"topics":[{"topic":"volume","id":"7"},
        {"topic":"settings"},{"topic":"of a later version"}]}"#;
    let of_client = [hello, add, unmount].map(frame).concat();
    seed("agent_message", "client", &of_client)?;
    seed("agent_message", "client_cut", &of_client[..of_client.len() - 9])?;
    seed("agent_message", "agent", [hello, volume, failed, changed].map(frame).concat())?;
    seed("agent_message", "too_long", [0xff; 8])
}

fn volume_file() -> Outcome {
    let first = r#"{"moorage_volume":1,"name":"Photos","uuid":"d5f5ec0a-8a16-4a42-8414-92ffede9bddb","metadata_url":"redis://me@host/1",
        "options":{"mount_at_start":true,"read_only":false,"write_back":true,"cache_size":1,"cache_folder":"/c","upload_limit":null,"download_limit":null},
        "needs":{"metadata_password":true,"key_passphrase":false}}"#;
    seed("volume_file", "first", first)?;
    seed("volume_file", "later", r#"{"moorage_volume":2,"place":{}}"#)
}

fn frame(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

fn setting() -> Outcome {
    let tier = |id, class: &str| Tier {
        id,
        storage_class: class.to_owned(),
        tag: String::new(),
    };
    let plain = Setting {
        name: "photos".to_owned(),
        uuid: "d5f5ec0a-8a16-4a42-8414-92ffede9bddb".to_owned(),
        storage: "s3".to_owned(),
        bucket: "https://photos.s3.eu-west-1.amazonaws.com".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        tiers: Some(
            [
                ("0".to_owned(), tier(0, "")),
                ("1".to_owned(), tier(1, "STANDARD_IA")),
            ]
            .into(),
        ),
        block_size: 4096,
        compression: "lz4".to_owned(),
        capacity: 1 << 40,
        trash_days: 1,
        meta_version: 1,
        min_client_version: "1.1.0-A".to_owned(),
        max_client_version: "2.0.0".to_owned(),
        dir_stats: true,
        enable_acl: true,
        upload_limit: 80,
        ..Setting::default()
    };
    seed("setting", "plain", encode_setting(&plain)?)?;
    let sealed = plain.with_sealed_secrets(|| [7; 12])?;
    seed("setting", "sealed", encode_setting(&sealed)?)?;
    let other = Setting {
        encrypt_algo: "sm4gcm".to_owned(),
        shards: 4,
        hash_prefix: true,
        ..plain
    };
    seed(
        "setting",
        "sealed_sm4",
        encode_setting(&other.with_sealed_secrets(|| [7; 12])?)?,
    )
}

/// Values in the form that the target `redis_values` reads: kind, then values; and names of fields, members and keys.
fn redis() -> Outcome {
    let values = |kind: u8, values: &[&[u8]]| {
        let mut bytes = vec![kind];
        for value in values {
            bytes.push(u8::try_from(value.len()).unwrap_or(254));
            bytes.extend_from_slice(value);
        }
        bytes
    };
    seed("redis_values", "counter", values(1, &[b"1024"]))?;
    seed("redis_values", "chunk", values(7, &[&[0; 24]]))?;
    seed("redis_values", "session", values(10, &[b"1.7e9", b"{}"]))?;
    seed("redis_values", "statistics", values(16, &[b"-1", b"4096", b"2"]))?;
    seed("redis_values", "quota", values(17, &[&[0xFF; 16], b"0", b"0"]))?;
    for (name, bytes) in [
        ("lock_owner", "3_00000000000000AB"),
        ("deleted_file", "7:4096"),
        ("slice", "k33_65536"),
        ("delayed", "33_1700000000"),
        ("locks", "lockf7"),
        ("number", "18446744073709551615"),
    ] {
        seed("redis_name", name, bytes)?;
    }
    Ok(())
}

/// Rows in the form that the target `row` reads: table, then columns.
fn rows() -> Outcome {
    let number = |number: i64| [&[1][..], &number.to_be_bytes()].concat();
    let bytes = |bytes: &[u8]| [&[2, bytes.len() as u8][..], bytes].concat();
    let null = vec![0];
    let row = |table: u8, columns: &[Vec<u8>]| [&[table][..], &columns.concat()].concat();
    let node: Vec<Vec<u8>> = [
        2,
        1,
        0,
        0o644,
        1000,
        1000,
        1_700_000_000_000_000,
        1_700_000_001_000_000,
        1_700_000_002_000_000,
        1,
        2,
        3,
        1,
        4096,
        0,
        1,
        0,
        0,
        0,
    ]
    .map(number)
    .into();
    seed("row", "node", row(1, &node))?;
    seed(
        "row",
        "edge",
        row(2, &[number(1), bytes(b"name"), number(2), number(1)]),
    )?;
    let slices = encode_slices(&[Slice {
        pos: 0,
        id: SliceId(1),
        size: 9,
        off: 0,
        len: 9,
    }]);
    seed("row", "chunk", row(5, &[number(2), number(0), bytes(&slices)]))?;
    seed(
        "row",
        "session",
        row(8, &[number(1), number(1_700_000_000), bytes(b"{}")]),
    )?;
    seed(
        "row",
        "file_lock",
        row(12, &[number(2), number(1), number(5), number(b'W'.into())]),
    )?;
    seed(
        "row",
        "owner_quota",
        row(16, &[1, 1000, 0, 0, 4096, 1].map(number)),
    )?;
    let acl = [
        number(1),
        number(6),
        number(4),
        null,
        number(4),
        bytes(&[0, 0, 0, 9, 0, 7]),
        bytes(&[]),
    ];
    seed("row", "acl", row(18, &acl))
}

fn objects() -> Outcome {
    for (name, hashed) in [("plain", false), ("hashed", true)] {
        seed("block_name", name, BLOCK.key(hashed))?;
    }
    for (name, owner) in [("plain", None), ("owned", Some(Ino(9)))] {
        let staged = StagedName {
            number: 31,
            block: BLOCK,
            owner,
        };
        seed("staged_name", name, staged.to_string())?;
    }
    for (name, form) in [("block", Form::Block), ("object", Form::Object)] {
        let mut trailer = Vec::new();
        BlockTrailer {
            block: BLOCK,
            payload: 65_000,
            form,
            tier: TierId(1),
            sums: 77,
        }
        .encode(&mut trailer);
        seed("block_trailer", name, trailer)?;
    }
    let block: Vec<u8> = (0..2000_u32).map(|n| (n * n / 700) as u8).collect();
    for (name, compression) in [("lz4", Compression::Lz4), ("zstd", Compression::Zstd)] {
        let body = compression.encode(block.clone().into())?;
        seed(
            "compressed_block",
            name,
            [&2000_u32.to_le_bytes()[..], &body].concat(),
        )?;
    }
    let (wrapped_key, nonce, sealed) = ([7_u8; 256], [1_u8; 12], [9_u8; 37]);
    let header = [1, 0, 12];
    seed(
        "envelope",
        "rsa_2048",
        [&header[..], &wrapped_key, &nonce, &sealed].concat(),
    )
}

fn addresses() -> Outcome {
    for (name, text) in [
        ("s3", "http://10.0.0.1:9000/photos?disable-checksum=true"),
        ("virtual_host", "https://photos.s3.eu-west-1.amazonaws.com"),
        ("name", "photos"),
        ("sftp", "ann@nas:2222:/volumes/photos/"),
        ("google", "gs://photos"),
        ("ipv6", "http://[::1]:9000/photos"),
    ] {
        seed("bucket_url", name, text)?;
        for storage in ["s3", "gs", "wasb", "oss", "cos", "webdav", "sftp"] {
            seed(
                "bucket_driver",
                &format!("{storage}_{name}"),
                format!("{storage}\n{text}"),
            )?;
        }
    }
    for (name, text) in [
        (
            "sqlite",
            "sqlite3:///home/ann/volume.db?table_prefix=a1&_journal=WAL",
        ),
        ("redis", "redis://:secret@localhost:6379/1?read-timeout=3s"),
        ("mysql", "mysql://ann:secret@(localhost:3306)/volume"),
        (
            "postgres",
            "postgres://ann:secret@localhost:5432/volume?sslmode=disable&search_path=x",
        ),
        ("no_scheme", "ann:secret@localhost"),
    ] {
        seed("metadata_url", name, text)?;
    }
    Ok(())
}
