//! What a page may ask for. Nothing that the agent answers holds a secret.

use std::sync::Arc;

use moorage_control::client::ClientError;
use moorage_control::message::{Request, Response};
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::volume::VolumeId;
use moorage_host::Folders;
use tauri::{AppHandle, State};

use super::dialog::SaveFile;
use super::{app as program, deeds, saving};
use crate::agent::Link;
use crate::words::Words;

/// Longest report that is written, in bytes: far more than ten thousand volumes have to say.
const LONGEST_REPORT: usize = 16 << 20;
/// What a report is called at first.
const REPORT: &str = "moorage-report.json";

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

/// Writes a volume to a file that the person chooses in a dialog: what another computer joins it by. Whether a file was
/// chosen.
#[tauri::command]
pub(crate) async fn export_volume(
    id: VolumeId,
    app: AppHandle,
    link: State<'_, Arc<Link>>,
    folders: State<'_, Folders>,
) -> Result<bool, Problem> {
    let (file, text) = match link.ask(Request::VolumeExport { id }).await? {
        Response::VolumeFile { file, text } => (file, text),
        _ => return Err(ClientError::Unexpected.into()),
    };
    let words = words_now(&link);
    let file = SaveFile {
        title: words.save_volume_file,
        name: saving::name_of_volume_file(&file.name),
        folder: folders.home.clone(),
        buttons: [words.save, words.cancel],
    };
    saving::save(&app, file, text).await
}

/// Writes a report, as the person saw it, to a file that the person chooses in a dialog. Whether a file was chosen.
#[tauri::command]
pub(crate) async fn save_report(
    text: String,
    app: AppHandle,
    link: State<'_, Arc<Link>>,
    folders: State<'_, Folders>,
) -> Result<bool, Problem> {
    if text.len() > LONGEST_REPORT {
        return Err(Problem {
            code: ProblemCode::InvalidRequest,
            message: format!("a report of more than {LONGEST_REPORT} bytes is not written"),
            cause: None,
            advice: "Copy what matters of it.".to_owned(),
            retryable: false,
        });
    }
    let words = words_now(&link);
    let file = SaveFile {
        title: words.save_report,
        name: REPORT.to_owned(),
        folder: folders.home.clone(),
        buttons: [words.save, words.cancel],
    };
    saving::save(&app, file, text).await
}

fn words_now(link: &Link) -> &'static Words {
    program::words_for(&link.follow().borrow())
}
