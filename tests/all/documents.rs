//! README.md and `docs/` are true: tables and pages are made from `rules/` and `--help`, and links lead somewhere.
//!
//! What is stale is written anew, and the test fails so that the change is looked at and committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use reconnect_lint::knowledge::{LIBRARIES, LanguageName, LibraryFile, Role};
use reconnect_lint::lints::texts;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs the program at the root of the repository.
fn run(arguments: &[&str]) -> String {
    let output = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("reconnect-lint"))
        .current_dir(root())
        .args(arguments)
        .env("COLUMNS", "100")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITLAB_CI")
        .output()
        .expect("the program can be started");
    String::from_utf8(output.stdout).expect("its output is text")
}

/// Compares files with what they should be; all that differ are written anew.
#[derive(Default)]
pub struct Fresh {
    stale: Vec<String>,
}

impl Fresh {
    /// A file below the root of the repository.
    pub fn file(&mut self, path: &str, expected: &str) {
        let full = root().join(path);
        // A checkout may have other line ends.
        if fs::read_to_string(&full).unwrap_or_default().replace("\r\n", "\n") != expected {
            fs::create_dir_all(full.parent().expect("below the root")).expect("the folder can be made");
            fs::write(&full, expected).expect("it can be written");
            self.stale.push(path.to_owned());
        }
    }

    fn gone(&mut self, path: &Path) {
        fs::remove_file(path).expect("it can be removed");
        self.stale.push(path.display().to_string());
    }

    /// Fails if something was written.
    pub fn finish(self) {
        assert!(
            self.stale.is_empty(),
            "stale, and written anew: look at the change and commit it: {:?}",
            self.stale
        );
    }
}

/// The text with the lines between `<!-- name:begin` and `<!-- name:end` replaced.
fn with_block(text: &str, name: &str, block: &str) -> String {
    let begin = format!("<!-- {name}:begin");
    let end = format!("<!-- {name}:end -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (head, rest) = rest.split_once('\n').expect("the mark is a line");
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{head}\n{}\n{end}{after}", block.trim_end())
}

fn rules_table(folder: &str) -> String {
    let mut table = String::from("| code | name | severity | what it finds |\n|---|---|---|---|\n");
    for rule in texts::rules() {
        let link = format!("[{}]({folder}/{})", rule.code, rule.file());
        writeln!(
            table,
            "| {link} | {} | {} | {} |",
            rule.name, rule.severity, rule.summary
        )
        .expect("a string takes it");
    }
    table
}

fn libraries() -> Vec<LibraryFile> {
    LIBRARIES
        .iter()
        .filter(|l| l.role != "std")
        .map(reconnect_lint::knowledge::Embedded::parse)
        .collect()
}

fn language(name: LanguageName) -> &'static str {
    match name {
        LanguageName::Python => "Python",
        LanguageName::Rust => "Rust",
    }
}

fn store(file: &LibraryFile) -> String {
    match (file.library.role, file.library.store.as_deref()) {
        (Role::Retry, _) => "retries".into(),
        (Role::Framework, _) => "frameworks".into(),
        (_, Some("mongodb")) => "MongoDB".into(),
        (_, Some("redis")) => "Redis".into(),
        (_, Some("mysql")) => "MySQL, MariaDB".into(),
        (_, Some("postgresql")) => "PostgreSQL".into(),
        (_, Some("sql")) => "several SQL stores".into(),
        (_, Some(other)) => other.into(),
        (_, None) => "any store".into(),
    }
}

/// The names under which a library is installed.
fn packages(file: &LibraryFile) -> String {
    let head = &file.library;
    if head.packages.is_empty() {
        head.name.clone()
    } else {
        head.packages.join(", ")
    }
}

fn libraries_table() -> String {
    let mut cells: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for file in libraries() {
        let names = packages(&file);
        let first = names.split(", ").next().unwrap_or_default().to_owned();
        cells
            .entry((store(&file), language(file.library.language)))
            .or_default()
            .insert(first);
    }
    let languages: BTreeSet<&str> = cells.keys().map(|(_, language)| *language).collect();
    let mut stores: Vec<&String> = cells.keys().map(|(store, _)| store).collect();
    stores.dedup();
    // Stores first (they begin with a capital or are many), then what is around them.
    stores.sort_by_key(|s| (matches!(s.as_str(), "retries" | "frameworks"), s.to_lowercase()));
    let mut table = String::from("| |");
    for language in &languages {
        write!(table, " {language} |").expect("a string takes it");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(languages.len()));
    table.push('\n');
    for store in stores {
        write!(table, "| {store} |").expect("a string takes it");
        for language in &languages {
            let mut names: Vec<String> = cells
                .get(&(store.clone(), *language))
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            names.sort_by_key(|n| n.to_lowercase());
            write!(table, " {} |", names.join(", ")).expect("a string takes it");
        }
        table.push('\n');
    }
    table
}

/// The finding of the README: everything about one code, up to the empty line after it.
fn output() -> String {
    let all = run(&[
        "fixtures/shop",
        "--isolated",
        "--quiet",
        "--color",
        "never",
        "--output-format",
        "full",
    ]);
    let start = all.find("error[RL103]").expect("fixtures/shop has an RL103");
    let finding: Vec<&str> = all[start..].lines().map(str::trim_end).collect();
    let end = finding
        .iter()
        .position(|line| line.contains("= rule:"))
        .expect("a finding ends with its rule");
    format!("```text\n{}\n```", finding[..=end].join("\n"))
}

/// How many of the small programs are judged right, by category.
fn programs() -> String {
    let scores = crate::python_flow::scores();
    let right: usize = scores.values().map(|s| s.right).sum();
    let all: usize = scores.values().map(|s| s.all).sum();
    let categories: Vec<String> = scores
        .iter()
        .map(|(name, s)| format!("{} {}/{}", name.replace('_', " "), s.right, s.all))
        .collect();
    format!(
        "*Programs* in `tests/python` follow a handle or an error through one feature of the language each; {right} of {all} are judged right\n\
         ({}).\nThe others are marked there, with the reason. `tests/oracle` runs them with the real driver and loses the connection at each call: \
         every mark holds.",
        categories.join(", ")
    )
}

#[test]
fn the_readme_is_fresh() {
    let text = read("README.md").replace("\r\n", "\n");
    let text = with_block(&text, "output", &output());
    let text = with_block(&text, "rules", &rules_table("rules/lints"));
    let text = with_block(&text, "libraries", &libraries_table());
    let text = with_block(&text, "programs", &programs());
    let mut fresh = Fresh::default();
    fresh.file("README.md", &text);
    fresh.finish();
}

#[test]
fn the_readme_names_the_test_command_of_ci() {
    let command = "cargo test --locked";
    assert!(read(".ci/run").lines().any(|line| line == command));
    assert!(read("README.md").lines().any(|line| line == command));
}

const NOTE: &str = "<!-- Written by tests/all/documents.rs. -->\n\n";

fn rules_page() -> String {
    format!("{NOTE}# Rules\n\n{}", rules_table("rules"))
}

/// The page of a rule: its text is included from `rules/lints`, without the front matter.
fn rule_page(rule: &texts::Rule) -> String {
    let text = read(&format!("rules/lints/{}", rule.file()));
    let front = 2 + text.lines().skip(1).take_while(|line| *line != "---").count();
    let mut page = format!("{NOTE}# {} {}\n\n", rule.code, rule.name);
    writeln!(
        page,
        "{}\n\nSeverity: {}, since {}\n",
        rule.summary, rule.severity, rule.since
    )
    .expect("a string takes it");
    writeln!(
        page,
        "{{{{#include ../../../rules/lints/{}:{}:}}}}",
        rule.file(),
        front + 1
    )
    .expect("a string takes it");
    page
}

fn libraries_page() -> String {
    let mut page = format!(
        "{NOTE}# Libraries\n\nEach is described by one file below `rules/`. *Oldest* is the oldest version whose behaviour is described.\n"
    );
    let mut groups: BTreeMap<(&str, bool, String), Vec<LibraryFile>> = BTreeMap::new();
    for file in libraries() {
        let around = matches!(file.library.role, Role::Retry | Role::Framework);
        groups
            .entry((language(file.library.language), around, store(&file)))
            .or_default()
            .push(file);
    }
    for ((language, _, store), files) in groups {
        write!(
            page,
            "\n## {language}: {store}\n\n| library | packages | oldest | facts from |\n|---|---|---|---|\n"
        )
        .expect("a string takes it");
        for file in files {
            let head = &file.library;
            let oldest = head.oldest.as_deref().unwrap_or("");
            let source = head.source.replace('|', "\\|");
            writeln!(page, "| {} | {} | {oldest} | {source} |", head.name, packages(&file)).expect("a string takes it");
        }
    }
    page
}

fn cli_page() -> String {
    let help = run(&["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let block = |help: &str| {
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        format!("```text\n{}\n```\n", lines.join("\n"))
    };
    let mut page = format!("{NOTE}# Command line\n\n{}", block(&help));
    for command in commands {
        let help = run(&[command, "--help"]);
        // The flags of every command are told once, above.
        let own = help.split("\nGlobal options:").next().unwrap_or_default();
        write!(page, "\n## {command}\n\n{}", block(own)).expect("a string takes it");
    }
    page
}

fn summary() -> String {
    let mut page = String::from("# Summary\n\n[Introduction](introduction.md)\n\n- [Rules](rules.md)\n");
    for rule in texts::rules() {
        writeln!(page, "  - [{} {}](rules/{})", rule.code, rule.name, rule.file()).expect("a string takes it");
    }
    page.push_str("- [A first walk](walk.md)\n- [Libraries](libraries.md)\n- [Command line](cli.md)\n  - [Wrong inputs](wrong-inputs.md)\n- [Architecture](architecture.md)\n- [Contributing](contributing.md)\n");
    page
}

#[test]
fn the_book_is_fresh() {
    let mut fresh = Fresh::default();
    fresh.file("docs/src/SUMMARY.md", &summary());
    fresh.file("docs/src/rules.md", &rules_page());
    fresh.file("docs/src/libraries.md", &libraries_page());
    fresh.file("docs/src/cli.md", &cli_page());
    for rule in texts::rules() {
        fresh.file(&format!("docs/src/rules/{}", rule.file()), &rule_page(rule));
    }
    for entry in fs::read_dir(root().join("docs/src/rules"))
        .expect("it was written")
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !texts::rules().iter().any(|rule| rule.file() == name) {
            fresh.gone(&entry.path());
        }
    }
    fresh.finish();
}

/// Targets of links in a Markdown text that are files: `[text](target)`, without what follows `#`.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                found.push(target.to_owned());
            }
        }
        for rest in line.split("{{#include ").skip(1) {
            found.push(rest.split([':', '}']).next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn links_lead_somewhere() {
    let texts = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name));
    let pages = walkdir::WalkDir::new(root().join("docs/src"))
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "md"));
    let mut broken = Vec::new();
    let all: Vec<PathBuf> = texts.into_iter().chain(pages).collect();
    for path in all {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let folder = path.parent().expect("a file is in a folder");
        broken.extend(
            links(&text)
                .into_iter()
                .filter(|l| !folder.join(l).exists())
                .map(|l| format!("{}: {l}", path.display())),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn contributors_find_their_tests() {
    let text = read("CONTRIBUTING.md");
    for name in [
        "cargo test --locked",
        "cargo fmt --check",
        "cargo clippy --locked --all-targets",
    ] {
        assert!(text.contains(name), "CONTRIBUTING.md does not name `{name}`");
        assert!(read(".ci/run").contains(name), ".ci/run does not run `{name}`");
    }
}
