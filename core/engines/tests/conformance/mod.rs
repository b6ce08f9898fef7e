//! What every engine promises, once. An engine's test file makes fresh engines and invokes `conformance!`.

pub(crate) mod cancellation;
pub(crate) mod conflicts;
pub(crate) mod counters;
pub(crate) mod directories;
pub(crate) mod isolation;
pub(crate) mod lifecycle;
pub(crate) mod records;
pub(crate) mod samples;
pub(crate) mod scans;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use moorage_meta::{Engine, Key, Read, Record, Txn, run};
use moorage_model::Result;

/// Longest run of one claim.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// An empty engine, prepared for a volume.
pub(crate) struct Fresh {
    pub(crate) engine: Arc<dyn Engine>,
    /// Another client of the same records; the engine itself where clients share one instance.
    pub(crate) other: Arc<dyn Engine>,
    /// What has to live as long as the engine.
    pub(crate) _keep: Box<dyn Any + Send>,
}

/// Makes one test per claim. The argument is an async function that answers with a [`Fresh`], or with `None` (and
/// a loud line) where its server is not there.
macro_rules! conformance {
    ($fresh:path) => {
        conformance! { @each $fresh;
            records::every_kind_of_record_is_stored_read_back_replaced_and_deleted,
            records::an_empty_attribute_is_kept_or_refused,
            records::absent_records_are_none_in_the_order_of_the_keys,
            records::a_transaction_reads_its_own_writes,
            records::deleting_attachments_leaves_other_nodes_alone,
            records::appends_extend_a_slice_list,
            records::owners_change_relatively_and_dead_slices_are_found,
            records::acl_rules_get_distinct_ids,
            records::a_record_of_the_wrong_kind_is_refused,
            counters::relative_writes_of_many_tasks_all_count,
            counters::statistics_without_a_record_stay_absent,
            counters::concurrent_allocations_never_overlap,
            counters::the_first_ids_of_a_fresh_volume,
            counters::an_allocation_counter_reads_as_the_next_free_id,
            counters::a_stored_value_overrides_what_was_added_before,
            conflicts::inserting_an_existing_record_is_a_conflict,
            conflicts::no_update_is_lost_between_tasks,
            conflicts::no_update_is_lost_between_clients,
            conflicts::one_of_many_creators_of_a_name_wins,
            conflicts::a_record_is_the_same_throughout_a_run,
            conflicts::a_removed_directory_gets_no_entry,
            conflicts::a_decision_on_a_range_holds,
            conflicts::a_locked_range_is_whole_and_has_own_writes,
            conflicts::an_error_of_the_body_is_returned_and_not_retried,
            isolation::readers_see_committed_records_only,
            isolation::a_failed_job_leaves_nothing_and_harms_no_neighbour,
            isolation::records_of_one_job_appear_together,
            scans::pages_cover_every_record_once_in_order,
            scans::a_page_continues_behind_a_key_that_is_gone,
            scans::entries_that_stay_are_listed_once_while_others_come_and_go,
            scans::a_scan_in_a_transaction_sees_its_own_writes,
            scans::every_range_holds_its_records_and_no_others,
            directories::a_lookup_joins_entry_and_attributes,
            directories::a_listing_carries_attributes_when_asked,
            directories::parents_are_counted_per_directory,
            directories::an_entry_with_an_impossible_name_is_told_and_can_get_another,
            directories::emptiness_is_seen_with_own_writes,
            lifecycle::preparing_twice_changes_nothing,
            lifecycle::a_wiped_engine_is_empty_and_usable,
            lifecycle::one_barrier_serves_many_callers,
            lifecycle::eight_threads_commit_side_by_side,
            cancellation::a_dropped_job_is_whole_or_absent,
            cancellation::a_dropped_leader_leaves_nobody_waiting,
        }
    };
    (@each $fresh:path; $($area:ident :: $claim:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $claim() {
                if let Some(fresh) = $fresh().await {
                    tokio::time::timeout(conformance::LIMIT, conformance::$area::$claim(&fresh))
                        .await
                        .expect("ends within its time limit");
                }
            }
        )*
    };
}
pub(crate) use conformance;

/// Runs a job that only writes.
pub(crate) async fn write(
    engine: &dyn Engine,
    writes: impl Fn(&mut dyn Txn) + Send + Sync + 'static,
) -> Result<()> {
    let writes = Arc::new(writes);
    run(engine, "write", move |txn| {
        let writes = Arc::clone(&writes);
        Box::pin(async move {
            writes(txn);
            Ok(())
        })
    })
    .await
}

/// One record as committed.
pub(crate) async fn read(engine: &dyn Engine, key: &Key) -> Option<Record> {
    engine
        .read(std::slice::from_ref(key))
        .await
        .unwrap()
        .pop()
        .unwrap()
}

/// Every record of a range, by pages of `limit`.
pub(crate) async fn scan_all(
    engine: &dyn Read,
    range: &moorage_meta::Scan,
    limit: usize,
) -> Vec<(Key, Record)> {
    let mut all: Vec<(Key, Record)> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let page = engine.scan(range, after.as_ref(), limit).await.unwrap();
        assert!(
            page.items.len() <= limit,
            "a page of {} for a limit of {limit}",
            page.items.len()
        );
        assert!(
            !page.more || !page.items.is_empty(),
            "an empty page promises more"
        );
        all.extend(page.items);
        if !page.more {
            return all;
        }
    }
}
