//! The registry of rules, made of the texts in `rules/lints` that are embedded at build time.
//!
//! A rule's identity (code, name, severity, since) stands in the front matter of its text and nowhere else.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::findings::{Code, Severity};

/// Where the rules can be read on the web.
pub const RULES_URL: &str = "https://github.com/reconnect-lint/reconnect-lint/blob/main/rules/lints";

/// The texts with their file names, from `build.rs`.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_texts.rs"));

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules: Vec<Rule> = EMBEDDED
        .iter()
        .filter_map(|&(file, text)| Rule::parse(file, text).ok())
        .collect();
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// One rule, as its text describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable code.
    pub code: Code,
    /// The kebab-case name.
    pub name: &'static str,
    /// Unless configured otherwise.
    pub severity: Severity,
    /// The version that brought it.
    pub since: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The Markdown below the front matter.
    pub body: &'static str,
}

impl Rule {
    /// Reads a text; the error says what is wrong with its front matter.
    pub fn parse(file: &str, text: &'static str) -> Result<Self, String> {
        let (front, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or_else(|| format!("{file}: no front matter between two lines of `---`"))?;
        let field = |key: &str| {
            front
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| format!("{file}: the front matter has no `{key}`"))
        };
        let rule = Self {
            code: field("code")?
                .parse()
                .map_err(|()| format!("{file}: `code` is not of the form RL101"))?,
            name: field("name")?,
            severity: field("severity")?
                .parse()
                .map_err(|()| format!("{file}: unknown `severity`"))?,
            since: field("since")?,
            summary: field("summary")?,
            body: body.trim(),
        };
        let expected = rule.file();
        if file == expected {
            Ok(rule)
        } else {
            Err(format!("{file}: should be called {expected}"))
        }
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        format!("{}-{}.md", self.code, self.name)
    }

    /// Where it can be read on the web.
    pub fn url(&self) -> String {
        url(self.code, self.name)
    }

    /// The whole text as Markdown, with a title and the front matter in words.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "# {} {}\n", self.code, self.name);
        let _ = writeln!(text, "{}\n", self.summary);
        let _ = writeln!(text, "Severity: {}, since {}\n", self.severity, self.since);
        let _ = writeln!(text, "{}", self.body);
        text
    }
}

/// The address of a rule's text.
pub fn url(code: Code, name: &str) -> String {
    format!("{RULES_URL}/{code}-{name}.md")
}

/// All rules in the order of their codes.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// Code, name and severity of every rule, as suppressions want them.
pub fn known() -> Vec<(Code, &'static str, Severity)> {
    rules()
        .iter()
        .map(|rule| (rule.code, rule.name, rule.severity))
        .collect()
}

/// The rule with this code (in upper or lower case) or name.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    let upper = code_or_name.to_ascii_uppercase();
    rules()
        .iter()
        .find(|rule| rule.name == code_or_name || upper.parse() == Ok(rule.code))
}

/// The rule with this code.
pub fn by_code(code: Code) -> Option<&'static Rule> {
    rules().iter().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_a_correct_front_matter_and_all_sections() {
        let sections = [
            "What it does",
            "Why is this bad",
            "Example",
            "Use instead",
            "Fix safety",
            "Known limits",
        ]
        .map(|s| format!("## {s}\n"));
        for (file, text) in EMBEDDED {
            let rule = Rule::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            for section in &sections {
                assert!(rule.body.contains(section), "{file} lacks the section {section:?}");
            }
            assert!(
                !rule.summary.ends_with('.'),
                "{file}: the summary ends with a full stop"
            );
        }
    }

    #[test]
    fn codes_and_names_are_unique() {
        for (i, rule) in rules().iter().enumerate() {
            assert!(
                rules()[..i]
                    .iter()
                    .all(|other| other.code != rule.code && other.name != rule.name),
                "{}",
                rule.code
            );
        }
    }

    #[test]
    fn a_rule_is_found_by_code_and_by_name() {
        for rule in rules() {
            assert_eq!(find(&rule.code.to_string()), Some(rule));
            assert_eq!(find(rule.name), Some(rule));
        }
        assert_eq!(find("RL999"), None);
    }
}
