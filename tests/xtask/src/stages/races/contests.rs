//! What the two clients do, and how it may end.

use std::io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotFound};

use moorage_servers::Kind;

use super::round::{Contest, End};
use super::step::Step::{Create, Link, MakeDirectory, Remove, RemoveDirectory, Rename};

/// Every contest.
pub(super) const CONTESTS: &[Contest] = &[
    Contest {
        claim: "a directory is removed or gets an entry",
        before: &[MakeDirectory("d")],
        steps: [RemoveDirectory("d"), Create("d/f")],
        // It looks for entries in a snapshot that is older than its lock (spec 40-sql section 7).
        peer_never_first: &[Kind::Mysql],
        ends: &[
            End(Ok(()), Err(NotFound), &[]),
            End(Err(DirectoryNotEmpty), Ok(()), &["d", "d/f"]),
        ],
    },
    Contest {
        claim: "an exclusive creation has one winner",
        before: &[],
        steps: [Create("f"), Create("f")],
        peer_never_first: &[],
        ends: &[
            End(Ok(()), Err(AlreadyExists), &["f"]),
            End(Err(AlreadyExists), Ok(()), &["f"]),
        ],
    },
    Contest {
        claim: "a file is renamed once",
        before: &[Create("a")],
        steps: [Rename("a", "b"), Rename("a", "c")],
        peer_never_first: &[],
        ends: &[
            End(Ok(()), Err(NotFound), &["b"]),
            End(Err(NotFound), Ok(()), &["c"]),
        ],
    },
    Contest {
        claim: "of two files that are renamed to one name one is left",
        before: &[Create("a"), Create("b")],
        steps: [Rename("a", "c"), Rename("b", "c")],
        peer_never_first: &[],
        ends: &[End(Ok(()), Ok(()), &["c"])],
    },
    Contest {
        claim: "a file is renamed or removed",
        before: &[Create("a")],
        steps: [Remove("a"), Rename("a", "b")],
        // It looks the name up before it locks the node, and removes the node whatever name that has by then (observed).
        peer_never_first: &[Kind::Mysql, Kind::Postgres],
        ends: &[
            End(Ok(()), Err(NotFound), &[]),
            End(Err(NotFound), Ok(()), &["b"]),
        ],
    },
    Contest {
        claim: "a file is removed before or after another takes its name",
        before: &[Create("a"), Create("b")],
        steps: [Remove("b"), Rename("a", "b")],
        peer_never_first: &[],
        ends: &[End(Ok(()), Ok(()), &[]), End(Ok(()), Ok(()), &["b"])],
    },
    Contest {
        claim: "a file is linked before its last name goes, or not at all",
        before: &[Create("a")],
        steps: [Remove("a"), Link("a", "b")],
        peer_never_first: &[],
        ends: &[End(Ok(()), Err(NotFound), &[]), End(Ok(()), Ok(()), &["b"])],
    },
];
