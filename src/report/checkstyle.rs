//! `checkstyle`: the XML of Checkstyle 4.3, which many review tools read.

use std::io::{self, Write};

use super::xml::escape;
use super::{Format, Report};
use crate::findings::Severity;

/// Checkstyle's XML.
pub struct Checkstyle;

impl Format for Checkstyle {
    fn name(&self) -> &'static str {
        "checkstyle"
    }

    fn about(&self) -> &'static str {
        "Checkstyle XML, for review tools"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(out, r#"<checkstyle version="4.3">"#)?;
        for (path, findings) in report.by_file() {
            writeln!(out, r#"  <file name="{}">"#, escape(&report.place.in_repository(path)))?;
            for finding in findings {
                let (start, _) = report.range(finding.location);
                let severity = match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                    Severity::Note => "info",
                };
                writeln!(
                    out,
                    r#"    <error line="{}" column="{}" severity="{severity}" message="{}" source="reconnect-lint.{}"/>"#,
                    start.row,
                    start.column,
                    escape(&finding.message),
                    finding.code
                )?;
            }
            writeln!(out, "  </file>")?;
        }
        writeln!(out, "</checkstyle>")
    }
}
