//! `reconnect-lint explain FILE:LINE`: what is known of a line.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Status;
use super::args::{ConfigArgs, SelectionArgs};
use super::error::{CliError, Explained};
use super::session::Session;
use super::ui::Ui;
use crate::analysis;
use crate::check::{self, View};
use crate::report::visible;

/// Arguments of `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// A line of a file, such as src/store.py:12
    #[arg(value_name = "FILE:LINE")]
    place: String,

    #[command(flatten)]
    config: ConfigArgs,
}

/// Prints what is known.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let (file, row) = place(&args.place)?;
    let mut session = Session::new(
        &args.config,
        &SelectionArgs::default(),
        std::slice::from_ref(&file),
        None,
        ui,
    )?;
    session.request.inventory = true;
    let shown = analysis::shown(&file);
    let checked = check::check(&session.resolver, &session.request, View::default())?;
    session.problems(ui)?;
    let mut out = ui.out();
    let known = checked.analysis.explain(&shown, row);
    if let Some(text) = &known {
        write!(out, "{}", visible(text))?;
    }
    let mut found = false;
    for finding in &checked.analysis.findings {
        let source = checked.analysis.sources.get(finding.location.file);
        let rows = source.start(finding.location.span).row..=source.end(finding.location.span).row;
        if source.path == shown && rows.contains(&row) {
            writeln!(out, "{} {}: {}", finding.code, finding.name, visible(&finding.message))?;
            found = true;
        }
    }
    out.flush()?;
    if known.is_none() && !found {
        ui.say(format_args!(
            "No call that waits for a database is known on line {row} of {shown}"
        ));
        ui.hint("`reconnect-lint inventory` lists all calls that are known");
    }
    Ok(Status::Clean)
}

/// `file:line`, also `file:line:column` as reports print it.
fn place(text: &str) -> Result<(PathBuf, u32), Explained> {
    let usage = || {
        Explained::new(format!("`{text}` is no place in a file"))
            .because("a place is a file and a line, separated by a colon")
            .help(Some("for example: `reconnect-lint explain src/store.py:12`"))
    };
    let (mut file, mut row) = text.rsplit_once(':').ok_or_else(usage)?;
    if let Some((before, line)) = file.rsplit_once(':')
        && line.bytes().all(|b| b.is_ascii_digit())
        && !line.is_empty()
        && !Path::new(file).exists()
    {
        (file, row) = (before, line);
    }
    let row: u32 = row.parse().ok().filter(|&row| row > 0).ok_or_else(usage)?;
    if Path::new(file).is_dir() {
        return Err(Explained::new(format!("`{file}` is a folder")).help(Some("name a file and a line of it")));
    }
    Ok((PathBuf::from(file), row))
}
