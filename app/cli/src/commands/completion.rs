//! `moorage completion`

use clap::Args;
use clap_complete::Shell;
use moorage_model::Result;

use crate::output;

/// Print a script that lets a shell complete commands and flags
///
/// For bash: moorage completion bash > ~/.local/share/bash-completion/completions/moorage
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The shell to write it for
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut crate::command_line(),
        "moorage",
        &mut script,
    );
    output::line(&String::from_utf8_lossy(&script))
}
