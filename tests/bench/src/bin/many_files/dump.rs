//! The volume as a JSON dump (spec 80-dump section 1), which every client loads.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// How many files there are, and in how many folders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) files: u64,
    pub(crate) per_folder: u64,
}

/// Bytes of every file, and what it counts.
const LENGTH: u64 = 4096;
/// Seconds of every time, 2026-11-26.
const TIME: u64 = 1_795_694_400;
const NANOSECONDS: u64 = 123_456_789;
const ROOT: u64 = 1;

/// Writes it.
pub(crate) fn write(path: &Path, shape: Shape, objects: &Path) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let folders = shape.files.div_ceil(shape.per_folder);
    let nodes = shape.files + folders;
    let space = nodes * LENGTH;
    let (next_inode, next_chunk) = (nodes + 2, shape.files + 1);
    write!(
        out,
        r#"{{
"Setting": {{"Name":"many-files","UUID":"8546bd0a-17f8-4cb4-ad88-08f361e74b54","Storage":"file","Bucket":"{}/","BlockSize":4096,"Compression":"none","TrashDays":0,"MetaVersion":1,"DirStats":true}},
"Counters": {{"usedSpace":{space},"usedInodes":{nodes},"nextInodes":{next_inode},"nextChunk":{next_chunk},"nextSession":1,"nextTrash":0}},
"Sustained": [],
"DelFiles": [],
"FSTree": {{"attr":{},"entries":{{"#,
        objects.display(),
        attr(ROOT, "directory", 0o755, 2 + folders, 0)
    )?;
    let (mut ino, mut slice, mut left) = (ROOT, 0, shape.files);
    for folder in 0..folders {
        ino += 1;
        let comma = if folder == 0 { "" } else { "," };
        let attr_of_folder = attr(ino, "directory", 0o755, 2, 0);
        write!(
            out,
            "{comma}\n\"folder{folder:06}\":{{\"attr\":{attr_of_folder},\"entries\":{{"
        )?;
        for file in 0..shape.per_folder.min(left) {
            ino += 1;
            slice += 1;
            left -= 1;
            let comma = if file == 0 { "" } else { "," };
            write!(
                out,
                "{comma}\n\"file{file:08}.txt\":{{\"attr\":{},\"chunks\":[{{\"index\":0,\"slices\":[{{\"id\":{slice},\"size\":{LENGTH},\"len\":{LENGTH}}}]}}]}}",
                attr(ino, "regular", 0o644, 1, LENGTH)
            )?;
        }
        out.write_all(b"}}")?;
    }
    out.write_all(b"}}\n}\n")?;
    out.into_inner()?.sync_all()
}

fn attr(ino: u64, kind: &str, mode: u32, nlink: u64, length: u64) -> String {
    format!(
        r#"{{"inode":{ino},"type":"{kind}","mode":{mode},"uid":1000,"gid":1000,"atime":{TIME},"mtime":{TIME},"ctime":{TIME},"atimensec":{NANOSECONDS},"mtimensec":{NANOSECONDS},"ctimensec":{NANOSECONDS},"nlink":{nlink},"length":{length}}}"#
    )
}
