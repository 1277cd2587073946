//! `reconnect-lint rule`: the text of a rule.

use std::io::Write;

use clap::ValueEnum;
use serde_json::json;

use super::error::{CliError, Explained};
use super::ui::Ui;
use super::{Status, rules};
use crate::config::Selector;
use crate::lints::texts;

/// Arguments of `rule`.
#[derive(clap::Args)]
pub struct Args {
    /// The rule's code or name, such as RL101 or unhandled-connection-loss
    #[arg(value_name = "CODE|NAME")]
    rule: String,

    /// How the text is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output_format: TextOrJson,
}

/// Output for people or for tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people
    #[default]
    Text,
    /// For tools
    Json,
}

/// Prints the text.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let Some(rule) = texts::find(&args.rule) else {
        let error = Explained::new(format!("unknown rule `{}`", args.rule));
        return Err(match Selector::parse(&args.rule) {
            Ok(_) => error
                .because("this is a prefix of several codes")
                .help(Some("`reconnect-lint rules` lists all rules")),
            Err(help) => error.help(Some(help)),
        }
        .into());
    };
    let mut out = ui.out();
    match args.output_format {
        TextOrJson::Text => write!(out, "{}", rule.markdown())?,
        TextOrJson::Json => {
            let mut value = rules::json(rule);
            value["text"] = json!(rule.body);
            serde_json::to_writer_pretty(&mut out, &value).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(Status::Clean)
}
