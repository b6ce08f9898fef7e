//! The form in which Linux passes an ACL as an extended attribute (spec 70-semantics section 12).
//!
//! Version 2, then one 8-byte entry per permission set: tag, permissions, id, all little-endian.

use crate::attr::take;
use crate::{ACL_UNSET, AclEntry, AclKind, AclRule, Error, ErrorKind, Result};

/// Name of the attribute that holds the access ACL.
pub const ACL_ACCESS_XATTR: &[u8] = b"system.posix_acl_access";
/// Name of the attribute that holds the default ACL of a directory.
pub const ACL_DEFAULT_XATTR: &[u8] = b"system.posix_acl_default";

const VERSION: u32 = 2;
const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 8;
/// Id of an entry that names nobody.
const NO_ID: u32 = u32::MAX;
/// The rwx bits.
const ALL_PERMISSIONS: u16 = 7;

const OWNER: u16 = 0x01;
const NAMED_USER: u16 = 0x02;
const GROUP: u16 = 0x04;
const NAMED_GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

impl AclKind {
    /// The name of the attribute that this ACL shows as.
    pub fn xattr_name(self) -> &'static [u8] {
        match self {
            AclKind::Access => ACL_ACCESS_XATTR,
            AclKind::Default => ACL_DEFAULT_XATTR,
        }
    }

    /// The ACL that an attribute name stands for.
    pub fn from_xattr_name(name: &[u8]) -> Option<AclKind> {
        [AclKind::Access, AclKind::Default]
            .into_iter()
            .find(|kind| kind.xattr_name() == name)
    }
}

impl AclRule {
    /// The value of the attribute, in the order that Linux demands: owner, named users, group, named groups, mask,
    /// other. Fields not given are left out.
    pub fn encode_xattr(&self) -> Vec<u8> {
        let entries = 4 + self.users.len() + self.groups.len();
        let mut out = Vec::with_capacity(HEADER_BYTES + ENTRY_BYTES * entries);
        out.extend(VERSION.to_le_bytes());
        let mut push = |tag: u16, permissions: u16, id: u32| {
            out.extend(tag.to_le_bytes());
            out.extend(permissions.to_le_bytes());
            out.extend(id.to_le_bytes());
        };
        let mut push_list = |field_tag: u16, field: u16, named_tag: u16, named: &[AclEntry]| {
            if field != ACL_UNSET {
                push(field_tag, field, NO_ID);
            }
            for entry in named {
                push(named_tag, entry.permissions, entry.id);
            }
        };
        push_list(OWNER, self.owner, NAMED_USER, &self.users);
        push_list(GROUP, self.group, NAMED_GROUP, &self.groups);
        push_list(MASK, self.mask, 0, &[]);
        push_list(OTHER, self.other, 0, &[]);
        out
    }

    /// Reads the value of the attribute. A value without entries is the empty rule, which removes the ACL.
    ///
    /// # Errors
    /// `NotSupported` for another version; `InvalidArgument` for a wrong length, an unknown tag, permissions beyond
    /// rwx, a base entry given twice, or named entries without a mask.
    pub fn decode_xattr(mut bytes: &[u8]) -> Result<AclRule> {
        let input = &mut bytes;
        let version = take::<4>(input)
            .map(u32::from_le_bytes)
            .ok_or_else(|| invalid("it is shorter than its header"))?;
        if version != VERSION {
            return Err(Error::new(
                ErrorKind::NotSupported,
                format!("ACL attribute of version {version}, not {VERSION}"),
            ));
        }
        if !input.len().is_multiple_of(ENTRY_BYTES) {
            return Err(invalid("its length is wrong"));
        }
        let mut rule = AclRule::default();
        while let (Some(tag), Some(permissions), Some(id)) =
            (take::<2>(input), take::<2>(input), take::<4>(input))
        {
            let entry = AclEntry {
                id: u32::from_le_bytes(id),
                permissions: u16::from_le_bytes(permissions),
            };
            rule.add_xattr_entry(u16::from_le_bytes(tag), entry)?;
        }
        let named = !rule.users.is_empty() || !rule.groups.is_empty();
        if named && rule.mask == ACL_UNSET {
            return Err(invalid("it names users or groups but has no mask"));
        }
        Ok(rule)
    }

    fn add_xattr_entry(&mut self, tag: u16, entry: AclEntry) -> Result<()> {
        if entry.permissions > ALL_PERMISSIONS {
            return Err(invalid("permissions are beyond rwx"));
        }
        let field = match tag {
            NAMED_USER | NAMED_GROUP if entry.id == NO_ID => return Err(invalid("a named entry has no id")),
            NAMED_USER => {
                self.users.push(entry);
                return Ok(());
            }
            NAMED_GROUP => {
                self.groups.push(entry);
                return Ok(());
            }
            OWNER => &mut self.owner,
            GROUP => &mut self.group,
            MASK => &mut self.mask,
            OTHER => &mut self.other,
            _ => return Err(invalid("it holds an entry of an unknown kind")),
        };
        if *field != ACL_UNSET {
            return Err(invalid("an entry is given twice"));
        }
        *field = entry.permissions;
        Ok(())
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("ACL attribute: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn entry(id: u32, permissions: u16) -> AclEntry {
        AclEntry { id, permissions }
    }

    /// What `setfacl` passed for the `rich` file of the golden volume `acl`.
    const GOLDEN: &[u8] = &[
        2, 0, 0, 0, //
        1, 0, 7, 0, 255, 255, 255, 255, // owner
        2, 0, 7, 0, 0xE9, 3, 0, 0, // user 1001
        2, 0, 4, 0, 0xEA, 3, 0, 0, // user 1002
        4, 0, 5, 0, 255, 255, 255, 255, // group
        8, 0, 6, 0, 0xD1, 7, 0, 0, // group 2001
        16, 0, 7, 0, 255, 255, 255, 255, // mask
        32, 0, 0, 0, 255, 255, 255, 255, // other
    ];

    fn golden_rule() -> AclRule {
        AclRule {
            owner: 7,
            group: 5,
            mask: 7,
            other: 0,
            users: vec![entry(1001, 7), entry(1002, 4)],
            groups: vec![entry(2001, 6)],
        }
    }

    #[test]
    fn the_attribute_has_the_bytes_that_linux_passes() {
        assert_eq!(golden_rule().encode_xattr(), GOLDEN);
        assert_eq!(AclRule::decode_xattr(GOLDEN).unwrap(), golden_rule());
    }

    #[test]
    fn a_header_alone_is_the_empty_rule() {
        assert!(AclRule::decode_xattr(&[2, 0, 0, 0]).unwrap().is_empty());
    }

    #[test]
    fn malformed_attributes_are_refused_by_kind() {
        let kind = |bytes: &[u8]| AclRule::decode_xattr(bytes).unwrap_err().kind();
        let with_entry = |extra: &[u8]| [GOLDEN, extra].concat();
        assert_eq!(kind(&[]), ErrorKind::InvalidArgument);
        assert_eq!(kind(&[2, 0, 0]), ErrorKind::InvalidArgument);
        assert_eq!(kind(&[1, 0, 0, 0]), ErrorKind::NotSupported);
        assert_eq!(kind(&[2, 0, 0, 0, 1]), ErrorKind::InvalidArgument);
        // A second owner, an unknown tag, permission 8, a user without id, a user without a mask.
        assert_eq!(
            kind(&with_entry(&[1, 0, 7, 0, 255, 255, 255, 255])),
            ErrorKind::InvalidArgument
        );
        assert_eq!(
            kind(&with_entry(&[64, 0, 7, 0, 1, 0, 0, 0])),
            ErrorKind::InvalidArgument
        );
        assert_eq!(
            kind(&with_entry(&[2, 0, 8, 0, 1, 0, 0, 0])),
            ErrorKind::InvalidArgument
        );
        assert_eq!(
            kind(&with_entry(&[2, 0, 7, 0, 255, 255, 255, 255])),
            ErrorKind::InvalidArgument
        );
        assert_eq!(
            kind(&[2, 0, 0, 0, 2, 0, 7, 0, 1, 0, 0, 0]),
            ErrorKind::InvalidArgument
        );
    }

    fn field() -> impl Strategy<Value = u16> {
        prop_oneof![Just(ACL_UNSET), 0..=7_u16]
    }

    fn named() -> impl Strategy<Value = Vec<AclEntry>> {
        vec(
            (0..NO_ID, 0..=7_u16).prop_map(|(id, permissions)| entry(id, permissions)),
            0..5,
        )
    }

    prop_compose! {
        fn rules()(
            owner in field(), group in field(), mask in 0..=7_u16, masked in any::<bool>(), other in field(),
            users in named(), groups in named(),
        ) -> AclRule {
            let mask = if masked || !users.is_empty() || !groups.is_empty() { mask } else { ACL_UNSET };
            AclRule { owner, group, mask, other, users, groups }
        }
    }

    proptest! {
        #[test]
        fn every_rule_survives_both_of_its_forms(rule in rules()) {
            prop_assert_eq!(&AclRule::decode_xattr(&rule.encode_xattr()).unwrap(), &rule);
            prop_assert_eq!(&AclRule::decode(&rule.encode()).unwrap(), &rule);
        }

        #[test]
        fn no_bytes_make_the_decoders_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = AclRule::decode(&bytes);
            let _ = AclRule::decode_entries(&bytes);
            let _ = AclRule::decode_xattr(&bytes);
            let _ = AclRule::decode_xattr(&[&[2, 0, 0, 0], &*bytes].concat());
        }

        #[test]
        fn what_decodes_encodes_to_an_equal_rule(tags in vec((0..0x21_u16, 0..9_u16, 0..3_u32), 0..8)) {
            let mut bytes = VERSION.to_le_bytes().to_vec();
            for (tag, permissions, id) in tags {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(permissions.to_le_bytes());
                bytes.extend(id.to_le_bytes());
            }
            if let Ok(rule) = AclRule::decode_xattr(&bytes) {
                prop_assert_eq!(AclRule::decode_xattr(&rule.encode_xattr()).unwrap(), rule);
            }
        }
    }
}
