//! Whether a node that is named by its number could be reached by a path.

use moorage_model::{Attr, Error, ErrorKind, Ino, Result};

use crate::{Context, Key, MAY_EXECUTE, Meta, TxnExt as _};

impl Meta {
    /// Attributes of a node, when one path at least leads to it from the directory `top` through directories that the
    /// caller may search. Below the root that includes the trash.
    ///
    /// Round trips: one for the node, one or few for each directory that has an entry for it.
    ///
    /// # Errors
    /// `NotFound` when no path leads there, `AccessDenied` when all do through what the caller may not search.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn reach(&self, context: &Context, ino: Ino, top: Ino) -> Result<Attr> {
        let attr = self.getattr(ino).await?;
        if ino == top || (ino == Ino::TRASH && top == Ino::ROOT) {
            return Ok(attr);
        }
        let parents = match attr.parent {
            Ino::NONE => {
                let found = self.engine.parents(ino).await?;
                found.into_iter().map(|(parent, _)| parent).collect()
            }
            parent => vec![parent],
        };
        let mut refusal: Error = ErrorKind::NotFound.into();
        for parent in parents {
            match self.search_down(context, top, parent).await {
                Ok(()) => return Ok(attr),
                Err(error) if error.kind() == ErrorKind::AccessDenied => refusal = error,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(refusal.context(format!("inode {ino}")))
    }

    /// Checks the directories from `top` down to `directory`.
    async fn search_down(&self, context: &Context, top: Ino, directory: Ino) -> Result<()> {
        let mut chain = self.ancestors(self.engine.as_ref(), directory).await?;
        match chain.iter().position(|ino| *ino == top) {
            Some(last) => chain.truncate(last + 1),
            // What is in the trash lies below the root.
            None if top == Ino::ROOT && chain.last().is_some_and(|ino| ino.is_trash()) => {}
            None => return Err(ErrorKind::NotFound.into()),
        }
        let keys: Vec<Key> = chain.iter().map(|ino| Key::Node(*ino)).collect();
        let mut nodes = self.engine.get(&keys).await?;
        for _ in chain {
            let attr = nodes.node()?.ok_or(ErrorKind::NotFound)?;
            self.check_access(context, &attr, MAY_EXECUTE).await?;
        }
        Ok(())
    }
}
