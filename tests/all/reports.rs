//! What each format looks like, and that machines can read the ones made for them.

use reconnect_lint::core::Span;
use reconnect_lint::findings::{Finding, Location, Sources};
use reconnect_lint::report::{self, Report, Style};
use serde_json::{Value, json};

use crate::support::{at, finding, place, render, sample, stats};

fn plain(format: &str) -> String {
    let (sources, findings) = sample();
    render(format, &sources, &findings, Style::default())
}

fn parsed(format: &str) -> Value {
    serde_json::from_str(&plain(format)).expect("a JSON format")
}

#[test]
fn every_format_shows_the_sample() {
    for format in report::FORMATS {
        insta::assert_snapshot!(format.name(), plain(format.name()));
    }
}

#[test]
fn every_format_shows_that_nothing_was_found() {
    let all = report::FORMATS
        .iter()
        .map(|format| {
            format!(
                "--- {}\n{}",
                format.name(),
                render(format.name(), &Sources::default(), &[], Style::default())
            )
        })
        .collect::<Vec<_>>()
        .concat();
    insta::assert_snapshot!("nothing_found", all);
}

#[test]
fn colours_and_links_are_for_terminals_that_can() {
    let (sources, findings) = sample();
    let style = Style {
        color: true,
        hyperlinks: true,
    };
    let all = ["full", "concise", "grouped"]
        .iter()
        .map(|format| format!("--- {format}\n{}", render(format, &sources, &findings, style)))
        .collect::<Vec<_>>()
        .concat();
    insta::assert_snapshot!("colours_and_links", all.replace('\x1b', "ESC"));
    assert!(!plain("full").contains('\x1b'));
}

#[test]
fn source_does_nothing_to_a_terminal() {
    let mut sources = Sources::default();
    let text = "x = '\x1b[2J\x07'; db.f(); y = '\r'\r\n";
    let file = sources.add("a\x1b[31m.py".into(), text.into());
    let mut loud = finding(
        "RL101",
        at(&sources, file, "db.f()"),
        "`\x1b]0;owned\x07` does not survive",
    );
    loud.label = "he\x08re".into();
    loud.notes = vec!["handle: \u{9b}2J".into()];
    for style in [false, true].map(|on| Style {
        color: on,
        hyperlinks: on,
    }) {
        for format in ["full", "concise", "grouped"] {
            let shown = render(format, &sources, std::slice::from_ref(&loud), style);
            // What is left is ours: colours and links.
            let ours = |part: &str| part.starts_with('[') || part.starts_with("]8;;") || part.starts_with('\\');
            let parts: Vec<&str> = shown.split('\x1b').skip(1).collect();
            assert!(
                parts.iter().all(|part| ours(part) && style.color),
                "{format}: {shown:?}"
            );
            assert!(
                !shown.contains(|c: char| c.is_control() && !"\n\x1b".contains(c)),
                "{format}: {shown:?}"
            );
            assert!(
                shown.contains("␛]0;owned␇") && shown.contains("a␛[31m.py"),
                "{format}: {shown}"
            );
            assert!(
                !shown.contains("\x1b[2J") && !shown.contains("\x1b[31m.py"),
                "{format}: {shown:?}"
            );
            assert!(format == "grouped" || shown.contains(":1:14"), "columns stay: {shown}");
        }
    }
}

#[test]
fn the_json_contract_holds() {
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    for finding in parsed("json").as_array().expect("an array") {
        assert_eq!(
            keys(finding),
            [
                "code",
                "name",
                "severity",
                "confidence",
                "message",
                "filename",
                "location",
                "end_location",
                "fix",
                "related",
                "url"
            ]
        );
        assert_eq!(keys(&finding["location"]), ["row", "column"]);
        if !finding["fix"].is_null() {
            assert_eq!(keys(&finding["fix"]), ["applicability", "message", "edits"]);
            assert_eq!(
                keys(&finding["fix"]["edits"][0]),
                ["location", "end_location", "content"]
            );
        }
        for related in finding["related"].as_array().expect("an array") {
            assert_eq!(keys(related), ["message", "filename", "location", "end_location"]);
        }
    }
}

#[test]
fn json_lines_are_the_elements_of_the_json_array() {
    let lines: Vec<Value> = plain("json-lines")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(Value::Array(lines), parsed("json"));
}

#[test]
fn columns_count_characters_from_one() {
    let findings = parsed("json");
    let likely = findings
        .as_array()
        .expect("an array")
        .iter()
        .find(|f| f["confidence"] == "likely")
        .expect("one");
    assert_eq!(likely["location"], json!({ "row": 6, "column": 13 }));
    assert_eq!(likely["end_location"], json!({ "row": 6, "column": 29 }));
}

#[test]
fn rdjson_columns_count_bytes() {
    let document = parsed("rdjson");
    let range = &document["diagnostics"][0]["location"]["range"];
    assert_eq!(range["start"], json!({ "line": 6, "column": 14 }));
}

/// A subset of the official schema that covers what this tool writes; with `SARIF_SCHEMA` the official one is used too.
#[test]
fn sarif_validates() {
    let (sources, findings) = sample();
    let mut schemas = vec![include_str!("../schemas/sarif-2.1.0-subset.json").to_owned()];
    if let Ok(path) = std::env::var("SARIF_SCHEMA") {
        schemas.push(std::fs::read_to_string(path).expect("the file that SARIF_SCHEMA names"));
    }
    for schema in schemas {
        let validator =
            jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a valid JSON Schema");
        for findings in [&findings[..], &[]] {
            let document: Value =
                serde_json::from_str(&render("sarif", &sources, findings, Style::default())).expect("JSON");
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|e| format!("{} at {}", e, e.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new());
        }
    }
}

#[test]
fn github_gets_at_most_ten_annotations_of_a_level_the_most_severe_first() {
    let (sources, sample) = sample();
    let findings: Vec<Finding> = (0..26).map(|i| sample[usize::from(i % 2 == 0)].clone()).collect();
    let text = render("github", &sources, &findings, Style::default());
    let levels: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("::")?.split(' ').next())
        .filter(|level| !level.contains("group"))
        .collect();
    assert_eq!(levels, [["error"; 10], ["warning"; 10]].concat());
    assert!(text.contains("::group::6 more"), "{text}");
    assert!(
        text.ends_with("(14 files checked, 0.08 s, 1 file could not be read)\n"),
        "{text}"
    );
}

#[test]
fn the_job_summary_is_appended_to_the_file_that_github_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("summary.md");
    std::fs::write(&file, "before\n").expect("it can be written");
    let (sources, findings) = sample();
    let mut place = place();
    place.job_summary = Some(file.clone());
    let report = Report {
        sources: &sources,
        findings: &findings,
        stats: &stats(),
        style: Style::default(),
        place,
    };
    report::find("github")
        .expect("a format")
        .finish(&report)
        .expect("the file can be written");
    insta::assert_snapshot!(
        "github_job_summary",
        std::fs::read_to_string(file).expect("it is there")
    );
}

#[test]
fn paths_in_ci_formats_are_relative_to_the_repository() {
    let place = place();
    assert_eq!(place.in_repository("shop/app.py"), "services/shop/app.py");
    assert_eq!(place.in_repository("../libs/./a.py"), "libs/a.py");
    assert_eq!(place.in_repository("../../elsewhere/a.py"), "../../elsewhere/a.py");
    assert_eq!(place.in_repository("/repo/a.py"), "a.py");
}

#[test]
fn fingerprints_survive_moved_lines_and_formatters_but_not_another_function() {
    let prints = |text: &str, context: &str| {
        let mut sources = Sources::default();
        let file = sources.add("a.py".into(), text.into());
        let findings: Vec<Finding> = text
            .match_indices("db.f()")
            .map(|(i, needle)| {
                let mut finding = finding(
                    "RL101",
                    Location {
                        file,
                        span: Span::new(i, i + needle.len()),
                    },
                    "message",
                );
                finding.context = context.into();
                finding
            })
            .collect();
        let place = place();
        reconnect_lint::findings::fingerprint::fingerprints(&findings, &sources, |path| place.in_repository(path))
    };
    let one = prints("x = db.f()\n", "load");
    assert_eq!(prints("# moved\n\n    x  =  db.f()\n", "load"), one);
    assert_ne!(prints("x = db.f()\n", "save"), one);
    let two = prints("x = db.f()\nx = db.f()\n", "load");
    assert_eq!(two[0], one[0]);
    assert_ne!(two[0], two[1]);
    assert_eq!(
        one[0].to_string(),
        "ec139f0685508080:1",
        "a changed hash makes every baseline worthless"
    );
}

#[test]
fn no_place_makes_a_report_fail() {
    let text = format!(
        "x = 'ü'\r\n\tlong = {}db.f(){}\n",
        "'€' + ".repeat(300_000),
        " + 'ü'".repeat(1000)
    );
    let mut sources = Sources::default();
    let file = sources.add("weird.py".into(), text.as_str().into());
    let empty = sources.add("empty.py".into(), "".into());
    let end = text.len();
    let call = text.find("db.f()").expect("it is there");
    let spans = [
        (0, 0),
        (5, 6),
        (6, 5),
        (0, end),
        (end, end),
        (end + 5, end + 9),
        (call, call + 6),
        (9, 10),
        (8, 9),
    ];
    let mut findings: Vec<Finding> = spans
        .iter()
        .map(|&(start, end)| {
            finding(
                "RL101",
                Location {
                    file,
                    span: Span::new(start, end),
                },
                "message",
            )
        })
        .collect();
    findings.push(finding(
        "RL101",
        Location {
            file: empty,
            span: Span::new(0, 0),
        },
        "message",
    ));
    for format in report::FORMATS {
        let text = render(format.name(), &sources, &findings, Style::default());
        assert!(text.len() < 100_000, "{} shows {} bytes", format.name(), text.len());
    }
}
