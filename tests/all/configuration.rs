//! Configuration is found where people expect it, and nothing in it is ignored in silence.

use crate::support::{Project, Ran};

/// A finding of RL101 on row 5.
pub const APP: &str = "\
from pymongo import MongoClient

users = MongoClient(\"mongodb://a,b/?replicaSet=rs\").app.users
def greet(name):
    return users.find_one({\"name\": name})
";

/// RL101 is an error only where the driver never retries.
pub const REQUIREMENTS: (&str, &str) = ("requirements.txt", "pymongo==3.4.0\n");

fn shop(files: &[(&str, &str)]) -> Project {
    let project = Project::new(&[("shop/app.py", APP), REQUIREMENTS]);
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

/// Codes that are found, by file.
fn codes(ran: &Ran) -> Vec<String> {
    assert!(ran.status < 2, "{}", ran.err);
    let findings: Vec<serde_json::Value> = serde_json::from_str(&ran.out).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    findings
        .iter()
        .map(|f| format!("{} {}", text(&f["filename"]), text(&f["code"])))
        .collect()
}

fn json(project: &Project, arguments: &[&str]) -> Vec<String> {
    codes(&project.run(&[&["--output-format", "json"], arguments].concat()))
}

const FOUND: [&str; 1] = ["shop/app.py RL101"];
const NOTHING: [&str; 0] = [];

#[test]
fn every_file_that_may_hold_configuration_is_read() {
    let cases = [
        ("reconnect-lint.toml", "ignore = ['RL101']"),
        (".reconnect-lint.toml", "ignore = ['RL101']"),
        ("shop/reconnect-lint.toml", "ignore = ['unhandled-connection-loss']"),
        (
            "pyproject.toml",
            "[project]\nname = 'x'\n[tool.reconnect-lint]\nignore = ['RL10']",
        ),
        ("Cargo.toml", "[package.metadata.reconnect-lint]\nignore = ['RL1']"),
        ("Cargo.toml", "[workspace.metadata.reconnect-lint]\nignore = ['ALL']"),
    ];
    assert_eq!(json(&shop(&[]), &["shop"]), FOUND);
    for (path, text) in cases {
        let project = shop(&[(path, text)]);
        assert_eq!(json(&project, &["shop"]), NOTHING, "{path}");
        assert_eq!(json(&project, &["shop", "--isolated"]), FOUND, "{path}");
        assert_eq!(json(&project, &["shop", "--select", "RL101"]), FOUND, "{path}");
    }
}

#[test]
fn manifests_without_our_section_are_passed_over() {
    let project = shop(&[
        ("reconnect-lint.toml", "ignore = ['RL101']"),
        ("shop/pyproject.toml", "[project]\nname = 'x'"),
        ("shop/Cargo.toml", "this is not TOML"),
    ]);
    assert_eq!(json(&project, &["shop"]), NOTHING);
}

#[test]
fn the_nearest_file_wins() {
    let project = shop(&[
        ("reconnect-lint.toml", "ignore = ['RL101']"),
        ("shop/reconnect-lint.toml", ""),
    ]);
    assert_eq!(json(&project, &["shop"]), FOUND);
    assert_eq!(json(&project, &["."]), FOUND);
}

#[test]
fn extend_builds_on_another_file() {
    let project = shop(&[
        ("base.toml", "ignore = ['RL101']\nfail-on = 'never'"),
        (
            "shop/reconnect-lint.toml",
            "extend = '../base.toml'\nextend-select = ['RL102']",
        ),
    ]);
    assert_eq!(json(&project, &["shop"]), NOTHING);
    project.write(
        "shop/reconnect-lint.toml",
        "extend = '../base.toml'\nselect = ['RL101']",
    );
    let ran = project.run(&["shop", "--output-format", "json"]);
    assert_eq!((codes(&ran), ran.status), (FOUND.map(str::to_owned).to_vec(), 0));
}

#[test]
fn the_command_line_sets_single_keys() {
    let project = shop(&[
        ("reconnect-lint.toml", "ignore = ['RL101']"),
        ("other.toml", "fail-on = 'never'"),
    ]);
    assert_eq!(json(&project, &["shop", "--config", "extend-select=['RL101']"]), FOUND);
    assert_eq!(project.run(&["shop", "--config", "other.toml"]).status, 0);
    assert_eq!(
        project
            .run(&["shop", "--config", "other.toml", "--config", "fail-on=error"])
            .status,
        1
    );
    assert_eq!(
        json(
            &project,
            &[
                "shop",
                "--isolated",
                "--config",
                "per-file-ignores={'app.py'=['RL101']}"
            ]
        ),
        NOTHING
    );
}

#[test]
fn severities_confidence_and_failing_level_are_obeyed() {
    let project = shop(&[("reconnect-lint.toml", "[severity]\nRL1 = 'note'\nRL102 = 'error'")]);
    assert_eq!(project.run(&["shop"]).status, 0);
    assert_eq!(project.run(&["shop", "--fail-on", "note"]).status, 1);
    assert_eq!(project.run(&["shop", "--fail-on", "note", "--exit-zero"]).status, 0);
    assert_eq!(json(&project, &["shop", "--level", "warning"]), NOTHING);
    assert_eq!(json(&project, &["shop", "--min-confidence", "certain"]), FOUND);
    let concise = project.run(&["shop", "--output-format", "concise"]).out;
    assert!(concise.contains(": note[RL101]"), "{concise}");
}

#[test]
fn excluded_files_are_not_read_unless_they_are_named() {
    for pattern in ["shop", "shop/", "app.py", "shop/*.py", "**/app.py", "/shop"] {
        let project = shop(&[("reconnect-lint.toml", &format!("extend-exclude = ['{pattern}']"))]);
        assert_eq!(json(&project, &["."]), NOTHING, "{pattern}");
        assert_eq!(json(&project, &["shop/app.py"]), FOUND, "{pattern}");
        assert_eq!(
            json(&project, &["shop/app.py", "--force-exclude"]),
            NOTHING,
            "{pattern}"
        );
    }
    let project = shop(&[("venv/lib/app.py", APP), ("node_modules/app.py", APP)]);
    assert_eq!(json(&project, &["."]), FOUND);
    assert_eq!(project.run(&["--show-files"]).out, "shop/app.py\n");
}

#[test]
fn per_file_ignores_match_files_and_folders() {
    for pattern in ["shop", "shop/*", "app.py", "*.py"] {
        let project = shop(&[(
            "reconnect-lint.toml",
            &format!("[per-file-ignores]\n'{pattern}' = ['RL101']"),
        )]);
        assert_eq!(json(&project, &["."]), NOTHING, "{pattern}");
    }
    let project = shop(&[("reconnect-lint.toml", "[per-file-ignores]\n'other.py' = ['RL101']")]);
    assert_eq!(json(&project, &["."]), FOUND);
}

#[test]
fn mistakes_are_shown_with_a_caret_and_a_suggestion() {
    let cases = [
        (
            "misspelt keys",
            "reconnect-lint.toml",
            "slect = []\nfail_on = 'error'\n[env]\nprefixs = []\n",
        ),
        (
            "misspelt values",
            "reconnect-lint.toml",
            "select = ['RL1', 'unguarded-curser', 'RL1O1', 'E501']\nfail-on = 'eror'\nmin-confidence = 'sure'\noutput-format = 'jsn'\n[severity]\nRL101 = 'fatal'\nRL999 = 'error'\n",
        ),
        ("wrong types", "reconnect-lint.toml", "select = 'RL1'\n"),
        ("no TOML", "reconnect-lint.toml", "select = [\n"),
        (
            "missing files",
            "reconnect-lint.toml",
            "extend = 'shp/base.toml'\nrules = ['shpo']\n",
        ),
        (
            "bad patterns",
            "reconnect-lint.toml",
            "exclude = ['a[', '']\n[per-file-ignores]\n'{' = ['RL101']\n",
        ),
        (
            "bad names of variables",
            "reconnect-lint.toml",
            "env = { names = ['DB HOST'] }\n",
        ),
        (
            "a section of pyproject.toml",
            "pyproject.toml",
            "[tool.reconnect-lint]\nbaselin = 'x'\n",
        ),
        (
            "a section of Cargo.toml",
            "Cargo.toml",
            "[package]\nname = 'x'\n\n[package.metadata.reconnect-lint]\nselect = ['RL1']\nignor = []\n",
        ),
        (
            "a broken pyproject.toml that has a section",
            "pyproject.toml",
            "[tool.reconnect-lint\n",
        ),
        ("a circle", "reconnect-lint.toml", "extend = 'reconnect-lint.toml'\n"),
    ];
    let mut shown = Vec::new();
    for (name, path, text) in cases {
        let ran = shop(&[(path, text)]).run(&["shop"]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{name}");
        shown.push(format!("--- {name}\n{}\n", ran.err));
    }
    insta::assert_snapshot!("mistakes_in_configuration", shown.concat());
}

#[test]
fn what_would_not_be_used_is_said() {
    let project = shop(&[
        ("reconnect-lint.toml", "fail-on = 'never'"),
        ("pyproject.toml", "[tool.reconnect-lint]\nfail-on = 'note'"),
        ("shop/reconnect-lint.toml", "fail-on = 'note'\nignore = ['RL102']"),
    ]);
    let ran = project.run(&["."]);
    assert_eq!(ran.status, 0);
    insta::assert_snapshot!("unused_configuration", ran.err);
}

#[test]
fn settings_can_be_shown_and_read_back() {
    let text = "select = ['RL101', 'RL4']\nextend-exclude = ['gen']\nbaseline = 'known.json'\n[severity]\nRL4 = 'note'\n[per-file-ignores]\n'a.py' = ['RL101']\n[env]\nprefixes = ['SHOP_']\n";
    let project = shop(&[("reconnect-lint.toml", text)]);
    let shown = project.run(&["--show-settings", "shop"]).out;
    insta::assert_snapshot!("settings", shown);
    let again = Project::new(&[("reconnect-lint.toml", &shown.replace("FOLDER/", ""))]).run(&["--show-settings"]);
    assert_eq!(again.status, 0, "{}", again.err);
}

/// A wrapper of the team: `resilient` retries what pymongo raises.
const RESILIENT: &str = "\
[library]
name = 'ours'
language = 'python'
role = 'retry'
packages = []
imports = ['ours']
oldest = '1.0'
source = 'our wiki'

[functions.\"ours.resilient\".guard]
default = ['Exception']
retries = true
limited = true
waiting = true
";

#[test]
fn driver_files_of_the_team_are_obeyed() {
    let app = APP
        .replace("from pymongo", "from ours import resilient\nfrom pymongo")
        .replace("def greet", "@resilient\ndef greet");
    let project = shop(&[("shop/app.py", &app)]);
    assert_eq!(json(&project, &["shop"]), FOUND);
    project.write("lint/ours.toml", RESILIENT);
    project.write("reconnect-lint.toml", "rules = ['lint']");
    assert_eq!(json(&project, &["shop"]), NOTHING);
    project.write("reconnect-lint.toml", "rules = ['lint/ours.toml']");
    assert_eq!(json(&project, &["shop"]), NOTHING);
}

#[test]
fn mistakes_in_driver_files_are_shown_like_those_in_configuration() {
    let cases = [
        ("a misspelt key", RESILIENT.replace("imports =", "imprts =")),
        (
            "a wrong type",
            RESILIENT.replace("imports = ['ours']", "imports = 'ours'"),
        ),
        ("no TOML", RESILIENT.replace("[library]", "[library")),
        (
            "an unknown base",
            format!("{RESILIENT}\n[types.Ours]\nname = 'Ours'\nbase = 'pymongo.Databas'\n"),
        ),
    ];
    let mut shown = Vec::new();
    for (name, text) in cases {
        let ran = shop(&[("reconnect-lint.toml", "rules = ['lint']"), ("lint/ours.toml", &text)]).run(&["shop"]);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{name}: {}", ran.err);
        shown.push(format!("--- {name}\n{}\n", ran.err));
    }
    insta::assert_snapshot!("mistakes_in_driver_files", shown.concat());
}

#[test]
fn variables_that_the_configuration_names_are_found_in_any_file() {
    let project = Project::new(&[
        ("settings.py", "import os\n\nHOST = os.environ[\"DB_HOST\"]\n"),
        ("reconnect-lint.toml", "env = { names = [\"DB_HOST\"] }\n"),
    ]);
    let ran = project.run(&["--output-format", "concise"]);
    assert!(ran.out.starts_with("settings.py:3:8: error[RL401]"), "{}{}", ran.out, ran.err);
}
