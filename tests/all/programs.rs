//! Small programs with the findings that they must have, many in one text.
//!
//! `=== name` begins a program, `//- path` (in Python `#- path`) a file of it; without one, what follows is the main file. Expected
//! findings stand at the end of their lines as `//~ CODE` or `#! CODE`; `//? CODE` and `#? CODE` may be there. `Cargo.toml` holds only the
//! lines of its dependencies. `#= known miss: why` below the name says that the tool is wrong here and why; it fails once the tool is right.

use std::collections::BTreeSet;
use std::path::Path;

use reconnect_lint::analysis::{Request, analyse};

/// A finding or an expectation: file, line, code.
pub type Mark = (String, u32, String);

pub struct Language {
    folder: &'static str,
    comment: &'static str,
    required: &'static str,
    main: &'static str,
    /// A file that every program has unless it brings its own.
    manifest: Option<(&'static str, &'static str)>,
}

pub const RUST: Language = Language {
    folder: "tests/rust",
    comment: "//",
    required: "~ ",
    main: "src/main.rs",
    manifest: None,
};

pub const PYTHON: Language = Language {
    folder: "tests/python",
    comment: "#",
    required: "! ",
    main: "main.py",
    manifest: Some(("requirements.txt", "pymongo==4.6.3\nmotor==3.3.2\n")),
};

pub struct Program {
    pub name: String,
    /// Why the tool is wrong about it, if it is known to be.
    pub known: Option<String>,
    pub files: Vec<(String, String)>,
}

/// The programs of one text.
fn parse(language: &Language, text: &str) -> Vec<Program> {
    let file = format!("{}- ", language.comment);
    let known = format!("{}= known miss: ", language.comment);
    let mut found: Vec<Program> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            found.push(Program {
                name: name.to_owned(),
                known: None,
                files: Vec::new(),
            });
        } else if let Some(program) = found.last_mut() {
            if let Some(why) = line.strip_prefix(&known) {
                program.known = Some(why.to_owned());
            } else if let Some(path) = line.strip_prefix(&file) {
                program.files.push((path.to_owned(), String::new()));
            } else {
                if program.files.is_empty() && !line.trim().is_empty() {
                    program.files.push((language.main.to_owned(), String::new()));
                }
                if let Some((_, text)) = program.files.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    if let Some((path, text)) = language.manifest {
        for program in &mut found {
            if program.files.iter().all(|(other, _)| other != path) {
                program.files.push((path.to_owned(), text.to_owned()));
            }
        }
    }
    found
}

/// The programs of `category`, a file in the language's folder.
pub fn of(language: &Language, category: &str) -> Vec<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(language.folder)
        .join(category)
        .with_extension("txt");
    parse(
        language,
        &std::fs::read_to_string(&path).expect("the programs can be read"),
    )
}

/// The categories of a language, in the order of their names.
pub fn categories(language: &Language) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(language.folder);
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder can be read")
        .filter_map(|entry| {
            let path = entry.expect("its entries can be read").path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    found.sort();
    found
}

fn marks(files: &[(String, String)], comment: &str, marker: &str) -> BTreeSet<Mark> {
    let marker = format!("{comment}{marker}");
    let mut found = BTreeSet::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            if let Some((_, codes)) = line.split_once(&marker) {
                let codes = codes.split(comment).next().unwrap_or_default();
                for code in codes.split([',', ' ']).filter(|c| !c.is_empty()) {
                    found.insert((path.clone(), index as u32 + 1, code.to_owned()));
                }
            }
        }
    }
    found
}

/// The findings that a program must have.
pub fn expected(language: &Language, program: &Program) -> BTreeSet<Mark> {
    marks(&program.files, language.comment, language.required)
}

fn findings(folder: &Path, program: &Program) -> BTreeSet<Mark> {
    for (path, text) in &program.files {
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

/// What the tool gets wrong in a program, in words.
pub fn differences(language: &Language, program: &Program) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let found = findings(folder.path(), program);
    let expected = expected(language, program);
    let allowed = marks(&program.files, language.comment, "? ");
    let missing = expected
        .difference(&found)
        .map(|(path, row, code)| format!("{}: {path}:{row} misses {code}", program.name));
    let more = found
        .difference(&expected)
        .filter(|mark| !allowed.contains(mark))
        .map(|(path, row, code)| format!("{}: {path}:{row} has {code}", program.name));
    missing.chain(more).collect()
}

/// The result of a category: how many of its programs are judged right, and what is not as the file says.
#[derive(Default)]
pub struct Score {
    pub right: usize,
    pub all: usize,
    pub complaints: Vec<String>,
}

/// Runs a category; `PROGRAM` in the environment is a part of the names to run.
pub fn score(language: &Language, category: &str) -> Score {
    let only = std::env::var("PROGRAM").unwrap_or_default();
    let mut score = Score::default();
    for program in of(language, category).iter().filter(|p| p.name.contains(&only)) {
        let wrong = differences(language, program);
        score.all += 1;
        score.right += usize::from(wrong.is_empty());
        match &program.known {
            None => score.complaints.extend(wrong),
            Some(_) if wrong.is_empty() => score.complaints.push(format!(
                "{}: is right now; take out the line about its known miss",
                program.name
            )),
            Some(_) => {}
        }
    }
    score
}
