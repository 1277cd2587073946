//! Patterns of paths, as in `.gitignore`: without a slash they match a name anywhere, with one the path below the folder
//! of their configuration.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// Compiled patterns.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    matcher: GlobMatcher,
    name_only: bool,
}

impl Patterns {
    /// Adds a pattern; the error says what is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let pattern = text.trim_end_matches('/');
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        if pattern.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        let name_only = !pattern.contains('/');
        let glob = GlobBuilder::new(pattern.trim_start_matches('/'))
            .literal_separator(true)
            .build()
            .map_err(|error| error.kind().to_string())?;
        self.0.push(Pattern {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
            name_only,
        });
        Ok(())
    }

    /// Whether one of them means this path itself. `root` is the folder of the configuration.
    pub fn matches(&self, root: &Path, path: &Path) -> bool {
        self.0.iter().any(|pattern| pattern.matches(root, path))
    }

    /// Whether one of them means this path or a folder above it, up to `root`.
    pub fn matches_or_contains(&self, root: &Path, path: &Path) -> bool {
        path.ancestors()
            .take_while(|&folder| folder != root)
            .any(|part| self.matches(root, part))
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.text.as_str())
    }

    /// Adds all patterns of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }
}

impl Pattern {
    fn matches(&self, root: &Path, path: &Path) -> bool {
        if self.name_only {
            return path.file_name().is_some_and(|name| self.matcher.is_match(name));
        }
        self.matcher.is_match(path.strip_prefix(root).unwrap_or(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_gitignore() {
        let root = Path::new("/repo");
        let cases = [
            ("venv", "/repo/a/venv", true),
            ("venv/", "/repo/venv", true),
            ("*.pb2.py", "/repo/a/x.pb2.py", true),
            ("a/venv", "/repo/venv", false),
            ("a/venv", "/repo/a/venv", true),
            ("/gen", "/repo/gen", true),
            ("/gen", "/repo/a/gen", false),
            ("./gen/*.py", "/repo/gen/x.py", true),
            ("gen/*.py", "/repo/gen/a/x.py", false),
            ("gen/**/*.py", "/repo/gen/a/x.py", true),
            ("**/gen/*.py", "/repo/a/gen/x.py", true),
        ];
        for (pattern, path, expected) in cases {
            let mut patterns = Patterns::default();
            patterns.add(pattern).expect("a pattern");
            assert_eq!(patterns.matches(root, Path::new(path)), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_file_below_an_excluded_folder_is_excluded() {
        let mut patterns = Patterns::default();
        patterns.add("gen").expect("a pattern");
        assert!(patterns.matches_or_contains(Path::new("/repo"), Path::new("/repo/gen/a/x.py")));
        // The name of the folder that holds everything does not count.
        assert!(!patterns.matches_or_contains(Path::new("/gen"), Path::new("/gen/a/x.py")));
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in ["", "/", "a[", "{a"] {
            assert!(Patterns::default().add(pattern).is_err(), "{pattern:?}");
        }
    }
}
