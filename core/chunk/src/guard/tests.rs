//! Calls of stores that are slow, that fail and that say nothing.

use std::sync::atomic::AtomicUsize;

use super::*;

const STEP: Duration = Duration::from_millis(5);

fn answered() -> Question {
    Box::new(|_| Box::pin(async { Ok(()) }))
}

/// A store that is asked, and is there or not.
fn store(there: &Arc<AtomicBool>) -> Question {
    let there = Arc::clone(there);
    Box::new(move |_| {
        let there = Arc::clone(&there);
        Box::pin(async move {
            if there.load(Relaxed) {
                return Ok(());
            }
            std::future::pending().await
        })
    })
}

fn with_defaults(question: Question) -> Arc<Guard> {
    let minute = Duration::from_secs(60);
    Arc::new(Guard::new(minute, minute, 10, "a store".to_owned(), question))
}

/// A line that all calls share: each needs 40 ms of it.
async fn upload(line: &AtomicUsize) -> Result<()> {
    struct Place<'a>(&'a AtomicUsize);
    impl Drop for Place<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
    line.fetch_add(1, Relaxed);
    let _place = Place(line);
    let mut left = 40.0;
    while left > 0.0 {
        sleep(STEP).await;
        left -= STEP.as_secs_f64() * 1000.0 / line.load(Relaxed) as f64;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn many_uploads_over_a_slow_line_all_arrive() {
    let guard = Arc::new(Guard::new(
        Duration::from_millis(100),
        Duration::from_millis(100),
        5,
        "a store".to_owned(),
        answered(),
    ));
    let line = Arc::new(AtomicUsize::new(0));
    let uploads = (0..16).map(|_| {
        let (guard, line) = (Arc::clone(&guard), Arc::clone(&line));
        async move { guard.call(Purpose::Write, "x", || upload(&line)).await }
    });
    for outcome in futures_util::future::join_all(uploads).await {
        outcome.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_silent_store_ends_before_its_attempts_do() {
    let guard = Guard::new(
        Duration::from_secs(60),
        Duration::from_secs(60),
        1000,
        "a store".to_owned(),
        answered(),
    );
    let start = Instant::now();
    let never = || std::future::pending::<Result<()>>();
    let error = guard.call(Purpose::Read, "x", never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        start.elapsed() < Duration::from_secs(320),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_long_is_left_alone_and_its_last_answer_is_told() {
    let guard = Guard::new(
        Duration::from_secs(1),
        Duration::from_secs(1),
        0,
        "a store".to_owned(),
        answered(),
    );
    let refused = || async { Err::<(), _>(Error::new(ErrorKind::Unavailable, "status 500")) };
    guard.line.circuit.lock().failing_since = Instant::now().checked_sub(OPEN_AFTER);
    for _ in 0..OPEN_AFTER_FAILURES {
        guard.call(Purpose::Read, "x", refused).await.unwrap_err();
    }
    let calls = AtomicUsize::new(0);
    let counted = || async { Ok::<_, Error>(calls.fetch_add(1, Relaxed)) };
    let error = guard.call(Purpose::Read, "x", counted).await.unwrap_err();
    assert_eq!(calls.load(Relaxed), 0);
    assert_eq!(
        error.reason(),
        "the object store (a store) fails, and x waits for it: status 500"
    );
    sleep(2 * ASK_EVERY).await;
    guard.call(Purpose::Read, "x", counted).await.unwrap();
    assert_eq!(guard.problem(), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_alone_keeps_its_deadline() {
    let guard = Guard::new(
        Duration::from_secs(1),
        Duration::from_secs(1),
        2,
        "a store".to_owned(),
        answered(),
    );
    let start = Instant::now();
    let never = || std::future::pending::<Result<()>>();
    let error = guard.call(Purpose::Write, "x", never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_swallows_everything_lets_go_of_whoever_reads_within_half_a_minute() {
    let there = Arc::new(AtomicBool::new(false));
    let guard = with_defaults(store(&there));
    let never = || std::future::pending::<Result<()>>();
    for _ in 0..3 {
        let start = Instant::now();
        let error = guard.call(Purpose::Read, "x", never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }
    assert!(guard.problem().is_some());
}

#[tokio::test(start_paused = true)]
async fn writes_that_hang_go_on_within_seconds_after_the_store_is_back_and_nobody_has_to_ask() {
    let there = Arc::new(AtomicBool::new(false));
    let guard = with_defaults(store(&there));
    let (of_call, working) = (Arc::clone(&guard), Arc::clone(&there));
    let write = tokio::spawn(async move {
        let call = || async {
            if working.load(Relaxed) {
                return Ok(());
            }
            std::future::pending().await
        };
        of_call.call(Purpose::Write, "x", call).await
    });
    // Not at the end of a wait between two attempts.
    sleep(Duration::from_millis(25_300)).await;
    assert!(guard.problem().is_some() && !write.is_finished());
    there.store(true, Relaxed);
    timeout(Duration::from_secs(10), write)
        .await
        .expect("it heals in time")
        .unwrap()
        .unwrap();
    assert_eq!(guard.problem(), None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_that_answers_questions_keeps_its_deadline() {
    let guard = with_defaults(answered());
    let slow = || async {
        sleep(Duration::from_secs(50)).await;
        Ok(())
    };
    guard.call(Purpose::Read, "x", slow).await.unwrap();
    assert_eq!(guard.problem(), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_a_call_that_hangs_is_made_again_at_once() {
    let guard = with_defaults(answered());
    let attempts = Arc::new(AtomicU32::new(0));
    let (of_call, counted) = (Arc::clone(&guard), Arc::clone(&attempts));
    let read = tokio::spawn(async move {
        let call = || {
            let attempt = counted.fetch_add(1, Relaxed);
            async move {
                if attempt > 0 {
                    return Ok(());
                }
                std::future::pending().await
            }
        };
        of_call.call(Purpose::Read, "x", call).await
    });
    sleep(Duration::from_secs(1)).await;
    guard.try_again();
    timeout(STEP, read).await.expect("at once").unwrap().unwrap();
    assert_eq!(attempts.load(Relaxed), 2);
}
