//! `full`: each finding with its code, the path through other files, the facts, what to do, and a link to its rule.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity as Level};
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{self, Config};

use super::concise::linked_code;
use super::visible::Harmless;
use super::{Format, Report, rule_url};
use crate::findings::{Applicability, Confidence, FileId, Finding, Fix, Location, Severity, Sources};

/// Longer lines (generated or minified code) are shown in part.
const WIDEST_LINE: usize = 240;

/// The report for people.
pub struct Full;

impl Format for Full {
    fn name(&self) -> &'static str {
        "full"
    }

    fn about(&self) -> &'static str {
        "each finding with its code, the path of the error and what to do"
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let harmless = Harmless::new(report);
        let report = &harmless
            .as_ref()
            .map_or_else(|| report.clone(), |harmless| harmless.report(report));
        let config = Config::default();
        for finding in report.findings {
            let (diagnostic, files) = diagnostic(report, finding);
            let written = if report.style.color {
                term::emit_to_write_style(&mut Ansi::new(&mut *out), &config, &files, &diagnostic)
            } else {
                term::emit_to_write_style(&mut NoColor::new(&mut *out), &config, &files, &diagnostic)
            };
            match written {
                Err(Error::Io(error)) => return Err(error),
                Err(error) => return Err(io::Error::other(error)),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

fn diagnostic<'a>(report: &Report<'a>, finding: &Finding) -> (Diagnostic<FileId>, Snippets<'a>) {
    let mut files = Snippets {
        sources: report.sources,
        windows: BTreeMap::new(),
    };
    let mut labels = Vec::new();
    files.label(&mut labels, LabelStyle::Primary, finding.location, &finding.label);
    for related in &finding.related {
        files.label(&mut labels, LabelStyle::Secondary, related.location, &related.message);
    }
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let diagnostic = Diagnostic::new(level)
        .with_code(linked_code(finding, report.style))
        .with_message(&finding.message)
        .with_labels(labels)
        .with_notes(notes(report, finding));
    (diagnostic, files)
}

/// Facts, then what to do, then where to read on.
fn notes(report: &Report<'_>, finding: &Finding) -> Vec<String> {
    let mut notes = finding.notes.clone();
    if finding.confidence == Confidence::Likely {
        notes.push("confidence: likely, from names and imports only".to_owned());
    }
    if !finding.help.is_empty() {
        notes.push(format!("help: {}", finding.help));
    }
    if let Some(fix) = &finding.fix {
        notes.push(fix_note(fix));
    }
    if !report.style.hyperlinks {
        notes.push(format!("rule: {}", rule_url(finding)));
    }
    notes
}

fn fix_note(fix: &Fix) -> String {
    match fix.applicability {
        Applicability::Safe => format!("fix: {} (`--fix` does it)", fix.message),
        Applicability::Unsafe => format!("fix: {} (`--fix --unsafe-fixes` does it)", fix.message),
        Applicability::Display => format!("suggestion: {}", fix.message),
    }
}

/// The sources as codespan wants them, with only a window of lines that are too long to show.
struct Snippets<'a> {
    sources: &'a Sources,
    /// By file and line index: the part of a long line that is shown.
    windows: BTreeMap<(FileId, usize), Range<usize>>,
}

impl Snippets<'_> {
    /// Adds a label unless it says again what is there already. Spans are brought to character boundaries, and what
    /// lies outside of the window of a long line is left out: no input may make a report fail.
    fn label(&mut self, labels: &mut Vec<Label<FileId>>, style: LabelStyle, location: Location, message: &str) {
        let source = self.sources.get(location.file);
        let text = &*source.text;
        let start = text.floor_char_boundary(location.span.start as usize);
        let mut end = text.floor_char_boundary(location.span.end.max(location.span.start) as usize);
        // A span that ends with its line would draw a box of two lines around one.
        if end > start && text[start..end].ends_with('\n') {
            end = start + text[start..end].trim_end_matches(['\n', '\r']).len();
        }
        let mut range = start..end.max(start);
        for end_of_range in [start, range.end] {
            let Ok(index) = self.line_index(location.file, end_of_range) else {
                return;
            };
            let Ok(line) = self.line_range(location.file, index) else {
                return;
            };
            if line.len() > WIDEST_LINE {
                let from = text.floor_char_boundary(end_of_range.saturating_sub(WIDEST_LINE / 4).max(line.start));
                let to = text.floor_char_boundary((from + WIDEST_LINE).min(line.end));
                self.windows.insert((location.file, index), from..to);
            }
        }
        let inside = |position: usize| {
            let index = self.line_index(location.file, position).ok()?;
            let line = self.line_range(location.file, index).ok()?;
            Some(position.clamp(line.start, line.end))
        };
        let (Some(from), Some(to)) = (inside(range.start), inside(range.end)) else {
            return;
        };
        range = from..to.max(from);
        let said = |label: &Label<FileId>| {
            label.file_id == location.file && label.range == range && (label.message == message || message.is_empty())
        };
        if !labels.iter().any(said) {
            labels.push(Label::new(style, location.file, range).with_message(message));
        }
    }

    fn whole_line(&self, file: FileId, index: usize) -> Result<Range<usize>, Error> {
        let source = self.sources.get(file);
        let row = index as u32 + 1;
        let max = source.lines.lines() as usize;
        let start = source
            .lines
            .line_start(row)
            .ok_or(Error::LineTooLarge { given: index, max })?;
        let end = source
            .lines
            .line_start(row + 1)
            .map_or(source.text.len(), |e| e as usize);
        Ok(start as usize..end)
    }
}

impl<'a> Files<'a> for Snippets<'a> {
    type FileId = FileId;
    type Name = Cow<'a, str>;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<Cow<'a, str>, Error> {
        Ok(Cow::Borrowed(&self.sources.get(id).path))
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, Error> {
        Ok(&self.sources.get(id).text)
    }

    fn line_index(&self, id: FileId, byte: usize) -> Result<usize, Error> {
        let source = self.sources.get(id);
        Ok(source.lines.position(&source.text, byte as u32).row as usize - 1)
    }

    fn line_range(&self, id: FileId, index: usize) -> Result<Range<usize>, Error> {
        match self.windows.get(&(id, index)) {
            Some(window) => Ok(window.clone()),
            None => self.whole_line(id, index),
        }
    }

    fn column_number(&'a self, id: FileId, index: usize, byte: usize) -> Result<usize, Error> {
        let line = self.whole_line(id, index)?;
        let text = &self.sources.get(id).text;
        Ok(text
            .get(line.start..byte)
            .map_or(byte - line.start, |before| before.chars().count())
            + 1)
    }
}
