//! The samples of the library files and of the rule texts are run: the findings must be those that their markers say.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use reconnect_lint::analysis::{Analysis, Request};
use reconnect_lint::check::{self, View};
use reconnect_lint::config::{Resolver, Selection};
use reconnect_lint::knowledge::{LIBRARIES, LibraryFile};
use reconnect_lint::lints::texts;

/// A sample: what it is called, the manifest's lines, the file's name and its code.
pub struct Sample {
    pub name: String,
    pub requires: Vec<String>,
    pub file: String,
    pub code: String,
}

/// What a line must and may be reported as.
#[derive(Default, Debug)]
pub struct Expected {
    pub required: Vec<Vec<String>>,
    optional: Vec<String>,
}

pub fn expected(code: &str) -> Vec<(u32, Expected)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut here = Expected::default();
        for (marker, optional) in [("#! ", false), ("#? ", true), ("//~ ", false), ("//? ", true)] {
            let Some((_, rest)) = line.split_once(marker) else {
                continue;
            };
            for group in rest.split(',').map(str::trim) {
                let codes: Vec<String> = group
                    .split('|')
                    .map(|c| {
                        c.trim()
                            .chars()
                            .take_while(char::is_ascii_alphanumeric)
                            .collect::<String>()
                    })
                    .filter(|c| c.len() == 5 && c.starts_with("RL"))
                    .collect();
                if codes.is_empty() {
                    continue;
                }
                if optional {
                    here.optional.extend(codes);
                } else {
                    here.required.push(codes);
                }
            }
        }
        if !here.required.is_empty() || !here.optional.is_empty() {
            found.push((index as u32 + 1, here));
        }
    }
    found
}

/// What is found in a sample.
fn analyse(sample: &Sample) -> Analysis {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = folder.path().join("sample");
    let target = root.join(&sample.file);
    fs::create_dir_all(target.parent().expect("inside the root")).expect("it can be made");
    fs::write(&target, &sample.code).expect("it can be written");
    let rust = Path::new(&sample.file).extension().is_some_and(|e| e == "rs");
    if rust {
        let mut text =
            String::from("[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n");
        for line in &sample.requires {
            writeln!(text, "{line}").expect("a string takes it");
        }
        fs::write(root.join("Cargo.toml"), text).expect("it can be written");
    } else {
        fs::write(root.join("requirements.txt"), sample.requires.join("\n")).expect("it can be written");
    }
    let request = Request {
        paths: vec![root],
        ..Request::default()
    };
    // With suppressions, as a user has them: RL902 and RL903 are about these.
    let resolver =
        Resolver::new(folder.path().to_path_buf(), true, &[], Selection::default()).expect("no files are read");
    check::check(&resolver, &request, View::default())
        .expect("no rules of one's own are given")
        .analysis
}

/// Runs a sample; the differences in words, empty if there are none.
fn run(sample: &Sample) -> String {
    let analysis = analyse(sample);
    let mut left: Vec<(u32, String, String)> = analysis
        .findings
        .iter()
        .map(|f| {
            let source = analysis.sources.get(f.location.file);
            (source.start(f.location.span).row, f.code.to_string(), f.message.clone())
        })
        .collect();
    let mut differences = String::new();
    for (row, here) in expected(&sample.code) {
        for codes in &here.required {
            match left.iter().position(|(r, c, _)| *r == row && codes.contains(c)) {
                Some(index) => {
                    left.remove(index);
                }
                None => {
                    writeln!(differences, "  line {row}: {} is missing", codes.join("|")).expect("a string takes it");
                }
            }
        }
        left.retain(|(r, c, _)| *r != row || !here.optional.contains(c));
    }
    for (row, code, message) in left {
        writeln!(differences, "  line {row}: {code} is not expected: {message}").expect("a string takes it");
    }
    differences
}

fn of_library(library: &LibraryFile, language: &str) -> Vec<Sample> {
    library
        .samples
        .iter()
        .map(|sample| Sample {
            name: format!("{}: {}", library.library.name, sample.name),
            requires: sample.requires.clone(),
            file: sample.file.clone().unwrap_or_else(|| {
                if language == "rust" {
                    "src/main.rs".into()
                } else {
                    "app.py".into()
                }
            }),
            code: sample.code.clone(),
        })
        .collect()
}

/// The fenced blocks of a rule text. A first line `# requirements.txt: a==1, b==2` (or `// Cargo.toml: a = "1"`) is its
/// manifest.
fn of_text(name: &str, body: &str) -> Vec<Sample> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some((_, after)) = rest.split_once("```") {
        let Some((block, next)) = after.split_once("\n```") else {
            break;
        };
        rest = next;
        let Some((language, code)) = block.split_once('\n') else {
            continue;
        };
        if !matches!(language, "python" | "rust") {
            continue;
        }
        let first = code.lines().next().unwrap_or_default();
        let manifest = first
            .strip_prefix("# requirements.txt: ")
            .or_else(|| first.strip_prefix("// Cargo.toml: "));
        let requires = manifest
            .map(|m| m.split(", ").map(str::to_owned).collect())
            .unwrap_or_default();
        let file = if language == "rust" { "src/main.rs" } else { "app.py" };
        found.push(Sample {
            name: format!("{name}, block {}", found.len() + 1),
            requires,
            file: file.into(),
            code: code.to_owned(),
        });
    }
    found
}

fn compare(samples: &[Sample]) {
    let mut failed = String::new();
    let mut count = 0;
    for sample in samples {
        let differences = run(sample);
        if !differences.is_empty() {
            count += 1;
            writeln!(failed, "{}\n{differences}", sample.name).expect("a string takes it");
        }
    }
    assert!(
        failed.is_empty(),
        "{count} of {} samples differ:\n\n{failed}",
        samples.len()
    );
}

fn libraries(language: &str, only: impl Fn(&str) -> bool) -> Vec<Sample> {
    LIBRARIES
        .iter()
        .filter(|l| l.language == language && only(l.path))
        .flat_map(|l| of_library(&l.parse(), language))
        .collect()
}

/// All samples in Python: those of the library files and those of the rule texts.
pub fn python() -> Vec<Sample> {
    let mut found = libraries("python", |_| true);
    for rule in texts::rules() {
        let samples = of_text(&format!("{} {}", rule.code, rule.name), rule.body);
        found.extend(samples.into_iter().filter(|s| s.file.ends_with(".py")));
    }
    found
}

#[test]
fn python_libraries_do_what_their_samples_say() {
    compare(&libraries("python", |_| true));
}

#[test]
fn rust_libraries_do_what_their_samples_say() {
    compare(&libraries("rust", |_| true));
}

#[test]
fn rule_texts_do_what_their_samples_say() {
    let samples: Vec<Sample> = texts::rules()
        .iter()
        .flat_map(|rule| of_text(&format!("{} {}", rule.code, rule.name), rule.body))
        .collect();
    compare(&samples);
}

/// "Fix safety" says that there is no fix exactly if no sample of the text gets one.
#[test]
fn rule_texts_say_whether_there_is_a_fix() {
    for rule in texts::rules() {
        let (_, rest) = rule
            .body
            .split_once("## Fix safety")
            .expect("every text has this section");
        let promised = !rest.trim_start().starts_with("There is no automatic fix");
        let fixed = of_text(rule.name, rule.body)
            .iter()
            .flat_map(|sample| analyse(sample).findings)
            .any(|finding| finding.code == rule.code && finding.fix.is_some());
        assert_eq!(
            promised, fixed,
            "{}: `true` on the left is what the text says, on the right what its samples get",
            rule.code
        );
    }
}
