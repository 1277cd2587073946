//! `sarif`: SARIF 2.1.0, for GitHub code scanning and other servers.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Format, Report};
use crate::findings::fingerprint::Fingerprint;
use crate::findings::{Applicability, Code, Confidence, Finding, Fix, Location, Severity};
use crate::lints::texts::{self, Rule};

/// SARIF 2.1.0.
pub struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for GitHub code scanning and other servers"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let found: BTreeSet<Code> = report.findings.iter().map(|finding| finding.code).collect();
        let rules: Vec<&Rule> = texts::rules()
            .iter()
            .filter(|rule| found.contains(&rule.code))
            .collect();
        let results: Vec<Value> = report
            .findings
            .iter()
            .zip(report.fingerprints())
            .map(|(finding, fingerprint)| result(report, finding, fingerprint, &rules))
            .collect();
        let document = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "reconnect-lint",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                }},
                "columnKind": "unicodeCodePoints",
                "invocations": [invocation(report)],
                "results": results,
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code.to_string(),
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": section(rule.body, "What it does") },
        "help": { "text": rule.body, "markdown": rule.markdown() },
        "helpUri": rule.url(),
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": ["reliability", "database"], "problem.severity": problem_severity(rule.severity) },
    })
}

/// The text below a heading, as one paragraph.
fn section(body: &str, heading: &str) -> String {
    let start = format!("## {heading}\n");
    let text = body.split_once(&start).map_or(body, |(_, rest)| rest);
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn invocation(report: &Report<'_>) -> Value {
    let unreadable: Vec<Value> = report
        .stats
        .unreadable
        .iter()
        .map(|(path, reason)| {
            json!({
                "level": "warning",
                "message": { "text": format!("not checked: {reason}") },
                "locations": [{ "physicalLocation": { "artifactLocation": artifact(report, path) } }],
            })
        })
        .collect();
    let mut value = json!({ "executionSuccessful": true });
    if !unreadable.is_empty() {
        value["toolExecutionNotifications"] = Value::Array(unreadable);
    }
    value
}

fn result(report: &Report<'_>, finding: &Finding, fingerprint: Fingerprint, rules: &[&Rule]) -> Value {
    let mut text = finding.message.clone();
    for note in finding
        .notes
        .iter()
        .chain((!finding.help.is_empty()).then_some(&finding.help))
    {
        text.push('\n');
        text.push_str(note);
    }
    let mut value = Map::new();
    value.insert("ruleId".into(), json!(finding.code.to_string()));
    // A rule without a text has no descriptor, and then no index either.
    if let Some(index) = rules.iter().position(|rule| rule.code == finding.code) {
        value.insert("ruleIndex".into(), json!(index));
    }
    value.insert("level".into(), json!(level(finding.severity)));
    value.insert("message".into(), json!({ "text": text }));
    value.insert(
        "locations".into(),
        json!([{ "physicalLocation": physical(report, finding.location) }]),
    );
    value.insert(
        "partialFingerprints".into(),
        json!({ "reconnectLint/v1": fingerprint.to_string(), "primaryLocationLineHash": fingerprint.to_string() }),
    );
    if !finding.related.is_empty() {
        value.insert("relatedLocations".into(), related_locations(report, finding));
        value.insert("codeFlows".into(), code_flows(report, finding));
    }
    if let Some(fix) = finding
        .fix
        .as_ref()
        .filter(|fix| fix.applicability != Applicability::Display)
    {
        value.insert("fixes".into(), json!([sarif_fix(report, fix)]));
    }
    let precision = match finding.confidence {
        Confidence::Certain => "high",
        Confidence::Likely => "medium",
    };
    value.insert(
        "properties".into(),
        json!({ "confidence": finding.confidence.as_str(), "precision": precision, "context": finding.context }),
    );
    Value::Object(value)
}

fn related_locations(report: &Report<'_>, finding: &Finding) -> Value {
    finding
        .related
        .iter()
        .enumerate()
        .map(|(id, related)| {
            json!({
                "id": id,
                "physicalLocation": physical(report, related.location),
                "message": { "text": related.message },
            })
        })
        .collect()
}

/// The path from the call site outwards, as a viewer steps through it.
fn code_flows(report: &Report<'_>, finding: &Finding) -> Value {
    let label = if finding.label.is_empty() {
        &finding.message
    } else {
        &finding.label
    };
    let steps = std::iter::once((finding.location, label))
        .chain(finding.related.iter().map(|related| (related.location, &related.message)))
        .map(|(location, message)| {
            json!({ "location": { "physicalLocation": physical(report, location), "message": { "text": message } } })
        })
        .collect::<Vec<_>>();
    json!([{ "threadFlows": [{ "locations": steps }] }])
}

fn sarif_fix(report: &Report<'_>, fix: &Fix) -> Value {
    let mut changes: Vec<(String, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = json!({
            "deletedRegion": region(report, edit.location),
            "insertedContent": { "text": edit.content },
        });
        let path = report.path(edit.location);
        match changes.iter_mut().find(|(file, _)| file == path) {
            Some((_, replacements)) => replacements.push(replacement),
            None => changes.push((path.to_owned(), vec![replacement])),
        }
    }
    let changes: Vec<Value> = changes
        .into_iter()
        .map(
            |(path, replacements)| json!({ "artifactLocation": artifact(report, &path), "replacements": replacements }),
        )
        .collect();
    json!({ "description": { "text": fix.message }, "artifactChanges": changes })
}

fn physical(report: &Report<'_>, location: Location) -> Value {
    json!({ "artifactLocation": artifact(report, report.path(location)), "region": region(report, location) })
}

fn region(report: &Report<'_>, location: Location) -> Value {
    let (start, end) = report.range(location);
    json!({
        "startLine": start.row,
        "startColumn": start.column,
        "endLine": end.row,
        "endColumn": end.column,
    })
}

/// Paths below the repository's root are relative to it, for the server to find them; others are file URIs.
fn artifact(report: &Report<'_>, path: &str) -> Value {
    let path = report.place.in_repository(path);
    if path.starts_with('/') {
        json!({ "uri": format!("file://{}", percent_encoded(&path)) })
    } else {
        json!({ "uri": percent_encoded(&path), "uriBaseId": "%SRCROOT%" })
    }
}

fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte as char),
            _ => {
                use std::fmt::Write as _;
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

/// GitHub's word for the severity of a rule that is not about security.
fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "recommendation",
    }
}
