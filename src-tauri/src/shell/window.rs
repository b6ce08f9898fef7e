//! The window. It is made when it is first shown and is gone, with the memory of its web view, when it is closed.

use tauri::{AppHandle, Emitter as _, Manager as _, Runtime, Url, WebviewUrl, WebviewWindowBuilder};

use crate::page::Page;

/// Its name; the capability of the same name says what its pages may ask for.
pub(super) const LABEL: &str = "main";
/// Told to the pages: another one is to be shown; with its address.
const GO: &str = "go";
/// Width and height of a new window.
const SIZE: (f64, f64) = (1020.0, 760.0);
/// The least that the pages are made for.
const LEAST_SIZE: (f64, f64) = (420.0, 480.0);

/// Shows a page, in the window that is there or in a new one.
pub(super) fn show<R: Runtime>(app: &AppHandle<R>, page: &Page) {
    if let Err(error) = try_show(app, page) {
        tracing::error!("the window can not be shown: {error}");
    }
}

fn try_show<R: Runtime>(app: &AppHandle<R>, page: &Page) -> tauri::Result<()> {
    let fragment = page.fragment();
    if let Some(window) = app.get_webview_window(LABEL) {
        window.emit(GO, fragment)?;
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let address = WebviewUrl::App(format!("index.html{fragment}").into());
    let window = WebviewWindowBuilder::new(app, LABEL, address)
        .title("Moorage")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(LEAST_SIZE.0, LEAST_SIZE.1)
        .on_navigation(is_own)
        .build()?;
    window.set_focus()
}

/// Whether an address is one of the pages in this program: a page never leads out of them.
fn is_own(address: &Url) -> bool {
    match address.scheme() {
        "tauri" => address.host_str() == Some("localhost"),
        // Windows has no schemes of programs.
        "http" | "https" => address.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_nowhere_else() {
        for (address, own) in [
            ("tauri://localhost/index.html#/settings", true),
            ("http://tauri.localhost/", true),
            ("tauri://elsewhere/", false),
            ("https://example.org/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(
                is_own(&Url::parse(address).expect("an address")),
                own,
                "{address}"
            );
        }
    }
}
