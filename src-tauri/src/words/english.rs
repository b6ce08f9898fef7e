//! English.

use super::{BeforeQuit, Notifications, Numbers, States, Words};

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
    notifications: Notifications {
        failed: |names, count| match count {
            1 => format!("“{names}” is not mounted"),
            count => format!("{count} volumes are not mounted"),
        },
        incomplete: |names, count| match count {
            1 => format!("“{names}” needs a password or a setting"),
            count => format!("{count} volumes need passwords or settings"),
        },
        locked: "The store of passwords is locked: unlock it to mount",
        unreachable: |names, count| match count {
            1 => format!("Files of “{names}” do not reach the store"),
            count => format!("Files of {count} volumes do not reach the store"),
        },
        kept: "They are kept on this computer until they do.",
        asks: |count| match count {
            1 => "A sync pair would remove many files, and asks first".to_owned(),
            count => format!("{count} sync pairs would remove many files, and ask first"),
        },
        arrived: "What did not reach the store before is there now.",
        and_more: |names, more| format!("{names} and {more} more"),
        advice: str::to_owned,
        open: "Open Moorage",
    },
    before_quit: BeforeQuit {
        uploads_go_on: "The upload goes on without the tray, as long as this computer is on; but nothing tells you then when \
                        all is stored, or that it can not be.",
        uploads_are_held: "The upload is held, and does not go on before it is resumed.",
        quit: "Quit all the same",
        stay: "Stay",
    },
    save: "Save",
    cancel: "Cancel",
    save_volume_file: "Save the volume as a file",
    save_report: "Save the report",
};
