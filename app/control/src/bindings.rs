//! The types as TypeScript, in `ui/src/bindings`: MOORAGE_WRITE_BINDINGS=1 writes them, else they are compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use ts_rs::{Config, TS};

use crate::message::{AgentMessage, ClientMessage};

/// Where the pages find them.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/bindings");

fn write(folder: &Path) {
    // JSON has one kind of number, and no figure here reaches 2^53.
    let config = Config::new().with_large_int("number").with_out_dir(folder);
    ClientMessage::export_all(&config).expect("bindings of what clients send");
    AgentMessage::export_all(&config).expect("bindings of what the agent sends");
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            (name, fs::read_to_string(entry.path()).expect("text"))
        })
        .collect()
}

#[test]
fn the_bindings_of_the_pages_are_those_of_the_protocol() {
    let written = Path::new(FOLDER);
    if env::var_os("MOORAGE_WRITE_BINDINGS").is_some() {
        let _absent = fs::remove_dir_all(written);
        write(written);
        return;
    }
    let fresh = tempfile::tempdir().expect("a folder");
    write(fresh.path());
    assert!(
        files(written) == files(fresh.path()),
        "ui/src/bindings is stale: MOORAGE_WRITE_BINDINGS=1 cargo test -p moorage-control --lib bindings"
    );
}
