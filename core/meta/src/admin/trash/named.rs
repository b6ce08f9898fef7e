//! Finding a trash entry by a name that came as text.

use moorage_model::{Error, ErrorKind, Ino, Name, Result};

use super::hour_index::no_such_entry;
use crate::admin::Pages;
use crate::{Key, Meta, Scan, TxnExt as _};

/// What stands in text for bytes that are none.
const REPLACEMENT: char = '\u{fffd}';

impl Meta {
    /// The name of an entry of an hour as it is stored, by its bytes or by what they look like as text: a name cut inside
    /// a character, or written in another encoding, can not be given otherwise by those who only have text.
    ///
    /// # Errors
    /// `NotFound` when there is no such hour or entry; `InvalidArgument` when several look like this; what the engine
    /// answers.
    pub async fn find_trash_entry(&self, hour: &str, stored: &[u8]) -> Result<Name> {
        let hour = self.trash_hour(hour).await?;
        let name = Name::new(stored);
        if let Ok(name) = &name {
            let edge = self.engine.get(&[Key::Edge(hour, name.clone())]).await?.edge()?;
            if edge.is_some() {
                return Ok(name.clone());
            }
        }
        let text = String::from_utf8_lossy(stored);
        if !text.contains(REPLACEMENT) {
            return Err(no_such_entry(&text));
        }
        let mut alike = Vec::new();
        let mut pages = Pages::new(Scan::Edges(hour));
        while let Some(page) = pages.survey(self).await? {
            alike.extend(page.items.into_iter().filter_map(|(key, _)| match key {
                Key::Edge(_, name) if String::from_utf8_lossy(name.as_bytes()) == text => Some(name),
                _ => None,
            }));
        }
        let mut alike = alike.into_iter();
        match (alike.next(), alike.next()) {
            (None, _) => Err(no_such_entry(&text)),
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(several(hour, &text)),
        }
    }
}

fn several(hour: Ino, text: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("several entries of directory {hour} look like {text}"),
    )
    .with_advice("Give the name with its own bytes, as the shell completes it in `.trash` of a mount.")
}
