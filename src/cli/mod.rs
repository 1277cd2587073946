//! The command line: one file per command.
//!
//! In: arguments. Out: text and an exit status. May not know: the engine beyond `analysis` and `check`.

mod args;
mod check;
mod ci;
mod completions;
mod config_schema;
mod error;
mod explain;
mod fixing;
mod hints;
mod init;
mod inventory;
mod known;
mod man;
mod paths;
mod progress;
mod rule;
mod rules;
mod session;
mod statistics;
mod ui;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;
use ui::Ui;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// No finding at or above the failing level.
    Clean = 0,
    /// There is one.
    Findings = 1,
    /// Bad usage, bad configuration, an unknown rule, a path that does not exist.
    Failure = 2,
}

/// Finds the lines of Rust and Python code that will not survive a lost database connection.
#[derive(Parser)]
#[command(
    name = "reconnect-lint",
    version,
    max_term_width = 110,
    override_usage = "reconnect-lint [OPTIONS] [PATH]...\n       reconnect-lint <COMMAND>",
    after_help = "Without a command, `reconnect-lint [PATH]...` is `reconnect-lint check [PATH]...`; \
                  `reconnect-lint check --help` lists its options.\n\n\
                  Exit status: 0 nothing found at or above the failing level, 1 something found, 2 the run failed."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    global: args::Global,
}

#[derive(Subcommand)]
enum Command {
    /// Check files and folders (the default)
    Check(Box<check::Args>),
    /// Explain a rule: what it finds, why that is bad, and what to write instead
    Rule(rule::Args),
    /// List all rules
    Rules(rules::Args),
    /// List every call that waits for a database, and what becomes of a lost connection there
    Inventory(inventory::Args),
    /// Say what is known of a line: the handle, the guards, the way of the error
    Explain(explain::Args),
    /// Write a commented configuration, a pre-commit hook and a GitHub workflow
    Init(init::Args),
    /// Print the JSON Schema of the configuration
    ConfigSchema,
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let names: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let arguments = args::with_command(std::env::args_os().collect(), &names);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to complain, and there is nowhere to complain to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Status::Failure as u8));
        }
    };
    let ui = Ui::new(&cli.global);
    let done = match cli.command {
        Command::Check(args) => check::run(&args, &ui),
        Command::Rule(args) => rule::run(&args, &ui),
        Command::Rules(args) => rules::run(&args, &ui),
        Command::Inventory(args) => inventory::run(&args, &ui),
        Command::Explain(args) => explain::run(&args, &ui),
        Command::Init(args) => init::run(&args, &ui),
        Command::ConfigSchema => config_schema::run(&ui),
        Command::Completions(args) => completions::run(&args, &ui),
        Command::Man => man::run(&ui),
    };
    let status = done.unwrap_or_else(|error| match error {
        // Whoever reads has read enough, such as `head`.
        CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Clean,
        error => {
            ui.error(&error);
            Status::Failure
        }
    });
    ExitCode::from(status as u8)
}
