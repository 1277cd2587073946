//! Flags that several commands share, and the bare form without a command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;

use super::error::{CliError, Explained};
use crate::config::{Override, Resolver, Selection, Selector};

/// Flags of every command.
#[derive(clap::Args)]
pub struct Global {
    /// When to use colours
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        help_heading = "Global options"
    )]
    pub color: ColorWhen,

    /// Print findings only
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub quiet: bool,

    /// Print what was read and how long it took
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where configuration comes from.
#[derive(clap::Args, Default)]
pub struct ConfigArgs {
    /// A configuration file instead of the nearest one, or a single KEY=VALUE on top; can be repeated
    #[arg(long, value_name = "FILE|KEY=VALUE", help_heading = "Configuration")]
    pub config: Vec<Override>,

    /// Read no configuration file
    #[arg(long, help_heading = "Configuration")]
    pub isolated: bool,

    /// Start from nothing; for now every run does, there is no cache yet
    #[arg(long, help_heading = "Configuration")]
    pub no_cache: bool,

    /// Apply `exclude` also to files that are given by name
    #[arg(long, help_heading = "Configuration")]
    pub force_exclude: bool,
}

/// Which rules.
#[derive(clap::Args, Default)]
pub struct SelectionArgs {
    /// Rules to check instead of the configured ones: codes, prefixes, names, ALL
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules")]
    pub select: Option<Vec<String>>,

    /// Rules not to check
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules")]
    pub ignore: Vec<String>,

    /// Rules to check besides the configured ones
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Rules")]
    pub extend_select: Vec<String>,
}

impl SelectionArgs {
    /// As the configuration has it.
    pub fn selection(&self) -> Result<Selection, Explained> {
        let parse = |flag: &str, words: &[String]| {
            // A comma at the end is no mistake; nothing but commas is one.
            let given = words
                .iter()
                .map(|word| word.trim())
                .filter(|word| !word.is_empty() || words.len() == 1);
            given.map(|word| selector(flag, word)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Selection {
            select: self.select.as_ref().map(|words| parse("--select", words)).transpose()?,
            ignore: parse("--ignore", &self.ignore)?,
            extend_select: parse("--extend-select", &self.extend_select)?,
        })
    }
}

fn selector(flag: &str, word: &str) -> Result<Selector, Explained> {
    Selector::parse(word).map_err(|help| {
        Explained::new(format!("unknown rule `{word}` for `{flag}`"))
            .because("a rule is meant by its code (RL101), a prefix of codes (RL1), its name, or ALL for all of them")
            .help(Some(help))
    })
}

/// The configuration that the flags ask for.
pub fn resolver(config: &ConfigArgs, selection: &SelectionArgs) -> Result<Resolver, CliError> {
    for one in &config.config {
        if let Override::File(path) = one
            && !path.is_file()
        {
            let similar = crate::suggest::path(path).map(|similar| format!("did you mean `{}`?", similar.display()));
            return Err(
                Explained::new(format!("no such configuration file: `{}`", path.display()))
                    .because("`--config` takes a file, or one key with its value, such as `--config fail-on=warning`")
                    .help(similar)
                    .into(),
            );
        }
    }
    Ok(Resolver::new(
        cwd()?,
        config.isolated,
        &config.config,
        selection.selection()?,
    )?)
}

/// The folder the tool was started in.
pub fn cwd() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| {
        Explained::new("the current folder cannot be read")
            .because(error.to_string())
            .into()
    })
}

/// Puts `check` in front of arguments without a command, and a command that follows flags to the front.
pub fn with_command(mut arguments: Vec<OsString>, commands: &[String]) -> Vec<OsString> {
    let is_command = |argument: &OsString| {
        argument
            .to_str()
            .is_some_and(|text| text == "help" || commands.iter().any(|command| command == text))
    };
    let is_flag = |argument: &OsString| argument.to_string_lossy().starts_with('-') && argument != "-";
    let first = arguments.get(1).map(|argument| argument.to_string_lossy().into_owned());
    if matches!(first.as_deref(), Some("-h" | "--help" | "-V" | "--version")) {
        return arguments;
    }
    let at = arguments
        .iter()
        .skip(1)
        .position(|argument| !is_flag(argument))
        .map(|i| i + 1);
    match at {
        Some(at) if is_command(&arguments[at]) => {
            let command = arguments.remove(at);
            arguments.insert(1, command);
        }
        _ => arguments.insert(1.min(arguments.len()), "check".into()),
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_form_is_check() {
        let commands = ["check", "rule", "rules"].map(str::to_owned);
        let cases = [
            ("", "check"),
            ("src", "check src"),
            ("--select RL101 src", "check --select RL101 src"),
            ("-", "check -"),
            ("./rule", "check ./rule"),
            ("rule RL101", "rule RL101"),
            ("--color=never rule RL101", "rule --color=never RL101"),
            ("-q check src", "check -q src"),
            ("help rule", "help rule"),
            ("--help", "--help"),
            ("-V", "-V"),
            ("src rule", "check src rule"),
        ];
        for (given, expected) in cases {
            let all = |text: &str| {
                std::iter::once("rl")
                    .chain(text.split_whitespace())
                    .map(OsString::from)
                    .collect::<Vec<_>>()
            };
            assert_eq!(with_command(all(given), &commands), all(expected), "{given}");
        }
    }
}
