//! `.stats`: one `name value` per line.

use std::fmt::Write as _;

use crate::Vfs;

/// The metrics of a mount now. Names of operations' metrics are those of a JuiceFS mount where the thing is the same,
/// so that tools that read them carry over.
pub(crate) fn text(vfs: &Vfs) -> String {
    let mut out = String::with_capacity(8 << 10);
    let mut line = |name: &str, value: f64| {
        // Writing to a String can not fail.
        let _ = writeln!(out, "juicefs_{name} {value}");
    };
    line("uptime", vfs.born.elapsed().as_secs_f64());
    line("fuse_open_handlers", vfs.handles.len() as f64);
    line("used_buffer_size_bytes", vfs.chunks.buffers().0 as f64);
    line("dirty_files", vfs.files.dirty().len() as f64);
    let mut total = (0_u64, 0.0);
    for operation in vfs.journal.stats() {
        let spent = operation.spent.as_secs_f64();
        total = (total.0 + operation.calls, total.1 + spent);
        line(
            &format!("fuse_ops_total_{}", operation.name),
            operation.calls as f64,
        );
        line(
            &format!("fuse_ops_errors_{}", operation.name),
            operation.errors as f64,
        );
        line(&format!("fuse_ops_seconds_{}", operation.name), spent);
    }
    line("fuse_ops_durations_histogram_seconds_total", total.0 as f64);
    line("fuse_ops_durations_histogram_seconds_sum", total.1);
    let chunks = vfs.chunks.stats();
    line("memory_cache_bytes", chunks.memory_bytes as f64);
    let pending = vfs.chunks.pending();
    line("staging_blocks", pending.blocks as f64);
    line("staging_block_bytes", pending.bytes as f64);
    line("staging_lost_blocks", pending.lost_blocks as f64);
    line("staged_blocks_total", chunks.staged_blocks as f64);
    out
}
