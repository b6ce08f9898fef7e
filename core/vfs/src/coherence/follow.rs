//! Takes changes in and has dropped what they make wrong.

use std::sync::{Arc, Weak};

use moorage_meta::Changed;
use moorage_model::{Attr, Ino, Name, Result};
use tokio::sync::watch;

use super::{Coherence, Known, Told};
use crate::Vfs;
use crate::file::OpenFile;

/// Nodes looked at in one read; each stands for itself and its names.
const NODES_AT_ONCE: usize = 512;

/// What the engine answered about nodes and names.
type Answer = (Vec<Option<Attr>>, Vec<Option<Ino>>);

/// Runs until told to stop.
pub(crate) async fn follow_changes(
    vfs: Weak<Vfs>,
    coherence: Arc<Coherence>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let changed = tokio::select! {
            changed = coherence.next() => changed,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let Some(current) = vfs.upgrade() else { return };
        match changed {
            Told::New(Changed::Nodes(nodes)) => current.drop_changed(&coherence, &nodes, false).await,
            Told::Again(Changed::Nodes(nodes)) => current.drop_changed(&coherence, &nodes, true).await,
            Told::New(Changed::Everything) | Told::Again(Changed::Everything) => {
                current.drop_everything(&coherence);
            }
        }
    }
}

/// A node that may have changed, and what is known of it here.
struct Suspect {
    ino: Ino,
    known: Known,
    file: Option<Arc<OpenFile>>,
}

impl Vfs {
    /// Has everything dropped that is known: at once, without a look at the engine, which may not answer.
    fn drop_everything(&self, coherence: &Coherence) {
        let all = coherence.handed_out.lock().take();
        for (ino, known) in &all {
            self.drop_known(*ino, known);
        }
        for file in self.files.suspect_all() {
            self.look_again_soon(&file);
        }
    }

    /// Looks at nodes again and has dropped what is different; all of it when the engine does not answer. With `again`
    /// attributes are dropped in any case: the kernel may have got others than the last that were handed out. One read
    /// per 512 nodes of which something is known.
    async fn drop_changed(&self, coherence: &Coherence, nodes: &[Ino], again: bool) {
        let suspects: Vec<Suspect> = {
            let handed_out = coherence.handed_out.lock();
            let suspects = nodes.iter().filter_map(|ino| {
                let known = handed_out.get(*ino).cloned();
                let known = known.map(|known| if again { known.without_attributes() } else { known });
                let file = self.files.known(*ino).map(|(file, _)| file);
                (known.is_some() || file.is_some()).then(|| Suspect {
                    ino: *ino,
                    known: known.unwrap_or_default(),
                    file,
                })
            });
            suspects.collect()
        };
        for part in suspects.chunks(NODES_AT_ONCE) {
            let inodes: Vec<Ino> = part.iter().map(|suspect| suspect.ino).collect();
            let names: Vec<(Ino, Name)> = part
                .iter()
                .flat_map(|suspect| suspect.known.names.clone())
                .collect();
            let answer = self.meta.look_again(&inodes, &names).await;
            self.drop_different(coherence, part, answer);
        }
    }

    fn drop_different(&self, coherence: &Coherence, suspects: &[Suspect], answer: Result<Answer>) {
        let (attrs, targets) = answer.unwrap_or_else(|error| {
            tracing::debug!(%error, "what others changed could not be looked at, and is dropped");
            Answer::default()
        });
        let mut targets = targets.into_iter();
        let mut attrs = attrs.into_iter();
        for suspect in suspects {
            let found = attrs.next().flatten();
            if suspect.known.attr.is_none() || suspect.known.attr != found {
                coherence.handed_out.lock().forget_attributes(suspect.ino);
                self.drop_attributes(suspect.ino);
            }
            for (parent, name) in &suspect.known.names {
                if targets.next().flatten() != Some(suspect.ino) {
                    coherence
                        .handed_out
                        .lock()
                        .forget_name(suspect.ino, *parent, name);
                    self.drop_entry(*parent, name);
                }
            }
            if let Some(file) = &suspect.file {
                let mut content = file.content_mut();
                if found.as_ref() != Some(&content.attr) {
                    content.suspect();
                    drop(content);
                    self.look_again_soon(file);
                }
            }
        }
    }

    /// Reads the attributes of an open file, so that the kernel's pages go when they are old: who maps them asks for
    /// nothing.
    fn look_again_soon(&self, file: &Arc<OpenFile>) {
        let Some(vfs) = self.this.upgrade().filter(|_| file.is_open()) else {
            return;
        };
        let file = Arc::clone(file);
        self.runtime.spawn(async move {
            // The next read asks again, and tells whoever reads.
            if let Err(error) = file.refresh_now(&vfs).await {
                tracing::debug!(%error, inode = file.ino.0, "a changed file could not be looked at");
            }
        });
    }
}
