//! The program as people run it: arguments, exit status, messages, files.

use crate::configuration::{APP, REQUIREMENTS};
use crate::support::Project;

fn shop() -> Project {
    Project::new(&[("shop/app.py", APP), ("shop/quiet.py", "X = 1\n"), REQUIREMENTS])
}

#[test]
fn the_bare_form_is_check() {
    let shop = shop();
    for arguments in [
        &["check", "shop"] as &[&str],
        &["shop"],
        &[],
        &["."],
        &["-q", "check", "shop"],
        &["shop/app.py"],
    ] {
        let ran = shop.run(&[arguments, &["--output-format", "concise"]].concat());
        assert_eq!(ran.status, 1, "{arguments:?}: {}", ran.err);
        assert!(
            ran.out.starts_with("shop/app.py:5:12: error[RL101] "),
            "{arguments:?}: {}",
            ran.out
        );
    }
}

#[test]
fn the_exit_status_tells_findings_from_failures() {
    let shop = shop();
    let cases: [(&[&str], i32); 14] = [
        (&["shop"], 1),
        (&["shop/quiet.py"], 0),
        (&["shop", "--exit-zero"], 0),
        (&["shop", "--fail-on", "never"], 0),
        (&["shop", "--ignore", "RL1"], 0),
        (&["missing"], 2),
        (&["--select", "RL999"], 2),
        (&["--nonsense"], 2),
        (&["--output-format", "nonsense"], 2),
        (&["rule", "RL999"], 2),
        (&["rule", "RL101"], 0),
        (&["rules"], 0),
        (&["--version"], 0),
        (&["--help"], 0),
    ];
    for (arguments, status) in cases {
        assert_eq!(shop.run(arguments).status, status, "{arguments:?}");
    }
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let shop = shop();
    let cases: &[&[&str]] = &[
        &["shp"],
        &["shop/ap.py"],
        &["chek", "shop"],
        &["--color", "never", "check", "shop"],
        &["--select", "unguarded-curser"],
        &["--select", "RL1O1"],
        &["--ignore", "E501"],
        &["--extend-select", ""],
        &["--config", "shp.toml"],
        &["--config", "fail-on=sometimes"],
        &["--config", "fail_on=error"],
        &["--isolated", "--config", "requirements.txt"],
        &["--baseline", "none.json"],
        &["--baseline", "requirements.txt"],
        &["--prune-baseline"],
        &["--output-file", "no/such/folder/out.txt"],
        &["--changed"],
        &["rule", "unguarded-curser"],
        &["rule", "RL1"],
        &["rule", "nonsense"],
        &["explain", "shop/app.py"],
        &["explain", "shop/app.py:x"],
        &["explain", "shop/ap.py:5"],
        &["explain", "shop:5"],
        &["init", "missing"],
        &["--output-format", "jsn"],
        &["--fail-on", "eror"],
        &["--unsafe-fixes"],
        &["--fixx"],
        &["-q", "-v"],
    ];
    let mut shown = Vec::new();
    for arguments in cases {
        let ran = shop.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}");
        shown.push(format!("$ reconnect-lint {}\n{}\n", arguments.join(" "), ran.err));
    }
    insta::assert_snapshot!("errors", shown.concat());
}

#[test]
fn standard_input_is_checked_under_the_name_it_is_given() {
    let shop = shop();
    let ran = shop.pipe(
        &["-", "--stdin-filename", "shop/new.py", "--output-format", "concise"],
        APP,
    );
    assert!(ran.out.starts_with("shop/new.py:5:12: error[RL101] "), "{ran:?}");
    assert_eq!(shop.pipe(&["-"], "X = 1\n").status, 0);
    let text = format!("{APP}X = 1  # reconnect-lint: ignore[RL102]\n");
    let ran = shop.pipe(&["-", "--fix", "--stdin-filename", "shop/new.py"], &text);
    assert_eq!((ran.out, ran.status), (format!("{APP}X = 1\n"), 1));
    let text = "X = '\u{1b}[1m'  # reconnect-lint: ignore[RL102]\n";
    assert_eq!(shop.pipe(&["-", "--fix"], text).out, "X = '\u{1b}[1m'\n");
}

#[test]
fn a_report_can_go_to_a_file() {
    let shop = shop();
    let ran = shop.run(&["shop", "--output-format", "json", "--output-file", "out.json"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.starts_with("Found 1 error in 1 file (2 files checked"),
        "{}",
        ran.err
    );
    assert!(shop.read("out.json").starts_with("[\n"));
}

#[test]
fn ci_servers_get_their_own_format_unless_told_otherwise() {
    let shop = shop();
    let run = |name: &str, arguments: &[&str]| {
        let output = shop
            .command(arguments)
            .env(name, "true")
            .output()
            .expect("the program can be started");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(run("GITHUB_ACTIONS", &["shop"]).starts_with("::error file=shop/app.py,line=5,"));
    assert!(run("GITHUB_ACTIONS", &["shop", "--output-format", "concise"]).starts_with("shop/app.py:5:12"));
    assert!(run("GITLAB_CI", &["shop"]).starts_with("[\n"));
}

#[test]
fn github_gets_a_job_summary_and_no_annotations_in_files() {
    let shop = shop();
    let summary = shop.path().join("summary.md");
    let run = |arguments: &[&str]| {
        let output = shop
            .command(arguments)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_WORKSPACE", shop.path())
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .expect("the program can be started");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    };
    run(&["shop"]);
    let first = shop.read("summary.md");
    assert!(first.contains("RL101") && first.contains("shop/app.py"), "{first}");
    run(&["shop"]);
    let both = shop.read("summary.md");
    assert!(
        both.starts_with(&first) && both.len() > first.len(),
        "other steps write there too"
    );
    run(&["shop", "--output-format", "json"]);
    assert_eq!(shop.read("summary.md"), both, "only with GitHub's format");
    run(&["shop", "--output-file", "out.txt"]);
    assert!(
        shop.read("out.txt").starts_with("error[RL101]"),
        "{}",
        shop.read("out.txt")
    );
}

#[test]
fn gitlab_gets_its_report_and_people_a_log() {
    let shop = shop();
    let run = |arguments: &[&str]| {
        let output = shop
            .command(arguments)
            .env("GITLAB_CI", "true")
            .env("CI_PROJECT_DIR", shop.path())
            .output()
            .expect("the program can be started");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (text(output.stdout), text(output.stderr))
    };
    // As the README has it.
    let (out, err) = run(&["shop", "--output-file", "gl-code-quality.json"]);
    assert_eq!(out, "");
    assert!(err.contains("shop/app.py:5:12: error[RL101]"), "{err}");
    assert_eq!(err.matches("Found 1 error").count(), 1, "{err}");
    let report: serde_json::Value = serde_json::from_str(&shop.read("gl-code-quality.json")).expect("JSON");
    assert_eq!(report[0]["location"]["path"], "shop/app.py");
    assert_eq!(report[0]["check_name"], "RL101 unhandled-connection-loss");
    // Paths are the repository's, wherever the tool is started.
    let (out, _) = run(&[&shop.path().join("shop").display().to_string()]);
    let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report[0]["location"]["path"], "shop/app.py");
    let (out, err) = run(&["shop", "--output-format", "gitlab"]);
    assert!(
        out.starts_with('[') && !err.contains("error[RL101]"),
        "who asks for it reads it: {err}"
    );
    // The configuration is stronger than the environment.
    shop.write("reconnect-lint.toml", "output-format = 'concise'\n");
    assert!(run(&["shop"]).0.starts_with("shop/app.py:5:12: "));
}

#[test]
fn a_first_run_says_why_nothing_was_checked() {
    let empty = Project::new(&[("README.md", "x")]);
    let ran = empty.run(&[]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.err.contains("no Python or Rust files were found in `.`"),
        "{}",
        ran.err
    );
    let quiet = Project::new(&[("quiet.py", "X = 1\n"), ("more.py", "Y = 2\n")]);
    let ran = quiet.run(&[]);
    assert!(
        ran.err.contains("the 2 files imported no database driver"),
        "{}",
        ran.err
    );
    assert_eq!(quiet.run(&["-q"]).err, "");
}

#[test]
fn verbose_says_what_was_done() {
    let ran = shop().run(&["shop", "--verbose"]);
    assert!(ran.err.contains("2 files seen"), "{}", ran.err);
    assert!(ran.err.contains("drivers: pymongo"), "{}", ran.err);
}

#[test]
fn statistics_count_the_findings_of_each_rule() {
    assert_eq!(
        shop().run(&["shop", "--statistics"]).out,
        "1  RL101  unhandled-connection-loss\n"
    );
}

#[test]
fn rules_are_listed_and_explained() {
    let shop = shop();
    let ran = shop.run(&["rules"]);
    assert!(ran.out.starts_with("code   name "), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), reconnect_lint::lints::texts::rules().len() + 1);
    let ran = shop.run(&["rule", "unguarded-cursor"]);
    assert!(ran.out.starts_with("# RL103 unguarded-cursor\n"), "{}", ran.out);
    for arguments in [
        &["rules", "--output-format", "json"] as &[&str],
        &["rule", "RL103", "--output-format", "json"],
    ] {
        serde_json::from_str::<serde_json::Value>(&shop.run(arguments).out).expect("JSON");
    }
}

#[test]
fn the_inventory_lists_call_sites() {
    let shop = shop();
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&shop.run(&["inventory", "shop", "--output-format", "json"]).out).expect("JSON");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["location"]["row"], 5);
    for key in [
        "filename",
        "location",
        "library",
        "version",
        "operation",
        "handle",
        "verdict",
    ] {
        assert!(rows[0].get(key).is_some(), "{key}");
    }
    assert!(shop.run(&["inventory"]).out.starts_with("shop/app.py\n  5:12  "));
}

#[test]
fn a_line_is_explained() {
    let shop = shop();
    assert!(shop.run(&["explain", "shop/app.py:5"]).out.contains("find_one"));
    assert!(shop.run(&["explain", "shop/app.py:5:12"]).out.contains("find_one"));
    assert!(
        shop.run(&["explain", "shop/app.py:1"])
            .err
            .contains("No call that waits for a database is known on line 1")
    );
}

#[test]
fn init_writes_what_works_and_never_overwrites() {
    let shop = shop();
    shop.write(".pre-commit-config.yaml", "repos: []\n");
    let ran = shop.run(&["init"]);
    assert_eq!(ran.status, 0);
    insta::assert_snapshot!("init", ran.err);
    assert_eq!(shop.read(".pre-commit-config.yaml"), "repos: []\n");
    let config = shop.read("reconnect-lint.toml");
    assert_eq!(shop.run(&["shop"]).status, 1, "the configuration is valid");
    // What is commented out is valid as well.
    let all: String = config
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.starts_with('[') || line.starts_with('"') || line.contains(" = "))
        .map(|line| format!("{line}\n"))
        .collect::<Vec<_>>()
        .concat()
        .replace("rules = [\"lint/drivers\"]\n", "")
        .replace("baseline = \".reconnect-lint-baseline.json\"\n", "");
    assert!(all.lines().count() > 10, "{all}");
    shop.write("reconnect-lint.toml", &all);
    assert!(shop.run(&["shop"]).status < 2, "{}", shop.run(&["shop"]).err);
    shop.run(&["init"]);
    assert_eq!(shop.read("reconnect-lint.toml"), all);
}

#[test]
fn scripts_and_schema_are_printed() {
    let shop = shop();
    let commands = [
        "check",
        "rule",
        "rules",
        "inventory",
        "explain",
        "server",
        "init",
        "config-schema",
        "completions",
        "man",
    ];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = shop.run(&["completions", shell]).out;
        for word in commands.iter().chain(&["--output-format", "--add-suppressions"]) {
            let word = if shell == "fish" {
                word.trim_start_matches("--")
            } else {
                word
            };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = shop.run(&["man"]).out;
    assert!(page.contains(".TH reconnect-lint 1"), "{page}");
    for word in commands
        .iter()
        .chain(&["output-format", "add-suppressions", "no-cache"])
    {
        assert!(page.contains(&word.replace('-', "\\-")), "{word}: {page}");
    }
    assert_eq!(
        shop.run(&["config-schema"]).out,
        include_str!("../../reconnect-lint.schema.json")
    );
}

#[test]
fn a_baseline_hides_what_is_known_and_shrinks() {
    let shop = shop();
    assert_eq!(shop.run(&["shop", "--write-baseline"]).status, 0);
    shop.write("reconnect-lint.toml", "baseline = '.reconnect-lint-baseline.json'");
    let ran = shop.run(&["shop"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("1 known finding in the baseline"), "{}", ran.err);
    // The same from another folder, and after lines moved.
    shop.write("shop/app.py", &format!("# moved\n\n{APP}"));
    assert_eq!(shop.run(&["shop/app.py"]).status, 0);
    shop.write(
        "shop/app.py",
        &APP.replace("    return", "    return users.find_one({}),"),
    );
    assert_eq!(shop.run(&["shop"]).status, 1, "another line is new");
    shop.write("shop/app.py", "X = 1\n");
    let ran = shop.run(&["shop"]);
    assert!(
        ran.err.contains("1 finding of the baseline is no longer found"),
        "{}",
        ran.err
    );
    let ran = shop.run(&["shop/quiet.py"]);
    assert!(
        !ran.err.contains("no longer found"),
        "other files were not checked: {}",
        ran.err
    );
    let ran = shop.run(&["shop", "--prune-baseline"]);
    assert!(
        ran.err
            .contains("Removed 1 known finding from .reconnect-lint-baseline.json"),
        "{}",
        ran.err
    );
    assert!(shop.read(".reconnect-lint-baseline.json").contains("\"findings\": []"));
}

#[test]
fn only_changed_lines_are_reported() {
    let shop = Project::new(&[("shop/app.py", APP), ("shop/old.py", APP), REQUIREMENTS]);
    shop.git(&["init", "--quiet"]);
    shop.git(&["add", "."]);
    shop.git(&["commit", "--quiet", "-m", "first"]);
    let places = |arguments: &[&str]| -> Vec<String> {
        let ran = shop.run(&[arguments, &["--output-format", "concise"]].concat());
        assert!(ran.status < 2, "{}", ran.err);
        ran.out
            .lines()
            .map(|line| line.split(": ").next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(places(&["--changed"]), Vec::<String>::new());
    shop.write(
        "shop/app.py",
        &format!("{APP}\n\ndef more():\n    return users.find_one({{}})\n"),
    );
    shop.write("shop/new ü.py", APP);
    assert_eq!(places(&["--changed"]), ["shop/app.py:9:12", "shop/new ü.py:5:12"]);
    assert_eq!(places(&["--staged"]), Vec::<String>::new());
    shop.git(&["add", "."]);
    assert_eq!(places(&["--staged"]), ["shop/app.py:9:12", "shop/new ü.py:5:12"]);
    shop.git(&["commit", "--quiet", "-m", "second"]);
    assert_eq!(places(&["--changed"]), Vec::<String>::new());
    assert_eq!(
        places(&["--since", "HEAD~1"]),
        ["shop/app.py:9:12", "shop/new ü.py:5:12"]
    );
    let failed = shop.run(&["--since", "nowhere"]);
    assert_eq!(failed.status, 2);
    assert!(failed.err.contains("git knows no commit `nowhere`"), "{}", failed.err);
}

#[test]
fn suppressions_are_added_and_removed() {
    let shop = shop();
    let ran = shop.run(&["shop", "--add-suppressions=known"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(
        shop.read("shop/app.py")
            .ends_with("  # reconnect-lint: ignore[RL101] known\n")
    );
    shop.write(
        "shop/app.py",
        &shop.read("shop/app.py").replace("users.find_one", "users.name"),
    );
    let diff = shop.run(&["shop", "--diff"]);
    assert_eq!(diff.status, 1);
    insta::assert_snapshot!("diff", diff.out);
    assert_eq!(shop.run(&["shop", "--remove-unused-suppressions"]).status, 0);
    assert!(shop.read("shop/app.py").ends_with("users.name({\"name\": name})\n"));
    assert_eq!(shop.run(&["shop", "--diff"]).status, 0);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_failure() {
    let shop = shop();
    let program = assert_cmd::cargo::cargo_bin!("reconnect-lint");
    let script = format!(
        "{} rule RL101 2>err.txt | true; {} shop 2>>err.txt | true; sleep 0.2",
        program.display(),
        program.display()
    );
    std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(shop.path())
        .status()
        .expect("there is a shell");
    assert!(!shop.read("err.txt").contains("panicked"), "{}", shop.read("err.txt"));
}

/// What a pre-commit hook does.
#[test]
fn a_file_given_by_name_is_checked_with_the_project_around_it() {
    let project = Project::new(&[
        ("shop/__init__.py", ""),
        (
            "shop/db.py",
            "from pymongo import MongoClient\n\nusers = MongoClient(\"mongodb://a,b/\").app.users\n",
        ),
        (
            "shop/app.py",
            "from .db import users\n\n\ndef greet(name):\n    return users.find_one({\"name\": name})\n",
        ),
        REQUIREMENTS,
    ]);
    let whole = project.path().join("shop/app.py").display().to_string();
    for name in ["shop/app.py", "./shop/app.py", &whole] {
        let ran = project.run(&[name, "--output-format", "concise"]);
        assert!(
            ran.out.contains("shop/app.py:5:12: error[RL101]"),
            "{name}: {}{}",
            ran.out,
            ran.err
        );
    }
}
