//! Suppressions in comments: `# reconnect-lint: ignore[RL101] reason`, `ignore-file`, `disable`/`enable`, `# noqa: RL101`.
//!
//! In: sorted findings and the comments of every file. Out: the findings that are left, with those about suppressions
//! that hide nothing (RL902) or that nobody understands (RL903).
//! May not know: configuration, reports.

mod edit;
mod marker;

use rustc_hash::FxHashMap;

pub use edit::add;
pub use marker::{Entry, Kind, Marker, markers};

use super::logical::LogicalLines;
use super::{Code, FileId, Finding, Location, Severity, Sources};
use crate::core::{Language, Span};
use crate::suggest;

/// RL902.
const UNUSED: Code = Code::new(902);
/// RL903.
const UNKNOWN: Code = Code::new(903);

/// The comments of one file.
#[derive(Clone, Debug)]
pub struct Comments {
    /// Which file.
    pub file: FileId,
    /// Its language.
    pub language: Language,
    /// The comments with their signs, in order.
    pub spans: Vec<Span>,
}

/// The rules that a suppression may name: code, name and severity of each.
pub type KnownRules<'a> = &'a [(Code, &'static str, Severity)];

/// What suppressions do to findings.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Findings that are left, and those about suppressions.
    pub findings: Vec<Finding>,
    /// How many are hidden.
    pub hidden: usize,
}

/// Applies the suppressions of all files. `enabled` says whether a rule is checked in a file: a suppression of one
/// that is not may well be needed where it is.
pub fn apply(
    findings: Vec<Finding>,
    sources: &Sources,
    comments: &[Comments],
    rules: KnownRules<'_>,
    enabled: impl Fn(Code, FileId) -> bool,
) -> Outcome {
    let mut files: FxHashMap<FileId, File> = FxHashMap::default();
    for comments in comments {
        let text = &sources.get(comments.file).text;
        // Most files have none, and then their lines need not be scanned.
        let markers = markers(text, comments.language, &comments.spans);
        if !markers.is_empty() {
            files.insert(comments.file, File::new(markers, sources, comments, rules));
        }
    }
    let mut outcome = Outcome::default();
    for finding in findings {
        let hidden = files
            .get_mut(&finding.location.file)
            .is_some_and(|file| file.hides(&finding, sources));
        if hidden {
            outcome.hidden += 1;
        } else {
            outcome.findings.push(finding);
        }
    }
    let mut ids: Vec<FileId> = files.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let Some(file) = files.get_mut(&id) else { continue };
        let mut about = file.unknown(rules);
        about.extend(file.unused(sources, rules, |code| enabled(code, id)));
        for finding in about {
            if file.hides(&finding, sources) {
                outcome.hidden += 1;
            } else {
                outcome.findings.push(finding);
            }
        }
    }
    outcome
}

/// One entry of a marker, with the rows it covers.
struct Suppression {
    /// Index of its marker.
    marker: usize,
    /// Index in the marker's list.
    entry: usize,
    /// The rule; `None` if there is none of that name.
    code: Option<Code>,
    scope: Scope,
    used: bool,
}

/// Which findings are meant.
enum Scope {
    /// Those that start within the first range, or that have the row in theirs.
    Rows { first: u32, last: u32, row: u32 },
    /// All of the file.
    File,
    /// Those that start in these rows.
    Region { first: u32, last: u32 },
    /// None.
    Nothing,
}

struct File {
    id: FileId,
    markers: Vec<Marker>,
    suppressions: Vec<Suppression>,
}

impl File {
    fn new(markers: Vec<Marker>, sources: &Sources, comments: &Comments, rules: KnownRules<'_>) -> Self {
        let source = sources.get(comments.file);
        let lines = LogicalLines::new(&source.text, comments.language, &comments.spans);
        let row_of = |marker: &Marker| source.start(marker.comment).row;
        let mut suppressions = Vec::new();
        for (index, marker) in markers.iter().enumerate() {
            let row = row_of(marker);
            for (entry, text) in marker.entries.iter().enumerate() {
                let code = find(&text.text, rules).map(|rule| rule.0);
                let scope = match marker.kind {
                    Kind::Ignore | Kind::Noqa => statement(&lines, source, comments.language, row),
                    Kind::IgnoreFile => Scope::File,
                    Kind::Disable => {
                        let ends = markers[index..].iter().find(|other| {
                            other.kind == Kind::Enable
                                && other
                                    .entries
                                    .iter()
                                    .any(|e| find(&e.text, rules).map(|rule| rule.0) == code)
                        });
                        Scope::Region {
                            first: row,
                            last: ends.map_or(u32::MAX, row_of),
                        }
                    }
                    Kind::Enable | Kind::Unknown(_) => Scope::Nothing,
                };
                suppressions.push(Suppression {
                    marker: index,
                    entry,
                    code,
                    scope,
                    used: false,
                });
            }
        }
        let mut file = Self {
            id: comments.file,
            markers,
            suppressions,
        };
        file.use_matching_enables();
        file
    }

    /// An `enable` is of use where something was disabled before.
    fn use_matching_enables(&mut self) {
        for i in 0..self.suppressions.len() {
            let this = &self.suppressions[i];
            let before = &self.suppressions[..i];
            let disabled =
                |other: &Suppression| other.code == this.code && self.markers[other.marker].kind == Kind::Disable;
            if self.markers[this.marker].kind == Kind::Enable && before.iter().any(disabled) {
                self.suppressions[i].used = true;
            }
        }
    }

    /// Whether a suppression hides the finding; all that do are used by it.
    fn hides(&mut self, finding: &Finding, sources: &Sources) -> bool {
        let source = sources.get(finding.location.file);
        let (start, end) = (
            source.start(finding.location.span).row,
            source.end(finding.location.span).row,
        );
        let mut hidden = false;
        for suppression in &mut self.suppressions {
            let meant = match suppression.scope {
                Scope::Rows { first, last, row } => (first..=last).contains(&start) || (start..=end).contains(&row),
                Scope::File => true,
                Scope::Region { first, last } => (first..=last).contains(&start),
                Scope::Nothing => false,
            };
            if meant && suppression.code == Some(finding.code) {
                suppression.used = true;
                hidden = true;
            }
        }
        hidden
    }

    /// Markers that nobody understands.
    fn unknown(&self, rules: KnownRules<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut report = |span: Span, message: String, help: String| {
            let mut finding = about(
                UNKNOWN,
                "unknown-suppression",
                rules,
                Location { file: self.id, span },
                message,
            );
            finding.help = help;
            found.push(finding);
        };
        for marker in &self.markers {
            match &marker.kind {
                Kind::Unknown(keyword) => {
                    let help = suggest::did_you_mean(keyword, marker::KEYWORDS.iter().copied())
                        .unwrap_or_else(|| format!("one of: {}", marker::KEYWORDS.join(", ")));
                    report(
                        marker.span,
                        format!("unknown suppression `{keyword}`, it hides nothing"),
                        help,
                    );
                }
                // Other codes in a `noqa` are those of other tools.
                Kind::Noqa => {}
                kind if marker.entries.is_empty() => {
                    let keyword = match kind {
                        Kind::IgnoreFile => "ignore-file",
                        Kind::Disable => "disable",
                        Kind::Enable => "enable",
                        _ => "ignore",
                    };
                    let message = "a suppression without a rule hides nothing".to_owned();
                    report(
                        marker.span,
                        message,
                        format!("name the rules in brackets: `{keyword}[RL101]`"),
                    );
                }
                _ => {}
            }
        }
        for suppression in self
            .suppressions
            .iter()
            .filter(|suppression| suppression.code.is_none())
        {
            let marker = &self.markers[suppression.marker];
            let entry = &marker.entries[suppression.entry];
            if marker.kind != Kind::Noqa && !matches!(marker.kind, Kind::Unknown(_)) {
                let help = suggest::rule(&entry.text, rules.iter().map(|rule| (rule.0.to_string(), rule.1)));
                report(
                    entry.span,
                    format!("unknown rule `{}` in a suppression", entry.text),
                    help,
                );
            }
        }
        found
    }

    /// Markers that hide nothing, one finding each.
    fn unused(&self, sources: &Sources, rules: KnownRules<'_>, enabled: impl Fn(Code) -> bool) -> Vec<Finding> {
        let mut found = Vec::new();
        for (index, marker) in self.markers.iter().enumerate() {
            if matches!(marker.kind, Kind::Unknown(_)) {
                continue;
            }
            let unused: Vec<usize> = self
                .suppressions
                .iter()
                .filter(|suppression| suppression.marker == index && !suppression.used)
                // Whether these hide something is known only after this; they never count as unused.
                .filter(|suppression| {
                    suppression
                        .code
                        .is_some_and(|c| c != UNUSED && c != UNKNOWN && enabled(c))
                })
                .map(|suppression| suppression.entry)
                .collect();
            if unused.is_empty() {
                continue;
            }
            let names: Vec<String> = unused
                .iter()
                .map(|&i| format!("`{}`", marker.entries[i].text))
                .collect();
            let what = if marker.kind == Kind::Enable {
                "enables what nothing disables"
            } else {
                "hides nothing"
            };
            let message = format!("this suppression of {} {what}", names.join(", "));
            let location = Location {
                file: self.id,
                span: marker.span,
            };
            let mut finding = about(UNUSED, "unused-suppression", rules, location, message);
            finding.help = String::from("remove it: left there, it hides the next finding at this place");
            finding.fix = Some(edit::remove(sources.get(self.id), self.id, marker, &unused));
            found.push(finding);
        }
        found
    }
}

/// The rows that a marker on this row means: its statement if it stands behind code, else the next one.
fn statement(lines: &LogicalLines, source: &super::Source, language: Language, row: u32) -> Scope {
    if lines.has_code(row) {
        let (first, last) = lines.around(row);
        // In the middle of a statement, among arguments, only findings there are meant.
        let outside = row == first || row == last;
        return if outside {
            Scope::Rows { first, last, row }
        } else {
            Scope::Rows {
                first: row,
                last: row,
                row,
            }
        };
    }
    let Some(next) = lines.code_after(row) else {
        return Scope::Rows {
            first: row,
            last: row,
            row,
        };
    };
    let (first, mut last) = lines.around(next);
    // Decorators belong to what they decorate.
    let mut part = next;
    while language == Language::Python && source.line(part).trim_start().starts_with('@') {
        let Some(after) = lines.code_after(last) else { break };
        part = after;
        last = lines.around(after).1;
    }
    Scope::Rows { first, last, row }
}

/// The rule of a code or name.
fn find(text: &str, rules: KnownRules<'_>) -> Option<(Code, &'static str, Severity)> {
    let code = text.to_ascii_uppercase().parse();
    rules.iter().copied().find(|rule| rule.1 == text || code == Ok(rule.0))
}

fn about(code: Code, name: &'static str, rules: KnownRules<'_>, location: Location, message: String) -> Finding {
    let severity = rules
        .iter()
        .find(|rule| rule.0 == code)
        .map_or(Severity::Warning, |rule| rule.2);
    Finding::new(code, name, severity, location, message)
}
