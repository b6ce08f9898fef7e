//! What the processes of a mount cost: CPU seconds and peak memory from `/proc`.

use std::fs;
use std::path::Path;

/// Cost of all processes whose command line names a mount point.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// User and system CPU seconds.
    pub(crate) cpu_seconds: f64,
    /// Sum of the peak resident sets, MiB.
    pub(crate) peak_rss_mib: f64,
}

/// Adds up the processes, other than this one, that have `mount_point` among their arguments.
pub(crate) fn cost_of(mount_point: &Path) -> Cost {
    let needle = mount_point.as_os_str().as_encoded_bytes();
    let own = std::process::id().to_string();
    let mut cost = Cost::default();
    let Ok(processes) = fs::read_dir("/proc") else {
        return cost;
    };
    for process in processes.flatten() {
        let name = process.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()) && *n != own)
        else {
            continue;
        };
        let root = Path::new("/proc").join(pid);
        let Ok(arguments) = fs::read(root.join("cmdline")) else {
            continue;
        };
        // Some clients rewrite their arguments into one text, so the mount point is looked for anywhere.
        if !arguments.windows(needle.len()).any(|window| window == needle) {
            continue;
        }
        cost.cpu_seconds += cpu_seconds(&root);
        cost.peak_rss_mib += peak_rss_mib(&root);
    }
    cost
}

fn cpu_seconds(root: &Path) -> f64 {
    // proc(5): fields 14 and 15, counted after the parenthesised command name, are clock ticks.
    let stat = fs::read_to_string(root.join("stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<f64>().ok())
        .sum();
    // SAFETY: sysconf only reads its argument.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1);
    ticks / per_second as f64
}

fn peak_rss_mib(root: &Path) -> f64 {
    let status = fs::read_to_string(root.join("status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0)
}
