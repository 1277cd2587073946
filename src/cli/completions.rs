//! `reconnect-lint completions`: completion scripts.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::error::CliError;
use super::ui::Ui;
use super::{Cli, Status};

/// Arguments of `completions`.
#[derive(clap::Args)]
pub struct Args {
    /// The shell that the script is for
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "reconnect-lint", &mut script);
    let mut out = ui.out();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Status::Clean)
}
