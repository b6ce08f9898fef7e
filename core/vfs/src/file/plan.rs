//! Which bytes of a chunk come from where.

use std::sync::Arc;

use moorage_model::{ChunkIndex, Segment, SliceId};

use super::pending::{Pending, PendingSlice};

/// Where some bytes are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Nothing was written there.
    Zeros,
    /// In a committed slice.
    Stored {
        /// The slice.
        id: SliceId,
        /// Its full length.
        size: u32,
        /// First byte inside it.
        off: u32,
    },
    /// In a slice that has no record yet.
    Pending {
        /// The slice.
        slice: Arc<PendingSlice>,
        /// First byte inside it.
        off: u32,
    },
}

/// A run of bytes from one source.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Offset inside the chunk.
    pub(super) pos: u32,
    /// Bytes.
    pub(super) len: u32,
    /// Where they are.
    pub(super) source: Source,
}

/// The pieces of a range, in order and without gaps. One piece costs no allocation.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// The whole range in one piece.
    One(Piece),
    /// Several.
    Many(Vec<Piece>),
}

impl Plan {
    /// The pieces by position.
    pub(super) fn pieces(&self) -> &[Piece] {
        match self {
            Plan::One(piece) => std::slice::from_ref(piece),
            Plan::Many(pieces) => pieces,
        }
    }
}

/// Plans `pos..end` of a chunk: committed segments below, pending slices over them in the order they were begun.
pub(super) fn plan<'a>(
    segments: &[Segment],
    pending: impl Iterator<Item = &'a Pending>,
    chunk: ChunkIndex,
    (pos, end): (u32, u32),
) -> Plan {
    let mut base = committed(segments, pos, end);
    for pending in pending {
        let Some((first, last, off)) = pending.within(chunk) else {
            continue;
        };
        let (from, to) = (first.max(pos), last.min(end));
        if from < to {
            let source = Source::Pending {
                slice: Arc::clone(&pending.slice),
                off: off + (from - first),
            };
            base = Plan::Many(painted(base.pieces(), from, to, source));
        }
    }
    base
}

fn committed(segments: &[Segment], pos: u32, end: u32) -> Plan {
    let first = segments.partition_point(|segment| segment.pos.saturating_add(segment.len) <= pos);
    let mut pieces = Vec::new();
    let mut at = pos;
    for segment in segments.iter().skip(first) {
        if at >= end || segment.pos >= end {
            break;
        }
        if segment.pos > at {
            pieces.push(zeros(at, segment.pos - at));
            at = segment.pos;
        }
        let stop = segment.pos.saturating_add(segment.len).min(end);
        let piece = Piece {
            pos: at,
            len: stop - at,
            source: match segment.id {
                SliceId::HOLE => Source::Zeros,
                id => Source::Stored {
                    id,
                    size: segment.size,
                    off: segment.off.saturating_add(at - segment.pos),
                },
            },
        };
        if at == pos && stop == end {
            return Plan::One(piece);
        }
        pieces.push(piece);
        at = stop;
    }
    if at == pos {
        return Plan::One(zeros(pos, end - pos));
    }
    if at < end {
        pieces.push(zeros(at, end - at));
    }
    Plan::Many(pieces)
}

fn zeros(pos: u32, len: u32) -> Piece {
    Piece {
        pos,
        len,
        source: Source::Zeros,
    }
}

/// The pieces with `from..to` replaced.
fn painted(pieces: &[Piece], from: u32, to: u32, source: Source) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len() + 2);
    for piece in pieces.iter().filter(|piece| piece.pos < from) {
        let len = piece.len.min(from - piece.pos);
        out.push(Piece { len, ..piece.clone() });
    }
    out.push(Piece {
        pos: from,
        len: to - from,
        source,
    });
    for piece in pieces
        .iter()
        .filter(|piece| piece.pos.saturating_add(piece.len) > to)
    {
        let cut = to.saturating_sub(piece.pos);
        let source = match &piece.source {
            Source::Stored { id, size, off } => Source::Stored {
                id: *id,
                size: *size,
                off: off.saturating_add(cut),
            },
            Source::Pending { slice, off } => Source::Pending {
                slice: Arc::clone(slice),
                off: off.saturating_add(cut),
            },
            Source::Zeros => Source::Zeros,
        };
        out.push(Piece {
            pos: piece.pos + cut,
            len: piece.len - cut,
            source,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(pos: u32, len: u32, id: u64) -> Segment {
        Segment {
            pos,
            id: SliceId(id),
            size: len,
            off: 0,
            len,
        }
    }

    fn describe(plan: &Plan) -> Vec<(u32, u32, u64, u32)> {
        let each = plan.pieces().iter().map(|piece| match piece.source {
            Source::Zeros => (piece.pos, piece.len, 0, 0),
            Source::Stored { id, off, .. } => (piece.pos, piece.len, id.0, off),
            Source::Pending { ref slice, off } => (piece.pos, piece.len, slice.id.0, off),
        });
        each.collect()
    }

    #[test]
    fn gaps_between_segments_are_planned_as_zeros() {
        let segments = [segment(10, 10, 1), segment(30, 10, 2)];
        let found = plan(&segments, std::iter::empty(), ChunkIndex(0), (5, 50));
        assert_eq!(
            describe(&found),
            [
                (5, 5, 0, 0),
                (10, 10, 1, 0),
                (20, 10, 0, 0),
                (30, 10, 2, 0),
                (40, 10, 0, 0)
            ]
        );
    }

    #[test]
    fn a_range_inside_one_segment_is_one_piece() {
        let found = plan(&[segment(10, 10, 1)], std::iter::empty(), ChunkIndex(0), (12, 15));
        assert!(matches!(found, Plan::One(_)));
        assert_eq!(describe(&found), [(12, 3, 1, 2)]);
    }

    #[test]
    fn painting_in_the_middle_keeps_offsets_of_the_rest() {
        let base = committed(&[segment(0, 100, 1)], 0, 100);
        let found = Plan::Many(painted(base.pieces(), 20, 50, Source::Zeros));
        assert_eq!(describe(&found), [(0, 20, 1, 0), (20, 30, 0, 0), (50, 50, 1, 50)]);
    }
}
