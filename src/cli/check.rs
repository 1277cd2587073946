//! `reconnect-lint check`: the default command.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValue;

use super::args::{ConfigArgs, SelectionArgs};
use super::error::{CliError, Explained};
use super::progress::Bar;
use super::session::Session;
use super::ui::Ui;
use super::{Status, ci, fixing, hints, known, statistics};
use crate::analysis;
use crate::check::{self, Checked, View};
use crate::config::FailOn;
use crate::findings::{Confidence, Finding, Severity};
use crate::report::{self, Format, Report, Style};

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders; none means the current folder, `-` standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How findings are written [default: full; in GitHub Actions and GitLab CI their own]
    #[arg(long, value_name = "FORMAT", value_parser = Formats, help_heading = "Output")]
    output_format: Option<&'static str>,

    /// A file for the findings, instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output_file: Option<PathBuf>,

    /// Count the findings of each rule instead of showing them
    #[arg(long, help_heading = "Output")]
    statistics: bool,

    /// The name of the file on standard input; it decides the language and the configuration [default: stdin.py]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    stdin_filename: Option<PathBuf>,

    #[command(flatten)]
    fixing: fixing::FixArgs,

    #[command(flatten)]
    known: known::KnownArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    /// The least severity that is shown
    #[arg(long, value_name = "SEVERITY", value_parser = word::<Severity>(&["error", "warning", "note"]), help_heading = "Rules")]
    level: Option<Severity>,

    /// The least confidence that is shown
    #[arg(long, value_name = "CONFIDENCE", value_parser = word::<Confidence>(&["certain", "likely"]), help_heading = "Rules")]
    min_confidence: Option<Confidence>,

    /// The least severity that makes the exit status 1 [default: error]
    #[arg(long, value_name = "SEVERITY", value_parser = word::<FailOn>(&["error", "warning", "note", "never"]), help_heading = "Exit status")]
    fail_on: Option<FailOn>,

    /// Exit with 0 even if there are findings
    #[arg(long, help_heading = "Exit status")]
    exit_zero: bool,

    #[command(flatten)]
    config: ConfigArgs,

    /// Print the settings that hold for the first path, and check nothing
    #[arg(long, help_heading = "Configuration")]
    show_settings: bool,

    /// Print the files that would be checked, and check nothing
    #[arg(long, help_heading = "Configuration")]
    show_files: bool,
}

/// The names of the formats, for `--help` and for errors.
#[derive(Clone)]
struct Formats;

impl clap::builder::TypedValueParser for Formats {
    type Value = &'static str;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<&'static str, clap::Error> {
        let names: Vec<PossibleValue> = self.possible_values().into_iter().flatten().collect();
        let name = clap::builder::PossibleValuesParser::new(names).parse_ref(command, argument, value)?;
        Ok(report::find(&name).map_or("full", Format::name))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            report::FORMATS
                .iter()
                .map(|format| PossibleValue::new(format.name()).help(format.about())),
        ))
    }
}

/// Parses one of a few words.
fn word<T>(words: &'static [&'static str]) -> impl clap::builder::TypedValueParser<Value = T>
where
    T: std::str::FromStr + Clone + Send + Sync + 'static,
{
    use clap::builder::TypedValueParser;
    clap::builder::PossibleValuesParser::new(words).try_map(|word| {
        word.parse::<T>()
            .map_err(|_| io::Error::other("the words are those that can be parsed"))
    })
}

/// Checks.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let mut session = Session::new(
        &args.config,
        &args.selection,
        &args.paths,
        args.stdin_filename.as_deref(),
        ui,
    )?;
    if args.show_settings {
        return show(ui, |out| write!(out, "{}", session.settings));
    }
    if args.show_files {
        let files = analysis::files(&session.request);
        session.problems(ui)?;
        return show(ui, |out| {
            files
                .iter()
                .try_for_each(|path| writeln!(out, "{}", analysis::shown(path)))
        });
    }
    let view = View {
        level: args.level,
        min_confidence: args.min_confidence,
    };
    let fail_on = args.fail_on.unwrap_or(session.settings.fail_on);
    let fails = |findings: &[Finding]| !args.exit_zero && fail_on.fails(findings);
    let mut known = known::Known::new(&args.known, &session, view)?;
    let mut analyse = || -> Result<Checked, CliError> {
        let bar = Bar::new(ui);
        session.request.progress = bar.progress();
        let mut checked = check::check(&session.resolver, &session.request, view)?;
        drop(bar);
        session.problems(ui)?;
        known.filter(&mut checked, &session);
        Ok(checked)
    };
    let mut checked = analyse()?;
    if args.fixing.wanted() {
        let done = fixing::run(&args.fixing, &mut checked, analyse, fails, ui)?;
        if let fixing::Done::Stop(status) = done {
            return Ok(status);
        }
    }
    if let Some(status) = known.write(&mut checked, &session, ui)? {
        return Ok(status);
    }
    write_report(args, &session, &checked, ui)?;
    known.say(ui);
    Ok(if fails(&checked.analysis.findings) {
        Status::Findings
    } else {
        Status::Clean
    })
}

fn show(ui: &Ui, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Status, CliError> {
    let mut out = ui.out();
    text(&mut out)?;
    out.flush()?;
    Ok(Status::Clean)
}

/// Writes the findings where they belong, and what people want to know besides.
fn write_report(args: &Args, session: &Session, checked: &Checked, ui: &Ui) -> Result<(), CliError> {
    let ci = ci::Ci::detect(|name| std::env::var(name).ok());
    let automatic = ci.format(args.output_file.is_some());
    let name = args
        .output_format
        .or(session.settings.output_format)
        .or(automatic)
        .unwrap_or("full");
    let format = report::find(name).unwrap_or(report::FORMATS[0]);
    let to_file = args.output_file.is_some();
    let report = Report {
        sources: &checked.analysis.sources,
        findings: &checked.analysis.findings,
        stats: &checked.analysis.stats,
        style: if to_file { Style::default() } else { ui.style() },
        place: ci.place(session.resolver.cwd(), &session.request),
    };
    let mut text = Vec::new();
    if args.statistics {
        statistics::write(&report, format, &mut text)?;
    } else {
        format.write(&report, &mut text)?;
    }
    if let Some(path) = &args.output_file {
        crate::fix::write_atomically(path, &text).map_err(|error| {
            Explained::new(format!("`{}` cannot be written", path.display())).because(error.to_string())
        })?;
    } else {
        let mut out = ui.out();
        out.write_all(&text)?;
        out.flush()?;
    }
    // A log with JSON helps nobody who reads it; who asked for it has redirected the output.
    if name == "gitlab" && automatic == Some(name) && args.output_format.is_none() {
        let mut log = Vec::new();
        if let Some(concise) = report::find("concise") {
            concise.write(
                &Report {
                    style: Style::default(),
                    place: report.place.clone(),
                    ..report
                },
                &mut log,
            )?;
        }
        ui.say(String::from_utf8_lossy(&log).trim_end());
        if !to_file {
            ui.say(report::summary(&report));
        }
    }
    if name == "github" {
        format
            .finish(&report)
            .map_err(|error| Explained::new("the job summary cannot be written").because(error.to_string()))?;
    }
    for (path, reason) in &checked.analysis.stats.unreadable {
        ui.warn(format_args!("`{path}` was not checked: {reason}"));
    }
    if to_file || (format.is_for_people() && !args.statistics) {
        ui.say(report::summary(&report));
    }
    if let Some(line) = fixing::available(&checked.analysis.findings).filter(|_| format.is_for_people()) {
        ui.say(line);
    }
    if checked.suppressed > 0 {
        ui.detail(format_args!(
            "{} suppressed",
            report::counted(checked.suppressed, "finding")
        ));
    }
    hints::after(&session.request, &checked.analysis.stats, format.is_for_people(), ui);
    Ok(())
}
