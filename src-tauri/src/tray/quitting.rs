//! What is asked before the tray ends.

use moorage_control::settings::Pause;
use moorage_control::truth::Truth;

use super::sentence;
use crate::agent::Seen;
use crate::words::Words;

/// A question before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// In one line.
    pub(crate) title: String,
    /// What there is to know.
    pub(crate) body: String,
    /// The word for doing it, and that for leaving it.
    pub(crate) buttons: [&'static str; 2],
}

/// The question, when files would be left that exist only on this computer. Where that is not known nothing can be said, and
/// the agent, which has them, goes on in any case.
pub(crate) fn before_quit(seen: &Seen, words: &Words) -> Option<Question> {
    let Seen::Heard(heard) = seen else { return None };
    let Truth::OnlyHere { .. } = heard.status.truth else {
        return None;
    };
    let is_held = heard.status.pause != Pause::Running || heard.status.held.is_some();
    let asked = &words.before_quit;
    Some(Question {
        title: sentence(seen, words),
        body: if is_held {
            asked.uploads_are_held
        } else {
            asked.uploads_go_on
        }
        .to_owned(),
        buttons: [asked.quit, asked.stay],
    })
}
