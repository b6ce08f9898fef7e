//! What is done when a person presses a row of the tray.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moorage_control::message::Request;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::VolumeId;
use tauri::{AppHandle, Manager as _, Runtime};

use super::app::words_for;
use super::dialog::confirms;
use super::window;
use crate::agent::Link;
use crate::tray::{Action, before_quit};

/// Does it. What the agent refuses is shown in the menu.
pub(super) fn act<R: Runtime>(app: &AppHandle<R>, action: Action) {
    let request = match action {
        Action::Quit => {
            tauri::async_runtime::spawn(quit(app.clone()));
            return;
        }
        Action::Start => return app.state::<Arc<Link>>().want_agent(),
        Action::Show(page) => return window::show(app, &page),
        Action::OpenFolder(id) => {
            let link = Arc::clone(&app.state::<Arc<Link>>());
            tauri::async_runtime::spawn(async move {
                if let Err(problem) = open_folder(&link, id).await {
                    link.report(problem);
                }
            });
            return;
        }
        Action::Mount(id) => Request::VolumeMount { id },
        Action::Unmount(id) => Request::VolumeUnmount { id, lazy: false },
        Action::Pause { seconds } => Request::Pause { seconds },
        Action::Resume => Request::Resume,
    };
    let link = Arc::clone(&app.state::<Arc<Link>>());
    tauri::async_runtime::spawn(async move { link.act(request).await });
}

/// Ends this program, once the person said so where files exist only on this computer. A second question while one is open
/// is none.
async fn quit<R: Runtime>(app: AppHandle<R>) {
    static ASKING: AtomicBool = AtomicBool::new(false);
    let question = {
        let seen = app.state::<Arc<Link>>().follow();
        let seen = seen.borrow();
        before_quit(&seen, words_for(&seen))
    };
    if let Some(question) = question {
        if ASKING.swap(true, Ordering::Relaxed) {
            return;
        }
        let confirmed = confirms(&app, question).await;
        ASKING.store(false, Ordering::Relaxed);
        if !confirmed {
            return;
        }
    }
    app.exit(0);
}

/// Shows the folder of a volume in the file manager: the one that the agent names, whoever asks.
///
/// # Errors
/// When the agent does not answer, or no file manager starts.
pub(super) async fn open_folder(link: &Link, id: VolumeId) -> Result<(), Problem> {
    let folder = link.mount_point(id).await?;
    open::that_detached(&folder).map_err(|error| Problem {
        code: ProblemCode::NotFound,
        message: format!("no program shows the folder {}", folder.display()),
        cause: Some(error.to_string()),
        advice: "Open it in a file manager by hand.".to_owned(),
        retryable: true,
    })
}
