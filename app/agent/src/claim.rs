//! One agent for each user: whoever holds the lock is it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use moorage_control::problem::{Problem, ProblemCode};
use moorage_host::Folders;

use crate::trouble::{caused, lasting, of_host};

/// Bytes of the lock file that are read: a process id and a newline.
const LONGEST_PID: u64 = 16;

/// The right to be the agent. It ends with the process at the latest.
#[derive(Debug)]
pub(crate) struct Claim {
    _locked: File,
}

impl Claim {
    /// Takes the lock, in the state folder of the user: so two agents exclude each other from whatever session they come.
    ///
    /// # Errors
    /// `already_exists` when another agent has it; what the system refuses.
    pub(crate) fn take(path: &Path) -> Result<Claim, Problem> {
        if let Some(folder) = path.parent() {
            Folders::make_private(folder).map_err(|error| of_host(ProblemCode::Internal, &error))?;
        }
        let refused = |error: std::io::Error| {
            let what = format!("the lock of the agent, {}, can not be taken", path.display());
            let advice = "Check that its folder is on a local disk and can be written.";
            caused(lasting(ProblemCode::Internal, what, advice), error)
        };
        let mut file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(&mut file)),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = written {
            // The lock counts; the number in it is for people.
            tracing::warn!(%error, "the process id can not be written into the lock of the agent");
        }
        Ok(Claim { _locked: file })
    }
}

fn taken(file: &mut File) -> Problem {
    let mut text = String::new();
    let read = file.take(LONGEST_PID).read_to_string(&mut text);
    let process = match read {
        Ok(_) if !text.trim().is_empty() => format!(" (process {})", text.trim()),
        _ => String::new(),
    };
    lasting(
        ProblemCode::AlreadyExists,
        format!("an agent of this user runs already{process}"),
        "Use it (`moorage agent status`), or end it with `moorage agent stop`; its volumes stay mounted.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_is_refused_and_told_which_one_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("moorage/agent.lock");
        let first = Claim::take(&path).expect("free");
        let refused = Claim::take(&path).expect_err("taken");
        assert_eq!(refused.code, ProblemCode::AlreadyExists);
        // Windows lets nobody else read what is locked.
        assert!(
            cfg!(windows) || refused.message.contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(first);
        Claim::take(&path).expect("free again");
    }
}
