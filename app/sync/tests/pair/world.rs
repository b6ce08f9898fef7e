//! Two disks in memory, their users, and a process that may die at any call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use moorage_model::{Clock, Timestamp};
use moorage_sync::pair::End;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What a name of a disk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Folder,
    File(String),
    Link(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) modified: Timestamp,
    pub(crate) changed: Timestamp,
    pub(crate) number: u64,
}

/// One disk: nodes by path; times in ticks of its own clock.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) skew_seconds: i64,
}

/// What a user does.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Write(End, &'static str),
    Remove(End, &'static str),
    Rename(End, &'static str, &'static str),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) disks: [Disk; 2],
    /// Milliseconds since the start.
    milliseconds: i64,
    nodes_made: u64,
    contents_made: u64,
    /// Contents that some user wrote and no user replaced or removed: they must not be lost.
    pub(crate) owed: BTreeSet<String>,
    calls: u64,
    /// Edits that come with a call, by its number.
    pub(crate) script: VecDeque<(u64, Edit)>,
    /// The call at which the process dies; whether that call still happens.
    pub(crate) death: Option<(u64, bool)>,
    pub(crate) dead: bool,
}

/// Everything, shared by both sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) died: Arc<Notify>,
}

/// Longest time in which a clock of a disk does not move.
const TICK_MILLISECONDS: i64 = 1000;
/// What a call takes.
const CALL_MILLISECONDS: i64 = 7;

pub(crate) fn slot(end: End) -> usize {
    match end {
        End::Left => 0,
        End::Right => 1,
    }
}

impl State {
    pub(crate) fn disk(&mut self, end: End) -> &mut Disk {
        &mut self.disks[slot(end)]
    }

    /// The time of a disk, as coarse as file systems have it.
    pub(crate) fn disk_time(&self, end: End) -> Timestamp {
        let ticks = self.milliseconds / TICK_MILLISECONDS * TICK_MILLISECONDS / 1000;
        Timestamp::new(1_700_000_000 + ticks + self.disks[slot(end)].skew_seconds, 0)
    }

    pub(crate) fn new_node(&mut self, end: End, content: Content) -> Node {
        self.nodes_made += 1;
        let now = self.disk_time(end);
        Node {
            content,
            modified: now,
            changed: now,
            number: self.nodes_made,
        }
    }

    /// Does what a user does, if it is possible, and keeps the account of what must not be lost.
    pub(crate) fn edit(&mut self, edit: &Edit) {
        match *edit {
            Edit::Write(end, path) => self.write(end, path),
            Edit::Remove(end, path) => {
                let below = format!("{path}/");
                let disk = self.disk(end);
                let gone: Vec<String> = disk
                    .nodes
                    .keys()
                    .filter(|name| *name == path || name.starts_with(&below))
                    .cloned()
                    .collect();
                for name in gone {
                    self.discharge(end, &name);
                    self.disk(end).nodes.remove(&name);
                }
            }
            Edit::Rename(end, from, to) => self.rename(end, from, to),
        }
    }

    fn write(&mut self, end: End, path: &str) {
        let above: Vec<&str> = path.match_indices('/').map(|(at, _)| &path[..at]).collect();
        let is_file = |node: &Node| node.content != Content::Folder;
        if above
            .iter()
            .any(|folder| self.disk(end).nodes.get(*folder).is_some_and(is_file))
        {
            return;
        }
        for folder in above {
            if !self.disk(end).nodes.contains_key(folder) {
                let node = self.new_node(end, Content::Folder);
                self.disk(end).nodes.insert(folder.to_owned(), node);
            }
        }
        if matches!(self.disk(end).nodes.get(path), Some(node) if node.content == Content::Folder) {
            return;
        }
        self.discharge(end, path);
        self.contents_made += 1;
        // All of one size, so that sizes tell nothing.
        let content = format!("content {:06}", self.contents_made);
        self.owed.insert(content.clone());
        let now = self.disk_time(end);
        match self.disk(end).nodes.get_mut(path) {
            Some(node) => {
                node.content = Content::File(content);
                node.modified = now;
                node.changed = now;
            }
            None => {
                let node = self.new_node(end, Content::File(content));
                self.disk(end).nodes.insert(path.to_owned(), node);
            }
        }
    }

    fn rename(&mut self, end: End, from: &str, to: &str) {
        let is_file = |node: Option<&Node>| matches!(node, Some(node) if node.content != Content::Folder);
        let disk = self.disk(end);
        let target_is_folder = disk.nodes.contains_key(to) && !is_file(disk.nodes.get(to));
        let parent_is_folder = to.rsplit_once('/').is_none_or(
            |(folder, _)| matches!(disk.nodes.get(folder), Some(n) if n.content == Content::Folder),
        );
        if !is_file(disk.nodes.get(from)) || target_is_folder || !parent_is_folder || from == to {
            return;
        }
        self.discharge(end, to);
        let now = self.disk_time(end);
        let disk = self.disk(end);
        if let Some(mut node) = disk.nodes.remove(from) {
            node.changed = now;
            disk.nodes.insert(to.to_owned(), node);
        }
    }

    /// A user replaced or removed what is there, and knew it.
    fn discharge(&mut self, end: End, path: &str) {
        if let Some(Node {
            content: Content::File(content),
            ..
        }) = self.disk(end).nodes.get(path)
        {
            let content = content.clone();
            self.owed.remove(&content);
        }
    }

    pub(crate) fn pass(&mut self, milliseconds: i64) {
        self.milliseconds += milliseconds;
    }

    /// What people see of a disk.
    pub(crate) fn tree(&self, end: End) -> BTreeMap<String, Content> {
        let nodes = self.disks[slot(end)].nodes.iter();
        nodes
            .map(|(path, node)| (path.clone(), node.content.clone()))
            .collect()
    }

    /// Files of a disk with their contents.
    pub(crate) fn files(&self, end: End) -> Vec<(String, String)> {
        self.tree(end)
            .into_iter()
            .filter_map(|(path, content)| match content {
                Content::File(text) => Some((path, text)),
                Content::Folder | Content::Link(_) => None,
            })
            .collect()
    }
}

impl World {
    /// A call of the process begins: users do what they do at this moment. `false` when the process is dead and the
    /// call does not happen.
    pub(crate) async fn call(&self) {
        let dies = {
            let mut state = self.state.lock();
            state.calls += 1;
            state.pass(CALL_MILLISECONDS);
            let calls = state.calls;
            while state.script.front().is_some_and(|(at, _)| *at <= calls) {
                if let Some((_, edit)) = state.script.pop_front() {
                    state.edit(&edit);
                }
            }
            state.dead |= state.death.is_some_and(|(at, happens)| at <= calls && !happens);
            state.dead
        };
        if dies {
            self.stop().await;
        }
    }

    /// A call of the process has happened.
    pub(crate) async fn called(&self) {
        let dies = {
            let mut state = self.state.lock();
            let calls = state.calls;
            state.dead |= state.death.is_some_and(|(at, _)| at <= calls);
            state.dead
        };
        if dies {
            self.stop().await;
        }
    }

    async fn stop(&self) {
        self.died.notify_one();
        std::future::pending::<()>().await;
    }

    /// Returns when the process is dead.
    pub(crate) async fn death(&self) {
        while !self.state.lock().dead {
            self.died.notified().await;
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state.lock().calls
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let state = self.state.lock();
        let seconds = 1_600_000_000 + state.milliseconds / 1000;
        let rest = u32::try_from(state.milliseconds % 1000).unwrap() * 1_000_000;
        Timestamp::new(seconds, rest)
    }
}
