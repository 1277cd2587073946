//! Text of others on a terminal: what would move the cursor, ring or recolour is shown instead of done.
//!
//! A line of source may hold escape sequences, by accident or to hide what it says. The formats for people show them; the
//! others have their own ways to write any text down.

use std::borrow::Cow;

use super::Report;
use crate::core::Span;
use crate::findings::{Finding, Location, Sources};

/// Control characters in their visible form (`␛` for an escape); tabs and line breaks stay. One character stays one
/// character, so columns mean the same.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !is_active(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        shown.push(if acts(char, chars.peek().copied()) {
            picture(char)
        } else {
            char
        });
    }
    Cow::Owned(shown)
}

fn is_active(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if acts(char, chars.peek().copied()) {
            return true;
        }
    }
    false
}

/// Controls of ASCII and Latin-1, and those that turn the direction of text around ("trojan source"). A carriage return
/// alone writes over its own line.
fn acts(char: char, next: Option<char>) -> bool {
    match char {
        '\t' | '\n' => false,
        '\r' => next.is_some_and(|next| next != '\n'),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => char.is_control(),
    }
}

fn picture(char: char) -> char {
    match char {
        '\0'..='\x1f' => char::from_u32(0x2400 + char as u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '␡',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// A report whose texts do nothing to a terminal.
pub struct Harmless {
    sources: Sources,
    findings: Vec<Finding>,
}

impl Harmless {
    /// `None` if the report is harmless as it is, as nearly all are.
    pub fn new(report: &Report<'_>) -> Option<Self> {
        let shown: Vec<bool> = files(report);
        let source = |(file, source): (_, &crate::findings::Source)| {
            is_active(&source.path) || (shown_in(&shown, file) && is_active(&source.text))
        };
        if !report.sources.iter().any(source) && !report.findings.iter().any(finding_is_active) {
            return None;
        }
        let mut sources = Sources::default();
        for (file, source) in report.sources.iter() {
            let text = if shown_in(&shown, file) {
                visible(&source.text).as_ref().into()
            } else {
                "".into()
            };
            sources.add(visible(&source.path).into_owned(), text);
        }
        let findings = report
            .findings
            .iter()
            .map(|finding| harmless(finding, report.sources))
            .collect();
        Some(Self { sources, findings })
    }

    /// As the formats take it.
    pub fn report<'a>(&'a self, original: &Report<'a>) -> Report<'a> {
        Report {
            sources: &self.sources,
            findings: &self.findings,
            stats: original.stats,
            style: original.style,
            place: original.place.clone(),
        }
    }
}

/// By file: whether a finding shows something of it.
fn files(report: &Report<'_>) -> Vec<bool> {
    let mut shown = vec![false; report.sources.iter().count()];
    for finding in report.findings {
        let related = finding.related.iter().map(|related| related.location);
        for location in related.chain([finding.location]) {
            if let Some(shown) = shown.get_mut(location.file.0 as usize) {
                *shown = true;
            }
        }
    }
    shown
}

fn shown_in(shown: &[bool], file: crate::findings::FileId) -> bool {
    shown.get(file.0 as usize).copied().unwrap_or(false)
}

fn finding_is_active(finding: &Finding) -> bool {
    let related = finding.related.iter().map(|related| &related.message);
    let own = [&finding.message, &finding.label, &finding.help];
    let fix = finding.fix.iter().map(|fix| &fix.message);
    own.into_iter()
        .chain(related)
        .chain(&finding.notes)
        .chain(fix)
        .any(|text| is_active(text))
}

fn harmless(finding: &Finding, sources: &Sources) -> Finding {
    let text = |text: &str| visible(text).into_owned();
    let moved = |location: Location| Location {
        span: moved(&sources.get(location.file).text, location.span),
        ..location
    };
    let mut finding = finding.clone();
    for own in [&mut finding.message, &mut finding.label, &mut finding.help] {
        *own = text(own);
    }
    finding.notes.iter_mut().for_each(|note| *note = text(note));
    finding.location = moved(finding.location);
    for related in &mut finding.related {
        related.message = text(&related.message);
        related.location = moved(related.location);
    }
    if let Some(fix) = &mut finding.fix {
        fix.message = text(&fix.message);
        fix.edits.clear(); // no format for people shows them
    }
    finding
}

/// Pictures are longer than what they stand for.
fn moved(source: &str, span: Span) -> Span {
    let offset = |at: u32| {
        let at = source.floor_char_boundary(at as usize);
        // What follows decides on a carriage return at the end.
        let end = source[at..].chars().next().map_or(at, |next| at + next.len_utf8());
        let after = visible(&source[at..end]).len();
        visible(&source[..end]).len() - after
    };
    Span::new(offset(span.start), offset(span.end.max(span.start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_not_done() {
        let given = "a\x1b[2Jb\x07\0\x7f\u{9b}\u{202e}\rc\r\n\tgrüße\n";
        assert_eq!(visible(given), "a␛[2Jb␇␀␡\u{fffd}\u{fffd}␍c\r\n\tgrüße\n");
        assert!(matches!(visible("\tgrüße\r\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn places_move_with_the_text() {
        let given = "\x1b\x1b x\r\n\x1by";
        let shown = visible(given);
        for needle in ["x", "\r", "\n", "y"] {
            let at = given.find(needle).expect("it is there");
            let span = moved(given, Span::new(at, at + 1));
            assert_eq!(&shown[span.range()], needle);
        }
    }
}
