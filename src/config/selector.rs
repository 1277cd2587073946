//! How rules are named in `select`, `ignore` and their like: by code, by prefix, by name, or `ALL`.

use std::collections::BTreeMap;

use crate::findings::Code;
use crate::lints::texts;
use crate::suggest;

/// A set of rules by one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    codes: Vec<Code>,
    /// How specific it is: digits of the code that are given, so that `RL101` is stronger than `RL1`.
    specificity: usize,
}

impl Selector {
    /// Understands a word; the error is a "did you mean".
    pub fn parse(word: &str) -> Result<Self, String> {
        if word == "ALL" {
            return Ok(Self {
                codes: texts::rules().iter().map(|rule| rule.code).collect(),
                specificity: 0,
            });
        }
        if let Some(rule) = texts::find(word) {
            return Ok(Self {
                codes: vec![rule.code],
                specificity: 5,
            });
        }
        let upper = word.to_ascii_uppercase();
        let codes: Vec<Code> = texts::rules()
            .iter()
            .map(|rule| rule.code)
            .filter(|code| upper.len() >= 2 && code.to_string().starts_with(&upper))
            .collect();
        if codes.is_empty() {
            Err(suggest::rule(
                word,
                texts::rules().iter().map(|rule| (rule.code.to_string(), rule.name)),
            ))
        } else {
            Ok(Self {
                codes,
                specificity: upper.len(),
            })
        }
    }

    /// The rules that are meant.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }
}

/// One layer of a selection: a file or the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Replaces what the layers below selected.
    pub select: Option<Vec<Selector>>,
    /// Adds to it.
    pub extend_select: Vec<Selector>,
    /// Takes away from it.
    pub ignore: Vec<Selector>,
}

impl Selection {
    /// Changes what the layers below switched on. Within a layer the more specific word wins, and `ignore` a draw.
    pub fn apply(&self, enabled: &mut Vec<Code>) {
        if self.select.is_some() {
            enabled.clear();
        }
        let mut decisions: BTreeMap<Code, (usize, bool)> = BTreeMap::new();
        let selected = self
            .select
            .iter()
            .flatten()
            .chain(&self.extend_select)
            .map(|selector| (selector, true));
        for (selector, on) in selected.chain(self.ignore.iter().map(|selector| (selector, false))) {
            for &code in &selector.codes {
                let decision = decisions.entry(code).or_insert((selector.specificity, on));
                if selector.specificity > decision.0 || (selector.specificity == decision.0 && !on) {
                    *decision = (selector.specificity, on);
                }
            }
        }
        for (code, (_, on)) in decisions {
            match (on, enabled.iter().position(|&c| c == code)) {
                (true, None) => enabled.push(code),
                (false, Some(index)) => {
                    enabled.remove(index);
                }
                _ => {}
            }
        }
        enabled.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selectors(words: &[&str]) -> Vec<Selector> {
        words
            .iter()
            .map(|word| Selector::parse(word).expect("a rule"))
            .collect()
    }

    fn enabled(layers: &[Selection]) -> Vec<String> {
        let mut codes = texts::rules().iter().map(|rule| rule.code).collect();
        for layer in layers {
            layer.apply(&mut codes);
        }
        codes.iter().map(Code::to_string).collect()
    }

    #[test]
    fn the_more_specific_word_wins() {
        let layer = Selection {
            select: Some(selectors(&["RL2"])),
            ignore: selectors(&["RL201"]),
            ..Selection::default()
        };
        assert_eq!(enabled(&[layer]), ["RL202", "RL203", "RL204"]);
        let layer = Selection {
            select: Some(selectors(&["RL201"])),
            ignore: selectors(&["RL2"]),
            ..Selection::default()
        };
        assert_eq!(enabled(&[layer]), ["RL201"]);
        let layer = Selection {
            select: Some(selectors(&["RL401"])),
            ignore: selectors(&["mongodb-url-parts"]),
            ..Selection::default()
        };
        assert_eq!(enabled(&[layer]), Vec::<String>::new());
    }

    #[test]
    fn a_later_layer_is_stronger_than_an_earlier_one() {
        let file = Selection {
            ignore: selectors(&["RL101"]),
            ..Selection::default()
        };
        let line = Selection {
            select: Some(selectors(&["RL101", "RL102"])),
            ..Selection::default()
        };
        assert_eq!(enabled(&[file.clone(), line]), ["RL101", "RL102"]);
        let line = Selection {
            extend_select: selectors(&["RL101"]),
            ..Selection::default()
        };
        assert!(enabled(&[file, line]).contains(&"RL101".to_owned()));
    }

    #[test]
    fn what_names_no_rule_is_refused() {
        for word in [
            "",
            "R",
            "E501",
            "RL",
            "RL1",
            "RL10",
            "rl101",
            "RL999",
            "RL1010",
            "unguarded-curser",
        ] {
            let known = matches!(word, "RL" | "RL1" | "RL10" | "rl101");
            assert_eq!(Selector::parse(word).is_ok(), known, "{word:?}");
        }
        assert_eq!(
            Selector::parse("unguarded-curser"),
            Err("did you mean `unguarded-cursor`?".to_owned())
        );
    }
}
