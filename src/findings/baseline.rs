//! Known findings that are not reported, so that a team can start today and mend later.
//!
//! In: findings with fingerprints. Out: those that are new, and entries that nothing stands for any more.
//! The file is made to be read in reviews: sorted, one field per line, no row numbers that change with every edit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::{Fingerprint, fingerprints};
use super::{Finding, Sources};

/// The version of the file's format.
const VERSION: u32 = 1;

/// Known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    /// Sorted by path, function, code and fingerprint.
    findings: Vec<Entry>,
}

/// A known finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to the folder of the baseline.
    pub path: String,
    /// The function around it.
    pub context: String,
    /// The rule's code.
    pub code: String,
    /// The source line, for people.
    pub line: String,
    /// What it is recognised by.
    pub fingerprint: String,
}

/// What a baseline does to findings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Those that it does not have.
    pub new: Vec<Finding>,
    /// How many it has.
    pub known: usize,
    /// Entries that nothing stands for any more.
    pub gone: Vec<Entry>,
}

impl Baseline {
    /// Reads a file's text; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.version == VERSION {
            Ok(baseline)
        } else {
            Err(format!(
                "it has version {}, and this program reads version {VERSION}",
                baseline.version
            ))
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        text
    }

    /// How many findings it has.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// A baseline of sorted findings. `path` makes shown paths relative to the folder of the baseline.
    pub fn of(findings: &[Finding], sources: &Sources, path: impl Fn(&str) -> String) -> Self {
        let mut entries: Vec<Entry> = findings
            .iter()
            .zip(fingerprints(findings, sources, &path))
            .map(|(finding, fingerprint)| entry(finding, fingerprint, sources, &path))
            .collect();
        entries.sort();
        Self {
            version: VERSION,
            findings: entries,
        }
    }

    /// Separates sorted findings that are new from those that are known. An entry stands for one finding: of two equal
    /// lines in a function, one may be known and the other new.
    pub fn compare(&self, findings: Vec<Finding>, sources: &Sources, path: impl Fn(&str) -> String) -> Compared {
        let mut left: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.findings {
            left.entry(hash(&entry.fingerprint)).or_default().push(entry);
        }
        let prints = fingerprints(&findings, sources, path);
        let mut compared = Compared::default();
        for (finding, fingerprint) in findings.into_iter().zip(prints) {
            let text = fingerprint.to_string();
            if left.get_mut(hash(&text)).and_then(Vec::pop).is_some() {
                compared.known += 1;
            } else {
                compared.new.push(finding);
            }
        }
        compared.gone = left.into_values().flatten().cloned().collect();
        compared.gone.sort();
        compared
    }

    /// Takes entries out.
    pub fn prune(&mut self, gone: &[Entry]) {
        self.findings.retain(|entry| !gone.contains(entry));
    }
}

/// The part of a fingerprint without its count, which changes when an equal line before it goes.
fn hash(fingerprint: &str) -> &str {
    fingerprint.split_once(':').map_or(fingerprint, |(hash, _)| hash)
}

fn entry(finding: &Finding, fingerprint: Fingerprint, sources: &Sources, path: impl Fn(&str) -> String) -> Entry {
    let source = sources.get(finding.location.file);
    // A line of generated code may be megabytes long.
    let line = source.line(source.start(finding.location.span).row).trim();
    Entry {
        path: path(&source.path),
        context: finding.context.clone(),
        code: finding.code.to_string(),
        line: line.chars().take(120).collect(),
        fingerprint: fingerprint.to_string(),
    }
}
