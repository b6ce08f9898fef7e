//! A side on a disk of the world.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result, Timestamp};
use moorage_sync::pair::End;
use moorage_sync::{
    Abilities, Entry, Finish, Kind, Links, ListOptions, Listed, Listing, Permissions, RelativePath, Replaces,
    Side, Sink, Source, Tag, Version,
};

use crate::world::{Content, Node, State, World};

#[derive(Clone, Debug)]
pub(crate) struct SimulatedSide {
    pub(crate) world: World,
    pub(crate) end: End,
    pub(crate) tag: Tag,
}

fn text(path: &RelativePath) -> String {
    String::from_utf8(path.as_bytes().to_vec()).unwrap()
}

fn version(node: &Node) -> Version {
    let size = match &node.content {
        Content::Folder => 0,
        Content::File(text) | Content::Link(text) => text.len() as u64,
    };
    Version {
        size,
        modified: node.modified,
        changed: Some(node.changed),
        node: Some(node.number),
    }
}

fn entry(path: &str, node: &Node) -> Entry {
    let kind = match node.content {
        Content::Folder => Kind::Folder,
        Content::File(_) => Kind::File,
        Content::Link(_) => Kind::Link,
    };
    Entry {
        path: RelativePath::new(path.as_bytes()).unwrap(),
        kind,
        version: version(node),
        permissions: None,
    }
}

fn same_content(one: &Version, other: &Version) -> bool {
    (one.size, one.modified, one.node) == (other.size, other.modified, other.node)
}

fn is_temporary(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap();
    last.starts_with(".moorage-sync.")
}

impl SimulatedSide {
    async fn at<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.world.call().await;
        let done = work(&mut self.world.state.lock());
        self.world.called().await;
        done
    }

    /// Every folder above a path is one.
    fn make_above(&self, state: &mut State, path: &str) -> Result<()> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.make_above(state, above)?;
            match state.disk(self.end).nodes.get(above).map(|node| &node.content) {
                Some(Content::Folder) => {}
                Some(_) => return Err(ErrorKind::NotDirectory.into()),
                None => {
                    let node = state.new_node(self.end, Content::Folder);
                    state.disk(self.end).nodes.insert(above.to_owned(), node);
                }
            }
        }
        Ok(())
    }

    /// What rename(2) does with a condition, in one moment.
    fn replace(&self, state: &mut State, from: &str, to: &str, replaces: Replaces) -> Result<()> {
        let disk = state.disk(self.end);
        if !disk.nodes.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        let target = disk.nodes.get(to);
        if target.is_some_and(|node| node.content == Content::Folder) {
            return Err(ErrorKind::IsDirectory.into());
        }
        let fits = match (replaces, target) {
            (Replaces::Anything, _) | (Replaces::Nothing, None) => true,
            (Replaces::This(expected), Some(node)) => same_content(&version(node), &expected),
            _ => false,
        };
        if !fits {
            return Err(ErrorKind::Conflict.into());
        }
        let now = state.disk_time(self.end);
        let disk = state.disk(self.end);
        let mut node = disk.nodes.remove(from).unwrap();
        node.changed = now;
        disk.nodes.insert(to.to_owned(), node);
        Ok(())
    }
}

struct SimulatedListing {
    side: SimulatedSide,
    options: ListOptions,
    after: Option<Vec<u8>>,
}

fn listing_key(path: &str, node: &Node) -> Vec<u8> {
    let mut key = path.as_bytes().to_vec();
    if node.content == Content::Folder {
        key.push(b'/');
    }
    key
}

#[async_trait]
impl Listing for SimulatedListing {
    async fn next(&mut self) -> Result<Option<Listed>> {
        let (side, after, filter) = (&self.side, &self.after, &self.options.filter);
        let next = side
            .at(|state| {
                let disk = state.disk(side.end);
                let mut behind: Vec<(Vec<u8>, &String, &Node)> = disk
                    .nodes
                    .iter()
                    .map(|(path, node)| (listing_key(path, node), path, node))
                    .filter(|(key, path, node)| {
                        let path = RelativePath::new(path.as_bytes()).unwrap();
                        after.as_ref().is_none_or(|after| key > after)
                            && filter.admits(&path, node.content == Content::Folder)
                    })
                    .collect();
                behind.sort_by(|one, other| one.0.cmp(&other.0));
                Ok(behind.first().map(|(key, path, node)| {
                    let entry = entry(path, node);
                    let listed = if is_temporary(path) {
                        Listed::Leftover(entry)
                    } else {
                        Listed::Entry(entry)
                    };
                    (key.clone(), listed)
                }))
            })
            .await?;
        Ok(next.map(|(key, listed)| {
            self.after = Some(key);
            listed
        }))
    }
}

struct SimulatedSource {
    side: SimulatedSide,
    path: String,
    version: Version,
    read: bool,
}

#[async_trait]
impl Source for SimulatedSource {
    fn version(&self) -> Version {
        self.version
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        if std::mem::replace(&mut self.read, true) {
            return Ok(None);
        }
        let (end, path) = (self.side.end, self.path.clone());
        self.side
            .at(move |state| match state.disk(end).nodes.get(&path) {
                Some(Node {
                    content: Content::File(text),
                    ..
                }) => Ok(Some(Bytes::from(text.clone()))),
                _ => Err(ErrorKind::NotFound.into()),
            })
            .await
    }

    async fn is_unchanged(&mut self) -> Result<bool> {
        let (end, path, version_before) = (self.side.end, self.path.clone(), self.version);
        self.side
            .at(move |state| {
                let node = state.disk(end).nodes.get(&path);
                Ok(node.is_some_and(|node| version(node) == version_before))
            })
            .await
    }
}

struct SimulatedSink {
    side: SimulatedSide,
    temporary: String,
    path: String,
    named: bool,
}

impl Drop for SimulatedSink {
    fn drop(&mut self) {
        let mut state = self.side.world.state.lock();
        // A dead process tidies nothing up.
        if !self.named && !state.dead {
            state.disk(self.side.end).nodes.remove(&self.temporary);
        }
    }
}

#[async_trait]
impl Sink for SimulatedSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let (end, temporary) = (self.side.end, self.temporary.clone());
        self.side
            .at(move |state| {
                let node = state
                    .disk(end)
                    .nodes
                    .get_mut(&temporary)
                    .ok_or(ErrorKind::NotFound)?;
                if let Content::File(text) = &mut node.content {
                    text.push_str(std::str::from_utf8(&bytes).unwrap());
                }
                Ok(())
            })
            .await
    }

    async fn finish(mut self: Box<Self>, how: Finish) -> Result<Entry> {
        let side = self.side.clone();
        let (temporary, path) = (self.temporary.clone(), self.path.clone());
        let made = side
            .at(|state| {
                if let Some(modified) = how.modified
                    && let Some(node) = state.disk(side.end).nodes.get_mut(&temporary)
                {
                    node.modified = modified;
                }
                side.replace(state, &temporary, &path, how.replaces)?;
                self.named = true;
                let node = state.disk(side.end).nodes.get(&path).unwrap();
                Ok(entry(&path, node))
            })
            .await?;
        Ok(made)
    }
}

#[async_trait]
impl Side for SimulatedSide {
    fn describe(&self) -> String {
        format!("{:?}", self.end)
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            folders: true,
            links: true,
            times: true,
            fine_times: false,
            permissions: false,
        }
    }

    fn list(&self, options: ListOptions) -> Box<dyn Listing> {
        Box::new(SimulatedListing {
            side: self.clone(),
            options,
            after: None,
        })
    }

    async fn look(&self, path: &RelativePath) -> Result<Option<Entry>> {
        let (end, path) = (self.end, text(path));
        self.at(move |state| Ok(state.disk(end).nodes.get(&path).map(|node| entry(&path, node))))
            .await
    }

    async fn read(&self, wanted: &Entry, _links: Links) -> Result<Box<dyn Source>> {
        let (end, path) = (self.end, text(&wanted.path));
        let at = path.clone();
        let version = self
            .at(move |state| match state.disk(end).nodes.get(&at) {
                Some(node) if matches!(node.content, Content::File(_)) => Ok(version(node)),
                Some(_) => Err(ErrorKind::InvalidArgument.into()),
                None => Err(ErrorKind::NotFound.into()),
            })
            .await?;
        Ok(Box::new(SimulatedSource {
            side: self.clone(),
            path,
            version,
            read: false,
        }))
    }

    async fn write(&self, path: &RelativePath, _size: u64) -> Result<Box<dyn Sink>> {
        let path = text(path);
        let name = String::from_utf8(self.tag.name()).unwrap();
        let temporary = match path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name,
        };
        let (side, at, above) = (self.clone(), temporary.clone(), path.clone());
        self.at(move |state| {
            side.make_above(state, &above)?;
            let node = state.new_node(side.end, Content::File(String::new()));
            state.disk(side.end).nodes.insert(at, node);
            Ok(())
        })
        .await?;
        Ok(Box::new(SimulatedSink {
            side: self.clone(),
            temporary,
            path,
            named: false,
        }))
    }

    async fn link_target(&self, path: &RelativePath) -> Result<Vec<u8>> {
        let (end, path) = (self.end, text(path));
        self.at(
            move |state| match state.disk(end).nodes.get(&path).map(|node| &node.content) {
                Some(Content::Link(target)) => Ok(target.clone().into_bytes()),
                _ => Err(ErrorKind::NotFound.into()),
            },
        )
        .await
    }

    async fn make_link(&self, path: &RelativePath, target: &[u8], replaces: Replaces) -> Result<Entry> {
        let (side, path) = (self.clone(), text(path));
        let target = String::from_utf8(target.to_vec()).unwrap();
        let temporary = String::from_utf8(self.tag.name()).unwrap();
        self.at(move |state| {
            side.make_above(state, &path)?;
            let node = state.new_node(side.end, Content::Link(target));
            state.disk(side.end).nodes.insert(temporary.clone(), node);
            let replaced = side.replace(state, &temporary, &path, replaces);
            state.disk(side.end).nodes.remove(&temporary);
            replaced?;
            Ok(entry(&path, state.disk(side.end).nodes.get(&path).unwrap()))
        })
        .await
    }

    async fn make_folder(&self, path: &RelativePath) -> Result<()> {
        let (side, path) = (self.clone(), text(path));
        self.at(move |state| side.make_above(state, &format!("{path}/x")))
            .await
    }

    async fn remove(&self, wanted: &Entry) -> Result<()> {
        let (end, path, wanted) = (self.end, text(&wanted.path), wanted.clone());
        self.at(move |state| {
            let disk = state.disk(end);
            let Some(node) = disk.nodes.get(&path) else {
                return Ok(());
            };
            if (node.content == Content::Folder) != wanted.is_folder() {
                return Err(ErrorKind::Conflict.into());
            }
            if wanted.is_folder() {
                if disk
                    .nodes
                    .keys()
                    .any(|name| name.starts_with(&format!("{path}/")))
                {
                    return Err(ErrorKind::NotEmpty.into());
                }
            } else if !same_content(&version(node), &wanted.version) {
                return Err(ErrorKind::Conflict.into());
            }
            disk.nodes.remove(&path);
            Ok(())
        })
        .await
    }

    async fn rename(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        let (end, from, to) = (self.end, text(from), text(to));
        self.at(move |state| {
            let now = state.disk_time(end);
            let disk = state.disk(end);
            if disk.nodes.contains_key(&to) {
                return Err(ErrorKind::Exists.into());
            }
            let mut node = disk
                .nodes
                .remove(&from)
                .ok_or_else(|| Error::from(ErrorKind::NotFound))?;
            node.changed = now;
            disk.nodes.insert(to.clone(), node);
            let below = format!("{from}/");
            let inside: Vec<String> = disk
                .nodes
                .keys()
                .filter(|name| name.starts_with(&below))
                .cloned()
                .collect();
            for name in inside {
                if let Some(node) = disk.nodes.remove(&name) {
                    disk.nodes.insert(format!("{to}/{}", &name[below.len()..]), node);
                }
            }
            Ok(())
        })
        .await
    }

    async fn set_attributes(
        &self,
        _path: &RelativePath,
        _permissions: Option<Permissions>,
        _modified: Option<Timestamp>,
    ) -> Result<()> {
        Ok(())
    }

    async fn settle(&self) -> Result<()> {
        self.at(|_| Ok(())).await
    }
}

/// Both sides of a world.
pub(crate) fn sides(world: &World) -> [Arc<dyn Side>; 2] {
    [End::Left, End::Right].map(|end| {
        Arc::new(SimulatedSide {
            world: world.clone(),
            end,
            tag: Tag::new("pair"),
        }) as Arc<dyn Side>
    })
}
