//! The system's notifications.

use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager as _, Runtime};

use super::window;
use crate::agent::Heard;
use crate::notification::{Notification, Teller};
use crate::page::Page;
use crate::words::Words;

/// How long a press on a notification is waited for: by then few systems show it any more.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How long the system may take to show one.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// Tells the person what no window shows.
pub(super) fn tell<R: Runtime>(
    app: &AppHandle<R>,
    teller: &mut Teller,
    heard: &Heard,
    words: &'static Words,
) {
    for notification in teller.hear(heard, is_shown(app), Instant::now()) {
        tauri::async_runtime::spawn(show(app.clone(), notification, words));
    }
}

/// Whether a person sees the window.
fn is_shown<R: Runtime>(app: &AppHandle<R>) -> bool {
    let window = app.get_webview_window(window::LABEL);
    window
        .is_some_and(|window| window.is_visible().unwrap_or(false) && !window.is_minimized().unwrap_or(false))
}

async fn show<R: Runtime>(app: AppHandle<R>, notification: Notification, words: &'static Words) {
    let text = words.notification_text(&notification);
    let mut shown = notify_rust::Notification::new();
    shown
        .appname("Moorage")
        .icon("moorage")
        .summary(&text.title)
        .body(&without_markup(&text.body))
        // The name of a press on the notification itself.
        .action("default", words.notifications.open);
    if let Err(error) = present(&app, &shown, &notification.page).await {
        tracing::info!("a notification is not shown: {error}");
    }
}

#[cfg(target_os = "linux")]
async fn present<R: Runtime>(
    app: &AppHandle<R>,
    shown: &notify_rust::Notification,
    page: &Page,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use notify_rust::ActionResponse;

    let handle = tokio::time::timeout(SHOWN_WITHIN, shown.show_async()).await??;
    let pressed = handle.wait_for_action_async(|action| {
        if matches!(action, ActionResponse::Custom(_)) {
            let (main, page) = (app.clone(), page.clone());
            // A program that ends shows nothing any more.
            let _ended = app.run_on_main_thread(move || window::show(&main, &page));
        }
    });
    // Whoever has not pressed it by now opens the window another way.
    let _pressed = tokio::time::timeout(PATIENCE, pressed).await;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn present<R: Runtime>(
    _app: &AppHandle<R>,
    shown: &notify_rust::Notification,
    _page: &Page,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let shown = shown.clone();
    let shown = tauri::async_runtime::spawn_blocking(move || shown.show().map(drop));
    tokio::time::timeout(SHOWN_WITHIN, shown).await???;
    Ok(())
}

/// A text that no system takes for markup: names come from outside.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
