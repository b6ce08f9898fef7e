//! The program from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use moorage_control::{socket, stopped_file};
use moorage_host::{Folders, HostError};
use tauri::{App, AppHandle, Emitter as _, RunEvent, Wry};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

use super::{commands, notifications, tray, window};
use crate::agent::{Link, Place, Program, Seen, keep};
use crate::notification::Teller;
use crate::page::Page;
use crate::tray::Shown;
use crate::words::{Words, words};

/// Starts without a window, as at login.
const HIDDEN: &str = "--hidden";
/// Told to the pages: something changed at the agent, or the agent is gone.
const CHANGED: &str = "changed";
/// Time between two attempts to find a host for the tray: a panel that starts after this program is there soon.
const TRAY_INTERVAL: Duration = Duration::from_secs(3);

/// Why the program ends before it began.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The user has no folders.
    #[error(transparent)]
    Folders(#[from] HostError),
    /// The system has no place for it, as without a display.
    #[error(transparent)]
    System(#[from] tauri::Error),
}

/// Runs tray and window until the person quits. A second start shows the window of the first.
///
/// # Errors
/// When the user has no home, or the system no display.
pub fn run() -> Result<(), StartError> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("MOORAGE_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let folders = Folders::of_user()?;
    let place = Place {
        socket: socket::path(&folders.runtime),
        stopped: stopped_file::path(&folders.runtime),
        program: Program::find(),
    };
    let link = Arc::new(Link::new());
    let hidden = std::env::args().any(|argument| argument == HIDDEN);
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            window::show(app, &Page::Volumes);
        }))
        .manage(folders)
        .manage(Arc::clone(&link))
        .manage(tray::Tray::<Wry>::default())
        .invoke_handler(tauri::generate_handler![
            commands::ask,
            commands::home_folder,
            commands::start_agent,
            commands::open_volume,
            commands::export_volume,
            commands::save_report
        ])
        .setup(move |app| {
            start(app, &link, hidden);
            tauri::async_runtime::spawn(keep(link, place));
            Ok(())
        })
        .build(tauri::generate_context!())?
        .run(|app, event| {
            // The window was closed: the tray goes on. Without one nobody could reach the program any more.
            if let RunEvent::ExitRequested { api, code: None, .. } = event
                && tray::is_there(app)
            {
                api.prevent_exit();
            }
        });
    Ok(())
}

fn start(app: &App, link: &Arc<Link>, hidden: bool) {
    let app = app.handle();
    let seen = link.follow();
    let tray = tray::show(app, look(&seen.borrow()));
    if let Err(error) = &tray {
        tracing::warn!("no tray takes the icon: {error}");
    }
    if !hidden || tray.is_err() {
        window::show(app, &Page::Volumes);
    }
    tauri::async_runtime::spawn(follow(app.clone(), seen));
}

/// Shows what is heard, and looks for a host of the tray as long as there is none.
async fn follow(app: AppHandle, mut seen: watch::Receiver<Seen>) {
    let mut teller = Teller::default();
    loop {
        let now = seen.borrow_and_update().clone();
        let shown = look(&now);
        if let Seen::Heard(heard) = &now {
            notifications::tell(&app, &mut teller, heard, words_for(&now));
        }
        let main = app.clone();
        let asked = app.run_on_main_thread(move || {
            if let Err(error) = tray::show(&main, shown) {
                tracing::debug!("the tray is not shown: {error}");
            }
        });
        if asked.is_err() || app.emit(CHANGED, ()).is_err() {
            return;
        }
        let retry = async {
            if tray::is_there(&app) {
                std::future::pending::<()>().await;
            }
            sleep(TRAY_INTERVAL).await;
        };
        tokio::select! {
            changed = seen.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = retry => {}
        }
    }
}

/// What the tray shows, in the language of the person.
fn look(seen: &Seen) -> Shown {
    Shown::of(seen, words_for(seen))
}

/// The words of the language that the person chose, or else of that of the system.
pub(super) fn words_for(seen: &Seen) -> &'static Words {
    let chosen = match seen {
        Seen::Heard(heard) => heard.settings.language.clone(),
        Seen::Silent { .. } | Seen::Stopped => None,
    };
    let language = chosen.or_else(sys_locale::get_locale).unwrap_or_default();
    words(&language)
}
