//! `reconnect-lint man`: the manual page, in roff.

use std::io::Write;

use clap::CommandFactory;

use super::error::CliError;
use super::ui::Ui;
use super::{Cli, Status};

/// Prints the page: the program, and the options of `check`, which is what it does without a command.
pub fn run(ui: &Ui) -> Result<Status, CliError> {
    let command = Cli::command();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    if let Some(check) = command.find_subcommand("check") {
        let check = check
            .clone()
            .name("reconnect-lint check")
            .display_name("reconnect-lint check");
        let man = clap_mangen::Man::new(check);
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    let mut out = ui.out();
    out.write_all(&page)?;
    out.flush()?;
    Ok(Status::Clean)
}
