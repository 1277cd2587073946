//! `reconnect-lint server`: a language server on standard input and output.

use super::Status;
use super::args::{self, ConfigArgs, SelectionArgs};
use super::error::CliError;
use super::ui::Ui;
use crate::config::Override;
use crate::server::{self, End, Options};

/// Arguments of `server`.
#[derive(clap::Args)]
pub struct Args {
    /// A configuration file instead of the nearest one, or a single KEY=VALUE on top; can be repeated
    #[arg(long, value_name = "FILE|KEY=VALUE", help_heading = "Configuration")]
    config: Vec<Override>,

    /// Read no configuration file
    #[arg(long, help_heading = "Configuration")]
    isolated: bool,

    #[command(flatten)]
    selection: SelectionArgs,

    /// What many editors add; there is no other way to talk to this server
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Serves until the editor ends it.
pub fn run(args: &Args, _: &Ui) -> Result<Status, CliError> {
    let config = ConfigArgs {
        config: args.config.clone(),
        isolated: args.isolated,
        ..ConfigArgs::default()
    };
    // Mistakes in the arguments are told at once, not when the first file is opened.
    let resolver = args::resolver(&config, &args.selection)?;
    let absolute = |one: &Override| match one {
        Override::File(path) => Override::File(resolver.absolute(path)),
        Override::Key(argument) => Override::Key(argument.clone()),
    };
    let options = Options {
        isolated: args.isolated,
        overrides: args.config.iter().map(absolute).collect(),
        selection: args.selection.selection()?,
    };
    let end = server::serve(std::io::stdin(), std::io::stdout(), options)?;
    Ok(match end {
        End::Orderly => Status::Clean,
        // The protocol wants 1, although nothing was found.
        End::Abrupt => Status::Findings,
    })
}
