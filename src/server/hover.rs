//! What is known of the call under the pointer: what `reconnect-lint explain` says, and the findings there.

use serde_json::{Value, json};

use super::snapshot::Snapshot;
use crate::findings::FileId;
use crate::report::rule_url;

/// The answer for a byte of a file; `null` if nothing is known of it.
pub fn hover(snapshot: &Snapshot, file: FileId, offset: usize) -> Value {
    let analysis = &snapshot.checked.analysis;
    let here = |location: crate::findings::Location| {
        let span = location.span;
        location.file == file && (span.start as usize..=span.end as usize).contains(&offset)
    };
    // Calls stand in the arguments of calls: the innermost one is meant.
    let site = analysis
        .call_sites
        .iter()
        .filter(|site| here(site.location))
        .min_by_key(|site| site.location.span.end - site.location.span.start);
    let findings: Vec<_> = analysis.findings.iter().filter(|f| here(f.location)).collect();
    let mut parts = Vec::new();
    if let Some(site) = site {
        // Nothing in the text may end the block.
        let text = snapshot.relative(&analysis.explain_site(site)).replace("```", "'''");
        parts.push(format!("```text\n{}\n```", text.trim_end()));
    }
    for finding in &findings {
        let (code, name, url) = (finding.code, finding.name, rule_url(finding));
        let mut text = format!("[{code} {name}]({url}) ({}): {}", finding.severity, finding.message);
        if !finding.help.is_empty() {
            text.push_str("\n\nhelp: ");
            text.push_str(&finding.help);
        }
        parts.push(text);
    }
    if parts.is_empty() {
        return Value::Null;
    }
    let location = site.map(|site| site.location).or(findings.first().map(|f| f.location));
    json!({
        "contents": { "kind": "markdown", "value": parts.join("\n\n---\n\n") },
        "range": location.map(|location| snapshot.range(location)),
    })
}
