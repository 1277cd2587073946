//! The keys of the configuration as people write them. The JSON Schema is made from this file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A text with its place in the file.
pub type Text = Spanned<String>;

/// Configuration of reconnect-lint.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
#[schemars(title = "reconnect-lint")]
pub struct Options {
    /// Another configuration file that this one builds on. Relative to this file.
    #[schemars(with = "Option<String>")]
    pub extend: Option<Text>,

    /// Rules to check instead of all: codes (`RL101`), prefixes (`RL1`), names (`unguarded-cursor`) or `ALL`.
    #[schemars(with = "Option<Vec<String>>")]
    pub select: Option<Vec<Text>>,

    /// Rules not to check. The more specific of `select` and `ignore` wins.
    #[schemars(with = "Option<Vec<String>>")]
    pub ignore: Option<Vec<Text>>,

    /// Rules to check besides those of `select`.
    #[schemars(with = "Option<Vec<String>>")]
    pub extend_select: Option<Vec<Text>>,

    /// Severity of single rules (codes, prefixes, names): `error`, `warning` or `note`.
    #[schemars(with = "Option<BTreeMap<String, SeverityWord>>")]
    pub severity: Option<BTreeMap<Text, Text>>,

    /// Rules not to check in the files that a pattern matches.
    #[schemars(with = "Option<BTreeMap<String, Vec<String>>>")]
    pub per_file_ignores: Option<BTreeMap<Text, Vec<Text>>>,

    /// Patterns of files and folders not to read, instead of the built-in ones (`.venv`, `node_modules`, ...).
    #[schemars(with = "Option<Vec<String>>")]
    pub exclude: Option<Vec<Text>>,

    /// Patterns of files and folders not to read, besides those of `exclude`.
    #[schemars(with = "Option<Vec<String>>")]
    pub extend_exclude: Option<Vec<Text>>,

    /// Whether tests, examples, migrations and vendored code are checked for RL1xx and RL2xx. Default: `false`.
    #[schemars(with = "Option<bool>")]
    pub include_tests: Option<Spanned<bool>>,

    /// The least severity that makes the exit status 1. Default: `error`.
    #[schemars(with = "Option<FailOnWord>")]
    pub fail_on: Option<Text>,

    /// The least confidence that is reported. Default: `likely`.
    #[schemars(with = "Option<ConfidenceWord>")]
    pub min_confidence: Option<Text>,

    /// How findings are written, as `--output-format`. Default: `full`.
    #[schemars(with = "Option<String>")]
    pub output_format: Option<Text>,

    /// A file of known findings that are not reported, made with `--write-baseline`. Relative to this file.
    #[schemars(with = "Option<String>")]
    pub baseline: Option<Text>,

    /// The team's own driver files, or folders of them. Relative to this file.
    #[schemars(with = "Option<Vec<String>>")]
    pub rules: Option<Vec<Text>>,

    /// What RL401 (mongodb-url-parts) looks for.
    pub env: Option<EnvOptions>,
}

/// Which environment variables RL401 (mongodb-url-parts) means.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct EnvOptions {
    /// Only variables with one of these prefixes are meant, such as `SHOP_`. Default: any prefix.
    #[schemars(with = "Option<Vec<String>>")]
    pub prefixes: Option<Vec<Text>>,

    /// Further names that are parts of a database's address, such as `DB_HOST`.
    #[schemars(with = "Option<Vec<String>>")]
    pub names: Option<Vec<Text>>,
}

/// Keys at the top level, in the order of the schema; a test compares them.
pub const KEYS: &[&str] = &[
    "extend",
    "select",
    "ignore",
    "extend-select",
    "severity",
    "per-file-ignores",
    "exclude",
    "extend-exclude",
    "include-tests",
    "fail-on",
    "min-confidence",
    "output-format",
    "baseline",
    "rules",
    "env",
];

/// Keys of `env`.
pub const ENV_KEYS: &[&str] = &["prefixes", "names"];

/// A severity, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // only its schema is used
enum SeverityWord {
    Error,
    Warning,
    Note,
}

/// A failing level, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // only its schema is used
enum FailOnWord {
    Error,
    Warning,
    Note,
    Never,
}

/// A confidence, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)] // only its schema is used
enum ConfidenceWord {
    Certain,
    Likely,
}

/// What `--config` takes: a file, or one key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Override {
    /// Take the place of every configuration file.
    File(std::path::PathBuf),
    /// `key = value` in TOML, stronger than any file.
    Key(String),
}

impl std::str::FromStr for Override {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A file of that name wins: a path may contain `=`, a key never names an existing file by accident.
        if text.contains('=') && !std::path::Path::new(text).exists() {
            Ok(Self::Key(text.to_owned()))
        } else {
            Ok(Self::File(text.into()))
        }
    }
}
