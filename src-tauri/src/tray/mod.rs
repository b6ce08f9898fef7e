//! What the tray shows, as pure functions of what was heard of the agent. Knows no Tauri.

mod drawing;
mod icon;
mod menu;
mod quitting;
#[cfg(test)]
pub(crate) mod tests;

use crate::agent::Seen;
use crate::words::Words;

pub(crate) use icon::Icon;
pub(crate) use menu::{Action, Item, sentence};
pub(crate) use quitting::{Question, before_quit};

/// All that a tray shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// Its menu.
    pub(crate) menu: Vec<Item>,
    /// Its icon.
    pub(crate) icon: Icon,
    /// The text of its tooltip: the sentence of truth.
    pub(crate) tooltip: String,
}

impl Shown {
    /// What is shown of `seen`.
    pub(crate) fn of(seen: &Seen, words: &Words) -> Shown {
        Shown {
            menu: menu::menu(seen, words),
            icon: Icon::of(seen),
            tooltip: sentence(seen, words),
        }
    }
}
