//! One look over a file's bytes: which of the wanted words it holds, and what it imports. Decides what is parsed.

use aho_corasick::{AhoCorasick, MatchKind};

/// A set of words to look for.
#[derive(Debug)]
pub struct Scanner {
    automaton: Option<AhoCorasick>,
}

impl Scanner {
    /// Words are found whole: not within longer identifiers, except that one ending in `_` may stand in any, and one that
    /// begins with `_` may follow anything.
    pub fn new(words: &[String]) -> Self {
        // `LeftmostFirst` takes the packed searcher, which is ten times as fast as the default on such sets.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(words)
            .ok();
        Self { automaton }
    }

    /// Calls `found` for each word in the text, by its index, until it returns false.
    pub fn each(&self, bytes: &[u8], mut found: impl FnMut(usize, usize) -> bool) {
        let Some(automaton) = &self.automaton else { return };
        for hit in automaton.find_iter(bytes) {
            let word = &bytes[hit.start()..hit.end()];
            let open_end = word.last() == Some(&b'_');
            let open_start = open_end || word.first() == Some(&b'_');
            let before = hit.start().checked_sub(1).map(|i| bytes[i]);
            let after = bytes.get(hit.end()).copied();
            let whole = (open_start || !before.is_some_and(is_word)) && (open_end || !after.is_some_and(is_word));
            if whole && !found(hit.pattern().as_usize(), hit.end()) {
                return;
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// An import of a Python file, as far as lines tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLine {
    /// `a.b` of `import a.b` and `from a.b import c`.
    pub module: String,
    /// Leading dots.
    pub level: u32,
    /// The names of a `from`; empty for `import`; `*` for all.
    pub names: Vec<String>,
}

/// The imports of a Python file, found line by line: cheap, and right for all code that is not made to mislead.
pub fn python_imports(bytes: &[u8]) -> Vec<ImportLine> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |i| start + i);
        let line = trim(&bytes[start..end]);
        let mut next = end + 1;
        if line.starts_with(b"import ") || line.starts_with(b"from ") {
            let mut text = String::from_utf8_lossy(line).into_owned();
            // A parenthesis or backslash goes on in the following lines.
            let mut lines = 0;
            while (text.contains('(') && !text.contains(')') || text.ends_with('\\'))
                && next < bytes.len()
                && lines < 200
            {
                let end = memchr::memchr(b'\n', &bytes[next..]).map_or(bytes.len(), |i| next + i);
                let more = String::from_utf8_lossy(trim(&bytes[next..end])).into_owned();
                text = text.trim_end_matches('\\').to_owned();
                text.push(' ');
                text.push_str(more.split('#').next().unwrap_or_default());
                next = end + 1;
                lines += 1;
            }
            parse_import(text.split('#').next().unwrap_or_default(), &mut found);
        }
        start = next;
    }
    found
}

/// Calls `found` with the first word of each module that a line of a Python file imports, not those of relative imports.
/// Looks at the lines that hold the word `import` alone, which costs little more than reading the file.
pub fn each_import(bytes: &[u8], mut found: impl FnMut(&str)) {
    for at in memchr::memmem::find_iter(bytes, b"import") {
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |i| i + 1);
        let head = trim(&bytes[start..at]);
        if head.is_empty() {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |i| at + i);
            let Some(rest) = bytes[at..end].strip_prefix(b"import ") else {
                continue;
            };
            for part in rest.split(|b| *b == b',') {
                first_word(trim(part), &mut found);
            }
        } else if let Some(module) = head.strip_prefix(b"from ") {
            first_word(trim(module), &mut found);
        }
    }
}

fn first_word(module: &[u8], found: &mut impl FnMut(&str)) {
    let end = module.iter().position(|b| !is_word(*b)).unwrap_or(module.len());
    if let Ok(word) = std::str::from_utf8(&module[..end])
        && !word.is_empty()
    {
        found(word);
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t'))
        .unwrap_or(line.len());
    let line = &line[start..];
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn parse_import(text: &str, found: &mut Vec<ImportLine>) {
    if let Some(rest) = text.strip_prefix("import ") {
        for part in rest.split(',') {
            let module = part.split_whitespace().next().unwrap_or_default();
            if !module.is_empty() {
                found.push(ImportLine {
                    module: module.to_owned(),
                    level: 0,
                    names: Vec::new(),
                });
            }
        }
        return;
    }
    let Some((module, names)) = text.strip_prefix("from ").and_then(|r| r.split_once(" import")) else {
        return;
    };
    let module = module.trim();
    let level = module.bytes().take_while(|b| *b == b'.').count();
    let names = names
        .split(',')
        .filter_map(|n| n.trim_matches(['(', ')', ' ', '\t']).split_whitespace().next())
        .map(str::to_owned)
        .collect();
    found.push(ImportLine {
        module: module[level..].trim().to_owned(),
        level: level as u32,
        names,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        let scanner = Scanner::new(&["redis".into(), "MONGODB_".into()]);
        let words = |text: &str| {
            let mut found = Vec::new();
            scanner.each(text.as_bytes(), |word, _| {
                found.push(word);
                true
            });
            found
        };
        assert_eq!(words("import redis"), [0]);
        assert_eq!(words("rediscover"), [] as [usize; 0]);
        assert_eq!(words("'MONGODB_HOST'"), [1]);
    }

    #[test]
    fn first_words_of_imports_are_found_where_the_lines_are_read() {
        let text = "import a.b as c, d\nfrom .x import y\n  from  e.f import (q,\n  r)\n# important\nreimport = from_ = 1\nimport z";
        let mut found = Vec::new();
        each_import(text.as_bytes(), |module| found.push(module.to_owned()));
        assert_eq!(found, ["a", "d", "e", "z"]);
    }

    #[test]
    fn imports_are_read_line_by_line() {
        let text =
            "import a.b as c, d\nfrom .x import (y,\n    z as w,  # note\n)\n  from .. import q\nfrom m import *\n";
        let line = |module: &str, level, names: &[&str]| ImportLine {
            module: module.into(),
            level,
            names: names.iter().map(|n| (*n).to_owned()).collect(),
        };
        assert_eq!(
            python_imports(text.as_bytes()),
            [
                line("a.b", 0, &[]),
                line("d", 0, &[]),
                line("x", 1, &["y", "z"]),
                line("", 2, &["q"]),
                line("m", 0, &["*"])
            ]
        );
    }
}
