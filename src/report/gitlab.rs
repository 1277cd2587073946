//! `gitlab`: the Code Quality report that GitLab shows in merge requests.

use std::io::{self, Write};

use serde_json::json;

use super::{Format, Report, rule_url};
use crate::findings::Severity;

/// GitLab's Code Quality.
pub struct GitLab;

impl Format for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn about(&self) -> &'static str {
        "GitLab Code Quality"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let issues: Vec<_> = report
            .findings
            .iter()
            .zip(report.fingerprints())
            .map(|(finding, fingerprint)| {
                let (start, end) = report.range(finding.location);
                json!({
                    "type": "issue",
                    "check_name": format!("{} {}", finding.code, finding.name),
                    "description": format!("{}: {}", finding.code, finding.message),
                    "content": { "body": format!("{}\n\n{}", finding.help, rule_url(finding)) },
                    "categories": ["Bug Risk"],
                    "severity": match finding.severity {
                        Severity::Error => "major",
                        Severity::Warning => "minor",
                        Severity::Note => "info",
                    },
                    "fingerprint": fingerprint.to_string(),
                    "location": {
                        "path": report.place.in_repository(report.path(finding.location)),
                        "lines": { "begin": start.row, "end": end.row },
                    },
                })
            })
            .collect();
        serde_json::to_writer_pretty(&mut *out, &issues)?;
        writeln!(out)
    }
}
