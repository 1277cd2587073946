//! Writing suppressions: adding them to findings, removing those that hide nothing.

use std::path::Path;

use super::super::logical::LogicalLines;
use super::super::{Applicability, Edit, FileId, Finding, Fix, Location, Source, Sources};
use super::{Comments, Kind, Marker, markers};
use crate::core::{Language, Span};

/// Takes entries out of a marker: the list gets shorter, or the marker goes, or its whole comment, or its line.
pub fn remove(source: &Source, file: FileId, marker: &Marker, entries: &[usize]) -> Fix {
    // A `noqa` has words of other tools, which stay.
    let words = if marker.kind == Kind::Noqa {
        words(&source.text, marker.list)
    } else {
        marker.entries.iter().map(|entry| entry.span).collect()
    };
    let removed: Vec<bool> = words
        .iter()
        .map(|word| entries.iter().any(|&i| marker.entries[i].span == *word))
        .collect();
    let spans = if removed.contains(&false) {
        parts(&words, &removed)
    } else {
        vec![whole(source, marker)]
    };
    let edit = |span| Edit {
        location: Location { file, span },
        content: String::new(),
    };
    Fix {
        applicability: Applicability::Safe,
        message: "remove what hides nothing".to_owned(),
        edits: spans.into_iter().map(edit).collect(),
    }
}

/// The words of a list that commas or spaces separate.
fn words(text: &str, list: Span) -> Vec<Span> {
    let mut at = list.start as usize;
    let mut found = Vec::new();
    for word in text[list.range()].split([',', ' ', '\t']) {
        if !word.is_empty() {
            found.push(Span::new(at, at + word.len()));
        }
        at += word.len() + 1;
    }
    found
}

/// The removed words, each with the separator between it and a word that stays.
fn parts(words: &[Span], removed: &[bool]) -> Vec<Span> {
    let gone = (0..words.len()).filter(|&i| removed[i]);
    gone.map(|i| {
        let stays_before = removed[..i].contains(&false);
        if stays_before {
            Span {
                start: words[i - 1].end,
                end: words[i].end,
            }
        } else {
            // Something stays, and it is not before.
            Span {
                start: words[i].start,
                end: words[i + 1].start,
            }
        }
    })
    .collect()
}

/// The place of a marker with the space around it, as far as nothing else is lost.
fn whole(source: &Source, marker: &Marker) -> Span {
    let text = &source.text;
    let signs: &[char] = &['#', '/', '*', ' ', '\t'];
    // Some front-ends count the `\r` of a line break to the comment.
    let comment = text[marker.comment.range()].trim_end_matches(['\r', '\n']);
    let (start, end) = (
        marker.comment.start as usize,
        marker.comment.start as usize + comment.len(),
    );
    let before = &text[start..marker.span.start as usize];
    let after = &text[marker.span.end as usize..end];
    if !before.trim_matches(signs).is_empty() {
        // Another pragma or prose stands before it: `# noqa  # reconnect-lint: ...`.
        return Span::new(start + before.trim_end_matches(signs).len(), marker.span.end as usize);
    }
    if !after.trim_matches(signs).is_empty() {
        let separator = after.len() - after.trim_start_matches(signs).len();
        return Span::new(marker.span.start as usize, marker.span.end as usize + separator);
    }
    let line_start = source
        .lines
        .line_start(source.start(marker.comment).row)
        .unwrap_or(marker.comment.start) as usize;
    let line_end = text[end..].find('\n').map_or(text.len(), |length| end + length + 1);
    let code = text[line_start..start].trim_end();
    match (code.is_empty(), text[end..line_end].trim().is_empty()) {
        (true, true) => Span::new(line_start, line_end),
        (false, true) => Span::new(line_start + code.len(), end),
        // A block comment with code behind it.
        (_, false) => Span::new(start, end),
    }
}

/// Edits that suppress findings where they are: in the list of a suppression that is there, else at the end of the
/// line, else (inside a string or before a joined line) on a line of their own before the statement.
pub fn add(findings: &[Finding], sources: &Sources, comments: &[Comments], reason: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for group in findings.chunk_by(|a, b| a.location.file == b.location.file) {
        let file = group[0].location.file;
        let source = sources.get(file);
        // Without comments (a file that was not parsed) its language is that of its name.
        let is_rust = Path::new(&source.path)
            .extension()
            .is_some_and(|extension| extension == "rs");
        let by_name = if is_rust { Language::Rust } else { Language::Python };
        let known = comments.iter().find(|comments| comments.file == file);
        let language = known.map_or(by_name, |comments| comments.language);
        let spans = known.map(|comments| comments.spans.as_slice()).unwrap_or_default();
        let lines = LogicalLines::new(&source.text, language, spans);
        let present = markers(&source.text, language, spans);
        let row = |finding: &Finding| source.start(finding.location.span).row;
        for same_row in group.chunk_by(|a, b| row(a) == row(b)) {
            let mut codes: Vec<String> = same_row.iter().map(|finding| finding.code.to_string()).collect();
            codes.dedup();
            let place = Place {
                source,
                language,
                spans,
                lines: &lines,
                row: row(&same_row[0]),
            };
            let edit = place
                .extend(&present, &codes)
                .unwrap_or_else(|| place.new_comment(&codes, reason));
            edits.push(Edit {
                location: Location {
                    file,
                    span: Span {
                        start: edit.0,
                        end: edit.0,
                    },
                },
                content: edit.1,
            });
        }
    }
    edits
}

/// Where a suppression is to be added.
struct Place<'a> {
    source: &'a Source,
    language: Language,
    spans: &'a [Span],
    lines: &'a LogicalLines,
    row: u32,
}

impl Place<'_> {
    /// Into the list of a suppression on the same line.
    fn extend(&self, present: &[Marker], codes: &[String]) -> Option<(u32, String)> {
        let marker = present.iter().find(|marker| {
            marker.kind == Kind::Ignore
                && !marker.entries.is_empty()
                && self.source.start(marker.comment).row == self.row
        })?;
        let last = marker.entries.last()?;
        let listed = |code: &&String| marker.entries.iter().any(|entry| entry.text == **code);
        let codes: Vec<&str> = codes.iter().filter(|code| !listed(code)).map(String::as_str).collect();
        (!codes.is_empty()).then(|| (last.span.end, format!(", {}", codes.join(", "))))
    }

    fn new_comment(&self, codes: &[String], reason: &str) -> (u32, String) {
        let sign = if self.language == Language::Rust { "//" } else { "#" };
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" {reason}")
        };
        let comment = format!("{sign} reconnect-lint: ignore[{}]{reason}", codes.join(", "));
        let line = self.source.line(self.row);
        let start = self.source.lines.line_start(self.row).unwrap_or(0);
        let end = start + line.len() as u32;
        if self.takes_comment(end) {
            let space = if line.ends_with(' ') { "" } else { "  " };
            return (end, format!("{space}{comment}"));
        }
        let (first, _) = self.lines.around(self.row);
        let line = self.source.line(first);
        let indent = &line[..line.len() - line.trim_start().len()];
        let newline = if self.source.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        (
            self.source.lines.line_start(first).unwrap_or(0),
            format!("{indent}{comment}{newline}"),
        )
    }

    /// Whether a comment at the end of the line would be one: not inside a string, nor behind a backslash.
    fn takes_comment(&self, end: u32) -> bool {
        if self.source.line(self.row).ends_with('\\') {
            return false;
        }
        let open = self
            .spans
            .iter()
            .any(|comment| comment.start < end && end < comment.end);
        !open && !self.lines.breaks_inside_token(self.row)
    }
}
