//! "Did you mean": similar names for what was misspelt, the same everywhere (rules, keys, commands, paths).

use std::path::{Path, PathBuf};

/// The most similar of the known names, if one is similar enough to be meant.
pub fn similar<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let candidate = name.to_lowercase();
            // A name that was only begun counts as well: `unguarded` for `unguarded-cursor`.
            let begun = lower.len() >= 4 && candidate.starts_with(&lower);
            let score = strsim::jaro_winkler(&lower, &candidate)
                .max(strsim::normalized_damerau_levenshtein(&lower, &candidate));
            (if begun { score.max(0.95) } else { score }, name)
        })
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// ``did you mean `x`?``, or nothing.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    similar(typed, known).map(|name| format!("did you mean `{name}`?"))
}

/// What to say about a word that names no rule, given the code and the name of each rule.
pub fn rule<'a>(word: &str, rules: impl IntoIterator<Item = (String, &'a str)>) -> String {
    let (codes, names): (Vec<String>, Vec<&str>) = rules.into_iter().unzip();
    let upper = word.to_ascii_uppercase();
    // Codes are all alike: one is meant only if it is the only one that a single slip leads to.
    let near: Vec<&String> = codes
        .iter()
        .filter(|code| strsim::damerau_levenshtein(code, &upper) == 1)
        .collect();
    if let [code] = near[..] {
        return format!("did you mean `{code}`?");
    }
    let looks_like_code = word.len() <= 6 && word.chars().any(|c| c.is_ascii_digit());
    let names = names.into_iter().filter(|_| !looks_like_code);
    did_you_mean(word, names).unwrap_or_else(|| "`reconnect-lint rules` lists all rules".to_owned())
}

/// A path with a similar name in the same folder.
pub fn path(missing: &Path) -> Option<PathBuf> {
    let name = missing.file_name()?.to_str()?;
    let folder = missing.parent()?;
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names: Vec<String> = std::fs::read_dir(listed)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|candidate| !candidate.starts_with('.') || name.starts_with('.'))
        .collect();
    similar(name, names.iter().map(String::as_str)).map(|similar| folder.join(similar))
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn typing_mistakes_are_recognised_and_strangers_are_not() {
        let known = [
            "unguarded-cursor",
            "wrong-exception",
            "RL101",
            "RL102",
            "exclude",
            "extend-exclude",
        ];
        assert_eq!(similar("unguarded-curser", known), Some("unguarded-cursor"));
        assert_eq!(similar("unguarded", known), Some("unguarded-cursor"));
        assert_eq!(similar("wrong_exception", known), Some("wrong-exception"));
        assert_eq!(similar("rl101", known), Some("RL101"));
        assert_eq!(similar("exlude", known), Some("exclude"));
        assert_eq!(similar("E501", known), None);
        assert_eq!(similar("", known), None);
    }
}
