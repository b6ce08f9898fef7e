//! Dialogs of the system.

use std::path::PathBuf;

use tauri::{AppHandle, Runtime};

use crate::tray::Question;

/// A file to be written.
#[derive(Debug, Clone)]
pub(super) struct SaveFile {
    /// What stands above.
    pub(super) title: &'static str,
    /// What the file is called at first.
    pub(super) name: String,
    /// The folder that is shown at first.
    pub(super) folder: PathBuf,
    /// The word for saving it, and that for giving up.
    pub(super) buttons: [&'static str; 2],
}

/// Asks for a file; `None` when the person gives up, or the program ends.
pub(super) async fn file_to_save<R: Runtime>(app: &AppHandle<R>, file: SaveFile) -> Option<PathBuf> {
    system::file_to_save(app, file).await
}

/// Whether the person wants it done.
pub(super) async fn confirms<R: Runtime>(app: &AppHandle<R>, question: Question) -> bool {
    system::confirms(app, question).await
}

#[cfg(target_os = "linux")]
mod system {
    use std::cell::Cell;

    use gtk::prelude::{
        DialogExt as _, FileChooserExt as _, GtkWindowExt as _, MessageDialogExt as _, WidgetExt as _,
    };
    use gtk::{
        ApplicationWindow, ButtonsType, DialogFlags, FileChooserAction, FileChooserDialog, MessageDialog,
        MessageType, ResponseType,
    };
    use tauri::Manager as _;
    use tokio::sync::oneshot;

    use super::super::window::LABEL;
    use super::*;

    pub(super) async fn file_to_save<R: Runtime>(app: &AppHandle<R>, file: SaveFile) -> Option<PathBuf> {
        let (tell, told) = oneshot::channel();
        let main = app.clone();
        let shown = app.run_on_main_thread(move || {
            let [save, cancel] = file.buttons;
            let dialog = FileChooserDialog::with_buttons(
                Some(file.title),
                parent(&main).as_ref(),
                FileChooserAction::Save,
                &[(cancel, ResponseType::Cancel), (save, ResponseType::Accept)],
            );
            dialog.set_do_overwrite_confirmation(true);
            dialog.set_default_response(ResponseType::Accept);
            dialog.set_current_folder(&file.folder);
            dialog.set_current_name(&file.name);
            let tell = Cell::new(Some(tell));
            dialog.connect_response(move |dialog, response| {
                // Closing it is one more response.
                let Some(tell) = tell.take() else { return };
                let chosen = dialog.filename().filter(|_| response == ResponseType::Accept);
                // Whoever asked may be gone.
                let _unheard = tell.send(chosen);
                dialog.close();
            });
            dialog.show();
        });
        shown.ok()?;
        told.await.ok().flatten()
    }

    pub(super) async fn confirms<R: Runtime>(app: &AppHandle<R>, question: Question) -> bool {
        let (tell, told) = oneshot::channel();
        let main = app.clone();
        let shown = app.run_on_main_thread(move || {
            let dialog = MessageDialog::new(
                parent(&main).as_ref(),
                DialogFlags::MODAL,
                MessageType::Question,
                ButtonsType::None,
                &question.title,
            );
            dialog.set_title("Moorage");
            dialog.set_secondary_text(Some(&question.body));
            let [act, leave] = question.buttons;
            dialog.add_button(leave, ResponseType::Cancel);
            dialog.add_button(act, ResponseType::Accept);
            dialog.set_default_response(ResponseType::Cancel);
            let tell = Cell::new(Some(tell));
            dialog.connect_response(move |dialog, response| {
                let Some(tell) = tell.take() else { return };
                let _unheard = tell.send(response == ResponseType::Accept);
                dialog.close();
            });
            dialog.show_all();
        });
        shown.is_ok() && told.await.unwrap_or(false)
    }

    /// The window that it stands above, when there is one.
    fn parent<R: Runtime>(app: &AppHandle<R>) -> Option<ApplicationWindow> {
        app.get_webview_window(LABEL)?.gtk_window().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rfd::{AsyncFileDialog, AsyncMessageDialog, MessageButtons, MessageDialogResult};

    use super::*;

    pub(super) async fn file_to_save<R: Runtime>(_app: &AppHandle<R>, file: SaveFile) -> Option<PathBuf> {
        let dialog = AsyncFileDialog::new()
            .set_title(file.title)
            .set_directory(&file.folder)
            .set_file_name(&file.name);
        let chosen = dialog.save_file().await?;
        Some(chosen.path().to_owned())
    }

    pub(super) async fn confirms<R: Runtime>(_app: &AppHandle<R>, question: Question) -> bool {
        let [act, leave] = question.buttons.map(str::to_owned);
        let asked = AsyncMessageDialog::new()
            .set_title("Moorage")
            .set_description(format!("{}\n\n{}", question.title, question.body))
            .set_buttons(MessageButtons::OkCancelCustom(act.clone(), leave));
        match asked.show().await {
            MessageDialogResult::Ok => true,
            MessageDialogResult::Custom(chosen) => chosen == act,
            _ => false,
        }
    }
}
