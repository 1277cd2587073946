//! Stands in for the engine until it is connected: finds `.find_one(` in Python files that import pymongo and have no
//! `try`, which is what the engine says of the samples in the tests of the command line. To be deleted.

use std::time::Instant;

use crate::analysis::{self, Analysis, CallSite, Request};
use crate::core::{Language, Span};
use crate::findings::suppress::Comments;
use crate::findings::{Code, Finding, Location, Severity};

/// What the engine would answer for the simplest code.
pub fn analyse(request: &Request) -> Analysis {
    let start = Instant::now();
    let mut found = Analysis::default();
    for path in analysis::files(request) {
        found.stats.files_seen += 1;
        match std::fs::read_to_string(&path) {
            Ok(text) => file(&mut found, &analysis::shown(&path), &text),
            Err(error) => found.stats.unreadable.push((analysis::shown(&path), error.to_string())),
        }
    }
    if let Some(stdin) = &request.stdin {
        found.stats.files_seen += 1;
        file(&mut found, &analysis::shown(&stdin.filename), &stdin.text);
    }
    found.stats.duration = start.elapsed();
    found
}

fn file(found: &mut Analysis, path: &str, text: &str) {
    found.stats.bytes += text.len() as u64;
    found.stats.files_parsed += 1;
    let id = found.sources.add(path.to_owned(), text.into());
    let (language, sign) = if path.to_lowercase().ends_with("rs") {
        (Language::Rust, "//")
    } else {
        (Language::Python, "#")
    };
    let end = |start: usize| text[start..].find('\n').map_or(text.len(), |length| start + length);
    let spans = text
        .match_indices(sign)
        .filter(|(i, _)| !text[..*i].ends_with('/'))
        .map(|(i, _)| Span::new(i, end(i)));
    let mut comments: Vec<Span> = Vec::new();
    for span in spans {
        if comments.last().is_none_or(|last| last.end <= span.start) {
            comments.push(span);
        }
    }
    found.comments.push(Comments {
        file: id,
        language,
        spans: comments,
    });
    if !text.contains("pymongo") {
        return;
    }
    found.stats.drivers = vec!["pymongo".to_owned()];
    if text.contains("try:") {
        return;
    }
    for (at, needle) in text.match_indices(".find_one(") {
        let before = text[..at]
            .rfind(|c: char| !c.is_alphanumeric() && c != '.' && c != '_')
            .map_or(0, |i| i + 1);
        let close = text[at..].find(')').map_or(text.len(), |i| at + i + 1);
        let location = Location {
            file: id,
            span: Span::new(before, close.max(at + needle.len())),
        };
        let message = "`find_one` does not survive a lost connection".to_owned();
        let mut finding = Finding::new(
            Code::new(101),
            "unhandled-connection-loss",
            Severity::Error,
            location,
            message,
        );
        let function = text[..at].rfind("def ").map_or("", |i| &text[i + 4..]);
        finding.context = String::from(function.split('(').next().unwrap_or(""));
        found.findings.push(finding);
        found.call_sites.push(CallSite {
            location,
            library: "pymongo".to_owned(),
            version: None,
            operation: "find_one".to_owned(),
            handle: text[before..at].to_owned(),
            verdict: "escapes".to_owned(),
            guard: None,
            path: Vec::new(),
        });
    }
}
