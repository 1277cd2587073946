//! Known findings stay known when lines move, and no others do.

use reconnect_lint::core::Span;
use reconnect_lint::findings::baseline::Baseline;
use reconnect_lint::findings::{Finding, Location, Sources};

use crate::support::finding;

/// A file in which every `db.f()` is a finding of the function above it.
fn found(text: &str) -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let file = sources.add("shop/a.py".into(), text.into());
    let findings = text
        .match_indices("db.f()")
        .map(|(start, needle)| {
            let span = Span::new(start, start + needle.len());
            let mut finding = finding("RL101", Location { file, span }, "message");
            let function = text[..start].rfind("def ").map_or("", |i| &text[i + 4..]);
            finding.context = String::from(function.split('(').next().unwrap_or_default());
            finding
        })
        .collect();
    (sources, findings)
}

fn baseline(text: &str) -> Baseline {
    let (sources, findings) = found(text);
    Baseline::of(&findings, &sources, str::to_owned)
}

/// New findings, known ones, and entries that are gone.
fn compared(before: &str, after: &str) -> (usize, usize, usize) {
    let (sources, findings) = found(after);
    let compared = baseline(before).compare(findings, &sources, str::to_owned);
    (compared.new.len(), compared.known, compared.gone.len())
}

const BEFORE: &str = "def a():\n    db.f()\n    db.f()\n\ndef b():\n    x = db.f()\n";

#[test]
fn nothing_is_new_in_the_same_text() {
    assert_eq!(compared(BEFORE, BEFORE), (0, 3, 0));
}

#[test]
fn moved_and_indented_lines_stay_known() {
    let after = "import os\n\ndef b():\n    if x:\n        x  =  db.f()\n\n\ndef a():\n    db.f()\n    db.f()\n";
    assert_eq!(compared(BEFORE, after), (0, 3, 0));
}

#[test]
fn one_more_of_the_same_line_is_new() {
    let after = BEFORE.replace("def b", "    db.f()\n\ndef b");
    assert_eq!(compared(BEFORE, &after), (1, 3, 0));
}

#[test]
fn another_function_and_another_line_are_new() {
    assert_eq!(compared(BEFORE, &BEFORE.replace("def b", "def c")), (1, 2, 1));
    assert_eq!(compared(BEFORE, &BEFORE.replace("x = db", "y = db")), (1, 2, 1));
}

#[test]
fn a_repaired_finding_is_gone_whichever_of_equal_ones_it_was() {
    let after = BEFORE.replacen("    db.f()\n", "", 1);
    assert_eq!(compared(BEFORE, &after), (0, 2, 1));
    let (sources, findings) = found(&after);
    let mut baseline = baseline(BEFORE);
    let gone = baseline.compare(findings, &sources, str::to_owned).gone;
    baseline.prune(&gone);
    assert_eq!(baseline.len(), 2);
    assert_eq!(compared(&after, &after), (0, 2, 0));
}

#[test]
fn the_file_is_stable_and_read_back_as_it_was() {
    let baseline = baseline(BEFORE);
    insta::assert_snapshot!("baseline", baseline.text());
    assert_eq!(Baseline::parse(&baseline.text()), Ok(baseline));
}

#[test]
fn other_files_are_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"version\": 2, \"findings\": []}",
        "{\"version\": 1, \"findings\": [], \"more\": 1}",
    ] {
        assert!(Baseline::parse(text).is_err(), "{text}");
    }
}
