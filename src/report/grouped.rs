//! `grouped`: findings below the name of their file, in columns.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::concise::{linked_code, one_line, severity_style};
use super::visible::Harmless;
use super::{Format, Report};

/// A heading per file.
pub struct Grouped;

impl Format for Grouped {
    fn name(&self) -> &'static str {
        "grouped"
    }

    fn about(&self) -> &'static str {
        "one line per finding, below the name of its file"
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let harmless = Harmless::new(report);
        let report = &harmless
            .as_ref()
            .map_or_else(|| report.clone(), |harmless| harmless.report(report));
        let plain = Ansi::new();
        let heading = if report.style.color {
            AnsiColor::Cyan.on_default().underline()
        } else {
            plain
        };
        for (i, (path, findings)) in report.by_file().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{heading}{path}{heading:#}")?;
            let places: Vec<String> = findings
                .iter()
                .map(|finding| {
                    let (start, _) = report.range(finding.location);
                    format!("{}:{}", start.row, start.column)
                })
                .collect();
            let width = places.iter().map(String::len).max().unwrap_or(0);
            for (finding, place) in findings.iter().zip(places) {
                let color = if report.style.color {
                    severity_style(finding.severity)
                } else {
                    plain
                };
                let code = linked_code(finding, report.style);
                writeln!(
                    out,
                    "  {place:>width$}  {color}{:<7}{color:#}  {code}  {}",
                    finding.severity,
                    one_line(&finding.message)
                )?;
            }
        }
        Ok(())
    }
}
