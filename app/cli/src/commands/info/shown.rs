//! What `info` shows of a node, as JSON and as text.

use std::collections::HashSet;

use moorage_chunk::BlockId;
use moorage_meta::MAX_PATH_DEPTH;
use moorage_meta::admin::{MAX_INFO_SLICES, NodeInfo};
use moorage_model::{Attr, ChunkIndex, NodeType, Setting, Slice};
use moorage_vfs::volume_check::{ObjectPiece, file_objects};
use serde::Serialize;

use crate::noun::{PATHS, agree};
use crate::output;
use crate::{size, target};

/// Objects or slices in the text of one file; JSON has all that the library gives.
const SHOWN_ROWS: usize = 100;

#[derive(Serialize)]
pub(super) struct Info {
    inode: u64,
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    links: u32,
    paths: Vec<String>,
    deeper_paths: usize,
    files: u64,
    dirs: u64,
    length: u64,
    size: u64,
    objects: Vec<Object>,
    slices: Vec<SliceRow>,
    /// There are more slices than the answer holds.
    truncated: bool,
    /// Blocks of those shown that are not in the object store yet.
    staged_blocks: u64,
    /// Their bytes before compression.
    staged_bytes: u64,
    /// Bytes that a mount on this computer staged, and that were deleted before they were uploaded.
    lost_bytes: u64,
}

#[derive(Serialize)]
struct Object {
    chunk: u32,
    object: String,
    size: u32,
    off: u32,
    length: u32,
    /// Only this computer has it so far.
    staged: bool,
}

#[derive(Serialize)]
struct SliceRow {
    chunk: u32,
    id: u64,
    pos: u32,
    size: u32,
    off: u32,
    len: u32,
}

fn kind(attr: &Attr) -> &'static str {
    match attr.kind {
        NodeType::File => "file",
        NodeType::Directory => "directory",
        NodeType::Symlink => "symlink",
        NodeType::Fifo => "fifo",
        NodeType::BlockDevice => "block device",
        NodeType::CharDevice => "character device",
        NodeType::Socket => "socket",
    }
}

/// The objects that show the content, holes left out.
fn objects(pieces: &[ObjectPiece], setting: &Setting, staged: &HashSet<BlockId>) -> Vec<Object> {
    let object = |piece: &ObjectPiece| {
        let block = piece.block?;
        Some(Object {
            chunk: piece.chunk.0,
            object: format!("{}/{}", setting.name, block.key(setting.hash_prefix)),
            size: piece.size,
            off: piece.off,
            length: piece.len,
            staged: staged.contains(&block),
        })
    };
    pieces.iter().filter_map(object).collect()
}

fn slices(info: &NodeInfo) -> Vec<SliceRow> {
    let of_chunk = |(chunk, list): &(ChunkIndex, Vec<Slice>)| {
        let chunk = chunk.0;
        let row = move |slice: &Slice| SliceRow {
            chunk,
            id: slice.id.0,
            pos: slice.pos,
            size: slice.size,
            off: slice.off,
            len: slice.len,
        };
        list.iter().map(row).collect::<Vec<_>>()
    };
    info.chunks.iter().flat_map(of_chunk).collect()
}

impl Info {
    /// What is shown of a node, with `raw` its slices instead of its objects. `staged` are the blocks that only this
    /// computer has.
    pub(super) fn new(info: &NodeInfo, setting: &Setting, raw: bool, staged: &HashSet<BlockId>) -> Info {
        let pieces = file_objects(info, setting);
        let waiting: HashSet<BlockId> = pieces
            .iter()
            .filter_map(|piece| piece.block)
            .filter(|block| staged.contains(block))
            .collect();
        let (objects, slices) = if raw {
            (Vec::new(), slices(info))
        } else {
            (objects(&pieces, setting, staged), Vec::new())
        };
        Info {
            inode: info.ino.0,
            kind: kind(&info.attr),
            mode: format!("{:04o}", info.attr.mode),
            uid: info.attr.uid.0,
            gid: info.attr.gid.0,
            links: info.attr.nlink,
            paths: info.paths.iter().map(|path| target::shown(path)).collect(),
            deeper_paths: info.deeper_paths,
            files: info.usage.files,
            dirs: info.usage.directories,
            length: info.usage.length,
            size: info.usage.space,
            objects,
            slices,
            truncated: info.truncated,
            staged_blocks: waiting.len() as u64,
            staged_bytes: waiting.iter().map(|block| u64::from(block.len)).sum(),
            lost_bytes: 0,
        }
    }

    /// With the bytes that a mount knows to be lost.
    pub(super) fn with_lost(self, lost_bytes: u64) -> Info {
        Info { lost_bytes, ..self }
    }

    fn paths_text(&self) -> String {
        let mut lines: Vec<String> = self.paths.iter().map(|path| output::plain(path)).collect();
        let deeper = self.deeper_paths as u64;
        if deeper > 0 {
            lines.push(format!(
                "{} through more than {MAX_PATH_DEPTH} folders, not shown",
                PATHS.count(deeper)
            ));
        }
        lines.join("\n")
    }

    pub(super) fn text(&self) -> String {
        let mut fields = vec![
            ("Inode", self.inode.to_string()),
            (
                "Kind",
                format!(
                    "{}, mode {}, owner {}:{}",
                    self.kind, self.mode, self.uid, self.gid
                ),
            ),
            ("Links", self.links.to_string()),
            ("Paths", self.paths_text()),
            ("Files", self.files.to_string()),
            ("Dirs", self.dirs.to_string()),
            (
                "Length",
                format!("{} ({} bytes)", size::show(self.length), self.length),
            ),
            ("Size", format!("{} ({} bytes)", size::show(self.size), self.size)),
        ];
        fields.extend(self.staged_text().map(|text| ("Staged", text)));
        fields.extend(self.lost_text().map(|text| ("Lost", text)));
        let mut text = output::fields(&fields);
        if !self.objects.is_empty() {
            let rows: Vec<Vec<String>> = self.objects.iter().take(SHOWN_ROWS).map(Object::row).collect();
            text.push_str(&output::table(
                &["chunk", "object", "size", "off", "length", ""],
                &rows,
            ));
        }
        if !self.slices.is_empty() {
            let rows: Vec<Vec<String>> = self.slices.iter().take(SHOWN_ROWS).map(SliceRow::row).collect();
            text.push_str(&output::table(
                &["chunk", "slice", "pos", "size", "off", "len"],
                &rows,
            ));
        }
        text.push_str(&self.more_text());
        text
    }

    /// What other clients can not read yet; `None` when that is nothing.
    fn staged_text(&self) -> Option<String> {
        let blocks = self.staged_blocks;
        (blocks > 0).then(|| {
            format!(
                "{blocks} of its blocks, {}, {} only on this computer; other clients can not read {} yet",
                size::show(self.staged_bytes),
                agree(blocks, "exists", "exist"),
                agree(blocks, "it", "them"),
            )
        })
    }

    /// What nobody can read any more; `None` when nothing is known to be lost.
    fn lost_text(&self) -> Option<String> {
        (self.lost_bytes > 0).then(|| {
            format!(
                "{} that were written to it and deleted from the staging folder before their upload; write the file again",
                size::show(self.lost_bytes)
            )
        })
    }

    /// What is left out of the text, and what even JSON leaves out.
    fn more_text(&self) -> String {
        let rows = self.objects.len().max(self.slices.len());
        let mut text = match rows.saturating_sub(SHOWN_ROWS) {
            0 => String::new(),
            more => format!("… and {more} more; --json shows them.\n"),
        };
        if self.truncated {
            text.push_str(&format!(
                "The file has more than {MAX_INFO_SLICES} slices. What lies behind them is not shown, with --json neither; \
                 `moorage compact` joins them.\n"
            ));
        }
        text
    }
}

impl Object {
    fn row(&self) -> Vec<String> {
        vec![
            self.chunk.to_string(),
            self.object.clone(),
            self.size.to_string(),
            self.off.to_string(),
            self.length.to_string(),
            if self.staged { "only here" } else { "" }.to_owned(),
        ]
    }
}

impl SliceRow {
    fn row(&self) -> Vec<String> {
        vec![
            self.chunk.to_string(),
            self.id.to_string(),
            self.pos.to_string(),
            self.size.to_string(),
            self.off.to_string(),
            self.len.to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use moorage_meta::admin::TreeUsage;
    use moorage_model::{Gid, Ino, SliceId, Timestamp, Uid};

    use super::*;

    /// A file of this many slices of ten bytes each, one behind the other.
    fn file(slices: u32) -> NodeInfo {
        let time = Timestamp::default();
        let attr = Attr::new(NodeType::File, 0o644, Uid(0), Gid(0), time, Ino::ROOT);
        let slice = |number: u32| Slice {
            pos: number * 10,
            id: SliceId(u64::from(number) + 1),
            size: 10,
            off: 0,
            len: 10,
        };
        NodeInfo {
            ino: Ino(2),
            usage: TreeUsage::default(),
            attr,
            paths: vec![b"/file".to_vec()],
            deeper_paths: 0,
            chunks: vec![(ChunkIndex(0), (0..slices).map(slice).collect())],
            truncated: false,
        }
    }

    fn shown(info: &NodeInfo, staged: &[BlockId]) -> Info {
        let setting = Setting {
            name: "volume".to_owned(),
            block_size: 4096,
            ..Setting::default()
        };
        Info::new(info, &setting, false, &staged.iter().copied().collect())
    }

    #[test]
    fn a_block_that_only_this_computer_has_is_marked() {
        let block = BlockId {
            slice: SliceId(2),
            index: 0,
            len: 10,
        };
        let info = shown(&file(2), &[block]);
        let marks: Vec<bool> = info.objects.iter().map(|object| object.staged).collect();
        assert_eq!(marks, [false, true]);
        let text = info.text();
        assert!(
            text.contains("1 of its blocks, 10 B, exists only on this computer"),
            "{text}"
        );
        assert!(text.contains("only here"), "{text}");
        let text = shown(&file(2), &[]).text();
        assert!(!text.contains("only"), "{text}");
    }

    #[test]
    fn more_rows_than_the_text_holds_are_in_json_and_more_slices_than_that_are_told() {
        let text = shown(&file(103), &[]).text();
        assert!(text.contains("… and 3 more; --json shows them."), "{text}");
        assert!(!text.contains("not shown"), "{text}");
        let cut = NodeInfo {
            truncated: true,
            ..file(1)
        };
        let text = shown(&cut, &[]).text();
        assert!(!text.contains("--json shows them"), "{text}");
        assert!(text.contains("more than 100000 slices"), "{text}");
    }
}
