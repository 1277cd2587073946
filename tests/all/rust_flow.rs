//! Rust programs as one text: files after `//- path`, expected findings as `//~ CODE` at the end of their lines
//! (`//? CODE`: allowed there). `Cargo.toml` holds only the lines of its dependencies.

use std::collections::BTreeSet;
use std::path::Path;

use reconnect_lint::analysis::{Request, analyse};

/// A finding or an expectation: file, line, code.
type Mark = (String, u32, String);

struct Case {
    name: String,
    files: Vec<(String, String)>,
}

/// The cases of a file, separated by `=== name`.
fn cases(text: &str) -> Vec<Case> {
    let mut found: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            found.push(Case {
                name: name.to_owned(),
                files: Vec::new(),
            });
        } else if let Some(case) = found.last_mut() {
            if let Some(path) = line.strip_prefix("//- ") {
                case.files.push((path.to_owned(), String::new()));
            } else {
                if case.files.is_empty() && !line.trim().is_empty() {
                    case.files.push(("src/main.rs".to_owned(), String::new()));
                }
                if let Some((_, text)) = case.files.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    found
}

fn marks(files: &[(String, String)], marker: &str) -> BTreeSet<Mark> {
    let mut found = BTreeSet::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            if let Some((_, codes)) = line.split_once(marker) {
                let codes = codes.split("//").next().unwrap_or_default();
                for code in codes.split([',', ' ']).filter(|c| !c.is_empty()) {
                    found.insert((path.clone(), index as u32 + 1, code.to_owned()));
                }
            }
        }
    }
    found
}

fn findings(folder: &Path, case: &Case) -> BTreeSet<Mark> {
    for (path, text) in &case.files {
        let target = folder.join(path);
        std::fs::create_dir_all(target.parent().expect("below the folder")).expect("the folder can be made");
        let text = if path.ends_with("Cargo.toml") && !text.starts_with('[') {
            format!("[package]\nname = \"case\"\nversion = \"0.1.0\"\n\n[dependencies]\n{text}")
        } else {
            text.clone()
        };
        std::fs::write(target, text).expect("the file can be written");
    }
    let request = Request {
        paths: vec![folder.to_path_buf()],
        no_cache: true,
        ..Request::default()
    };
    let analysis = analyse(&request).expect("the embedded rules are right");
    let mut found = BTreeSet::new();
    for finding in &analysis.findings {
        let source = analysis.sources.get(finding.location.file);
        let path = Path::new(&source.path)
            .strip_prefix(folder)
            .unwrap_or(Path::new(&source.path));
        let row = source.start(finding.location.span).row;
        found.insert((path.to_string_lossy().into_owned(), row, finding.code.to_string()));
    }
    found
}

fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rust").join(file);
    let text = std::fs::read_to_string(&path).expect("the cases can be read");
    let mut complaints = Vec::new();
    let only = std::env::var("RUST_CASE").unwrap_or_default();
    for case in cases(&text).into_iter().filter(|c| c.name.contains(&only)) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let found = findings(folder.path(), &case);
        let expected = marks(&case.files, "//~ ");
        let allowed = marks(&case.files, "//? ");
        for (path, row, code) in expected.difference(&found) {
            complaints.push(format!("{}: {path}:{row} misses {code}", case.name));
        }
        for mark in found.difference(&expected).filter(|mark| !allowed.contains(mark)) {
            complaints.push(format!("{}: {}:{} has {}", case.name, mark.0, mark.1, mark.2));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn errors_that_escape() {
    check("escape.txt");
}

#[test]
fn handlers_of_some_errors() {
    check("handler.txt");
}

#[test]
fn lazy_objects() {
    check("cursor.txt");
}

#[test]
fn panics() {
    check("panic.txt");
}

#[test]
fn retries() {
    check("retry.txt");
}

#[test]
fn kept_connections() {
    check("reuse.txt");
}

#[test]
fn options_and_versions() {
    check("options.txt");
}

#[test]
fn twins() {
    check("twins.txt");
}

#[test]
fn environment() {
    check("env.txt");
}
