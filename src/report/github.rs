//! `github`: workflow commands that GitHub Actions shows as annotations, and a job summary.
//!
//! GitHub shows at most ten errors, ten warnings and ten notices of a step. So the most severe come first, what would
//! not be shown is printed as plain lines, and the job summary has all of them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};

use super::{Format, Report, rule_url, summary};
use crate::findings::{Finding, Severity};

/// Annotations of one level that GitHub shows for a step.
const SHOWN: usize = 10;
/// Rows of the job summary; GitHub refuses summaries above one megabyte.
const ROWS: usize = 500;

/// Workflow commands.
pub struct GitHub;

impl Format for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations and a job summary in GitHub Actions"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut rest = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            for (i, finding) in report
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .enumerate()
            {
                if i < SHOWN {
                    writeln!(out, "{}", command(report, finding))?;
                } else {
                    rest.push(finding);
                }
            }
        }
        if !rest.is_empty() {
            writeln!(
                out,
                "::group::{} more, beyond what GitHub shows as annotations",
                rest.len()
            )?;
            for finding in rest {
                let (start, _) = report.range(finding.location);
                let path = report.path(finding.location);
                let line = format!(
                    "{path}:{}:{}: {}[{}] {}",
                    start.row, start.column, finding.severity, finding.code, finding.message
                );
                writeln!(out, "{}", plain(&line))?;
            }
            writeln!(out, "::endgroup::")?;
        }
        writeln!(out, "{}", summary(report))
    }

    fn finish(&self, report: &Report<'_>) -> io::Result<()> {
        let Some(path) = &report.place.job_summary else {
            return Ok(());
        };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?
            .write_all(job_summary(report).as_bytes())
    }
}

fn command(report: &Report<'_>, finding: &Finding) -> String {
    let (start, end) = report.range(finding.location);
    let path = report.place.in_repository(report.path(finding.location));
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = format!("file={},line={},endLine={}", property(&path), start.row, end.row);
    // GitHub takes columns only for an annotation within one line.
    if start.row == end.row {
        let _ = write!(properties, ",col={},endColumn={}", start.column, end.column);
    }
    let _ = write!(
        properties,
        ",title={}",
        property(&format!("{} {}", finding.code, finding.name))
    );
    let mut text = format!(
        "{path}:{}:{}: {} {}",
        start.row, start.column, finding.code, finding.message
    );
    for related in &finding.related {
        let (place, _) = report.range(related.location);
        let _ = write!(
            text,
            "\n{}:{}: {}",
            report.path(related.location),
            place.row,
            related.message
        );
    }
    if !finding.help.is_empty() {
        let _ = write!(text, "\nhelp: {}", finding.help);
    }
    format!("::{level} {properties}::{}", data(&text))
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line that the runner must not take for a command.
fn plain(line: &str) -> String {
    let line = line.replace(['\r', '\n'], " ");
    if line.trim_start().starts_with("::") {
        format!("./{line}")
    } else {
        line
    }
}

/// The findings as a table in Markdown.
fn job_summary(report: &Report<'_>) -> String {
    let mut text = format!("## reconnect-lint\n\n{}\n", cell(&summary(report)));
    if report.findings.is_empty() {
        return text;
    }
    text.push_str("\n| severity | rule | place | finding |\n|---|---|---|---|\n");
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in findings.iter().take(ROWS) {
        let (start, _) = report.range(finding.location);
        let _ = writeln!(
            text,
            "| {} | [{} {}]({}) | `{}:{}` | {} |",
            finding.severity,
            finding.code,
            finding.name,
            rule_url(finding),
            cell(&report.place.in_repository(report.path(finding.location))),
            start.row,
            cell(&finding.message)
        );
    }
    if findings.len() > ROWS {
        let _ = writeln!(text, "\n... and {} more", findings.len() - ROWS);
    }
    text
}

/// Text for one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\r', '\n'], " ")
}
