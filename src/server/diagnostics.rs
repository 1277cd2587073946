//! Findings as diagnostics.

use serde_json::{Value, json};

use super::documents::Documents;
use super::snapshot::Snapshot;
use crate::findings::{Code, Finding, Severity};
use crate::report::rule_url;

/// The name of the tool beside each diagnostic.
const SOURCE: &str = "reconnect-lint";
/// RL902 is about text that may go; editors show it faded.
const UNUSED: Code = Code::new(902);
/// The protocol's tag for that.
const UNNECESSARY: u8 = 1;

/// A finding as a diagnostic. Not every client knows what to do with further places.
pub fn diagnostic(snapshot: &Snapshot, finding: &Finding, documents: &Documents, with_related: bool) -> Value {
    let mut diagnostic = json!({
        "range": snapshot.range(finding.location),
        "severity": severity(finding.severity),
        "code": finding.code.to_string(),
        "codeDescription": { "href": rule_url(finding) },
        "source": SOURCE,
        "message": message(finding),
    });
    if with_related && !finding.related.is_empty() {
        let related = finding.related.iter().map(|related| {
            json!({
                "location": snapshot.location(related.location, documents),
                "message": related.message,
            })
        });
        diagnostic["relatedInformation"] = related.collect();
    }
    if finding.code == UNUSED {
        diagnostic["tags"] = json!([UNNECESSARY]);
    }
    diagnostic
}

/// What is wrong, and in one line what to do.
fn message(finding: &Finding) -> String {
    match finding.help.lines().next() {
        Some(help) if !help.is_empty() => format!("{}\nhelp: {help}", finding.message),
        _ => finding.message.clone(),
    }
}

fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Note => 3,
    }
}
