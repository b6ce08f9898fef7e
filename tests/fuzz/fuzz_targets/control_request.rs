//! Commands written to `.control`: what decodes names something, and asks for at least one thread.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moorage_vfs::control::{FolderRequest, PinRequest, Request};

fuzz_target!(|bytes: &[u8]| {
    // The last byte chooses the command.
    let Some((command, payload)) = bytes.split_last() else {
        return;
    };
    let command = match *command {
        u8::MAX => PinRequest::COMMAND,
        0xFE => FolderRequest::COMMAND,
        number => 1000 + u32::from(number),
    };
    let Ok(request) = Request::decode(command, payload) else {
        return;
    };
    match request {
        Request::Remove { name, threads, .. } | Request::Clone { name, threads, .. } => {
            assert!(!name.is_empty() && name.len() <= 255 && threads > 0);
        }
        Request::WarmUp(request) => {
            assert!(request.threads > 0);
            assert!(request.paths.iter().all(|path| !path.is_empty() && !path.contains(&b'\n')));
        }
        Request::Pins(request) => {
            let written = request.encode().expect("no longer than what was read");
            assert_eq!(written, payload);
        }
        Request::Folder(request) => assert!((1..=FolderRequest::MOST).contains(&request.limit)),
        Request::Compact { threads, .. } => assert!(threads > 0),
        Request::Info { .. } | Request::Summary { .. } => {}
    }
});
