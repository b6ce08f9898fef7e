//! Puts the configuration, the pages and what each window may ask for into the program.

/// The commands of the pages; a capability names the windows that may use one.
const COMMANDS: &[&str] = &[
    "ask",
    "export_volume",
    "home_folder",
    "open_volume",
    "save_report",
    "start_agent",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}
