//! Looking up names whose letters may be spelt otherwise.

use moorage_model::{ErrorKind, Ino, Name, Result};
use tokio::time::Instant;

use crate::internal::InternalNode;
use crate::letters::Spellings;
use crate::{Caller, EntryReply, Vfs};

/// Names read from the engine at once.
const PAGE: usize = 4096;

impl Vfs {
    /// The node behind a name and the name that it has. Where [`crate::VfsOptions::ignore_case`] says so, a name that
    /// only differs in capital and small letters is found as well; the same letters come first.
    ///
    /// As [`Vfs::lookup`] for a name that exists. Else one more engine read, when the folder was not looked at for as long
    /// as entries may be cached; one for each 4096 entries where the folder is read, which happens when it is asked for
    /// first, and again when it changed, for a tenth of the time at most. Names that another client makes are found by
    /// other letters after that time.
    ///
    /// # Errors
    /// As [`Vfs::lookup`].
    pub async fn find_entry(&self, caller: &Caller, parent: Ino, name: &[u8]) -> Result<(Name, EntryReply)> {
        let missing = match self.lookup(caller, parent, name).await {
            Ok(entry) => return Ok((Name::new(name)?, entry)),
            Err(error) if error.kind() == ErrorKind::NotFound && self.options.ignore_case => error,
            Err(error) => return Err(error),
        };
        let folder = self.stored(parent);
        if InternalNode::of(folder).is_some() {
            return Err(missing);
        }
        for other in self.spellings(caller, folder, name).await? {
            match self.lookup(caller, parent, other.as_bytes()).await {
                Ok(entry) => return Ok((other, entry)),
                // Another client took it away.
                Err(error) if error.kind() == ErrorKind::NotFound => self.letters.removed(folder, &other),
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }

    /// The names of a stored folder that are this one but for their letters.
    async fn spellings(&self, caller: &Caller, folder: Ino, name: &[u8]) -> Result<Vec<Name>> {
        if let Some(known) = self.known_spellings(folder, name).await? {
            return Ok(known);
        }
        let _turn = self.letters.reading.lock().await;
        // Somebody else may have read it, who had the turn before.
        if let Some(known) = self.known_spellings(folder, name).await? {
            return Ok(known);
        }
        let (started, now) = (Instant::now(), self.now());
        let mtime = self.meta.getattr(folder).await?.mtime;
        self.letters.begin(folder);
        let names = match self.all_names(caller, folder).await {
            Ok(names) => names,
            Err(error) => {
                self.letters.forget(folder);
                return Err(error);
            }
        };
        self.letters.read(folder, &names, mtime, now, started.elapsed());
        let key = crate::fold_case(name);
        Ok(names
            .into_iter()
            .filter(|one| crate::fold_case(one.as_bytes()) == key)
            .collect())
    }

    /// What is known without reading the folder.
    async fn known_spellings(&self, folder: Ino, name: &[u8]) -> Result<Option<Vec<Name>>> {
        let trusted = self.lifetime(self.options.entry_ttl);
        Ok(match self.letters.spellings(folder, name, trusted) {
            Spellings::Known(known) => Some(known),
            Spellings::If(mtime, known) if self.meta.getattr(folder).await?.mtime == mtime => {
                self.letters.confirmed(folder);
                Some(known)
            }
            Spellings::If(..) | Spellings::Unknown => None,
        })
    }

    async fn all_names(&self, caller: &Caller, folder: Ino) -> Result<Vec<Name>> {
        let context = self.context(caller);
        let mut names: Vec<Name> = Vec::new();
        loop {
            let page = self
                .meta
                .read_directory(&context, folder, names.last(), PAGE, false)
                .await?;
            let is_last = page.len() < PAGE;
            names.extend(page.into_iter().map(|entry| entry.name));
            if is_last {
                return Ok(names);
            }
        }
    }
}
