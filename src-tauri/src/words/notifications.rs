//! Notifications in words.

use super::Words;
use crate::notification::{Detail, Kind, Notification, Text};

/// Names that a notification holds; of more it says how many.
const MOST_NAMES: usize = 3;

impl Words {
    /// What a notification says.
    pub(crate) fn notification_text(&self, notification: &Notification) -> Text {
        let words = &self.notifications;
        let count = notification.names.len();
        let names = self.named(&notification.names);
        let detail = match &notification.detail {
            // Of several each has its own, which the window says.
            _ if count > 1 => names.clone(),
            Detail::Nothing => names.clone(),
            Detail::Message(message) => message.clone(),
            Detail::Problem(problem) => {
                let advice = (words.advice)(&problem.advice);
                format!("{} {advice}", ended((self.problem)(problem)))
            }
            Detail::Reason(reason) => {
                let advice = (words.advice)(&reason.advice);
                format!("{} {advice}", ended((self.reason)(reason)))
            }
        };
        let (title, body) = match notification.kind {
            Kind::Lost => ((self.lost)(""), detail),
            Kind::Failed => ((words.failed)(&names, count), detail),
            Kind::Incomplete => ((words.incomplete)(&names, count), detail),
            Kind::Locked => (words.locked.to_owned(), names),
            Kind::Unreachable => (
                (words.unreachable)(&names, count),
                format!("{} {}", ended(detail), words.kept),
            ),
            Kind::Asks => ((words.asks)(count), names),
            Kind::Stored => (self.stored.to_owned(), words.arrived.to_owned()),
        };
        Text {
            title: title.trim_end_matches([':', ' ']).to_owned(),
            body: body.trim().to_owned(),
        }
    }

    fn named(&self, names: &[String]) -> String {
        let shown = names.iter().take(MOST_NAMES).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        match names.len().checked_sub(MOST_NAMES) {
            None | Some(0) => shown,
            Some(more) => (self.notifications.and_more)(&shown, more),
        }
    }
}

/// A sentence with its end.
fn ended(sentence: String) -> String {
    if sentence.is_empty() || sentence.ends_with(['.', '!', '?']) {
        sentence
    } else {
        sentence + "."
    }
}
