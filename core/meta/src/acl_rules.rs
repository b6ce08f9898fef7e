//! What ACL rules do to modes and to each other (spec 70-semantics section 12). Pure functions.

use moorage_model::{ACL_UNSET, AclRule};

/// Permission bits of the owner in a mode.
fn owner_bits(mode: u16) -> u16 {
    mode >> 6 & 7
}

/// Permission bits of the group in a mode; those of the mask when the node has an ACL.
fn group_bits(mode: u16) -> u16 {
    mode >> 3 & 7
}

/// Permission bits of everybody else in a mode.
fn other_bits(mode: u16) -> u16 {
    mode & 7
}

/// The mode with its nine permission bits replaced.
fn with_bits(mode: u16, owner: u16, group: u16, other: u16) -> u16 {
    mode & 0o7000 | (owner & 7) << 6 | (group & 7) << 3 | other & 7
}

/// The mode that a rule gives: owner, mask (the group without one), other; fields not given leave theirs.
pub(crate) fn mode_of(rule: &AclRule, mode: u16) -> u16 {
    let given = |field: u16, else_bits: u16| if field == ACL_UNSET { else_bits } else { field };
    let group = given(rule.mask, given(rule.group, group_bits(mode)));
    with_bits(
        mode,
        given(rule.owner, owner_bits(mode)),
        group,
        given(rule.other, other_bits(mode)),
    )
}

/// The rule with owner, group and other that were not given filled from the mode.
pub(crate) fn filled_from(mut rule: AclRule, mode: u16) -> AclRule {
    let fields = [
        (&mut rule.owner, owner_bits(mode)),
        (&mut rule.group, group_bits(mode)),
        (&mut rule.other, other_bits(mode)),
    ];
    for (field, bits) in fields {
        if *field == ACL_UNSET {
            *field = bits;
        }
    }
    rule
}

/// The access rule after a chmod: owner, other, and the mask (the group without one) follow the mode.
pub(crate) fn after_chmod(rule: &AclRule, mode: u16) -> AclRule {
    let mut changed = rule.clone();
    changed.owner = owner_bits(mode);
    changed.other = other_bits(mode);
    if changed.mask == ACL_UNSET {
        changed.group = group_bits(mode);
    } else {
        changed.mask = group_bits(mode);
    }
    changed
}

/// What a new node gets from the default rule of its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inherited {
    /// Mode of the node; the umask plays no part.
    pub(crate) mode: u16,
    /// Its access rule; `None` when the mode says it all.
    pub(crate) access: Option<AclRule>,
}

/// The mode and access rule of a node made with `mode` below a directory with this default rule.
pub(crate) fn inherited(default: &AclRule, mode: u16) -> Inherited {
    if default.is_minimal() {
        let bits = with_bits(0o7777, default.owner, default.group, default.other);
        return Inherited {
            mode: mode & bits,
            access: None,
        };
    }
    let mut child = default.clone();
    child.owner = owner_bits(mode) & default.owner;
    child.mask = group_bits(mode) & default.mask;
    child.other = other_bits(mode) & default.other;
    Inherited {
        mode: mode_of(&child, mode),
        access: Some(child),
    }
}

#[cfg(test)]
mod tests {
    use moorage_model::AclEntry;

    use super::*;

    fn rule(owner: u16, group: u16, mask: u16, other: u16, users: &[(u32, u16)]) -> AclRule {
        let users = users
            .iter()
            .map(|(id, permissions)| AclEntry {
                id: *id,
                permissions: *permissions,
            })
            .collect();
        AclRule {
            owner,
            group,
            mask,
            other,
            users,
            groups: Vec::new(),
        }
    }

    #[test]
    fn a_minimal_default_rule_only_masks_the_mode() {
        let got = inherited(&rule(7, 5, ACL_UNSET, 0, &[]), 0o2666);
        assert_eq!(
            got,
            Inherited {
                mode: 0o2640,
                access: None
            }
        );
    }

    #[test]
    fn a_default_rule_with_named_users_makes_a_child_rule_whose_mask_is_the_group_of_the_mode() {
        let got = inherited(&rule(7, 5, 7, 5, &[(1001, 7)]), 0o640);
        assert_eq!(got.mode, 0o640);
        assert_eq!(got.access, Some(rule(6, 5, 4, 0, &[(1001, 7)])));
    }

    #[test]
    fn chmod_changes_the_mask_when_there_is_one_and_the_group_otherwise() {
        assert_eq!(
            after_chmod(&rule(7, 5, 7, 5, &[(1, 7)]), 0o640),
            rule(6, 5, 4, 0, &[(1, 7)])
        );
        assert_eq!(
            after_chmod(&rule(7, 5, ACL_UNSET, 5, &[]), 0o640),
            rule(6, 4, ACL_UNSET, 0, &[])
        );
    }

    #[test]
    fn fields_not_given_come_from_the_mode() {
        let unset = rule(ACL_UNSET, ACL_UNSET, 5, ACL_UNSET, &[(1, 7)]);
        assert_eq!(filled_from(unset, 0o751), rule(7, 5, 5, 1, &[(1, 7)]));
    }
}
