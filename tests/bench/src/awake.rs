//! Keeps every core busy at idle priority: on virtual machines the wake-up of an idle core would otherwise
//! dominate every latency.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops the spinning threads when dropped.
pub(crate) struct Awake(Arc<AtomicBool>);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Starts one `SCHED_IDLE` spinning thread per core.
pub(crate) fn keep_cores_awake() -> Awake {
    let stop = Arc::new(AtomicBool::new(false));
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let parameters = libc::sched_param { sched_priority: 0 };
            // SAFETY: the pointer is to a live, initialised structure; 0 is the calling thread.
            if unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) } != 0 {
                return;
            }
            while !stop.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
    }
    Awake(stop)
}
