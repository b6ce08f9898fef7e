//! Folders of mounted volumes, and what of them is kept on this computer: `moorage cache`, as a process of its own, since a
//! mount that hangs must not hold the agent.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use moorage_control::files::FilePage;
use moorage_control::message::Response;
use moorage_control::problem::{Problem, ProblemCode};
use moorage_control::secret::VolumeSecrets;
use moorage_control::volume::VolumeId;

use crate::child;
use crate::mounts::MountTable;
use crate::service::Desk;
use crate::trouble::lasting;

/// How long a page may take: a slow database is asked for each file of it.
const LIST_DEADLINE: Duration = Duration::from_secs(30);
/// How long a pin may take: everything below a folder is looked at.
const PIN_DEADLINE: Duration = Duration::from_secs(120);
/// Entries of a page: more than a person reads, and quick to find.
const PAGE: usize = 100;

impl<T: MountTable> Desk<T> {
    /// A page of a folder.
    ///
    /// # Errors
    /// That the volume is not mounted; what the command says.
    pub(crate) async fn files(
        &self,
        id: &VolumeId,
        folder: &str,
        after: Option<String>,
    ) -> Result<Response, Problem> {
        let path = self.path_in(id, folder)?;
        let mut arguments = ["cache", "list", "--json"].map(str::to_owned).to_vec();
        arguments.push(format!("--limit={PAGE}"));
        arguments.extend(after.map(|after| format!("--after={after}")));
        arguments.push("--".to_owned());
        arguments.push(path);
        let task = format!("listing {folder:?}");
        let page: FilePage = self.ask(arguments, &task, LIST_DEADLINE).await?;
        Ok(Response::Files { page })
    }

    /// Keeps something on this computer, or no longer.
    ///
    /// # Errors
    /// As [`Desk::files`]; that it does not fit.
    pub(crate) async fn pin_file(
        &self,
        id: &VolumeId,
        path: &str,
        pinned: bool,
    ) -> Result<Response, Problem> {
        let verb = if pinned { "pin" } else { "unpin" };
        let path = self.path_in(id, path)?;
        let task = format!("`moorage cache {verb}`");
        let arguments = ["cache", verb, "--json", "--"].map(str::to_owned);
        let arguments = arguments.into_iter().chain([path]).collect();
        let program = &self.0.places.program;
        child::run(program, arguments, &VolumeSecrets::default(), &task, PIN_DEADLINE).await?;
        Ok(Response::Done)
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &self,
        arguments: Vec<String>,
        task: &str,
        deadline: Duration,
    ) -> Result<A, Problem> {
        let program = &self.0.places.program;
        child::ask(program, arguments, &VolumeSecrets::default(), task, deadline).await
    }

    /// The path of something in a mounted volume.
    fn path_in(&self, id: &VolumeId, path: &str) -> Result<String, Problem> {
        let state = self.0.state();
        let kept = state.find(id)?;
        let settings = &kept.entry.settings;
        if kept.keeper.is_at_rest() {
            return Err(lasting(
                ProblemCode::WrongState,
                format!("{} is not mounted", settings.name),
                "Mount it; its files are seen then.",
            ));
        }
        inside(Path::new(&settings.mount_point), path)
    }
}

/// A path below a mount point, and not beside it.
fn inside(point: &Path, path: &str) -> Result<String, Problem> {
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    if parts.iter().all(|part| matches!(part, Component::Normal(_))) {
        let whole: PathBuf = point.iter().chain(Path::new(path).iter()).collect();
        return Ok(whole.display().to_string());
    }
    Err(lasting(
        ProblemCode::InvalidRequest,
        format!("{path:?} is no path inside a volume"),
        "Give it from the root of the volume, without dots and without a slash in front.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_its_volume() {
        let point = Path::new("/home/ada/Photos");
        for (path, whole) in [
            ("", "/home/ada/Photos"),
            ("2026/a b", "/home/ada/Photos/2026/a b"),
        ] {
            let found = inside(point, path).expect("inside");
            assert_eq!(Path::new(&found), Path::new(whole));
        }
        for outside in ["..", "a/../..", "/etc", "./a/.."] {
            let refused = inside(point, outside).map_err(|problem| problem.code);
            assert_eq!(refused, Err(ProblemCode::InvalidRequest), "{outside}");
        }
    }
}
