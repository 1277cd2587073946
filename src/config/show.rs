//! `--show-settings`: what holds for a path, as TOML that could be a configuration.

use std::fmt::{self, Write as _};

use super::settings::{Rooted, Settings};
use crate::lints::texts;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(path) => writeln!(f, "# from {}", path.display())?,
            None => writeln!(f, "# no configuration file: the defaults")?,
        }
        let rules = texts::rules()
            .iter()
            .filter(|rule| self.enabled.binary_search(&rule.code).is_ok());
        writeln!(f, "select = [")?;
        for rule in rules {
            writeln!(f, "    \"{}\", # {}", rule.code, rule.name)?;
        }
        writeln!(f, "]")?;
        writeln!(f, "exclude = {}", patterns(&self.exclude))?;
        writeln!(f, "include-tests = {}", self.include_tests)?;
        writeln!(f, "fail-on = \"{}\"", self.fail_on.as_str())?;
        writeln!(f, "min-confidence = \"{}\"", self.min_confidence)?;
        if let Some(format) = self.output_format {
            writeln!(f, "output-format = \"{format}\"")?;
        }
        if let Some(baseline) = &self.baseline {
            writeln!(f, "baseline = {:?}", baseline.display().to_string())?;
        }
        if !self.rules.is_empty() {
            let paths: Vec<String> = self
                .rules
                .iter()
                .map(|path| format!("{:?}", path.display().to_string()))
                .collect();
            writeln!(f, "rules = [{}]", paths.join(", "))?;
        }
        if !self.severity.is_empty() {
            writeln!(f, "\n[severity]")?;
            for rule in texts::rules() {
                if let Some((_, severity)) = self.severity.iter().rev().find(|(s, _)| s.codes().contains(&rule.code)) {
                    writeln!(f, "{} = \"{severity}\" # {}", rule.code, rule.name)?;
                }
            }
        }
        if !self.per_file_ignores.is_empty() {
            writeln!(f, "\n[per-file-ignores]")?;
            for ((_, patterns), codes) in &self.per_file_ignores {
                let codes: Vec<String> = codes.iter().map(|code| format!("\"{code}\"")).collect();
                for pattern in patterns.texts() {
                    writeln!(f, "{pattern:?} = [{}]", codes.join(", "))?;
                }
            }
        }
        if !self.env.prefixes.is_empty() || !self.env.names.is_empty() {
            writeln!(
                f,
                "\n[env]\nprefixes = {:?}\nnames = {:?}",
                self.env.prefixes, self.env.names
            )?;
        }
        Ok(())
    }
}

fn patterns(rooted: &[Rooted]) -> String {
    let mut text = String::from("[");
    for (i, pattern) in rooted.iter().flat_map(|(_, patterns)| patterns.texts()).enumerate() {
        let _ = write!(text, "{}{pattern:?}", if i > 0 { ", " } else { "" });
    }
    text + "]"
}
