//! `--statistics`: how many findings each rule has.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use crate::findings::{Code, Finding};
use crate::report::{Format, Report};

/// Writes the table, or JSON if the format is `json`.
pub fn write(report: &Report<'_>, format: &dyn Format, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<Code, (usize, &Finding)> = BTreeMap::new();
    for finding in report.findings {
        counts.entry(finding.code).or_insert((0, finding)).0 += 1;
    }
    let mut rows: Vec<(usize, &Finding)> = counts.into_values().collect();
    rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    if format.name() == "json" {
        let rows: Vec<_> = rows
            .iter()
            .map(|(count, finding)| json!({ "code": finding.code.to_string(), "name": finding.name, "count": count }))
            .collect();
        serde_json::to_writer_pretty(&mut *out, &rows)?;
        return writeln!(out);
    }
    let width = rows.first().map_or(0, |(count, _)| count.to_string().len());
    for (count, finding) in rows {
        writeln!(out, "{count:>width$}  {}  {}", finding.code, finding.name)?;
    }
    Ok(())
}
