//! `reconnect-lint inventory`: every call that waits for a database, and what becomes of a lost connection there.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Status;
use super::args::{ConfigArgs, SelectionArgs};
use super::error::CliError;
use super::rule::TextOrJson;
use super::session::Session;
use super::ui::Ui;
use crate::analysis::{self, Analysis, CallSite};
use crate::core::Position;
use crate::findings::Location;

/// Arguments of `inventory`.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders; none means the current folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How the list is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output_format: TextOrJson,

    #[command(flatten)]
    config: ConfigArgs,
}

/// Prints the list.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let mut session = Session::new(&args.config, &SelectionArgs::default(), &args.paths, None, ui)?;
    session.request.inventory = true;
    let mut analysis = analysis::analyse(&session.request)?;
    session.problems(ui)?;
    let mut sites = std::mem::take(&mut analysis.call_sites);
    sites.sort_by(|a, b| {
        let path = |site: &CallSite| &analysis.sources.get(site.location.file).path;
        path(a).cmp(path(b)).then_with(|| a.location.span.cmp(&b.location.span))
    });
    let mut out = ui.out();
    match args.output_format {
        TextOrJson::Text => text(&analysis, &sites, &mut out)?,
        TextOrJson::Json => {
            let rows: Vec<Value> = sites.iter().map(|site| row(&analysis, site)).collect();
            serde_json::to_writer_pretty(&mut out, &rows).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    if args.output_format == TextOrJson::Text && sites.is_empty() {
        ui.say("No calls that wait for a database were found");
    }
    Ok(Status::Clean)
}

fn position(analysis: &Analysis, location: Location) -> (&str, Position) {
    let source = analysis.sources.get(location.file);
    (&source.path, source.start(location.span))
}

fn row(analysis: &Analysis, site: &CallSite) -> Value {
    let (filename, start) = position(analysis, site.location);
    let mut row = json!({
        "filename": filename,
        "location": { "row": start.row, "column": start.column },
        "library": site.library,
        "version": site.version,
        "operation": site.operation,
        "handle": site.handle,
        "verdict": site.verdict,
    });
    if let Some(guard) = &site.guard {
        row["guard"] = json!(guard);
    }
    if !site.path.is_empty() {
        row["path"] = site
            .path
            .iter()
            .map(|step| {
                let (filename, start) = position(analysis, step.location);
                json!({
                    "message": step.message,
                    "filename": filename,
                    "location": { "row": start.row, "column": start.column },
                })
            })
            .collect();
    }
    row
}

/// A heading per file, columns below it.
fn text(analysis: &Analysis, sites: &[CallSite], out: &mut dyn Write) -> std::io::Result<()> {
    for (i, group) in sites.chunk_by(|a, b| a.location.file == b.location.file).enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", position(analysis, group[0].location).0)?;
        let rows: Vec<[String; 4]> = group
            .iter()
            .map(|site| {
                let (_, start) = position(analysis, site.location);
                let version = site.version.as_deref().unwrap_or("?");
                let verdict = match &site.guard {
                    Some(guard) => format!("{}: {guard}", site.verdict),
                    None => site.verdict.clone(),
                };
                let library = format!("{} {version}", site.library);
                [
                    format!("{}:{}", start.row, start.column),
                    format!("{}.{}", site.handle, site.operation),
                    library,
                    verdict,
                ]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (place, call, library) = (width(0), width(1), width(2));
        for row in &rows {
            writeln!(
                out,
                "  {:>place$}  {:call$}  {:library$}  {}",
                row[0], row[1], row[2], row[3]
            )?;
        }
    }
    Ok(())
}
