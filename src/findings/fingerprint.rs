//! What stays the same about a finding when lines move: for baselines, SARIF and Code Quality.
//!
//! In: sorted findings. Out: one [`Fingerprint`] per finding, stable across platforms and versions of this tool.

use std::fmt;

use rustc_hash::FxHashMap;

use super::{Finding, Sources};

/// A stable identity: rule, path, function around it, the line's text, and the count of equal ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    hash: u64,
    /// 1 for the first finding with this hash, 2 for the next one in reading order.
    pub occurrence: u32,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}:{}", self.hash, self.occurrence)
    }
}

impl Fingerprint {
    /// The hash alone, without the count.
    pub const fn hash(self) -> u64 {
        self.hash
    }
}

/// Fingerprints of findings in their order. `path` turns a shown path into one that does not depend on the folder the
/// tool was started in.
pub fn fingerprints(findings: &[Finding], sources: &Sources, path: impl Fn(&str) -> String) -> Vec<Fingerprint> {
    let mut seen: FxHashMap<u64, u32> = FxHashMap::default();
    findings
        .iter()
        .map(|finding| {
            let source = sources.get(finding.location.file);
            let line = normalised(source.line(source.start(finding.location.span).row));
            let code = finding.code.to_string();
            let hash = fnv1a(&[&code, &path(&source.path), &finding.context, &line]);
            let occurrence = seen.entry(hash).or_default();
            *occurrence += 1;
            Fingerprint {
                hash,
                occurrence: *occurrence,
            }
        })
        .collect()
}

/// A line without the white space that formatters change.
fn normalised(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// FNV-1a over parts with a separator that no part contains: the same on every platform and in every version.
fn fnv1a(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}
