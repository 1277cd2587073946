//! `json`: an array of findings. `json-lines`: the same, one finding per line.

use std::io::{self, Write};

use super::contract::JsonFinding;
use super::{Format, Report};

/// An array.
pub struct Json;

/// One object per line.
pub struct JsonLines;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "an array of findings, for other tools"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| JsonFinding::new(report, finding))
            .collect();
        serde_json::to_writer_pretty(&mut *out, &findings)?;
        writeln!(out)
    }
}

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "json-lines"
    }

    fn about(&self) -> &'static str {
        "one JSON object per line"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        for finding in report.findings {
            serde_json::to_writer(&mut *out, &JsonFinding::new(report, finding))?;
            writeln!(out)?;
        }
        Ok(())
    }
}
