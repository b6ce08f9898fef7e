//! Kinds of segments, and the frame around them.

/// What a segment holds; the numbers are those of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub(in crate::dump) enum Segment {
    Format = 1,
    Counter = 2,
    Node = 3,
    Edge = 4,
    Chunk = 5,
    SliceRef = 6,
    Symlink = 7,
    Sustained = 8,
    DelFile = 9,
    Xattr = 10,
    Acl = 11,
    Stat = 12,
    Quota = 13,
    Parent = 14,
    ChangeLog = 15,
}

impl Segment {
    /// Stands in place of a kind behind the last segment, and in the footer.
    pub(in crate::dump) const END: u32 = 0x0074_7083;
    /// The version of the format.
    pub(in crate::dump) const VERSION: u32 = 1;

    const ALL: [Segment; 15] = [
        Segment::Format,
        Segment::Counter,
        Segment::Node,
        Segment::Edge,
        Segment::Chunk,
        Segment::SliceRef,
        Segment::Symlink,
        Segment::Sustained,
        Segment::DelFile,
        Segment::Xattr,
        Segment::Acl,
        Segment::Stat,
        Segment::Quota,
        Segment::Parent,
        Segment::ChangeLog,
    ];

    /// The number in front of a segment.
    pub(in crate::dump) fn code(self) -> u32 {
        self as u32
    }

    /// The reverse of [`Segment::code`].
    pub(in crate::dump) fn from_code(code: u32) -> Option<Segment> {
        Segment::ALL.into_iter().find(|segment| segment.code() == code)
    }

    /// Its name in the footer.
    pub(in crate::dump) fn name(self) -> &'static str {
        match self {
            Segment::Format => "format",
            Segment::Counter => "counter",
            Segment::Node => "node",
            Segment::Edge => "edge",
            Segment::Chunk => "chunk",
            Segment::SliceRef => "sliceRef",
            Segment::Symlink => "symlink",
            Segment::Sustained => "sustained",
            Segment::DelFile => "delFile",
            Segment::Xattr => "xattr",
            Segment::Acl => "acl",
            Segment::Stat => "stat",
            Segment::Quota => "quota",
            Segment::Parent => "parent",
            Segment::ChangeLog => "changeLog",
        }
    }
}
