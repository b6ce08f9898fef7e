//! POSIX ACL rules (spec 20-model section 10).

use crate::attr::take;
use crate::{Error, ErrorKind, Result};

/// A permission field that is "not given".
pub const ACL_UNSET: u16 = 0xFFFF;

/// Which ACL of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclKind {
    /// `system.posix_acl_access`.
    Access,
    /// `system.posix_acl_default`, directories only.
    Default,
}

impl AclKind {
    /// The number in a changelog line.
    pub fn code(self) -> u8 {
        match self {
            AclKind::Access => 1,
            AclKind::Default => 2,
        }
    }
}

/// Permissions of a named user or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AclEntry {
    /// uid or gid.
    pub id: u32,
    /// rwx bits.
    pub permissions: u16,
}

/// An ACL: [`ACL_UNSET`] in a field means "not given". List order is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AclRule {
    /// Owner.
    pub owner: u16,
    /// Owning group.
    pub group: u16,
    /// Mask over group and named entries.
    pub mask: u16,
    /// Everybody else.
    pub other: u16,
    /// Named users.
    pub users: Vec<AclEntry>,
    /// Named groups.
    pub groups: Vec<AclEntry>,
}

impl Default for AclRule {
    /// The empty rule.
    fn default() -> Self {
        AclRule {
            owner: ACL_UNSET,
            group: ACL_UNSET,
            mask: ACL_UNSET,
            other: ACL_UNSET,
            users: Vec::new(),
            groups: Vec::new(),
        }
    }
}

impl AclRule {
    /// No named entries and nothing given: "remove the ACL".
    pub fn is_empty(&self) -> bool {
        *self == AclRule::default()
    }

    /// No named entries and no mask: the mode bits say it all.
    pub fn is_minimal(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.mask == ACL_UNSET
    }

    /// The form of Redis, TKV and binary backups.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 6 * (self.users.len() + self.groups.len()));
        for field in [self.owner, self.group, self.mask, self.other] {
            out.extend(field.to_be_bytes());
        }
        for list in [&self.users, &self.groups] {
            out.extend(u32::try_from(list.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(AclRule::encode_entries(list));
        }
        out
    }

    /// Reads the form of Redis, TKV and binary backups.
    ///
    /// # Errors
    /// `Corrupt` when it ends early or has bytes left.
    pub fn decode(mut bytes: &[u8]) -> Result<AclRule> {
        let corrupt = || Error::new(ErrorKind::Corrupt, "ACL rule of the wrong length");
        let input = &mut bytes;
        let mut field = || take::<2>(input).map(u16::from_be_bytes).ok_or_else(corrupt);
        let (owner, group, mask, other) = (field()?, field()?, field()?, field()?);
        let mut list = || {
            let count = take::<4>(input).map(u32::from_be_bytes).ok_or_else(corrupt)?;
            let length = usize::try_from(count)
                .ok()
                .and_then(|n| n.checked_mul(6))
                .ok_or_else(corrupt)?;
            let (head, rest) = input.split_at_checked(length).ok_or_else(corrupt)?;
            *input = rest;
            AclRule::decode_entries(head)
        };
        let (users, groups) = (list()?, list()?);
        if input.is_empty() {
            Ok(AclRule {
                owner,
                group,
                mask,
                other,
                users,
                groups,
            })
        } else {
            Err(corrupt())
        }
    }

    /// A list of named entries as SQL stores it: six bytes each, no count.
    pub fn encode_entries(entries: &[AclEntry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(entries.len() * 6);
        for entry in entries {
            out.extend(entry.id.to_be_bytes());
            out.extend(entry.permissions.to_be_bytes());
        }
        out
    }

    /// Reads a list of named entries as SQL stores it.
    ///
    /// # Errors
    /// `Corrupt` when the length is no multiple of six.
    pub fn decode_entries(mut bytes: &[u8]) -> Result<Vec<AclEntry>> {
        if !bytes.len().is_multiple_of(6) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("ACL entry list of {} bytes", bytes.len()),
            ));
        }
        let input = &mut bytes;
        let mut out = Vec::with_capacity(input.len() / 6);
        while let (Some(id), Some(permissions)) = (take::<4>(input), take::<2>(input)) {
            out.push(AclEntry {
                id: u32::from_be_bytes(id),
                permissions: u16::from_be_bytes(permissions),
            });
        }
        Ok(out)
    }
}
