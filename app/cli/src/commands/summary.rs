//! `moorage summary`

use std::sync::Arc;

use clap::Args;
use moorage_meta::admin::{MAX_SUMMARY_DEPTH, MAX_SUMMARY_ENTRIES, Progress, SummaryNode, SummaryOptions};
use moorage_model::{Error, ErrorKind, NodeType, Result};
use serde::Serialize;

use crate::context::Context;
use crate::noun::{ENTRIES, agree};
use crate::output::{self, OutputArguments};
use crate::progress::Work;
use crate::target::TargetArguments;
use crate::{concurrency, size, volume};

/// Show what the parts of a folder take, largest first
///
/// Space counts as quotas do: each file rounded up to 4 KiB, hard links once per name.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    targets: TargetArguments,

    /// Levels below the folder
    #[arg(short, long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=i64::from(MAX_SUMMARY_DEPTH)))]
    depth: u8,

    /// Entries shown of each folder; the rest is one line
    #[arg(short, long, default_value_t = 10, value_parser = entries)]
    entries: usize,

    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// Folders read at the same time
    #[arg(short = 'p', long, default_value_t = 10, value_parser = concurrency::parse)]
    threads: usize,

    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

fn entries(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(entries) if entries <= MAX_SUMMARY_ENTRIES => Ok(entries),
        _ => Err(format!("a number up to {MAX_SUMMARY_ENTRIES} is needed")),
    }
}

#[derive(Serialize)]
struct Summary {
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    size: u64,
    space: u64,
    files: u64,
    dirs: u64,
    /// Entries that can not be read, or whose attributes can not.
    #[serde(skip_serializing_if = "is_zero")]
    unreadable: u64,
    children: Vec<Summary>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Summary {
    fn new(node: SummaryNode, parent: &str) -> Summary {
        let name = String::from_utf8_lossy(&node.name);
        let path = match parent {
            "" => name.into_owned(),
            parent => format!("{}/{name}", parent.trim_end_matches('/')),
        };
        Summary {
            kind: if node.kind == NodeType::Directory {
                "directory"
            } else {
                "file"
            },
            size: node.usage.length,
            space: node.usage.space,
            files: node.usage.files,
            dirs: node.usage.directories,
            unreadable: node.usage.unreadable,
            children: node
                .children
                .into_iter()
                .map(|child| Summary::new(child, &path))
                .collect(),
            path,
        }
    }

    fn rows(&self, rows: &mut Vec<Vec<String>>) {
        let path = match self.kind {
            "directory" => format!("{}/", self.path.trim_end_matches('/')),
            _ => self.path.clone(),
        };
        rows.push(vec![
            path,
            size::show(self.space),
            size::show(self.size),
            self.dirs.to_string(),
            self.files.to_string(),
        ]);
        self.children.iter().for_each(|child| child.rows(rows));
    }

    fn csv(&self, text: &mut String) {
        let path = self.path.replace('"', "\"\"");
        text.push_str(&format!(
            "\"{path}\",{},{},{},{},{}\n",
            self.kind, self.size, self.space, self.dirs, self.files
        ));
        self.children.iter().for_each(|child| child.csv(text));
    }
}

pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<()> {
    let targets = arguments.targets.find()?;
    let meta = volume::open_to_look(&targets.url).await?;
    let options = SummaryOptions {
        depth: arguments.depth,
        entries: arguments.entries,
        concurrency: arguments.threads,
    };
    let counts: Arc<Progress> = Arc::default();
    let work = Work {
        title: "Adding up",
        unit: ENTRIES,
    };
    let job = async {
        let mut summaries = Vec::new();
        for place in &targets.places {
            let (ino, _) = place.node(&meta).await?;
            let summary = meta
                .summary(ino, place.shown().as_bytes(), options, &counts)
                .await?;
            summaries.push(Summary::new(summary, ""));
        }
        Ok(summaries)
    };
    let summaries: Vec<Summary> = context.watch(work, &counts, job).await?;
    if arguments.csv {
        let mut text = "path,type,size,space,dirs,files\n".to_owned();
        summaries.iter().for_each(|summary| summary.csv(&mut text));
        output::line(&text)?;
        return verdict(&summaries);
    }
    output::print(arguments.output, &summaries, |summaries| {
        let mut rows = Vec::new();
        summaries.iter().for_each(|summary| summary.rows(&mut rows));
        output::table(&["path", "space", "size", "dirs", "files"], &rows)
    })?;
    verdict(&summaries)
}

/// Sums that leave something out are no success.
fn verdict(summaries: &[Summary]) -> Result<()> {
    let unreadable: u64 = summaries.iter().map(|summary| summary.unreadable).sum();
    if unreadable == 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        format!(
            "{} can not be read and {} left out or counted as empty",
            ENTRIES.count(unreadable),
            agree(unreadable, "is", "are")
        ),
    )
    .with_advice("`moorage fsck --path` names them."))
}
