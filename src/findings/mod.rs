//! What the linter says: findings, their severity, confidence and places.
//!
//! In: verdicts turned into findings by `lints`. Out: findings for `report` and `fix`.
//! May not know: syntax trees, drivers, how a report looks.

pub mod baseline;
pub mod changed;
pub mod fingerprint;
mod logical;
pub mod suppress;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::core::{LineIndex, Position, Span};

/// A rule's stable code, such as `RL101`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// `RL` followed by this number (three digits).
    pub const fn new(number: u16) -> Self {
        Self(number)
    }
}

impl Code {
    /// The digits after `RL`.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RL{:03}", self.0)
    }
}

impl FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix("RL").ok_or(())?;
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        digits.parse().map(Self).map_err(|_| ())
    }
}

/// How bad it is. Ordered: a note is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Likely to fail in an outage.
    Warning,
    /// Will fail in an outage.
    Error,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// The word of the JSON contract and of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(())
    }
}

/// How sure the tool is that the receiver is a driver's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Only names and the module's imports suggest it.
    Likely,
    /// By flow from a constructor, an import, an annotation or a framework's extension.
    Certain,
}

impl Confidence {
    /// All of them, the least first.
    pub const ALL: [Self; 2] = [Self::Likely, Self::Certain];

    /// The word of the JSON contract and of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Confidence {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|c| c.as_str() == text).ok_or(())
    }
}

/// Index of a file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Which file.
    pub file: FileId,
    /// Which bytes.
    pub span: Span,
}

/// A further place that belongs to a finding: a step of the path, a handler, where the handle was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What this place has to do with it; lower case, no full stop.
    pub message: String,
    /// Where.
    pub location: Location,
}

/// Whether a machine may apply a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Applicability {
    /// Only shown.
    Display,
    /// Changes what the program does; applied with `--unsafe-fixes`.
    Unsafe,
    /// Keeps the program's behaviour except for the defect.
    Safe,
}

impl Applicability {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        }
    }
}

/// Replaces a range of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub location: Location,
    /// By what.
    pub content: String,
}

/// A repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether a machine may apply it.
    pub applicability: Applicability,
    /// What it does, as an order: `wrap the call in a retry`.
    pub message: String,
    /// The edits; never overlapping.
    pub edits: Vec<Edit>,
}

/// One finding. Made with [`Finding::new`], which needs a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub code: Code,
    /// The rule's kebab-case name.
    pub name: &'static str,
    /// After configuration.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What is wrong and why here: driver, version, handle. One sentence, lower case, no full stop.
    pub message: String,
    /// The primary place.
    pub location: Location,
    /// What the primary place is, as a short label under the code.
    pub label: String,
    /// The path, handlers, the opening, in reading order.
    pub related: Vec<Related>,
    /// Facts shown below the code, each a sentence (`driver: pymongo 3.4.0, from requirements.txt`).
    pub notes: Vec<String>,
    /// What to do, in a sentence, and possibly a snippet of several lines in the project's own names.
    pub help: String,
    /// A repair, if there is one.
    pub fix: Option<Fix>,
    /// Qualified name of the function around it (`Class.method`, empty at module level); for fingerprints.
    pub context: String,
}

impl Finding {
    /// A finding with its place; the rest is filled by the lint.
    pub fn new(code: Code, name: &'static str, severity: Severity, location: Location, message: String) -> Self {
        Self {
            code,
            name,
            severity,
            confidence: Confidence::Certain,
            message,
            location,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help: String::new(),
            fix: None,
            context: String::new(),
        }
    }
}

/// The text of one file, as findings refer to it.
#[derive(Debug)]
pub struct Source {
    /// The path to show: as given on the command line joined with the part below it, forward slashes.
    pub path: String,
    /// The decoded text; spans are byte offsets in it.
    pub text: Arc<str>,
    /// Starts of lines.
    pub lines: LineIndex,
}

impl Source {
    /// Row and column of the first byte of a span.
    pub fn start(&self, span: Span) -> Position {
        self.lines.position(&self.text, span.start)
    }

    /// Row and column one past the last byte of a span.
    pub fn end(&self, span: Span) -> Position {
        self.lines.position(&self.text, span.end.max(span.start))
    }

    /// The text of a line (from 1) without its line ending; empty if there is no such line.
    pub fn line(&self, row: u32) -> &str {
        let Some(start) = self.lines.line_start(row) else {
            return "";
        };
        let end = self.lines.line_start(row + 1).map_or(self.text.len(), |e| e as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }
}

/// All files that findings may refer to.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file.
    pub fn add(&mut self, path: String, text: Arc<str>) -> FileId {
        let id = FileId(self.files.len() as u32);
        let lines = LineIndex::new(&text);
        self.files.push(Source { path, text, lines });
        id
    }

    /// The file behind an id.
    pub fn get(&self, id: FileId) -> &Source {
        &self.files[id.0 as usize]
    }

    /// All files in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(i, s)| (FileId(i as u32), s))
    }
}

/// Brings findings into the order of every report: file, row, column, code.
pub fn sort(findings: &mut [Finding], sources: &Sources) {
    findings.sort_by(|a, b| {
        let path = |f: &Finding| &sources.get(f.location.file).path;
        path(a)
            .cmp(path(b))
            .then_with(|| a.location.span.start.cmp(&b.location.span.start))
            .then_with(|| a.code.cmp(&b.code))
            .then_with(|| a.message.cmp(&b.message))
    });
}
