//! `junit`: a test suite per file and a failed test per finding, for CI servers that show test results.

use std::io::{self, Write};

use super::xml::escape;
use super::{Format, Report, rule_url};

/// JUnit's XML.
pub struct JUnit;

impl Format for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "JUnit XML: a failed test per finding"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let total = report.findings.len();
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        // A run without findings is one passed test: servers take an empty report for a broken step.
        writeln!(
            out,
            r#"<testsuites name="reconnect-lint" tests="{}" failures="{total}" errors="0">"#,
            total.max(1)
        )?;
        if total == 0 {
            writeln!(
                out,
                r#"  <testsuite name="reconnect-lint" tests="1" failures="0" errors="0" skipped="0">"#
            )?;
            writeln!(
                out,
                r#"    <testcase name="No findings" classname="reconnect-lint" time="0"/>"#
            )?;
            writeln!(out, "  </testsuite>")?;
        }
        for (path, findings) in report.by_file() {
            let path = report.place.in_repository(path);
            let n = findings.len();
            writeln!(
                out,
                r#"  <testsuite name="{}" tests="{n}" failures="{n}" errors="0" skipped="0">"#,
                escape(&path)
            )?;
            for finding in findings {
                let (start, _) = report.range(finding.location);
                let name = format!("{} {} at {}:{}", finding.code, finding.name, start.row, start.column);
                writeln!(
                    out,
                    r#"    <testcase name="{}" classname="{}" file="{}" line="{}" time="0">"#,
                    escape(&name),
                    escape(&path),
                    escape(&path),
                    start.row
                )?;
                writeln!(
                    out,
                    r#"      <failure type="{}" message="{}">{}</failure>"#,
                    finding.severity,
                    escape(&finding.message),
                    escape(&format!(
                        "{path}:{}:{}\n{}\n{}",
                        start.row,
                        start.column,
                        finding.help,
                        rule_url(finding)
                    ))
                )?;
                writeln!(out, "    </testcase>")?;
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }
}
