//! Random operations. Numbers choose among what exists when the operation runs.

use proptest::prelude::*;

use super::reference::Rename;

/// Names that entries get; few, so that operations meet each other.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) directory: usize,
    pub(super) name: &'static str,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Create(At, u16),
    MakeDirectory(At, u16),
    Symlink(At),
    Link(usize, At),
    Unlink(At),
    RemoveDirectory(At),
    Rename(At, At, Rename),
    Write(usize, u64, u32),
    Truncate(usize, u64),
    Punch(usize, u64, u64),
    Copy((usize, u64), (usize, u64), u64),
    SetMode(usize, u16),
    Open(usize),
    Close(usize),
    Compact(usize),
    Flush,
    Barrier,
    PowerCut,
}

/// An action by one of two clients.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) client: usize,
    pub(super) action: Action,
}

fn at() -> impl Strategy<Value = At> {
    (0..8_usize, 0..NAMES.len()).prop_map(|(directory, name)| At {
        directory,
        name: NAMES[name],
    })
}

/// Offsets at the beginning of a file and around the border of its first two chunks.
fn offset() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..200_u64, 1 => (1_u64 << 26) - 100..(1_u64 << 26) + 100]
}

fn action(power_cuts: bool) -> impl Strategy<Value = Action> {
    let index = || 0..16_usize;
    let mode = || (0..0o1000_u16).prop_map(|mode| mode | 0o600);
    let how = prop_oneof![
        4 => Just(Rename::Replace),
        1 => Just(Rename::NoReplace),
        2 => Just(Rename::Exchange)
    ];
    prop_oneof![
        8 => (at(), mode()).prop_map(|(at, mode)| Action::Create(at, mode)),
        6 => (at(), mode()).prop_map(|(at, mode)| Action::MakeDirectory(at, mode)),
        1 => at().prop_map(Action::Symlink),
        3 => (index(), at()).prop_map(|(node, at)| Action::Link(node, at)),
        5 => at().prop_map(Action::Unlink),
        3 => at().prop_map(Action::RemoveDirectory),
        8 => (at(), at(), how).prop_map(|(from, to, how)| Action::Rename(from, to, how)),
        8 => (index(), offset(), 1..90_u32).prop_map(|(file, offset, len)| Action::Write(file, offset, len)),
        3 => (index(), offset()).prop_map(|(file, length)| Action::Truncate(file, length)),
        2 => (index(), offset(), 1..90_u64).prop_map(|(file, offset, len)| Action::Punch(file, offset, len)),
        3 => ((index(), offset()), (index(), offset()), 1..150_u64)
            .prop_map(|(from, to, len)| Action::Copy(from, to, len)),
        2 => (index(), mode()).prop_map(|(node, mode)| Action::SetMode(node, mode)),
        3 => index().prop_map(Action::Open),
        3 => index().prop_map(Action::Close),
        2 => index().prop_map(Action::Compact),
        2 => Just(Action::Flush),
        1 => Just(Action::Barrier),
        1 => Just(if power_cuts { Action::PowerCut } else { Action::Flush }),
    ]
}

/// A sequence of operations.
pub(super) fn operations(longest: usize, power_cuts: bool) -> impl Strategy<Value = Vec<Operation>> {
    let operation =
        (0..2_usize, action(power_cuts)).prop_map(|(client, action)| Operation { client, action });
    proptest::collection::vec(operation, 1..longest)
}
