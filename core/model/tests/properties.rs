//! Records survive their encoding, decoders survive any bytes, and slices are resolved as a naive painter does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moorage_model::{
    AclEntry, AclId, AclRule, Attr, DelayedSlice, Entry, Flags, Gid, Ino, MAX_FILE_LENGTH, NodeType,
    RecordLocks, Slice, SliceId, TierId, Timestamp, Uid, compare_versions, decode_slices, encode_slices,
    resolve,
};
use proptest::prelude::*;

fn time() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds))
}

fn attributes() -> impl Strategy<Value = Attr> {
    let identity = (any::<u8>(), 1..=7_u8, 0..0o10000_u16, any::<u32>(), any::<u32>());
    let numbers = (any::<u32>(), any::<u64>(), any::<u32>(), any::<u64>());
    let rules = (any::<u32>(), any::<u32>(), any::<u8>());
    (identity, (time(), time(), time()), numbers, rules).prop_map(|(identity, times, numbers, rules)| Attr {
        flags: Flags(identity.0),
        kind: NodeType::from_code(identity.1).unwrap(),
        mode: identity.2,
        uid: Uid(identity.3),
        gid: Gid(identity.4),
        atime: times.0,
        mtime: times.1,
        ctime: times.2,
        nlink: numbers.0,
        length: numbers.1 % MAX_FILE_LENGTH,
        rdev: numbers.2,
        parent: Ino(numbers.3),
        access_acl: AclId(rules.0),
        default_acl: AclId(rules.1),
        tier: TierId(rules.2),
    })
}

/// Window of the naive painter, bytes.
const WINDOW: u32 = 64;

fn slices() -> impl Strategy<Value = Vec<Slice>> {
    let one = (0..5_u64, 0..WINDOW, 0..WINDOW, 0..100_u32).prop_map(|(id, pos, len, off)| {
        let len = len.min(WINDOW - pos);
        Slice {
            pos,
            id: SliceId(id),
            size: off + len,
            off,
            len,
        }
    });
    proptest::collection::vec(one, 0..20)
}

proptest! {
    #[test]
    fn attributes_survive_their_encoding(attr in attributes()) {
        prop_assert_eq!(Attr::decode(&attr.encode()).unwrap(), attr);
    }

    #[test]
    fn rules_survive_their_encoding(
        fields in any::<[u16; 4]>(),
        users in proptest::collection::vec(any::<(u32, u16)>(), 0..5),
        groups in proptest::collection::vec(any::<(u32, u16)>(), 0..5),
    ) {
        let list = |entries: Vec<(u32, u16)>| {
            entries.into_iter().map(|(id, permissions)| AclEntry { id, permissions }).collect::<Vec<_>>()
        };
        let [owner, group, mask, other] = fields;
        let rule = AclRule { owner, group, mask, other, users: list(users), groups: list(groups) };
        prop_assert_eq!(AclRule::decode(&rule.encode()).unwrap(), rule.clone());
        prop_assert_eq!(AclRule::decode_entries(&AclRule::encode_entries(&rule.users)).unwrap(), rule.users);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // Whatever is accepted is encoded again without loss.
        if let Ok(slices) = decode_slices(&bytes) {
            prop_assert_eq!(encode_slices(&slices), bytes.clone());
        }
        if let Ok(slices) = DelayedSlice::decode_all(&bytes) {
            prop_assert_eq!(DelayedSlice::encode_all(&slices), bytes.clone());
        }
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode().to_vec(), bytes.clone());
        }
        if let Ok(rule) = AclRule::decode(&bytes) {
            prop_assert_eq!(rule.encode(), bytes.clone());
        }
        if let Ok(attr) = Attr::decode(&bytes) {
            prop_assert_eq!(Attr::decode(&attr.encode()).unwrap(), attr);
        }
        let _ = RecordLocks::decode_ranges(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = compare_versions(&text, "1.4.1");
    }

    #[test]
    fn resolving_shows_the_last_record_of_every_byte(records in slices()) {
        let mut painted = [None; WINDOW as usize];
        for record in &records {
            for byte in 0..record.len {
                painted[(record.pos + byte) as usize] = Some((record.id, record.off + byte));
            }
        }
        let segments = resolve(&records);
        let mut shown = [None; WINDOW as usize];
        let mut end = 0;
        for segment in &segments {
            prop_assert!(segment.pos >= end && segment.len > 0, "{:?} overlaps or is empty", segment);
            end = segment.pos + segment.len;
            for byte in 0..segment.len {
                shown[(segment.pos + byte) as usize] = Some((segment.id, segment.off + byte));
            }
        }
        prop_assert_eq!(shown, painted);
    }
}
