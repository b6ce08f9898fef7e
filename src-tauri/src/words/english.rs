//! English.

use super::{Numbers, States, Words};

pub(super) static WORDS: Words = Words {
    numbers: Numbers {
        point: '.',
        group: ',',
        byte: "byte",
        bytes: "bytes",
    },
    not_connected: "Not connected: what is stored is not known at the moment",
    stopped: "Stopped: what is stored is not known at the moment",
    start: "Start Moorage again",
    stored: "All files are safely stored",
    only_here: |numbers, files, bytes| {
        let (noun, verb) = if files == 1 {
            ("file", "exists")
        } else {
            ("files", "exist")
        };
        let (files, bytes) = (numbers.count(files), numbers.bytes(bytes));
        format!("{files} {noun}, {bytes}, {verb} only on this computer")
    },
    lost: |message| format!("Data is lost: {message}"),
    unknown: |message| format!("What is stored could not be read: {message}"),
    problem: |problem| problem.message.clone(),
    reason: |reason| reason.message.clone(),
    not_done: |message| format!("Not done: {message}"),
    no_volumes: "No volumes yet",
    more_volumes: |count| format!("{count} more volumes…"),
    volume: |name, state| format!("{name}: {state}"),
    states: States {
        unconfigured: "incomplete",
        stopped: "stopped",
        connecting: "connecting",
        mounted: "mounted",
        degraded: "degraded",
        unmounting: "unmounting",
        error: "error",
    },
    open_folder: "Open",
    mount: "Mount",
    unmount: "Unmount",
    details: "Details",
    pause: "Pause",
    paused: "Paused",
    held_metered: "Held: the connection is metered",
    held_battery: "Held: on battery",
    pause_not_offered: "Pause: not available yet",
    quarter_hour: "For 15 minutes",
    hour: "For 1 hour",
    until_resumed: "Until resumed",
    resume: "Resume",
    transfers: "Recent transfers",
    transfers_not_offered: "Recent transfers: not available yet",
    no_transfers: "No recent transfers",
    unnamed_file: "a file",
    failed: |path| format!("{path}: failed"),
    window: "Open Moorage",
    settings: "Settings",
    diagnostics: "Diagnostics",
    quit: "Quit (volumes stay mounted)",
    save_volume_file: "Save the volume as a file",
    save_report: "Save the report",
};
