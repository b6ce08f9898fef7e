//! The invariants of a volume, judged from its records alone.

use std::collections::{BTreeMap, BTreeSet};

use moorage_meta::{Engine, Key, Record, Scan};
use moorage_model::{Attr, Counter, DirStat, Entry, Ino, Name, SliceId, align4k};

use crate::fixture::TestData;

struct Records {
    nodes: BTreeMap<Ino, Attr>,
    edges: Vec<(Ino, Name, Entry)>,
}

pub(crate) async fn all(engine: &dyn Engine, range: Scan) -> Vec<(Key, Record)> {
    let mut items = Vec::new();
    loop {
        let after = items.last().map(|(key, _): &(Key, Record)| key.clone());
        let page = engine.scan(&range, after.as_ref(), 1000).await.unwrap();
        let more = page.more;
        items.extend(page.items);
        if !more {
            return items;
        }
    }
}

/// Every broken invariant in words; empty for a sound volume. `data` is asked for the slices that must exist.
pub(crate) async fn broken_invariants(engine: &dyn Engine, data: Option<&TestData>) -> Vec<String> {
    let mut nodes = BTreeMap::new();
    for (key, record) in all(engine, Scan::AllNodes).await {
        if let (Key::Node(ino), Record::Node(attr)) = (key, record) {
            nodes.insert(ino, attr);
        }
    }
    let mut edges = Vec::new();
    for (key, record) in all(engine, Scan::AllEdges).await {
        if let (Key::Edge(parent, name), Record::Edge(entry)) = (key, record) {
            edges.push((parent, name, entry));
        }
    }
    let records = Records { nodes, edges };
    let mut broken = Vec::new();
    links(&records, &mut broken);
    counters(engine, &records, &mut broken).await;
    statistics(engine, &records, &mut broken).await;
    slices(engine, &records, data, &mut broken).await;
    broken
}

/// Whether the layout has no record for a slice with one owner (spec 30-redis section 2, 50-tkv).
fn implies_one_owner(engine: &dyn Engine) -> bool {
    ["redis:", "unix:", "tikv:"]
        .iter()
        .any(|scheme| engine.location().starts_with(scheme))
}

/// Entries, link counts and parents agree.
fn links(records: &Records, broken: &mut Vec<String>) {
    let mut entries: BTreeMap<Ino, Vec<Ino>> = BTreeMap::new();
    let mut directories: BTreeMap<Ino, u32> = BTreeMap::new();
    for (parent, name, entry) in &records.edges {
        entries.entry(entry.ino).or_default().push(*parent);
        match records.nodes.get(&entry.ino) {
            None => broken.push(format!("entry {name:?} of {parent} leads to no node")),
            Some(attr) if attr.kind != entry.kind => {
                broken.push(format!(
                    "entry {name:?} of {parent} has another kind than its node"
                ));
            }
            Some(attr) if attr.is_directory() => *directories.entry(*parent).or_default() += 1,
            Some(_) => {}
        }
        if records.nodes.get(parent).is_none_or(|attr| !attr.is_directory()) {
            broken.push(format!("entry {name:?} lies in {parent}, which is no directory"));
        }
    }
    for (ino, attr) in &records.nodes {
        if *ino == Ino::ROOT || *ino == Ino::TRASH {
            continue;
        }
        let parents = entries.remove(ino).unwrap_or_default();
        let links = if attr.is_directory() {
            1
        } else {
            attr.nlink as usize
        };
        if parents.len() != links {
            broken.push(format!("{ino} has {} entries and {links} links", parents.len()));
        }
        if attr.parent != Ino::NONE && parents.iter().any(|parent| *parent != attr.parent) {
            broken.push(format!(
                "{ino} names parent {} but lies in {parents:?}",
                attr.parent
            ));
        }
        let expected = 2 + directories.get(ino).copied().unwrap_or(0);
        if attr.is_directory() && !ino.is_trash() && attr.nlink != expected {
            broken.push(format!(
                "directory {ino} has nlink {}, not {expected}",
                attr.nlink
            ));
        }
    }
}

async fn counters(engine: &dyn Engine, records: &Records, broken: &mut Vec<String>) {
    let counted = records
        .nodes
        .iter()
        .filter(|(ino, _)| **ino != Ino::ROOT && **ino != Ino::TRASH);
    let (mut space, mut inodes) = (0, 0);
    for (_, attr) in counted {
        space += attr.used_space();
        inodes += 1;
    }
    for (counter, expected) in [(Counter::UsedSpace, space), (Counter::TotalInodes, inodes)] {
        let stored = match engine.read(&[Key::Counter(counter)]).await.unwrap().remove(0) {
            Some(Record::Counter(value)) => value,
            _ => 0,
        };
        if stored != expected {
            broken.push(format!("counter {} is {stored}, not {expected}", counter.name()));
        }
    }
}

async fn statistics(engine: &dyn Engine, records: &Records, broken: &mut Vec<String>) {
    let mut listed: BTreeMap<Ino, DirStat> = BTreeMap::new();
    for (parent, _, entry) in &records.edges {
        let attr = records.nodes.get(&entry.ino);
        let length = attr.filter(|attr| attr.is_file()).map_or(0, |attr| attr.length);
        *listed.entry(*parent).or_default() += DirStat {
            length: length as i64,
            space: attr.map_or(align4k(0), Attr::used_space),
            inodes: 1,
        };
    }
    for (key, record) in all(engine, Scan::DirStats).await {
        if let (Key::DirStat(ino), Record::DirStat(stored)) = (key, record) {
            let expected = listed.get(&ino).copied().unwrap_or_default();
            if stored != expected {
                broken.push(format!("statistics of {ino} are {stored:?}, not {expected:?}"));
            }
        }
    }
}

/// Owners of slices, chunks of files that exist, and objects of everything that is owned.
async fn slices(engine: &dyn Engine, records: &Records, data: Option<&TestData>, broken: &mut Vec<String>) {
    let deleted: BTreeSet<Ino> = all(engine, Scan::DeletedFiles)
        .await
        .into_iter()
        .filter_map(|(key, _)| match key {
            Key::DeletedFile(ino, _) => Some(ino),
            _ => None,
        })
        .collect();
    for ino in deleted.iter().filter(|ino| records.nodes.contains_key(ino)) {
        broken.push(format!("{ino} is recorded as deleted and exists"));
    }
    let mut owners: BTreeMap<(SliceId, u32), i64> = BTreeMap::new();
    for (key, record) in all(engine, Scan::AllChunks).await {
        if let (Key::Chunk(ino, chunk), Record::Chunk(list)) = (key, record) {
            if !records.nodes.contains_key(&ino) && !deleted.contains(&ino) {
                broken.push(format!("chunk {chunk} of {ino} belongs to no file"));
            }
            for slice in list.iter().filter(|slice| slice.id != SliceId::HOLE) {
                *owners.entry((slice.id, slice.size)).or_default() += 1;
            }
        }
    }
    for (_, record) in all(engine, Scan::DelayedSlices).await {
        if let Record::DelayedSlices(list) = record {
            for slice in list {
                *owners.entry((slice.id, slice.size)).or_default() += 1;
            }
        }
    }
    let stored_ids = data.map(|data| data.ids());
    for (id, _) in owners.keys() {
        if stored_ids.as_ref().is_some_and(|ids| !ids.contains(id)) {
            broken.push(format!("slice {id} is shown but its data is gone"));
        }
    }
    for (key, record) in all(engine, Scan::SliceRefs).await {
        if let (Key::SliceRef(id, size), Record::Owners(stored)) = (key, record) {
            let expected = owners.remove(&(id, size)).unwrap_or(0);
            if stored != expected {
                broken.push(format!("slice {id} has {stored} owners, not {expected}"));
            }
        }
    }
    for ((id, size), expected) in owners {
        if expected != 1 || !implies_one_owner(engine) {
            broken.push(format!("slice {id} of {size} bytes has no reference record"));
        }
    }
}
