//! `rdjson`: the Diagnostic Format of reviewdog.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, Report, rule_url};
use crate::findings::{Applicability, Finding, Location, Severity};

/// reviewdog's Diagnostic Format.
pub struct RdJson;

impl Format for RdJson {
    fn name(&self) -> &'static str {
        "rdjson"
    }

    fn about(&self) -> &'static str {
        "reviewdog's Diagnostic Format"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let document = json!({
            "source": { "name": "reconnect-lint", "url": env!("CARGO_PKG_REPOSITORY") },
            "diagnostics": report.findings.iter().map(|finding| diagnostic(report, finding)).collect::<Vec<_>>(),
        });
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}

fn diagnostic(report: &Report<'_>, finding: &Finding) -> Value {
    let mut value = json!({
        "message": finding.message,
        "location": location(report, finding.location),
        "severity": match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        "code": { "value": finding.code.to_string(), "url": rule_url(finding) },
    });
    // A suggestion is a button in the review: it may only do what a machine may do, and only in the finding's file.
    if let Some(fix) = &finding.fix
        && fix.applicability != Applicability::Display
        && fix.edits.iter().all(|edit| edit.location.file == finding.location.file)
    {
        value["suggestions"] = fix
            .edits
            .iter()
            .map(|edit| json!({ "range": range(report, edit.location), "text": edit.content }))
            .collect();
    }
    if !finding.related.is_empty() {
        value["relatedLocations"] = finding
            .related
            .iter()
            .map(|related| json!({ "message": related.message, "location": location(report, related.location) }))
            .collect();
    }
    value
}

fn location(report: &Report<'_>, location: Location) -> Value {
    json!({ "path": report.place.in_repository(report.path(location)), "range": range(report, location) })
}

/// Columns count bytes of UTF-8 in this format, from 1.
fn range(report: &Report<'_>, location: Location) -> Value {
    let lines = &report.sources.get(location.file).lines;
    let (start, end) = report.range(location);
    let column = |row: u32, offset: u32| offset - lines.line_start(row).unwrap_or(0) + 1;
    json!({
        "start": { "line": start.row, "column": column(start.row, location.span.start) },
        "end": { "line": end.row, "column": column(end.row, location.span.end) },
    })
}
