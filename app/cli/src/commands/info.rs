//! `moorage info`

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::{InfoOptions, NodeInfo, Progress};
use moorage_meta::{MAX_PATH_DEPTH, Meta};
use moorage_model::{Attr, ChunkIndex, Error, ErrorKind, Ino, NodeType, Result, Setting, Slice};
use moorage_vfs::volume_check::file_objects;
use serde::Serialize;

use crate::context::Context;
use crate::noun::{ENTRIES, PATHS};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::{self, TargetArguments, Targets};
use crate::{concurrency, size, volume};

/// Objects named in the text of one file; JSON has all that the library gives.
const SHOWN_OBJECTS: usize = 100;

/// Show what is known of a file or folder, and which objects hold its data
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// The paths behind the metadata URL are inode numbers
    #[arg(short, long)]
    inode: bool,

    /// Add up everything below a folder, not only its own entries
    #[arg(short, long)]
    recursive: bool,

    /// Show the slices as they are stored instead of the objects
    #[arg(long)]
    raw: bool,

    /// Folders read at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Serialize)]
struct Info {
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
    truncated: bool,
}

#[derive(Serialize)]
struct Object {
    chunk: u32,
    object: String,
    size: u32,
    off: u32,
    length: u32,
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

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    let meta = volume::open_to_look(&targets.url).await?;
    let options = InfoOptions {
        recursive: arguments.recursive,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Reading",
        unit: ENTRIES,
    };
    let job = async {
        let mut all = Vec::new();
        for ino in nodes(&meta, &targets, arguments.inode).await? {
            let info = meta.info(ino, options, &counts).await?;
            all.push(Info::new(&info, &meta, arguments.raw));
        }
        Ok(all)
    };
    let all: Vec<Info> = context.watch(work, &counts, job).await?;
    output::print(arguments.output, &all, |all| {
        all.iter().map(Info::text).collect::<Vec<_>>().join("\n")
    })
}

async fn nodes(meta: &Meta, targets: &Targets, inodes: bool) -> Result<Vec<Ino>> {
    let mut nodes = Vec::new();
    for place in &targets.places {
        nodes.push(if inodes {
            number(&place.shown())?
        } else {
            place.node(meta).await?.0
        });
    }
    Ok(nodes)
}

fn number(shown: &str) -> Result<Ino> {
    shown.parse().map(Ino).map_err(|_| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{shown:?} is no inode number"),
        )
        .with_advice("Write the metadata URL and the number, or leave --inode out.")
    })
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
fn objects(info: &NodeInfo, setting: &Setting) -> Vec<Object> {
    file_objects(info, setting)
        .into_iter()
        .filter_map(|piece| {
            Some(Object {
                chunk: piece.chunk.0,
                object: format!("{}/{}", setting.name, piece.key?),
                size: piece.size,
                off: piece.off,
                length: piece.len,
            })
        })
        .collect()
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
    fn new(info: &NodeInfo, meta: &Meta, raw: bool) -> Info {
        let setting = meta.setting();
        let (objects, slices) = if raw {
            (Vec::new(), slices(info))
        } else {
            (objects(info, &setting), Vec::new())
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
        }
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

    fn text(&self) -> String {
        let fields = [
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
        let mut text = output::fields(&fields);
        if !self.objects.is_empty() {
            let rows: Vec<Vec<String>> = self
                .objects
                .iter()
                .take(SHOWN_OBJECTS)
                .map(|object| {
                    vec![
                        object.chunk.to_string(),
                        object.object.clone(),
                        object.size.to_string(),
                        object.off.to_string(),
                        object.length.to_string(),
                    ]
                })
                .collect();
            text.push_str(&output::table(
                &["chunk", "object", "size", "off", "length"],
                &rows,
            ));
        }
        if !self.slices.is_empty() {
            let rows: Vec<Vec<String>> = self
                .slices
                .iter()
                .take(SHOWN_OBJECTS)
                .map(SliceRow::row)
                .collect();
            text.push_str(&output::table(
                &["chunk", "slice", "pos", "size", "off", "len"],
                &rows,
            ));
        }
        let more = self
            .objects
            .len()
            .max(self.slices.len())
            .saturating_sub(SHOWN_OBJECTS);
        if more > 0 || self.truncated {
            text.push_str(&format!("… and {more} more; --json shows them.\n"));
        }
        text
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
