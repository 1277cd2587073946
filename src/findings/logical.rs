//! Statements by their brackets alone: which lines belong together, for suppressions that stand before or after one.
//!
//! In: a text, its language and comments. Out: ranges of rows. Wrong input (an unclosed bracket) costs the ranges of the
//! rest of the file and never fails.

use crate::core::{Language, Span};

/// The rows of statements that cover several lines. A compound statement counts as its header only.
pub struct LogicalLines {
    /// First and last row, in order of the first.
    ranges: Vec<(u32, u32)>,
    /// Rows with code, in order.
    code: Vec<u32>,
    /// Rows whose line break is inside a string or behind a backslash, in order.
    joined: Vec<u32>,
}

impl LogicalLines {
    /// Scans the text once. Comments must be in order.
    pub fn new(text: &str, language: Language, comments: &[Span]) -> Self {
        let mut scanner = Scanner {
            bytes: text.as_bytes(),
            language,
            row: 1,
            start: None,
            depth: 0,
            found: Self {
                ranges: Vec::new(),
                code: Vec::new(),
                joined: Vec::new(),
            },
        };
        scanner.run(comments);
        scanner.found
    }

    /// First and last row of the statement on a row; the row itself if it has none.
    pub fn around(&self, row: u32) -> (u32, u32) {
        let upto = self.ranges.partition_point(|&(first, _)| first <= row);
        // Ranges overlap only where statements share a line.
        let touching = self.ranges[..upto].iter().rev().take_while(|&&(_, last)| last >= row);
        touching.fold((row, row), |(first, last), &(a, b)| (first.min(a), last.max(b)))
    }

    /// The first row with code after a row.
    pub fn code_after(&self, row: u32) -> Option<u32> {
        self.code.get(self.code.partition_point(|&code| code <= row)).copied()
    }

    /// Whether the line break after a row is part of a string, or joined by a backslash.
    pub fn breaks_inside_token(&self, row: u32) -> bool {
        self.joined.binary_search(&row).is_ok()
    }

    /// Whether a row has code, and not only a comment.
    pub fn has_code(&self, row: u32) -> bool {
        self.code.binary_search(&row).is_ok()
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    language: Language,
    row: u32,
    /// The row on which the current statement starts.
    start: Option<u32>,
    depth: u32,
    found: LogicalLines,
}

impl Scanner<'_> {
    fn run(&mut self, comments: &[Span]) {
        let mut comments = comments.iter().peekable();
        let mut at = 0;
        while at < self.bytes.len() {
            while comments.next_if(|comment| (comment.start as usize) < at).is_some() {}
            if let Some(comment) = comments.next_if(|comment| comment.start as usize == at) {
                let end = (comment.end as usize).clamp(at + 1, self.bytes.len());
                // The line break belongs to the line, should a front-end count it to the comment.
                let end = if self.bytes[end - 1] == b'\n' && end - 1 > at {
                    end - 1
                } else {
                    end
                };
                self.row += newlines(&self.bytes[at..end]);
                at = end;
                continue;
            }
            at = match self.bytes[at] {
                b'\n' => {
                    if self.language == Language::Python && self.depth == 0 {
                        self.end();
                    }
                    self.row += 1;
                    at + 1
                }
                byte if byte.is_ascii_whitespace() => at + 1,
                byte => self.token(at, byte),
            };
        }
        if self.depth == 0 {
            self.end();
        }
    }

    /// Takes what starts here, a string as a whole; returns where it ends.
    fn token(&mut self, at: usize, byte: u8) -> usize {
        self.start.get_or_insert(self.row);
        let end = (at + self.length(at)).min(self.bytes.len());
        let last = self.row + newlines(&self.bytes[at..end]);
        while self.row < last {
            self.code();
            self.found.joined.push(self.row);
            self.row += 1;
        }
        self.code();
        let python = self.language == Language::Python;
        match byte {
            b'(' | b'[' => self.depth += 1,
            b'{' if python || self.depth > 0 => self.depth += 1,
            b')' | b']' => self.depth = self.depth.saturating_sub(1),
            b'}' if self.depth > 0 => self.depth -= 1,
            // Outside of parentheses a brace of Rust is that of a block or of match arms, whose parts are their own.
            b'{' | b'}' | b';' | b',' if !python && self.depth == 0 => self.end(),
            _ => {}
        }
        end
    }

    fn code(&mut self) {
        if self.found.code.last() != Some(&self.row) {
            self.found.code.push(self.row);
        }
    }

    fn end(&mut self) {
        if let Some(start) = self.start.take()
            && start < self.row
        {
            self.found.ranges.push((start, self.row));
        }
    }

    fn length(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        match (self.language, rest[0]) {
            (Language::Python, quote @ (b'"' | b'\'')) => {
                let triple = [quote; 3];
                if rest.starts_with(&triple) {
                    quoted(rest, &triple)
                } else {
                    quoted(rest, &[quote])
                }
            }
            // A backslash joins the next line.
            (Language::Python, b'\\') => 2,
            (Language::Rust, b'"') => quoted(rest, b"\""),
            (Language::Rust, b'r' | b'b' | b'c') if !self.follows_word(at) => raw_string(rest).unwrap_or(1),
            (Language::Rust, b'\'') => character(rest).unwrap_or(1),
            _ => 1,
        }
    }

    fn follows_word(&self, at: usize) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| self.bytes[before].is_ascii_alphanumeric() || self.bytes[before] == b'_')
    }
}

fn newlines(bytes: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', bytes).count() as u32
}

/// The length of a string that begins and ends with `quote`; one that is never closed ends with its line.
fn quoted(rest: &[u8], quote: &[u8]) -> usize {
    let mut at = quote.len();
    while at < rest.len() {
        if rest[at..].starts_with(quote) {
            return at + quote.len();
        }
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// The length of `r"..."`, `br#"..."#` and their like.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest
        .iter()
        .take_while(|byte| matches!(byte, b'r' | b'b' | b'c'))
        .count();
    if prefix > 2 || rest[prefix - 1] != b'r' {
        return None;
    }
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    let body = prefix + hashes + 1;
    if rest.get(body - 1) != Some(&b'"') {
        return None;
    }
    let end = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let length = memchr::memmem::find(&rest[body..], &end)?;
    Some(body + length + end.len())
}

/// The length of a character literal of Rust; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    let line = &rest[..rest.len().min(16)];
    if line.get(1) == Some(&b'\\') {
        return line.iter().skip(3).position(|&byte| byte == b'\'').map(|i| i + 4);
    }
    // One character is at most four bytes.
    let end = line.iter().skip(2).take(4).position(|&byte| byte == b'\'')? + 2;
    let one = std::str::from_utf8(&line[1..end]).is_ok_and(|text| text.chars().count() == 1);
    one.then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Comments as a front-end would find them, good enough for samples without `#` and `//` in strings.
    fn comments(text: &str, marker: &str) -> Vec<Span> {
        let end = |start: usize| text[start..].find('\n').map_or(text.len(), |length| start + length);
        text.match_indices(marker)
            .map(|(start, _)| Span::new(start, end(start)))
            .collect()
    }

    fn ranges(language: Language, text: &str) -> Vec<(u32, u32)> {
        let marker = if language == Language::Python { "#" } else { "//" };
        LogicalLines::new(text, language, &comments(text, marker)).ranges
    }

    #[test]
    fn brackets_strings_and_backslashes_join_lines_of_python() {
        let text = "a = f(\n  1,  # )\n)\nb = '(' + \\\n  c\nd = \"\"\"(\n\"\"\"\nfor x in g(\n    y\n):\n    h()\n";
        assert_eq!(ranges(Language::Python, text), [(1, 3), (4, 5), (6, 7), (8, 10)]);
    }

    #[test]
    fn statements_of_rust_end_at_semicolons_and_braces() {
        let text = "fn f<'a>(\n  x: &'a str,\n) {\n  let c = '{';\n  let y = x\n    .g(|z| { z })\n    .h(r#\"}\"#);\n  match y {\n    1 => g(\n      2),\n    _ => h(),\n  }\n}\n";
        assert_eq!(ranges(Language::Rust, text), [(1, 3), (5, 7), (9, 10)]);
    }

    #[test]
    fn rows_with_code_are_known() {
        let text = "# a\n\nx = 1  # b\n# c\ny = '''\n\n'''\n";
        let lines = LogicalLines::new(text, Language::Python, &comments(text, "#"));
        assert_eq!(lines.code, [3, 5, 6, 7]);
        assert_eq!(lines.code_after(1), Some(3));
        assert_eq!(lines.code_after(7), None);
        assert_eq!(lines.around(6), (5, 7));
        assert_eq!(lines.around(99), (99, 99));
    }

    #[test]
    fn an_unclosed_bracket_joins_nothing() {
        assert_eq!(ranges(Language::Python, "a = (\nb\nc\n"), []);
        assert_eq!(ranges(Language::Rust, "f(\nb\n"), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[ab(){}\\[\\]'\"r#\\\\\n/;,é]{0,60}") {
            for language in [Language::Python, Language::Rust] {
                for (first, last) in ranges(language, &text) {
                    proptest::prop_assert!(first < last && last as usize <= text.matches('\n').count() + 1);
                }
            }
        }
    }
}
