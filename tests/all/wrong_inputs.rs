//! Everything that people get wrong, with the message and the exit status: the page `docs/src/wrong-inputs.md`.

use std::fmt::Write as _;

use crate::configuration::{APP, REQUIREMENTS};
use crate::documents::Fresh;
use crate::support::{Project, Ran};

/// What is wrong, the arguments, the exit status.
type Case = (&'static str, &'static [&'static str], i32);

const ARGUMENTS: &[Case] = &[
    ("a path that does not exist", &["shp"], 2),
    ("a file that does not exist", &["shop/ap.py"], 2),
    ("a misspelt command", &["chek", "shop"], 2),
    ("an unknown option", &["--fixx"], 2),
    ("an option without its value", &["--select"], 2),
    ("options that exclude each other", &["-q", "-v"], 2),
    ("an option that needs another one", &["--unsafe-fixes"], 2),
    ("an unknown format", &["--output-format", "jsn"], 2),
    ("an unknown severity", &["--fail-on", "eror"], 2),
    ("an unknown code", &["--select", "RL999"], 2),
    ("a misspelt name of a rule", &["--select", "unguarded-curser"], 2),
    ("the code of another tool", &["--ignore", "E501"], 2),
    ("no rule at all", &["--extend-select", ""], 2),
    (
        "a folder for the report that does not exist",
        &["-o", "no/such/folder/out.txt"],
        2,
    ),
    ("`rule` without a rule", &["rule"], 2),
    ("`rule` with an unknown rule", &["rule", "nonsense"], 2),
    ("`rule` with a group of rules", &["rule", "RL1"], 2),
    ("`explain` without a line", &["explain", "shop/app.py"], 2),
    ("`explain` with a word for a line", &["explain", "shop/app.py:x"], 2),
    (
        "`explain` with a line that does not exist",
        &["explain", "shop/app.py:999"],
        0,
    ),
    ("`explain` with a folder", &["explain", "shop:5"], 2),
    ("`init` in a folder that does not exist", &["init", "missing"], 2),
    ("`completions` for an unknown shell", &["completions", "csh"], 2),
    ("`server` with an unknown option", &["server", "--port"], 2),
];

const FILES: &[Case] = &[
    ("a configuration that does not exist", &["--config", "missing.toml"], 2),
    ("a configuration that is no TOML", &["--config", "broken.toml"], 2),
    ("a misspelt key", &["--config", "key.toml"], 2),
    ("a value that there is not", &["--config", "value.toml"], 2),
    ("a word where a list is meant", &["--config", "list.toml"], 2),
    ("an unknown rule in the configuration", &["--config", "rule.toml"], 2),
    ("a misspelt key on the command line", &["--config", "fail_on=error"], 2),
    ("`extend` that leads back", &["--config", "circle.toml"], 2),
    (
        "a driver file that does not exist",
        &["--config", "rules=['none.toml']"],
        2,
    ),
    (
        "a driver file with a misspelt key",
        &["--config", "rules=['driver.toml']"],
        2,
    ),
    ("a baseline that does not exist", &["--baseline", "none.json"], 2),
    ("a baseline that is none", &["--baseline", "requirements.txt"], 2),
    ("`--changed` outside of a repository", &["--changed"], 2),
];

const SOURCES: &[Case] = &[
    ("a folder without Python and Rust", &["nothing"], 0),
    ("an empty file", &["empty"], 0),
    ("Python that cannot be parsed", &["syntax"], 0),
    ("Rust that cannot be parsed", &["rust"], 0),
    ("a binary file", &["binary"], 0),
    ("a suppression that names no rule", &["suppression"], 0),
];

fn project() -> Project {
    let project = Project::new(&[
        ("shop/app.py", APP),
        REQUIREMENTS,
        ("broken.toml", "select = [\n"),
        ("key.toml", "fail_on = 'error'\n"),
        ("value.toml", "fail-on = 'sometimes'\n"),
        ("list.toml", "ignore = 'RL101'\n"),
        ("rule.toml", "ignore = ['RL1O1']\n"),
        ("circle.toml", "extend = 'circle.toml'\n"),
        ("driver.toml", "[library]\nnmae = 'x'\n"),
        ("nothing/README.md", "x"),
        ("empty/empty.py", ""),
        ("syntax/syntax.py", "import pymongo\ndef f(:\n"),
        ("rust/syntax.rs", "use mongodb::Client;\nfn f( {\n"),
        ("suppression/suppression.py", "X = 1  # reconnect-lint: ignore[RL999]\n"),
    ]);
    project.write("binary/binary.py", "");
    std::fs::write(project.path().join("binary/binary.py"), b"import pymongo\n\0\xff\n")
        .expect("a file can be written");
    project
}

/// The sentences of a message, without the drawings.
fn sentences(ran: &Ran) -> Vec<String> {
    let text = |line: &str| {
        let line = line.trim();
        let note = line.strip_prefix("= ").unwrap_or(line);
        let starts = ["error", "warning", "help", "tip", "No ", "Found ", "--", "<"];
        starts
            .iter()
            .any(|start| note.starts_with(start))
            .then(|| note.to_owned())
    };
    ran.err.lines().chain(ran.out.lines()).filter_map(text).collect()
}

fn table(project: &Project, cases: &[Case], page: &mut String) {
    let _ = writeln!(
        page,
        "| what is wrong | `reconnect-lint` ... | exit status | message |\n|---|---|---|---|"
    );
    for (what, arguments, status) in cases {
        let ran = project.run(arguments);
        assert_eq!(ran.status, *status, "{arguments:?}: {} {}", ran.out, ran.err);
        let sentences = sentences(&ran);
        assert!(
            status == &0 || !sentences.is_empty(),
            "{arguments:?} says nothing: {}",
            ran.err
        );
        assert!(!ran.err.contains("panicked"), "{arguments:?}: {}", ran.err);
        let arguments: Vec<&str> = arguments
            .iter()
            .map(|word| if word.is_empty() { "''" } else { word })
            .collect();
        let message = sentences.join("<br>").replace('|', "\\|");
        let _ = writeln!(page, "| {what} | `{}` | {status} | {message} |", arguments.join(" "));
    }
}

// The messages of the operating system are part of the page.
#[cfg(target_os = "linux")]
#[test]
fn wrong_inputs_are_told_with_their_exit_status() {
    let project = project();
    let mut page = "<!-- Written by tests/all/wrong_inputs.rs. -->\n\n# Wrong inputs\n\n\
        What is said if something is wrong, and the exit status. 2 means that the run failed. A file that cannot be read or\n\
        parsed never stops a run: it is told, and the others are checked. The messages have more to show than fits here:\n\
        the place in a configuration file, for example.\n"
        .to_owned();
    for (title, cases) in [
        ("Arguments", ARGUMENTS),
        ("Files for this tool", FILES),
        ("Files to check", SOURCES),
    ] {
        let _ = writeln!(page, "\n## {title}\n");
        table(&project, cases, &mut page);
    }
    let mut fresh = Fresh::default();
    fresh.file("docs/src/wrong-inputs.md", &page);
    fresh.finish();
}

#[test]
fn standard_input_that_is_no_text_is_refused() {
    let project = project();
    let output = project
        .command(&["-"])
        .write_stdin(b"\xff\xfe\0".as_slice())
        .output()
        .expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("standard input is not UTF-8"), "{err}");
    // What the first line declares is how the file is stored, not how it came in here.
    let declared =
        "# -*- coding: latin-1 -*-\nimport pymongo\nü = pymongo.MongoClient().a.b\ndef f():\n    ü.find_one()\n";
    let ran = project.pipe(&["-", "--output-format", "concise"], declared);
    assert!(ran.out.contains("`ü.find_one`"), "{ran:?}");
}
