//! Several stores lead the regions of a volume; leaders move, stores end, come back elsewhere, or are slow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use moorage_engines::open;
use moorage_meta::{Engine, Key, Record, Scan};
use moorage_model::{Ino, NodeType, Result};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cluster::{Cluster, Refusal, STORES};
use crate::conformance::samples::{entry, file, name};
use crate::conformance::{
    Fresh, LIMIT, conflicts, counters, isolation, read, records, scan_all, scans, write,
};
use crate::fate::{self, made_once};
use crate::regions::BORDERS;
use crate::tikv_server::Server;

/// How long the tests let a cluster be without a leader for regions of a store that ended.
const ELECTION: Duration = Duration::from_secs(1);
/// The directory whose entries are in regions of several stores.
const DIRECTORY: Ino = Ino(3);

fn cluster() -> Option<Cluster> {
    Some(Cluster::before(Server::with_regions(&BORDERS)?))
}

/// Makes an entry and its node, which are in different regions.
async fn add(engine: &dyn Engine, ino: u64) -> Result<()> {
    write(engine, move |txn| {
        let edge = Key::Edge(DIRECTORY, name(format!("n{ino}")));
        txn.insert(edge, entry(NodeType::File, ino));
        txn.insert(Key::Node(Ino(ino)), Record::Node(file(DIRECTORY)));
    })
    .await
}

async fn until(happened: impl Fn() -> bool) {
    let waited = async {
        while !happened() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, waited).await.unwrap();
}

/// The inodes that have an entry.
async fn entries(engine: &dyn Engine) -> BTreeSet<u64> {
    let entries = scan_all(engine, &Scan::Edges(DIRECTORY), 100).await;
    entries
        .into_iter()
        .map(|(_, record)| match record {
            Record::Edge(entry) => entry.ino.0,
            other => panic!("{other:?} is no entry"),
        })
        .collect()
}

/// The inodes that have an entry; each has its node, and no node is without an entry. While nobody writes: the two are
/// read one after the other.
async fn whole(engine: &dyn Engine) -> BTreeSet<u64> {
    let entries = entries(engine).await;
    let nodes = scan_all(engine, &Scan::AllNodes, 100).await;
    let nodes: BTreeSet<u64> = nodes
        .into_iter()
        .map(|(key, _)| match key {
            Key::Node(ino) => ino.0,
            other => panic!("{other} is no node"),
        })
        .collect();
    assert_eq!(entries, nodes);
    entries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_whose_records_are_on_several_stores_are_whole() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.two_phase_url();
    let fresh = Fresh {
        engine: open(&url, None).unwrap(),
        other: open(&url, None).unwrap(),
        _keep: Box::new(()),
    };
    fresh.engine.prepare().await.unwrap();
    records::every_kind_of_record_is_stored_read_back_replaced_and_deleted(&fresh).await;
    fresh.engine.wipe().await.unwrap();
    scans::pages_cover_every_record_once_in_order(&fresh).await;
    fresh.engine.wipe().await.unwrap();
    isolation::records_of_one_job_appear_together(&fresh).await;
    fresh.engine.wipe().await.unwrap();
    conflicts::a_removed_directory_gets_no_entry(&fresh).await;
    fresh.engine.wipe().await.unwrap();
    counters::relative_writes_of_many_tasks_all_count(&fresh).await;
    for store in STORES {
        assert!(cluster.served(store) > 0, "{store}");
    }
}

/// Makes records while the leaders of their regions move after requests of this kind.
async fn leaders_move_after(method: &'static str, refusal: Refusal) {
    for two_phases in [false, true] {
        let Some(cluster) = cluster() else { return };
        let url = if two_phases {
            cluster.two_phase_url()
        } else {
            cluster.url()
        };
        let engine = open(&url, None).unwrap();
        add(engine.as_ref(), 9).await.unwrap();
        cluster.refuse_as(refusal);
        cluster.move_after(method, 2);
        timeout(LIMIT, fate::make(engine.as_ref()))
            .await
            .unwrap_or_else(|_| panic!("{method}, {refusal:?}: no end"))
            .unwrap();
        cluster.move_after("", 0);
        made_once(engine.as_ref()).await;
        let refused: usize = ["NotLeader", "RegionNotFound", "EpochNotMatch"]
            .map(|reason| cluster.refused(reason))
            .iter()
            .sum();
        assert!(refused > 0, "{method}, {refusal:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_may_move_between_the_phases_of_a_change() {
    for refusal in [Refusal::Leader, Refusal::NoLeader, Refusal::Gone, Refusal::Epoch] {
        leaders_move_after("KvPrewrite", refusal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_may_move_before_and_after_the_phases_of_a_change() {
    for method in ["KvBatchGet", "KvCommit"] {
        for refusal in [Refusal::Leader, Refusal::NoLeader] {
            leaders_move_after(method, refusal).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_go_on_when_a_store_ends_and_none_is_lost() {
    const WRITERS: u64 = 4;
    let Some(cluster) = cluster() else { return };
    let (url, stopped) = (cluster.two_phase_url(), Arc::new(AtomicBool::new(false)));
    let next = Arc::new(AtomicU64::new(10));
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (engine, stopped, next) = (open(&url, None).unwrap(), Arc::clone(&stopped), Arc::clone(&next));
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let ino = next.fetch_add(1, Ordering::Relaxed);
                let added = timeout(LIMIT, add(engine.as_ref(), ino)).await;
                added.unwrap().unwrap();
                acknowledged.push(ino);
            }
            acknowledged
        });
    }
    for store in STORES {
        until(|| cluster.served(store) > 0).await;
        cluster.stop(store);
        sleep(ELECTION).await;
        cluster.hand_over(store);
        let before = next.load(Ordering::Relaxed);
        until(|| next.load(Ordering::Relaxed) >= before + 20 * WRITERS).await;
        cluster.start(store);
    }
    stopped.store(true, Ordering::Relaxed);
    let acknowledged: BTreeSet<u64> = writers.join_all().await.into_iter().flatten().collect();
    let found = whole(open(&url, None).unwrap().as_ref()).await;
    assert_eq!(found, acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_starts_while_a_store_is_down_works_once_its_regions_moved() {
    for store in STORES {
        let Some(cluster) = cluster() else { return };
        let known = open(&cluster.url(), None).unwrap();
        add(known.as_ref(), 9).await.unwrap();
        whole(known.as_ref()).await;
        cluster.stop(store);
        let named = cluster.named(store);
        let url = cluster.url();
        let reading = tokio::spawn(async move { entries(open(&url, None).unwrap().as_ref()).await });
        let url = cluster.two_phase_url();
        let writing = tokio::spawn(async move { add(open(&url, None).unwrap().as_ref(), 20).await });
        // Somebody looks for the store that is down.
        until(|| cluster.named(store) > named).await;
        sleep(ELECTION).await;
        cluster.hand_over(store);
        timeout(LIMIT, writing).await.unwrap().unwrap().unwrap();
        let read = timeout(LIMIT, reading).await.unwrap().unwrap();
        assert!(read.contains(&9), "{read:?}");
        assert_eq!(whole(known.as_ref()).await, BTreeSet::from([9, 20]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_is_found_at_another_address() {
    let Some(cluster) = cluster() else { return };
    let engine = open(&cluster.url(), None).unwrap();
    add(engine.as_ref(), 9).await.unwrap();
    whole(engine.as_ref()).await;
    let [first, second, third] = STORES;
    cluster.stop(third);
    cluster.start(third);
    timeout(LIMIT, add(engine.as_ref(), 20)).await.unwrap().unwrap();
    timeout(LIMIT, whole(engine.as_ref())).await.unwrap();
    cluster.stop(first);
    cluster.stop(second);
    cluster.start_swapped([first, second]);
    timeout(LIMIT, add(engine.as_ref(), 30)).await.unwrap().unwrap();
    assert_eq!(
        timeout(LIMIT, whole(engine.as_ref())).await.unwrap(),
        BTreeSet::from([9, 20, 30])
    );
    assert!(cluster.refused("StoreNotMatch") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_slow_store_does_too_late_changes_nothing() {
    /// Longer than a client waits for one answer.
    const SLOW: Duration = Duration::from_secs(7);
    const DELAYED: usize = 2;
    let mut claims = JoinSet::new();
    for store in STORES {
        claims.spawn(async move {
            let Some(cluster) = cluster() else { return };
            let engine = open(&cluster.two_phase_url(), None).unwrap();
            add(engine.as_ref(), 9).await.unwrap();
            whole(engine.as_ref()).await;
            cluster.delay(store, SLOW, DELAYED);
            timeout(LIMIT, add(engine.as_ref(), 20)).await.unwrap().unwrap();
            timeout(LIMIT, fate::make(engine.as_ref()))
                .await
                .unwrap()
                .unwrap();
            // What is still on its way arrives.
            sleep(SLOW).await;
            made_once(engine.as_ref()).await;
            assert!(read(engine.as_ref(), &Key::Node(Ino(20))).await.is_some());
            assert!(cluster.to_delay() < DELAYED, "{store} was not asked");
        });
    }
    claims.join_all().await;
}
