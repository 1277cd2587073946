//! How findings are shown: one file per format behind [`Format`], listed in [`FORMATS`].
//!
//! In: sorted findings and their texts. Out: bytes. May not know: lints, configuration, the command line.

mod checkstyle;
mod concise;
mod contract;
mod full;
mod github;
mod gitlab;
mod grouped;
mod json;
mod junit;
mod rdjson;
mod sarif;
mod visible;
mod xml;

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use crate::analysis::Stats;
use crate::core::Position;
use crate::findings::fingerprint::{Fingerprint, fingerprints};
use crate::findings::{Finding, Location, Severity, Sources};
use crate::lints::texts;

pub use visible::visible;

/// All formats, in the order of `--help`. A new format is a file and a line here.
pub static FORMATS: &[&dyn Format] = &[
    &full::Full,
    &concise::Concise,
    &grouped::Grouped,
    &json::Json,
    &json::JsonLines,
    &sarif::Sarif,
    &github::GitHub,
    &gitlab::GitLab,
    &junit::JUnit,
    &rdjson::RdJson,
    &checkstyle::Checkstyle,
];

/// The format with this name.
pub fn find(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// A way to write findings down.
pub trait Format: Sync {
    /// The value of `--output-format`.
    fn name(&self) -> &'static str;

    /// What it is for, for `--help`.
    fn about(&self) -> &'static str;

    /// Read by people: a summary line goes with it.
    fn is_for_people(&self) -> bool {
        false
    }

    /// Writes all findings.
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// What is left to do besides the output, such as a job summary in a file that CI names.
    fn finish(&self, _report: &Report<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// What a format writes down.
#[derive(Clone)]
pub struct Report<'a> {
    /// The texts behind the findings.
    pub sources: &'a Sources,
    /// In the order of [`crate::findings::sort`].
    pub findings: &'a [Finding],
    /// How much was done.
    pub stats: &'a Stats,
    /// What the terminal can show.
    pub style: Style,
    /// Where the run takes place.
    pub place: Place,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// OSC 8 links.
    pub hyperlinks: bool,
}

/// Where the run takes place.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The folder that shown paths are relative to.
    pub cwd: PathBuf,
    /// The repository's root: what CI formats and fingerprints make their paths relative to.
    pub root: PathBuf,
    /// The file that takes a job summary in Markdown (`$GITHUB_STEP_SUMMARY`).
    pub job_summary: Option<PathBuf>,
}

impl Place {
    /// A shown path, relative to the repository's root; unchanged if it lies outside.
    pub fn in_repository(&self, shown: &str) -> String {
        let full = normalise(&self.cwd.join(shown));
        match full.strip_prefix(normalise(&self.root)) {
            Ok(relative) if !self.root.as_os_str().is_empty() => relative.to_string_lossy().replace('\\', "/"),
            _ => shown.to_owned(),
        }
    }
}

/// Resolves `.` and `..` by the text alone, so that paths of files that were never written down work too.
pub fn normalise(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(result.components().next_back(), Some(Component::Normal(_))) => {
                result.pop();
            }
            _ => result.push(part),
        }
    }
    result
}

impl Report<'_> {
    /// The path of a location, as it is shown.
    pub fn path(&self, location: Location) -> &str {
        &self.sources.get(location.file).path
    }

    /// First and last position of a location.
    pub fn range(&self, location: Location) -> (Position, Position) {
        let source = self.sources.get(location.file);
        (source.start(location.span), source.end(location.span))
    }

    /// The stable identities of the findings, in their order.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        fingerprints(self.findings, self.sources, |path| self.place.in_repository(path))
    }

    /// Runs of findings in the same file.
    pub fn by_file(&self) -> impl Iterator<Item = (&str, &[Finding])> {
        self.findings
            .chunk_by(|a, b| a.location.file == b.location.file)
            .map(|group| (self.path(group[0].location), group))
    }
}

/// The address of the text of a finding's rule.
pub fn rule_url(finding: &Finding) -> String {
    texts::url(finding.code, finding.name)
}

/// How many findings of each severity, as `3 errors, 2 warnings`; `None` if there are none at all.
pub fn counts(findings: &[Finding]) -> Option<String> {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (severity, findings.iter().filter(|f| f.severity == severity).count()))
        .filter(|&(_, n)| n > 0)
        .map(|(severity, n)| counted(n, severity.as_str()))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `1 file`, `2 files`.
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The line below a report for people: `Found 3 errors, 2 warnings in 2 files (14 files checked, 0.08 s)`.
pub fn summary(report: &Report<'_>) -> String {
    let checked = format!(
        "{} checked, {:.2} s",
        counted(report.stats.files_seen as usize, "file"),
        report.stats.duration.as_secs_f64()
    );
    let unreadable = match report.stats.unreadable.len() {
        0 => String::new(),
        n => format!(", {} could not be read", counted(n, "file")),
    };
    match counts(report.findings) {
        Some(counts) => {
            format!(
                "Found {counts} in {} ({checked}{unreadable})",
                counted(report.by_file().count(), "file")
            )
        }
        None => format!("No findings ({checked}{unreadable})"),
    }
}
