//! Command 1007: what the parts of a folder take.

use moorage_meta::admin::{Progress, SummaryNode, SummaryOptions};
use moorage_meta::{Context, MAY_EXECUTE, MAY_READ};
use moorage_model::{Error, ErrorKind, Ino, NodeType, Result};
use serde::Serialize;

use super::codec::Answer;
use super::error_number;
use crate::Vfs;

/// Folders read at the same time.
const CONCURRENCY: usize = 10;

/// Names are those that JuiceFS's commands read.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    errno: u8,
    tree: Node,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    inode: u64,
    /// From the folder asked for.
    path: String,
    #[serde(rename = "Type")]
    kind: u8,
    size: u64,
    files: u64,
    dirs: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
}

impl Vfs {
    /// Sums of a folder and its largest parts. Failures are part of the answer.
    ///
    /// # Errors
    /// None but of writing the answer.
    pub(super) async fn summary_by_command(
        &self,
        identity: &Context,
        shown: Ino,
        (depth, entries): (u8, u8),
        progress: &Progress,
    ) -> Result<Answer> {
        let options = SummaryOptions {
            depth,
            entries: usize::from(entries),
            concurrency: CONCURRENCY,
        };
        let summary = match self.summary_of(identity, shown, options, progress).await {
            Ok(tree) => Summary {
                errno: 0,
                tree: self.node(tree, ""),
            },
            Err(error) => {
                tracing::info!(%error, "a summary failed");
                Summary {
                    errno: error_number(error.kind()),
                    tree: Node {
                        inode: shown.0,
                        path: String::new(),
                        kind: NodeType::Directory.code(),
                        size: 0,
                        files: 0,
                        dirs: 0,
                        children: Vec::new(),
                    },
                }
            }
        };
        json(&summary)
    }

    async fn summary_of(
        &self,
        identity: &Context,
        shown: Ino,
        options: SummaryOptions,
        progress: &Progress,
    ) -> Result<SummaryNode> {
        let (ino, attr) = self.reachable(identity, shown).await?;
        if attr.is_directory() {
            self.meta
                .check_access(identity, &attr, MAY_READ | MAY_EXECUTE)
                .await?;
        }
        self.store_written().await?;
        self.meta.summary(ino, b"", options, progress).await
    }

    fn node(&self, node: SummaryNode, parent: &str) -> Node {
        let name = String::from_utf8_lossy(&node.name);
        let path = match parent {
            "" => name.into_owned(),
            parent => format!("{parent}/{name}"),
        };
        Node {
            inode: self.shown(node.ino).0,
            kind: node.kind.code(),
            size: node.usage.space,
            files: node.usage.files,
            dirs: node.usage.directories,
            children: node
                .children
                .into_iter()
                .map(|child| self.node(child, &path))
                .collect(),
            path,
        }
    }
}

/// An answer of JSON.
///
/// # Errors
/// `Io` for what can not be written as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Answer> {
    serde_json::to_vec(value)
        .map(Answer::Data)
        .map_err(|error| Error::new(ErrorKind::Io, "an answer").with_source(error))
}
