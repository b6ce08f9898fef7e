//! Runs operations on a volume and on the reference, and compares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moorage_engines::MemoryEngine;
use moorage_meta::{Context, Engine, FallocateMode, Meta, OpenFlags, RenameFlags, SetAttr, UnlinkOptions};
use moorage_model::{ChunkIndex, ErrorKind, Ino, NodeType, Result, Slice, Timestamp};

use super::operations::{Action, At, Operation};
use super::reference::{NodeId, ROOT, Rename, Tree};
use crate::check::broken_invariants;
use crate::fixture::{START, TestClock, TestData, name, quiet, setting};

/// Time from one operation to the next.
const TICK: Duration = Duration::from_micros(1);

/// What an operation asks for, with its numbers resolved to nodes.
type Outcome = std::result::Result<(), ErrorKind>;

pub(super) struct Run {
    pub(super) engine: Arc<dyn Engine>,
    /// Whether removals go to the trash.
    pub(super) trash: bool,
    /// The same engine when it can cut the power.
    memory: Option<Arc<MemoryEngine>>,
    clock: Arc<TestClock>,
    pub(super) data: Arc<TestData>,
    pub(super) clients: Vec<Arc<Meta>>,
    pub(super) tree: Tree,
    /// The tree at the last barrier, and the number of syncs by then.
    durable: (Tree, u64),
    pub(super) inodes: BTreeMap<NodeId, Ino>,
    /// Handles by client and node.
    open: BTreeMap<(usize, NodeId), u32>,
    /// Files without links by the client that removed the last one and holds them open.
    sustained: BTreeMap<NodeId, usize>,
    next_id: NodeId,
}

impl Run {
    pub(super) async fn new(engine: Arc<dyn Engine>, memory: Option<Arc<MemoryEngine>>, trash: bool) -> Run {
        let clock = Arc::new(TestClock::still());
        let mut wanted = setting();
        wanted.trash_days = u32::from(trash);
        Meta::format(&engine, &wanted, clock.as_ref()).await.unwrap();
        engine.make_durable().await.unwrap();
        let mut run = Run {
            engine,
            trash,
            memory,
            clock,
            data: Arc::new(TestData::default()),
            clients: Vec::new(),
            tree: Tree::new(),
            durable: (Tree::new(), 0),
            inodes: BTreeMap::from([(ROOT, Ino::ROOT)]),
            open: BTreeMap::new(),
            sustained: BTreeMap::new(),
            next_id: ROOT + 1,
        };
        run.mount().await;
        run
    }

    async fn mount(&mut self) {
        self.clients.clear();
        for _ in 0..2 {
            let meta = Meta::open(self.engine.clone(), quiet(), self.clock.clone())
                .await
                .unwrap();
            meta.start_session(self.data.clone()).await.unwrap();
            // The first id of a batch waits for a barrier; a barrier inside a write would be taken for one behind it.
            meta.allocate_slice().await.unwrap();
            self.clients.push(meta);
        }
        // What a power cut takes back is compared from here on.
        self.clients[0].make_durable().await.unwrap();
        self.durable = (self.tree.clone(), self.data.syncs());
    }

    pub(super) async fn step(&mut self, operation: &Operation) {
        self.clock.advance(TICK);
        match &operation.action {
            Action::PowerCut => self.power_cut().await,
            Action::Flush => {
                let flushed = self.clients[operation.client].flush_deletions().await;
                assert!(flushed.is_ok() || is_injected(&flushed), "{flushed:?}");
            }
            Action::Barrier => self.clients[operation.client].make_durable().await.unwrap(),
            action => self.compare(operation.client, action).await,
        }
        if self.data.syncs() != self.durable.1 {
            self.durable = (self.tree.clone(), self.data.syncs());
        }
    }

    async fn compare(&mut self, client: usize, action: &Action) {
        let before = (self.tree.clone(), self.inodes.clone(), self.open.clone());
        let Some((expected, real)) = self.both(client, action).await else {
            return;
        };
        for (id, node) in &self.tree.nodes {
            if node.links == 0 {
                self.sustained.entry(*id).or_insert(client);
            }
        }
        match real {
            Ok(()) => assert_eq!(Ok(()), expected, "{action:?} succeeded"),
            Err(ErrorKind::Unavailable) => {
                // Applied or not: the volume tells.
                if self.differences().await.is_some() {
                    (self.tree, self.inodes, self.open) = before;
                    let differences = self.differences().await;
                    assert_eq!(differences, None, "{action:?} failed half");
                }
            }
            Err(kind) => {
                assert_eq!(Err(kind), expected, "{action:?}");
            }
        }
    }

    fn directory(&self, at: At) -> (NodeId, Ino) {
        let directories = self.tree.directories();
        let id = directories[at.directory % directories.len()];
        (id, self.inodes[&id])
    }

    fn file(&self, number: usize) -> Option<(NodeId, Ino)> {
        let files = self.tree.files();
        let id = *files.get(number % files.len().max(1))?;
        Some((id, self.inodes[&id]))
    }

    /// Runs an action on both; `None` when there is nothing it can act on.
    async fn both(&mut self, client: usize, action: &Action) -> Option<(Outcome, Outcome)> {
        let meta = Arc::clone(&self.clients[client]);
        let root = Context::root();
        match action {
            Action::Create(at, mode) => Some(self.make(&meta, *at, NodeType::File, *mode).await),
            Action::MakeDirectory(at, mode) => Some(self.make(&meta, *at, NodeType::Directory, *mode).await),
            Action::Symlink(at) => Some(self.make(&meta, *at, NodeType::Symlink, 0o777).await),
            Action::Link(node, at) => {
                let ids: Vec<NodeId> = self
                    .tree
                    .nodes
                    .iter()
                    .filter(|(_, node)| node.links > 0)
                    .map(|(id, _)| *id)
                    .collect();
                let id = ids[node % ids.len()];
                let (parent, directory) = self.directory(*at);
                let real = meta
                    .link(&root, self.inodes[&id], directory, &name(at.name))
                    .await;
                Some((self.tree.link(id, (parent, at.name)), outcome(real)))
            }
            Action::Unlink(at) => {
                let (parent, directory) = self.directory(*at);
                let real = meta
                    .unlink(&root, directory, &name(at.name), UnlinkOptions::default())
                    .await;
                let open = |id| !self.trash && self.open.contains_key(&(client, id));
                Some((self.tree.unlink((parent, at.name), open), outcome(real)))
            }
            Action::RemoveDirectory(at) => {
                let (parent, directory) = self.directory(*at);
                let real = meta
                    .rmdir(&root, directory, &name(at.name), UnlinkOptions::default())
                    .await;
                Some((self.tree.rmdir((parent, at.name)), outcome(real)))
            }
            Action::Rename(from, to, how) => Some(self.rename(&meta, client, *from, *to, *how).await),
            Action::SetMode(node, mode) => {
                let ids: Vec<NodeId> = self.tree.nodes.keys().copied().collect();
                let id = ids[node % ids.len()];
                let change = SetAttr {
                    mode: Some(*mode),
                    ..SetAttr::default()
                };
                let real = meta.setattr(&root, self.inodes[&id], change).await;
                self.tree.chmod(id, *mode);
                Some((Ok(()), outcome(real)))
            }
            Action::Open(file) => {
                let (id, ino) = self.file(*file)?;
                let real = meta.open_file(&root, ino, OpenFlags::default()).await;
                *self.open.entry((client, id)).or_default() += 1;
                Some((Ok(()), outcome(real)))
            }
            Action::Close(number) => self.close(&meta, client, *number).await,
            content => self.change_content(&meta, content).await,
        }
    }

    async fn make(&mut self, meta: &Meta, at: At, kind: NodeType, mode: u16) -> (Outcome, Outcome) {
        let (parent, directory) = self.directory(at);
        let (root, entry) = (Context::root(), name(at.name));
        let made = match kind {
            NodeType::Directory => meta.mkdir(&root, directory, &entry, mode, 0).await,
            NodeType::Symlink => meta.symlink(&root, directory, &entry, b"target").await,
            _ => meta.create(&root, directory, &entry, mode, 0).await,
        };
        let id = self.next_id;
        self.next_id += 1;
        let expected = self.tree.make((parent, at.name), kind, mode, id);
        let ino = match &made {
            Ok(made) => Some(made.ino),
            // Perhaps it was made although the commit was reported failed.
            Err(_) => meta
                .lookup(&root, directory, &entry)
                .await
                .ok()
                .map(|(ino, _)| ino),
        };
        if expected.is_ok() {
            self.inodes.insert(id, ino.unwrap_or(Ino::NONE));
        }
        (expected, outcome(made))
    }

    async fn rename(
        &mut self,
        meta: &Meta,
        client: usize,
        from: At,
        to: At,
        how: Rename,
    ) -> (Outcome, Outcome) {
        let (source, source_ino) = self.directory(from);
        let (target, target_ino) = self.directory(to);
        let flags = RenameFlags {
            no_replace: how == Rename::NoReplace,
            exchange: how == Rename::Exchange,
            restore: false,
        };
        let (from_name, to_name) = (name(from.name), name(to.name));
        let real = meta
            .rename(
                &Context::root(),
                (source_ino, &from_name),
                (target_ino, &to_name),
                flags,
            )
            .await;
        let open = |id| !self.trash && self.open.contains_key(&(client, id));
        let expected = self
            .tree
            .rename((source, from.name), (target, to.name), how, open);
        (expected, outcome(real))
    }

    async fn close(&mut self, meta: &Meta, client: usize, number: usize) -> Option<(Outcome, Outcome)> {
        let own: Vec<NodeId> = self
            .open
            .keys()
            .filter(|(owner, _)| *owner == client)
            .map(|(_, id)| *id)
            .collect();
        let id = *own.get(number % own.len().max(1))?;
        let real = meta.close_file(self.inodes[&id]).await;
        let handles = self.open.get_mut(&(client, id)).unwrap();
        *handles -= 1;
        if *handles == 0 {
            self.open.remove(&(client, id));
            // Only the client that removed the last link kept it.
            if self.sustained.get(&id) == Some(&client) {
                self.tree.drop_unlinked(|other| other != id);
            }
        }
        Some((Ok(()), outcome(real)))
    }

    async fn change_content(&mut self, meta: &Meta, action: &Action) -> Option<(Outcome, Outcome)> {
        let root = Context::root();
        match action {
            Action::Write(file, offset, len) => {
                let (id, ino) = self.file(*file)?;
                let border = ChunkIndex::of(*offset)?.start() + moorage_model::CHUNK_SIZE;
                let len = u64::from(*len).min(border - offset);
                let byte = (self.next_id % 255 + 1) as u8;
                self.next_id += 1;
                let real = self.write(meta, ino, *offset, len as u32, byte).await;
                self.tree.write(id, *offset, len, byte);
                Some((Ok(()), outcome(real)))
            }
            Action::Truncate(file, length) => {
                let (id, ino) = self.file(*file)?;
                let real = meta.truncate_open(ino, *length).await;
                self.tree.truncate(id, *length);
                Some((Ok(()), outcome(real)))
            }
            Action::Punch(file, offset, len) => {
                let (id, ino) = self.file(*file)?;
                let mode = FallocateMode {
                    keep_size: true,
                    punch_hole: true,
                    zero_range: false,
                };
                let real = meta.fallocate(&root, ino, mode, *offset, *len).await;
                self.tree.punch(id, *offset, *len);
                Some((Ok(()), outcome(real)))
            }
            Action::Copy(from, to, len) => {
                let (source, source_ino) = self.file(from.0)?;
                let (target, target_ino) = self.file(to.0)?;
                let real = meta
                    .copy_file_range(&root, source_ino, from.1, target_ino, to.1, *len)
                    .await;
                let expected = self.tree.copy((source, from.1), (target, to.1), *len);
                Some((expected, outcome(real)))
            }
            Action::Compact(file) => {
                let (_, ino) = self.file(*file)?;
                let real = meta.compact_chunk(ino, ChunkIndex(0)).await;
                Some((Ok(()), outcome(real)))
            }
            _ => None,
        }
    }

    async fn write(&self, meta: &Meta, ino: Ino, offset: u64, len: u32, byte: u8) -> Result<()> {
        let chunk = ChunkIndex::of(offset).unwrap();
        let slice = Slice {
            pos: (offset - chunk.start()) as u32,
            id: meta.allocate_slice().await?,
            size: len,
            off: 0,
            len,
        };
        self.data.store(slice.id, vec![byte; len as usize]);
        meta.write_slice(ino, chunk, slice, Timestamp::new(START, 0))
            .await
            .map(drop)
    }

    async fn power_cut(&mut self) {
        let Some(memory) = &self.memory else { return };
        memory.set_fault(None);
        memory.crash();
        self.tree = self.durable.0.clone();
        self.open.clear();
        self.tree.drop_unlinked(|_| false);
        self.mount().await;
        // The sessions of before expire; their sustained files go.
        self.clock.advance(Duration::from_secs(4000));
        for client in &self.clients {
            client.refresh_session().await.unwrap();
        }
        self.clients[0].reap_sessions().await.unwrap();
        let differences = self.differences().await;
        assert_eq!(differences, None, "after a power cut");
        let broken = self.broken().await;
        assert_eq!(broken, [""; 0], "after a power cut");
    }

    /// What is broken and stays so: a compaction in the background may commit between two scans of one look.
    async fn broken(&self) -> Vec<String> {
        let mut broken = broken_invariants(self.engine.as_ref(), Some(&self.data)).await;
        while !broken.is_empty() {
            let again = broken_invariants(self.engine.as_ref(), Some(&self.data)).await;
            if again == broken {
                break;
            }
            broken = again;
        }
        broken
    }

    /// Compares everything, ends both clients, and looks for what they left behind.
    pub(super) async fn finish(&mut self) {
        if let Some(memory) = &self.memory {
            memory.set_fault(None);
        }
        let differences = self.differences().await;
        assert_eq!(differences, None);
        let broken = self.broken().await;
        assert_eq!(broken, [""; 0]);
        for client in &self.clients {
            client.close_session().await.unwrap();
        }
        self.open.clear();
        self.tree.drop_unlinked(|_| false);
        let differences = {
            let reader = Meta::open(self.engine.clone(), quiet(), self.clock.clone())
                .await
                .unwrap();
            self.clients = vec![Arc::clone(&reader), reader];
            self.differences().await
        };
        assert_eq!(differences, None, "after both clients closed");
        let broken = self.broken().await;
        assert_eq!(broken, [""; 0], "after both clients closed");
    }

    /// Ends both clients without a look at the volume: reading compacts in the background, whenever that is.
    pub(super) async fn end_clients(&mut self) {
        for client in self.clients.drain(..) {
            client.flush_deletions().await.unwrap();
            client.close_session().await.unwrap();
            client.flush_deletions().await.unwrap();
        }
    }

    /// Looks for data that was not removed, after the trash was emptied; only after a run without faults.
    pub(super) async fn finish_without_leaks(&mut self) {
        self.finish().await;
        self.clock.advance(Duration::from_secs(3 * 86_400));
        let admin = Meta::open(self.engine.clone(), quiet(), self.clock.clone())
            .await
            .unwrap();
        admin.attach_data(self.data.clone());
        admin.clean_up_trash().await.unwrap();
        admin.clean_up_files().await.unwrap();
        admin.flush_deletions().await.unwrap();
        assert_eq!(self.leaked().await, [], "data that nothing owns");
        assert_eq!(self.differences().await, None, "after the trash was emptied");
        let broken = self.broken().await;
        assert_eq!(broken, [""; 0], "after the trash was emptied");
    }
}

fn outcome<T>(result: Result<T>) -> Outcome {
    result.map(drop).map_err(|error| error.kind())
}

fn is_injected(result: &Result<()>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.kind() == ErrorKind::Unavailable)
}
