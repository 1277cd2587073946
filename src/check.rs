//! From paths and configuration to the findings that a person sees; used by the command line, the tests and a server
//! alike.
//!
//! In: a [`Request`] and a [`Resolver`]. Out: [`Checked`]. The engine's findings go through suppressions, then through
//! the settings of their file.

use std::path::Path;

use crate::analysis::{self, Analysis, AnalysisError, Request};
use crate::config::Resolver;
use crate::findings::{self, Confidence, FileId, Finding, Severity};

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
}

/// Analyses, and applies suppressions and settings. The findings are sorted.
pub fn check(resolver: &Resolver, request: &Request, view: View) -> Result<Checked, AnalysisError> {
    let analysis = analysis::analyse(request)?;
    Ok(shown(resolver, analysis, view))
}

/// Applies suppressions and settings to findings.
pub fn shown(resolver: &Resolver, mut analysis: Analysis, view: View) -> Checked {
    let mut all = std::mem::take(&mut analysis.findings);
    findings::sort(&mut all, &analysis.sources);
    let mut kept = Vec::new();
    for group in all.chunk_by(|a, b| a.location.file == b.location.file) {
        let settings = FileSettings::new(resolver, &analysis, group[0].location.file, view);
        kept.extend(group.iter().filter_map(|finding| settings.apply(finding)));
    }
    analysis.findings = kept;
    Checked {
        analysis,
        suppressed: 0,
    }
}

/// The settings of one file, with the view on top.
struct FileSettings {
    settings: std::sync::Arc<crate::config::Settings>,
    path: std::path::PathBuf,
    view: View,
}

impl FileSettings {
    fn new(resolver: &Resolver, analysis: &Analysis, file: FileId, view: View) -> Self {
        let path = Path::new(&analysis.sources.get(file).path);
        Self {
            settings: resolver.settings(path),
            path: resolver.absolute(path),
            view,
        }
    }

    /// The finding as it is shown, or `None` if it is not.
    fn apply(&self, finding: &Finding) -> Option<Finding> {
        let severity = self.settings.severity(finding);
        let min_confidence = self.view.min_confidence.unwrap_or(self.settings.min_confidence);
        let shown = finding.confidence >= min_confidence
            && self.view.level.is_none_or(|level| severity >= level)
            && self.settings.is_enabled(finding.code, &self.path);
        shown.then(|| Finding {
            severity,
            ..finding.clone()
        })
    }
}
