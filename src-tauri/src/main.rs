//! Tray and window of Moorage.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match moorage_desktop::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Moorage can not start: {error}");
            ExitCode::FAILURE
        }
    }
}
