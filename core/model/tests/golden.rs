//! The bytes of every record, from the vectors of the format's description (spec 20-model and 10-setting).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moorage_model::{
    ACL_UNSET, AclEntry, AclId, AclRule, Attr, CHUNK_SIZE, DelayedSlice, Entry, ErrorKind, FileLockKind,
    Flags, Gid, Ino, LockOwner, Name, NodeType, RecordLock, RecordLockKind, RecordLocks, SessionId, Slice,
    SliceId, TierId, Timestamp, Uid, align4k, compare_versions, decode_slices, encode_slices, resolve,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16));
    pairs.collect::<Result<_, _>>().unwrap()
}

fn attributes() -> Attr {
    Attr {
        flags: Flags(0),
        kind: NodeType::File,
        mode: 0o644,
        uid: Uid(1000),
        gid: Gid(1000),
        atime: Timestamp::new(1_700_000_000, 123_456_789),
        mtime: Timestamp::new(1_700_000_001, 500_000_000),
        ctime: Timestamp::new(1_700_000_002, 1),
        nlink: 1,
        length: 12_345,
        rdev: 0,
        parent: Ino(1),
        access_acl: AclId(0),
        default_acl: AclId(0),
        tier: TierId(0),
    }
}

/// Up to and including the parent.
const COMMON: &str = "0011a4000003e8000003e8000000006553f100075bcd15000000006553f1011dcd6500000000006553f10200000001\
                      00000001000000000000303900000000 0000000000000001";

#[test]
fn attributes_have_the_bytes_of_the_format() {
    let plain = attributes();
    let acl = Attr {
        access_acl: AclId(7),
        ..attributes()
    };
    let tier = Attr {
        tier: TierId(2),
        ..attributes()
    };
    let both = Attr {
        access_acl: AclId(7),
        default_acl: AclId(9),
        tier: TierId(2),
        ..attributes()
    };
    for (attr, tail, length) in [
        (plain, "00", 72),
        (tier, "0200", 73),
        (acl, "00000007 00000000 00", 80),
        (both, "00000007 00000009 02 00", 81),
    ] {
        let expected = bytes(&format!("{COMMON}{tail}"));
        assert_eq!((attr.encode(), expected.len()), (expected.clone(), length));
        assert_eq!(Attr::decode(&expected).unwrap(), attr);
    }
}

#[test]
fn attributes_of_old_releases_are_read() {
    let whole = bytes(COMMON);
    assert_eq!(
        Attr::decode(&whole).unwrap(),
        attributes(),
        "without the pad byte"
    );
    let (orphan, _) = whole.split_at(63);
    let expected = Attr {
        parent: Ino::NONE,
        ..attributes()
    };
    assert_eq!(Attr::decode(orphan).unwrap(), expected, "without a parent");
    for length in 0..63 {
        let (short, _) = whole.split_at(length);
        assert_eq!(
            Attr::decode(short).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{length} bytes"
        );
    }
}

#[test]
fn unknown_types_are_damage_and_unknown_flags_are_kept() {
    for code in [0, 8, 15] {
        assert_eq!(NodeType::from_code(code).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    for code in 1..=7 {
        assert_eq!(NodeType::from_code(code).unwrap().code(), code);
    }
    let flagged = Attr {
        flags: Flags(0xC1),
        ..attributes()
    };
    assert_eq!(Attr::decode(&flagged.encode()).unwrap().flags, Flags(0xC1));
}

#[test]
fn entries_have_nine_bytes() {
    let entry = Entry {
        kind: NodeType::Directory,
        ino: Ino(1025),
    };
    assert_eq!(entry.encode().as_slice(), bytes("020000000000000401"));
    assert_eq!(Entry::decode(&entry.encode()).unwrap(), entry);
    for damaged in [
        "",
        "02",
        "0200000000000004",
        "02000000000000040100",
        "000000000000000401",
    ] {
        assert_eq!(
            Entry::decode(&bytes(damaged)).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{damaged}"
        );
    }
}

#[test]
fn names_are_bytes_without_slash_and_nul() {
    assert!(Name::new(b"\xFF\xFE").is_ok());
    assert!(Name::new(&[b'x'; 255]).is_ok());
    assert_eq!(
        Name::new(&[b'x'; 256]).unwrap_err().kind(),
        ErrorKind::NameTooLong
    );
    for bad in [&b""[..], b"a/b", b"a\0b"] {
        assert_eq!(Name::new(bad).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn slices_have_the_bytes_of_the_format() {
    let slice = Slice {
        pos: 4096,
        id: SliceId(0x1234),
        size: 131_072,
        off: 512,
        len: 8192,
    };
    let hole = Slice::hole(100, 1000);
    let (first, second) = (
        "000010000000000000001234000200000000020000002000",
        "0000006400000000000000000000000000000000000003e8",
    );
    assert_eq!(slice.encode().as_slice(), bytes(first));
    assert_eq!(hole.encode().as_slice(), bytes(second));
    let list = bytes(&format!("{first}{second}"));
    assert_eq!(encode_slices(&[slice, hole]), list);
    assert_eq!(decode_slices(&list).unwrap(), [slice, hole]);
    assert_eq!(decode_slices(&[]).unwrap(), []);
}

#[test]
fn slices_outside_of_their_chunk_or_slice_are_damage() {
    let inside = Slice {
        pos: 0,
        id: SliceId(1),
        size: 10,
        off: 0,
        len: 10,
    };
    let end = u32::try_from(CHUNK_SIZE).unwrap();
    let cases = [
        Slice { pos: end, ..inside },
        Slice { off: 1, ..inside },
        Slice { len: 11, ..inside },
    ];
    for slice in cases {
        assert_eq!(
            decode_slices(&slice.encode()).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{slice:?}"
        );
    }
    for length in [1, 23, 25, 47] {
        assert_eq!(
            decode_slices(&vec![0; length]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{length} bytes"
        );
    }
    // Of a hole only place and length count.
    let hole = Slice {
        off: 77,
        ..Slice::hole(0, end)
    };
    assert_eq!(decode_slices(&hole.encode()).unwrap(), [hole]);
}

#[test]
fn later_records_cover_earlier_ones() {
    let slice = |id, pos, len| Slice {
        pos,
        id: SliceId(id),
        size: 1000,
        off: 0,
        len,
    };
    let shown = resolve(&[
        slice(1, 0, 100),
        slice(2, 40, 20),
        Slice::hole(90, 20),
        slice(3, 200, 10),
    ]);
    let shown: Vec<_> = shown.iter().map(|s| (s.pos, s.id.0, s.off, s.len)).collect();
    assert_eq!(
        shown,
        [
            (0, 1, 0, 40),
            (40, 2, 0, 20),
            (60, 1, 60, 30),
            (90, 0, 0, 20),
            (200, 3, 0, 10)
        ]
    );
    assert_eq!(resolve(&[]), []);
}

#[test]
fn replaced_slices_have_twelve_bytes_each() {
    let slices = [
        DelayedSlice {
            id: SliceId(0x1234),
            size: 131_072,
        },
        DelayedSlice {
            id: SliceId(1),
            size: 5,
        },
    ];
    let expected = bytes("0000000000001234 00020000 0000000000000001 00000005");
    assert_eq!(DelayedSlice::encode_all(&slices), expected);
    assert_eq!(DelayedSlice::decode_all(&expected).unwrap(), slices);
    for length in [0, 1, 11, 13] {
        assert_eq!(
            DelayedSlice::decode_all(&vec![0; length]).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
}

#[test]
fn locks_have_the_bytes_of_the_format() {
    let locks = RecordLocks {
        session: SessionId(1),
        owner: LockOwner(1),
        ranges: vec![RecordLock {
            kind: RecordLockKind::Write,
            pid: 4321,
            start: 0,
            end: 99,
        }],
    };
    let expected = bytes("00000001000010e100000000000000000000000000000063");
    assert_eq!(locks.encode_ranges(), expected);
    assert_eq!(RecordLocks::decode_ranges(&expected).unwrap(), locks.ranges);
    assert_eq!(
        RecordLocks::decode_ranges(&bytes("00")).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(
        (FileLockKind::Shared.letter(), FileLockKind::Exclusive.letter()),
        (0x52, 0x57)
    );
    assert_eq!(
        FileLockKind::from_letter(b'X').unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[test]
fn acl_rules_have_the_bytes_of_the_format() {
    let rule = AclRule {
        owner: 6,
        group: 4,
        mask: 7,
        other: 4,
        users: vec![AclEntry {
            id: 1001,
            permissions: 7,
        }],
        groups: vec![AclEntry {
            id: 100,
            permissions: 5,
        }],
    };
    let expected = bytes("000600040007000400000001000003e9000700000001000000640005");
    assert_eq!(rule.encode(), expected);
    assert_eq!(AclRule::decode(&expected).unwrap(), rule);
    assert_eq!(AclRule::encode_entries(&rule.users), bytes("000003e90007"));
    assert_eq!(
        AclRule::decode_entries(&bytes("000003e90007")).unwrap(),
        rule.users
    );
    let empty = AclRule::default();
    assert_eq!(empty.encode(), bytes("ffffffffffffffff 00000000 00000000"));
    assert!(empty.is_empty() && empty.is_minimal() && empty.owner == ACL_UNSET);
    for length in 0..expected.len() {
        let (short, _) = expected.split_at(length);
        assert_eq!(
            AclRule::decode(short).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{length} bytes"
        );
    }
    // A count that no memory could hold.
    let huge = bytes("0006000400070004 ffffffff");
    assert_eq!(AclRule::decode(&huge).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn times_keep_their_nanoseconds_and_are_clamped_for_sql() {
    assert_eq!(
        Timestamp::new(1_700_000_000, 123_456_789).clamped_nanos(),
        1_700_000_000_123_456_789
    );
    assert_eq!(Timestamp::new(10_413_792_000, 0).clamped_nanos(), i64::MAX);
    assert_eq!(Timestamp::new(i64::MIN, 0).clamped_nanos(), i64::MIN);
}

#[test]
fn space_is_counted_in_units_of_4096_and_at_least_one() {
    let counted = [0, 1, 4096, 4097, 1 << 40].map(align4k);
    assert_eq!(counted, [4096, 4096, 4096, 8192, 1 << 40]);
}

#[test]
fn versions_compare_as_the_gates_do() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    for (a, b, expected) in [
        ("1.4.1", "1.4.1", Equal),
        ("1.4.1+2026-07-30.0b90c7d", "1.4.1", Equal),
        ("1.4", "1.4.0", Equal),
        ("1.10.0", "1.9.9", Greater),
        ("1.4.0-beta1", "1.4.0", Less),
        ("1.1.0-A", "1.1.0-alpha", Less),
        ("1.1.0-A", "1.0.9", Greater),
        ("1.1.0-dev", "1.1.0-A", Greater),
    ] {
        assert_eq!(compare_versions(a, b), expected, "{a} against {b}");
        assert_eq!(compare_versions(b, a), expected.reverse(), "{b} against {a}");
    }
}
