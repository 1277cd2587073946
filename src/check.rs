//! From paths and configuration to the findings that a person sees; used by the command line, the tests and a server
//! alike.
//!
//! In: a [`Request`] and a [`Resolver`]. Out: [`Checked`]. The engine's findings go through suppressions, then through
//! the settings of their file.

use std::path::Path;

use crate::analysis::{self, Analysis, AnalysisError, Request};
use crate::config::Resolver;
use crate::findings::{self, Code, Confidence, FileId, Finding, Severity, suppress};
use crate::lints::texts;

/// What is shown of the findings, besides what the configuration says.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// The least severity.
    pub level: Option<Severity>,
    /// The least confidence, instead of the configured one.
    pub min_confidence: Option<Confidence>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Checked {
    /// The engine's answer; its findings are those that are left.
    pub analysis: Analysis,
    /// How many findings a suppression hides.
    pub suppressed: usize,
    /// The shown path of the file on standard input.
    pub stdin: Option<String>,
}

/// Analyses, and applies suppressions and settings. The findings are sorted.
pub fn check(resolver: &Resolver, request: &Request, view: View) -> Result<Checked, AnalysisError> {
    let analysis = analysis::analyse(request)?;
    let stdin = request.stdin.as_ref().map(|stdin| analysis::shown(&stdin.filename));
    Ok(Checked {
        stdin,
        ..shown(resolver, analysis, view)
    })
}

/// Applies suppressions and settings to findings.
pub fn shown(resolver: &Resolver, mut analysis: Analysis, view: View) -> Checked {
    let mut all = std::mem::take(&mut analysis.findings);
    findings::sort(&mut all, &analysis.sources);
    let settings: Vec<FileSettings> = analysis
        .sources
        .iter()
        .map(|(_, source)| FileSettings::new(resolver, &source.path, view))
        .collect();
    let of = |file: FileId| &settings[file.0 as usize];
    let known = texts::known();
    // Suppressions come first: one that hides a finding is used, whether or not the finding would be shown.
    let outcome = suppress::apply(all, &analysis.sources, &analysis.comments, &known, |code, file| {
        of(file).enabled(code)
    });
    analysis.findings = outcome
        .findings
        .iter()
        .filter_map(|f| of(f.location.file).apply(f))
        .collect();
    findings::sort(&mut analysis.findings, &analysis.sources);
    Checked {
        analysis,
        suppressed: outcome.hidden,
        stdin: None,
    }
}

/// The settings of one file, with the view on top.
struct FileSettings {
    settings: std::sync::Arc<crate::config::Settings>,
    path: std::path::PathBuf,
    view: View,
}

impl FileSettings {
    fn new(resolver: &Resolver, shown: &str, view: View) -> Self {
        let path = resolver.absolute(Path::new(shown));
        Self {
            settings: resolver.settings_of_file(&path),
            path,
            view,
        }
    }

    fn enabled(&self, code: Code) -> bool {
        self.settings.is_enabled(code, &self.path)
    }

    /// The finding as it is shown, or `None` if it is not.
    fn apply(&self, finding: &Finding) -> Option<Finding> {
        let severity = self.settings.severity(finding);
        let min_confidence = self.view.min_confidence.unwrap_or(self.settings.min_confidence);
        let shown = finding.confidence >= min_confidence
            && self.view.level.is_none_or(|level| severity >= level)
            && self.enabled(finding.code);
        shown.then(|| Finding {
            severity,
            ..finding.clone()
        })
    }
}
