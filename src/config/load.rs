//! One configuration file, or one `--config key=value`: from text to a checked [`Layer`].

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::globs::Patterns;
use super::options::{ENV_KEYS, KEYS, Options, Text};
use super::selector::{Selection, Selector};
use super::settings::FailOn;
use crate::analysis::EnvNames;
use crate::diagnostics::{Problem, Problems};
use crate::findings::{Code, Confidence, Severity};
use crate::{report, suggest};

/// File names that are looked for in a folder, the strongest first, with the sections that may hold our keys.
pub const FILES: &[(&str, &[&[&str]])] = &[
    ("reconnect-lint.toml", &[&[]]),
    (".reconnect-lint.toml", &[&[]]),
    ("pyproject.toml", &[&["tool", "reconnect-lint"]]),
    // The workspace's first: the package's own is the stronger one.
    (
        "Cargo.toml",
        &[
            &["workspace", "metadata", "reconnect-lint"],
            &["package", "metadata", "reconnect-lint"],
        ],
    ),
];

/// Keys that hold for a whole run, and so are read only from the configuration of the first path.
const RUN_WIDE: &[&str] = &["include-tests", "fail-on", "output-format", "baseline", "rules", "env"];

/// The checked content of one file.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// The folder that its paths and patterns are relative to.
    pub root: PathBuf,
    /// The file that it builds on.
    pub extend: Option<(PathBuf, Range<usize>)>,
    /// `select`, `extend-select`, `ignore`.
    pub selection: Selection,
    /// `severity`.
    pub severity: Vec<(Selector, Severity)>,
    /// `per-file-ignores`.
    pub per_file_ignores: Vec<(Patterns, Vec<Code>)>,
    /// `exclude`.
    pub exclude: Option<Patterns>,
    /// `extend-exclude`.
    pub extend_exclude: Patterns,
    /// `include-tests`.
    pub include_tests: Option<bool>,
    /// `fail-on`.
    pub fail_on: Option<FailOn>,
    /// `min-confidence`.
    pub min_confidence: Option<Confidence>,
    /// `output-format`.
    pub output_format: Option<&'static str>,
    /// `baseline`.
    pub baseline: Option<PathBuf>,
    /// `rules`.
    pub rules: Vec<PathBuf>,
    /// `env`.
    pub env: Option<EnvNames>,
    /// Places of keys that hold for a whole run.
    pub run_wide: Vec<(&'static str, Range<usize>)>,
}

/// A file with its layers; the last is the strongest.
pub struct Loaded {
    /// Where it is.
    pub path: PathBuf,
    /// Its layers, or none if it has no section of ours.
    pub layers: Vec<Layer>,
    /// Its text with what is wrong in it.
    pub problems: Problems,
}

/// Reads a file. `shown` is its name in messages.
pub fn read(path: &Path, shown: &str) -> Loaded {
    let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let mut problems = Problems::new(shown, "");
            problems
                .problems
                .push(Problem::general(format!("the configuration cannot be read: {error}")));
            return Loaded {
                path: path.to_owned(),
                layers: Vec::new(),
                problems,
            };
        }
    };
    let mut problems = Problems::new(shown, text);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let sections = FILES
        .iter()
        .find(|(file, _)| *file == name)
        .map_or(&[&[] as &[&str]] as &[_], |(_, sections)| *sections);
    let layers = layers(sections, &root, &mut problems);
    Loaded {
        path: path.to_owned(),
        layers,
        problems,
    }
}

/// Reads `key=value` of the command line. A value that is no TOML is taken as a string, for shells eat quotes.
pub fn read_override(argument: &str, root: &Path) -> Loaded {
    let mut text = argument.to_owned();
    if let Some((key, value)) = argument.split_once('=')
        && DeTable::parse(argument).is_err()
    {
        text = format!("{key}={:?}", value.trim());
    }
    let mut problems = Problems::new("--config", text);
    let layers = layers(&[&[]], root, &mut problems);
    Loaded {
        path: PathBuf::from("--config"),
        layers,
        problems,
    }
}

fn layers(sections: &[&[&str]], root: &Path, problems: &mut Problems) -> Vec<Layer> {
    let text = problems.text.clone();
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            // A broken manifest that never speaks of us is for its own tool to report.
            if sections == [&[] as &[&str]] || text.contains("reconnect-lint") {
                problems.problems.push(Problem::from_toml(&error));
            }
            return Vec::new();
        }
    };
    let value = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let mut layers = Vec::new();
    for section in sections {
        let mut place = Some(&value);
        for &key in *section {
            place = place.and_then(|value| value.get_ref().get(key));
        }
        if let Some(value) = place {
            layers.push(layer(value, root, problems));
        }
    }
    layers
}

fn layer(value: &Spanned<DeValue<'_>>, root: &Path, problems: &mut Problems) -> Layer {
    let found = &mut problems.problems;
    let before = found.len();
    unknown_keys(value, KEYS, "", found);
    if let Some(env) = value.get_ref().get("env") {
        unknown_keys(env, ENV_KEYS, "env.", found);
    }
    if found.len() > before {
        return Layer::default();
    }
    match Options::deserialize(toml::de::ValueDeserializer::from(value.clone())) {
        Ok(options) => check(&options, root, run_wide(value), found),
        Err(error) => {
            found.push(Problem::from_toml(&error));
            Layer::default()
        }
    }
}

/// Reports all keys that are not known, not only the first one.
fn unknown_keys(value: &Spanned<DeValue<'_>>, known: &[&str], prefix: &str, found: &mut Vec<Problem>) {
    let DeValue::Table(table) = value.get_ref() else { return };
    for key in table.keys() {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            // `fail_on` for `fail-on` is the most frequent mistake of all.
            let dashed = name.replace('_', "-");
            let help = if known.contains(&dashed.as_str()) {
                format!("did you mean `{dashed}`?")
            } else {
                suggest::did_you_mean(name, known.iter().copied())
                    .unwrap_or_else(|| format!("known keys: {}", known.join(", ")))
            };
            found.push(Problem::new(format!("unknown key `{prefix}{name}`"), key.span()).help(Some(help)));
        }
    }
}

fn run_wide(value: &Spanned<DeValue<'_>>) -> Vec<(&'static str, Range<usize>)> {
    let DeValue::Table(table) = value.get_ref() else {
        return Vec::new();
    };
    let place = |name: &&'static str| {
        table
            .keys()
            .find(|key| key.get_ref().as_ref() == *name)
            .map(|key| (*name, key.span()))
    };
    RUN_WIDE.iter().filter_map(place).collect()
}

/// Checks every value; each mistake is a problem at its place.
fn check(
    options: &Options,
    root: &Path,
    run_wide: Vec<(&'static str, Range<usize>)>,
    found: &mut Vec<Problem>,
) -> Layer {
    let mut checker = Checker { root, found };
    Layer {
        root: root.to_path_buf(),
        extend: options
            .extend
            .as_ref()
            .and_then(|text| checker.existing(text, "configuration").map(|path| (path, text.span()))),
        selection: Selection {
            select: options.select.as_ref().map(|words| checker.selectors(words)),
            extend_select: checker.selectors(options.extend_select.as_deref().unwrap_or_default()),
            ignore: checker.selectors(options.ignore.as_deref().unwrap_or_default()),
        },
        severity: options
            .severity
            .iter()
            .flatten()
            .filter_map(|(rule, word)| {
                let severity = checker.word(word, "severity", &["error", "warning", "note"]);
                Some((checker.selector(rule)?, severity?))
            })
            .collect(),
        per_file_ignores: options
            .per_file_ignores
            .iter()
            .flatten()
            .map(|(pattern, words)| {
                let patterns = checker.patterns(std::slice::from_ref(pattern));
                let codes = checker
                    .selectors(words)
                    .iter()
                    .flat_map(|selector| selector.codes().to_vec())
                    .collect();
                (patterns, codes)
            })
            .collect(),
        exclude: options.exclude.as_ref().map(|patterns| checker.patterns(patterns)),
        extend_exclude: checker.patterns(options.extend_exclude.as_deref().unwrap_or_default()),
        include_tests: options.include_tests.as_ref().map(|value| *value.get_ref()),
        fail_on: options
            .fail_on
            .as_ref()
            .and_then(|word| checker.word(word, "failing level", &["error", "warning", "note", "never"])),
        min_confidence: options
            .min_confidence
            .as_ref()
            .and_then(|word| checker.word(word, "confidence", &["certain", "likely"])),
        output_format: options.output_format.as_ref().and_then(|word| checker.format(word)),
        // Whether it exists is checked when it is read: `--write-baseline` makes it.
        baseline: options.baseline.as_ref().map(|text| root.join(text.get_ref())),
        rules: options
            .rules
            .iter()
            .flatten()
            .filter_map(|text| checker.existing(text, "driver file"))
            .collect(),
        env: options.env.as_ref().map(|env| EnvNames {
            prefixes: checker.names(env.prefixes.as_deref().unwrap_or_default()),
            names: checker.names(env.names.as_deref().unwrap_or_default()),
        }),
        run_wide,
    }
}

struct Checker<'a> {
    root: &'a Path,
    found: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn selector(&mut self, word: &Text) -> Option<Selector> {
        match Selector::parse(word.get_ref()) {
            Ok(selector) => Some(selector),
            Err(help) => {
                self.found
                    .push(Problem::new(format!("unknown rule `{}`", word.get_ref()), word.span()).help(Some(help)));
                None
            }
        }
    }

    fn selectors(&mut self, words: &[Text]) -> Vec<Selector> {
        words.iter().filter_map(|word| self.selector(word)).collect()
    }

    /// One of a few words.
    fn word<T: std::str::FromStr>(&mut self, word: &Text, what: &str, known: &[&str]) -> Option<T> {
        let parsed = word.get_ref().parse().ok();
        if parsed.is_none() {
            let help = suggest::did_you_mean(word.get_ref(), known.iter().copied())
                .unwrap_or_else(|| format!("one of: {}", known.join(", ")));
            let message = format!("unknown {what} `{}`", word.get_ref());
            self.found.push(Problem::new(message, word.span()).help(Some(help)));
        }
        parsed
    }

    fn format(&mut self, word: &Text) -> Option<&'static str> {
        let found = report::find(word.get_ref()).map(report::Format::name);
        if found.is_none() {
            let names: Vec<&str> = report::FORMATS.iter().map(|format| format.name()).collect();
            let help = suggest::did_you_mean(word.get_ref(), names.iter().copied())
                .unwrap_or_else(|| format!("one of: {}", names.join(", ")));
            let message = format!("unknown output format `{}`", word.get_ref());
            self.found.push(Problem::new(message, word.span()).help(Some(help)));
        }
        found
    }

    fn patterns(&mut self, words: &[Text]) -> Patterns {
        let mut patterns = Patterns::default();
        for word in words {
            if let Err(error) = patterns.add(word.get_ref()) {
                let message = format!("`{}` is no pattern of paths", word.get_ref());
                self.found.push(Problem::new(message, word.span()).help(Some(error)));
            }
        }
        patterns
    }

    fn existing(&mut self, word: &Text, what: &str) -> Option<PathBuf> {
        let path = self.root.join(word.get_ref());
        if path.exists() {
            return Some(path);
        }
        let help = suggest::path(&path).map(|similar| {
            let similar = similar.strip_prefix(self.root).unwrap_or(&similar);
            format!("did you mean `{}`?", similar.display())
        });
        let message = format!("no such {what}: `{}`", word.get_ref());
        let help = help.or_else(|| Some(format!("paths are relative to `{}`", self.root.display())));
        self.found.push(Problem::new(message, word.span()).help(help));
        None
    }

    /// Names or prefixes of environment variables.
    fn names(&mut self, words: &[Text]) -> Vec<String> {
        for word in words {
            if word.get_ref().is_empty() || !word.get_ref().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                let message = format!("`{}` is no name of an environment variable", word.get_ref());
                self.found
                    .push(Problem::new(message, word.span()).help(Some("letters, digits and `_`")));
            }
        }
        words.iter().map(|word| word.get_ref().clone()).collect()
    }
}
