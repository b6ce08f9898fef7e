//! Keeps every core from falling asleep: on virtual machines the wake-up of an idle core would otherwise dominate every
//! latency.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest wake-up that the holder of this file allows, in microseconds (kernel: Documentation/power/pm_qos_interface).
const LATENCY_LIMIT: &str = "/dev/cpu_dma_latency";
/// There when idle cores are governed, so that the limit has an effect.
const GOVERNOR: &str = "/sys/devices/system/cpu/cpuidle/current_driver";

/// Lets the cores sleep again when dropped.
pub(crate) struct Awake {
    _limit: Option<File>,
    stop: Arc<AtomicBool>,
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Lets idle cores poll for work where the kernel can do that, else starts one `SCHED_IDLE` thread per core.
pub(crate) fn keep_cores_awake() -> Awake {
    let stop = Arc::new(AtomicBool::new(false));
    let limit = polling_cores();
    if limit.is_none() {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || spin(&stop));
        }
    }
    Awake { _limit: limit, stop }
}

fn polling_cores() -> Option<File> {
    let driver = std::fs::read_to_string(GOVERNOR).ok()?;
    if driver.trim() == "none" || !Path::new(LATENCY_LIMIT).exists() {
        return None;
    }
    let mut limit = File::options().write(true).open(LATENCY_LIMIT).ok()?;
    limit.write_all(&0i32.to_ne_bytes()).ok()?;
    Some(limit)
}

/// Yields all the time: a loop that made no system calls would keep a core from a thread that comes back from the disk
/// until the next tick, where the kernel preempts lazily.
fn spin(stop: &AtomicBool) {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is to a live, initialised structure; 0 is the calling thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) } != 0 {
        return;
    }
    while !stop.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
}
