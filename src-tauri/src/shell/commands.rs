//! What a page may ask for. Nothing that the agent answers holds a secret.

use std::sync::Arc;

use moorage_control::message::{Request, Response};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::VolumeId;
use moorage_host::Folders;
use tauri::State;

use super::deeds;
use crate::agent::Link;

/// Asks the agent.
#[tauri::command]
pub(crate) async fn ask(request: Request, link: State<'_, Arc<Link>>) -> Result<Response, Problem> {
    match request {
        // Who ends the agent means to end everything; a page is told of changes by this program.
        Request::AgentStop | Request::Subscribe => Err(Problem {
            code: ProblemCode::PermissionDenied,
            message: "this is not for a page to ask for".to_owned(),
            cause: None,
            advice: "Use the command `moorage agent`.".to_owned(),
            retryable: false,
        }),
        request => link.ask(request).await,
    }
}

/// The person's own folder, below which a new volume may appear.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "a command owns its arguments")]
pub(crate) fn home_folder(folders: State<'_, Folders>) -> String {
    folders.home.display().to_string()
}

/// Shows the folder of a volume in the file manager.
#[tauri::command]
pub(crate) async fn open_volume(id: VolumeId, link: State<'_, Arc<Link>>) -> Result<(), Problem> {
    deeds::open_folder(&link, id).await
}

/// Has an agent started, though a person ended the last one. Whether it runs is seen by asking it.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "a command owns its arguments")]
pub(crate) fn start_agent(link: State<'_, Arc<Link>>) {
    link.want_agent();
}
