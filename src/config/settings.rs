//! What holds for the files of a folder, after defaults, configuration files and the command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::globs::Patterns;
use super::load::Layer;
use super::selector::Selector;
use crate::analysis::EnvNames;
use crate::findings::{Code, Confidence, Finding, Severity};
use crate::lints::texts;

/// Folders that are never the project's own code.
pub const EXCLUDED: &[&str] = &[
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "node_modules",
    "site-packages",
    "venv",
];

/// When the exit status is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// There is a finding of this severity or a higher one.
    At(Severity),
    /// Never.
    Never,
}

impl FailOn {
    /// Its word in the configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::At(severity) => severity.as_str(),
            Self::Never => "never",
        }
    }

    /// Whether these findings make the run fail.
    pub fn fails(self, findings: &[Finding]) -> bool {
        match self {
            Self::At(least) => findings.iter().any(|finding| finding.severity >= least),
            Self::Never => false,
        }
    }
}

impl FromStr for FailOn {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "never" {
            Ok(Self::Never)
        } else {
            text.parse().map(Self::At)
        }
    }
}

/// Patterns with the folder that they are relative to.
pub type Rooted = (PathBuf, Patterns);

/// What holds for the files of a folder.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file that decided; `None` for the defaults.
    pub origin: Option<PathBuf>,
    /// The folder of that file, or the one the tool was started in.
    pub root: PathBuf,
    /// Rules that are switched on, in order.
    pub enabled: Vec<Code>,
    /// Changed severities; the last one for a rule counts.
    pub severity: Vec<(Selector, Severity)>,
    /// Rules that are switched off in some files.
    pub per_file_ignores: Vec<(Rooted, Vec<Code>)>,
    /// What is not read.
    pub exclude: Vec<Rooted>,
    /// Whether tests, examples, migrations and vendored code take part in RL1xx and RL2xx.
    pub include_tests: bool,
    /// When the exit status is 1.
    pub fail_on: FailOn,
    /// The least confidence that is reported.
    pub min_confidence: Confidence,
    /// The format that the configuration asks for.
    pub output_format: Option<&'static str>,
    /// The file of known findings.
    pub baseline: Option<PathBuf>,
    /// The team's own driver files.
    pub rules: Vec<PathBuf>,
    /// What RL401 looks for.
    pub env: EnvNames,
}

impl Settings {
    /// What holds without any configuration.
    pub fn new(root: PathBuf) -> Self {
        let mut builtin = Patterns::default();
        for pattern in EXCLUDED {
            builtin.add(pattern).expect("the built-in patterns are correct");
        }
        Self {
            origin: None,
            enabled: texts::rules().iter().map(|rule| rule.code).collect(),
            severity: Vec::new(),
            per_file_ignores: Vec::new(),
            exclude: vec![(root.clone(), builtin)],
            include_tests: false,
            fail_on: FailOn::At(Severity::Error),
            min_confidence: Confidence::Likely,
            output_format: None,
            baseline: None,
            rules: Vec::new(),
            env: EnvNames::default(),
            root,
        }
    }

    /// Puts a stronger layer on top.
    pub fn apply(&mut self, layer: &Layer) {
        layer.selection.apply(&mut self.enabled);
        self.severity.extend(layer.severity.iter().cloned());
        for (patterns, codes) in &layer.per_file_ignores {
            self.per_file_ignores
                .push(((layer.root.clone(), patterns.clone()), codes.clone()));
        }
        if let Some(exclude) = &layer.exclude {
            self.exclude = vec![(layer.root.clone(), exclude.clone())];
        }
        self.exclude.push((layer.root.clone(), layer.extend_exclude.clone()));
        self.include_tests = layer.include_tests.unwrap_or(self.include_tests);
        self.fail_on = layer.fail_on.unwrap_or(self.fail_on);
        self.min_confidence = layer.min_confidence.unwrap_or(self.min_confidence);
        self.output_format = layer.output_format.or(self.output_format);
        self.baseline = layer.baseline.clone().or(self.baseline.take());
        self.rules.extend(layer.rules.iter().cloned());
        if let Some(env) = &layer.env {
            self.env = env.clone();
        }
    }

    /// Whether a rule is switched on for a file (an absolute path).
    pub fn is_enabled(&self, code: Code, path: &Path) -> bool {
        self.enabled.binary_search(&code).is_ok() && !self.is_ignored(code, path)
    }

    fn is_ignored(&self, code: Code, path: &Path) -> bool {
        self.per_file_ignores
            .iter()
            .any(|((root, patterns), codes)| codes.contains(&code) && patterns.matches_or_contains(root, path))
    }

    /// The severity of a finding. What is only likely is at most a warning, whatever the configuration says.
    pub fn severity(&self, finding: &Finding) -> Severity {
        let configured = self
            .severity
            .iter()
            .rev()
            .find(|(selector, _)| selector.codes().contains(&finding.code));
        let severity = configured.map_or(finding.severity, |(_, severity)| *severity);
        match finding.confidence {
            Confidence::Certain => severity,
            Confidence::Likely => severity.min(Severity::Warning),
        }
    }

    /// Whether a path (absolute) is left out by itself; the walk does not enter folders that are.
    pub fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.iter().any(|(root, patterns)| patterns.matches(root, path))
    }

    /// Whether a path (absolute) or a folder above it is left out.
    pub fn is_inside_excluded(&self, path: &Path) -> bool {
        self.exclude
            .iter()
            .any(|(root, patterns)| patterns.matches_or_contains(root, path))
    }
}
