//! `.config`: how this client uses the volume, without secrets.

use moorage_meta::without_secrets;
use serde_json::json;

use crate::Vfs;

/// The configuration as JSON, ending with a newline.
pub(crate) fn text(vfs: &Vfs) -> String {
    let (options, meta) = (&vfs.options, vfs.meta.options());
    let setting = vfs.meta.setting();
    let config = json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "Mountpoint": options.mount_point.to_string_lossy(),
        "Meta": {
            "Location": vfs.meta.engine().location(),
            "ReadOnly": options.read_only,
            "NoBGJob": !meta.background_jobs,
            "Heartbeat": meta.heartbeat.as_secs_f64(),
            "Subdir": options.subdir,
            "Sid": vfs.meta.session().0,
        },
        "Format": without_secrets(&setting),
        "Chunk": {
            "BlockSize": vfs.chunks.block_size(),
            "BufferSize": options.buffer_size,
            "Readahead": options.max_readahead,
        },
        "AttrTimeout": options.attr_ttl.as_secs_f64(),
        "EntryTimeout": options.entry_ttl.as_secs_f64(),
        "DirEntryTimeout": options.dir_entry_ttl.as_secs_f64(),
        "NegEntryTimeout": options.negative_ttl.as_secs_f64(),
        "PushInvalidation": options.push_invalidation,
        "HideInternal": options.hide_internal,
        "PrefixInternal": options.prefix_internal,
        "Pid": std::process::id(),
    });
    format!("{config:#}\n")
}
