//! Tauri's part: the tray, the window, and the commands of its pages.

mod app;
mod commands;
mod deeds;
mod dialog;
mod notifications;
mod saving;
mod tray;
mod window;

pub use app::run;
