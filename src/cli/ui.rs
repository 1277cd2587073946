//! The terminal: where text goes, and what it may contain.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style as Ansi};

use super::args::{ColorWhen, Global};
use super::error::CliError;
use crate::diagnostics::Problems;
use crate::report::Style;

/// What the user wants to see, and where.
pub struct Ui {
    out_color: bool,
    err_color: bool,
    hyperlinks: bool,
    /// `--quiet`: only findings.
    pub quiet: bool,
    /// `--verbose`: also what was done.
    pub verbose: bool,
}

impl Ui {
    /// From the flags, the environment and the kind of the streams.
    pub fn new(global: &Global) -> Self {
        let wanted = |automatic: ColorChoice| match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => automatic != ColorChoice::Never,
        };
        let out_color = wanted(anstream::AutoStream::choice(&io::stdout()));
        Self {
            out_color,
            err_color: wanted(anstream::AutoStream::choice(&io::stderr())),
            hyperlinks: out_color && io::stdout().is_terminal() && terminal_has_links(|name| std::env::var(name).ok()),
            quiet: global.quiet,
            verbose: global.verbose,
        }
    }

    /// What a report to standard output may contain.
    pub fn style(&self) -> Style {
        Style {
            color: self.out_color,
            hyperlinks: self.hyperlinks,
        }
    }

    /// Standard output, buffered. Flush it: errors in a destructor are lost.
    pub fn out(&self) -> impl Write + use<> {
        io::BufWriter::new(anstream::AutoStream::new(io::stdout(), choice(self.out_color)))
    }

    /// Standard output for a user's file: what looks like an escape code in it stays.
    pub fn raw() -> impl Write + use<> {
        io::BufWriter::new(io::stdout())
    }

    /// Standard error; messages to people.
    fn err(&self) -> impl Write + use<> {
        anstream::AutoStream::new(io::stderr(), choice(self.err_color))
    }

    /// A line for people, unless `--quiet`.
    pub fn say(&self, text: impl Display) {
        if !self.quiet {
            // A message that cannot be written has nowhere else to go.
            let _ = writeln!(self.err(), "{text}");
        }
    }

    /// A line for people who asked for more.
    pub fn detail(&self, text: impl Display) {
        if self.verbose {
            let _ = writeln!(self.err(), "{text}");
        }
    }

    /// Something that people should know although the run goes on.
    pub fn warn(&self, text: impl Display) {
        let bold = AnsiColor::BrightYellow.on_default().bold();
        let _ = writeln!(self.err(), "{bold}warning{bold:#}: {text}");
    }

    /// What to do.
    pub fn hint(&self, text: impl Display) {
        let bold = AnsiColor::BrightCyan.on_default().bold();
        self.say(format_args!("{bold}help{bold:#}: {text}"));
    }

    /// Warnings about the configuration.
    pub fn config_warnings(&self, problems: &[Problems]) {
        for problems in problems {
            let _ = writeln!(self.err(), "{}\n", problems.render(self.err_color));
        }
    }

    /// Why the run failed.
    pub fn error(&self, error: &CliError) {
        let red = AnsiColor::BrightRed.on_default().bold();
        let cyan = AnsiColor::BrightCyan.on_default().bold();
        let bold = Ansi::new().bold();
        let mut err = self.err();
        let _ = match error {
            CliError::Usage(error) => {
                let _ = writeln!(err, "{red}error{red:#}{bold}: {}{bold:#}", error.title);
                if let Some(description) = &error.description {
                    for line in description.lines() {
                        let _ = writeln!(err, "  {line}");
                    }
                }
                error
                    .help
                    .as_ref()
                    .map_or(Ok(()), |help| writeln!(err, "{cyan}help{cyan:#}: {help}"))
            }
            CliError::Config(all) => {
                let texts: Vec<String> = all.iter().map(|problems| problems.render(self.err_color)).collect();
                writeln!(err, "{}", texts.join("\n\n"))
            }
            CliError::Output(error) => writeln!(err, "{red}error{red:#}: the output cannot be written: {error}"),
        };
    }
}

fn choice(color: bool) -> ColorChoice {
    if color {
        ColorChoice::AlwaysAnsi
    } else {
        ColorChoice::Never
    }
}

/// Whether the terminal is known to understand OSC 8. Others would show the escape codes, so unknown ones get none.
fn terminal_has_links(env: impl Fn(&str) -> Option<String>) -> bool {
    if let Some(force) = env("FORCE_HYPERLINK") {
        return force != "0";
    }
    if env("CI").is_some() || env("TMUX").is_some() || env("TERM").is_some_and(|term| term.starts_with("screen")) {
        return false;
    }
    let program = env("TERM_PROGRAM").unwrap_or_default();
    let term = env("TERM").unwrap_or_default();
    ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio"].contains(&program.as_str())
        || ["xterm-kitty", "xterm-ghostty", "alacritty", "foot"].contains(&term.as_str())
        || env("VTE_VERSION")
            .and_then(|version| version.parse().ok())
            .is_some_and(|version: u32| version >= 5000)
        || ["WT_SESSION", "KONSOLE_VERSION", "DOMTERM"]
            .iter()
            .any(|name| env(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::terminal_has_links;

    #[test]
    fn links_are_for_terminals_that_are_known_to_show_them() {
        let with = |pairs: &[(&str, &str)]| {
            terminal_has_links(|name| {
                pairs
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[("TERM", "xterm-kitty")]));
        assert!(with(&[("VTE_VERSION", "7002")]));
        assert!(!with(&[("VTE_VERSION", "4205")]));
        assert!(!with(&[("TERM", "xterm-256color")]));
        assert!(!with(&[("TERM_PROGRAM", "iTerm.app"), ("TMUX", "1")]));
        assert!(with(&[("TERM_PROGRAM", "dumb"), ("FORCE_HYPERLINK", "1")]));
        assert!(!with(&[("TERM", "xterm-kitty"), ("FORCE_HYPERLINK", "0")]));
    }
}
