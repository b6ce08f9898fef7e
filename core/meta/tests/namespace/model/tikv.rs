//! The same on TiKV, also while requests are lost, answered by the wrong server, or applied without an answer, and while
//! regions are split: no operation may be lost, applied twice or reported as failed for it.

use proptest::prelude::*;

use super::operations::{Operation, operations};
use super::run::Run;
use crate::tikv_server::Server;

const CASES: u32 = 12;
const METHODS: [&str; 6] = [
    "KvGet",
    "KvBatchGet",
    "KvScan",
    "KvPrewrite",
    "KvCommit",
    "KvCheckTxnStatus",
];
/// What becomes of a request: not applied, applied without an answer, refused by a server that is not in charge or busy.
const FAULTS: [&str; 6] = [
    "before",
    "after",
    "NotLeader",
    "EpochNotMatch",
    "RegionNotFound",
    "ServerIsBusy",
];
/// Faults in front of an operation, at most.
const MOST_FAULTS: u32 = 2;

/// What happens to the cluster before an operation.
#[derive(Clone, Debug)]
enum Trouble {
    None,
    Fault(&'static str, &'static str, u32),
    /// The region of this node is split there.
    Split(u8),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let fault = (
        prop::sample::select(&METHODS[..]),
        prop::sample::select(&FAULTS[..]),
        1..=MOST_FAULTS,
    );
    prop_oneof![
        3 => Just(Trouble::None),
        5 => fault.prop_map(|(method, kind, count)| Trouble::Fault(method, kind, count)),
        1 => (1..30_u8).prop_map(Trouble::Split),
    ]
}

fn on_tikv(sequence: &[(Operation, Trouble)], url: impl Fn(&Server) -> String) {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = moorage_engines::open(&url(&server), None).unwrap();
        let mut run = Run::new(engine, None, false).await;
        for (operation, trouble) in sequence {
            match trouble {
                Trouble::None => {}
                Trouble::Fault(method, kind, count) => server.fail(method, kind, *count),
                Trouble::Split(ino) => {
                    server.split(&[&b"volume\xFDA"[..], &[*ino, 0, 0, 0, 0, 0, 0, 0]].concat());
                }
            }
            run.step(operation).await;
        }
        server.fail("none", "", 0);
        // A client that closes while its compaction waits for the server leaves the new slice to garbage collection.
        run.finish().await;
    });
}

fn without_trouble(longest: usize) -> impl Strategy<Value = Vec<(Operation, Trouble)>> {
    operations(longest, false).prop_map(|sequence| {
        let calm = sequence.into_iter().map(|operation| (operation, Trouble::None));
        calm.collect()
    })
}

fn with_trouble(longest: usize) -> impl Strategy<Value = Vec<(Operation, Trouble)>> {
    let troubles = prop::collection::vec(trouble(), longest);
    (operations(longest, false), troubles)
        .prop_map(|(sequence, troubles)| sequence.into_iter().zip(troubles).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn tikv_agrees_with_the_reference(sequence in without_trouble(60)) {
        on_tikv(&sequence, Server::url);
    }

    #[test]
    fn tikv_agrees_with_the_reference_in_one_phase_while_requests_fail(sequence in with_trouble(60)) {
        on_tikv(&sequence, Server::url);
    }

    #[test]
    fn tikv_agrees_with_the_reference_in_two_phases_while_requests_fail(sequence in with_trouble(60)) {
        on_tikv(&sequence, Server::two_phase_url);
    }
}
