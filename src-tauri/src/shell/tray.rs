//! Tauri's tray. Only the main thread touches it.

use std::sync::Mutex;

use tauri::image::Image;
use tauri::menu::{
    Menu, MenuBuilder, MenuItem, MenuItemBuilder, PredefinedMenuItem, Submenu, SubmenuBuilder,
};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Runtime};

use super::{deeds, window};
use crate::page::Page;
use crate::tray::{Action, Icon, Item, Shown};

/// Its name at the host.
const NAME: &str = "moorage";

/// The tray as it is; absent while no host takes it.
pub(super) struct Tray<R: Runtime>(Mutex<Option<(TrayIcon<R>, Shown)>>);

impl<R: Runtime> Default for Tray<R> {
    fn default() -> Self {
        Tray(Mutex::new(None))
    }
}

/// Whether there is a tray.
pub(super) fn is_there<R: Runtime>(app: &AppHandle<R>) -> bool {
    let tray = app.state::<Tray<R>>();
    tray.0.lock().is_ok_and(|tray| tray.is_some())
}

/// Shows `shown`; what is shown already is left alone. Call it on the main thread.
///
/// # Errors
/// When no host takes a tray, or the system refuses.
pub(super) fn show<R: Runtime>(app: &AppHandle<R>, shown: Shown) -> tauri::Result<()> {
    let state = app.state::<Tray<R>>();
    let mut tray = state.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match tray.as_mut() {
        None => {
            let icon = build(app, &shown)?;
            *tray = Some((icon, shown));
        }
        Some((icon, before)) => {
            if before.icon != shown.icon {
                icon.set_icon(Some(picture(shown.icon)))?;
            }
            if before.tooltip != shown.tooltip {
                icon.set_tooltip(Some(&shown.tooltip))?;
            }
            if before.menu != shown.menu {
                icon.set_menu(Some(menu(app, &shown.menu)?))?;
            }
            *before = shown;
        }
    }
    Ok(())
}

fn build<R: Runtime>(app: &AppHandle<R>, shown: &Shown) -> tauri::Result<TrayIcon<R>> {
    TrayIconBuilder::with_id(NAME)
        .icon(picture(shown.icon))
        .tooltip(&shown.tooltip)
        .title("Moorage")
        .menu(&menu(app, &shown.menu)?)
        // A left click opens the window, where the host tells of it.
        .show_menu_on_left_click(false)
        .on_menu_event(
            |app, event| match serde_json::from_str::<Action>(event.id().as_ref()) {
                Ok(action) => deeds::act(app, action),
                Err(error) => tracing::debug!("a row of the menu that does nothing: {error}"),
            },
        )
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show(tray.app_handle(), &Page::Volumes);
            }
        })
        .build(app)
}

fn picture(icon: Icon) -> Image<'static> {
    Image::new_owned(icon.pixels(), Icon::size(), Icon::size())
}

fn menu<R: Runtime>(app: &AppHandle<R>, items: &[Item]) -> tauri::Result<Menu<R>> {
    let mut menu = MenuBuilder::new(app);
    for item in items {
        menu = match item {
            Item::Line => menu.item(&PredefinedMenuItem::separator(app)?),
            Item::Menu { label, items } => menu.item(&submenu(app, label, items)?),
            Item::Text(label) => menu.item(&row(app, label, None)?),
            Item::Press { label, action } => menu.item(&row(app, label, Some(action))?),
        };
    }
    menu.build()
}

fn submenu<R: Runtime>(app: &AppHandle<R>, label: &str, items: &[Item]) -> tauri::Result<Submenu<R>> {
    let mut menu = SubmenuBuilder::new(app, literal(label));
    for item in items {
        menu = match item {
            Item::Line => menu.item(&PredefinedMenuItem::separator(app)?),
            Item::Menu { label, items } => menu.item(&submenu(app, label, items)?),
            Item::Text(label) => menu.item(&row(app, label, None)?),
            Item::Press { label, action } => menu.item(&row(app, label, Some(action))?),
        };
    }
    menu.build()
}

/// A row; one that does nothing can not be pressed.
fn row<R: Runtime>(app: &AppHandle<R>, label: &str, action: Option<&Action>) -> tauri::Result<MenuItem<R>> {
    let row = MenuItemBuilder::new(literal(label));
    match action {
        // What it does is its identifier: so a row that was replaced while it was pressed still does what it said.
        Some(action) => row.id(serde_json::to_string(action)?).build(app),
        None => row.enabled(false).build(app),
    }
}

/// A label that is shown as it is: one `&` marks the letter that stands for a row.
fn literal(label: &str) -> String {
    label.replace('&', "&&")
}
