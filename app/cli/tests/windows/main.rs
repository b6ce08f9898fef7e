//! The program on Windows: what works without a mount, and what it says where one is asked for.
#![cfg(windows)]

#[cfg(test)]
mod agent;
#[cfg(test)]
mod home;
#[cfg(test)]
mod volumes;

#[cfg(test)]
impl home::Home {
    /// One in which the program is run.
    fn new() -> home::Home {
        home::Home::running(env!("CARGO_BIN_EXE_moorage").into())
    }

    /// The settings file of the agent.
    fn settings(&self) -> std::path::PathBuf {
        self.path().join(r"Local\Moorage\config\agent.json")
    }
}
