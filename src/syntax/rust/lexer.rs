//! One iterative pass over the bytes of a file, before any parser sees it.
//!
//! It finds what syn drops (comments) and what syn does not survive: syn and the tree's destructors recurse, so the
//! pass estimates how deep they would go, and the caller refuses the file or gives the parser a larger stack.

use super::levels::Levels;
use crate::core::Span;

/// What the pass found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// All comments, in order, doc comments too.
    pub comments: Vec<Span>,
    /// The doc comments among them.
    pub docs: Vec<Span>,
    /// The deepest nesting of brackets.
    pub depth: u32,
    /// Where the deepest bracket is.
    pub deepest: usize,
    /// An upper bound for the nesting of expressions, types and patterns, brackets included.
    pub cost: u32,
}

/// Scans a text; `start` is the offset of its first byte to look at (after a byte order mark or `#!` line).
pub(super) fn scan(text: &str, start: usize) -> Scan {
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        at: start,
        out: Scan::default(),
        levels: Levels::default(),
    };
    while lexer.at < lexer.bytes.len() {
        lexer.token();
    }
    lexer.out.cost = lexer.levels.peak();
    lexer.out
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Scan,
    levels: Levels,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn token(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b if b.is_ascii_whitespace() => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'"' => {
                self.string();
                self.levels.operand();
            }
            b'\'' => self.quote(),
            b if b == b'_' || b >= 0x80 || b.is_ascii_alphanumeric() => self.word(),
            b'(' | b'[' | b'{' => {
                self.levels.open();
                let depth = self.levels.depth();
                if depth > self.out.depth {
                    self.out.depth = depth;
                    self.out.deepest = self.at;
                }
                self.at += 1;
            }
            b')' | b']' | b'}' => {
                self.levels.close(byte);
                self.at += 1;
            }
            _ => {
                let previous = self.at.checked_sub(1).map_or(0, |i| self.bytes[i]);
                self.levels.punct(byte, previous);
                self.at += 1;
            }
        }
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let mut len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if rest[..len].last() == Some(&b'\r') {
            len -= 1;
        }
        // `///` documents, `////` is a ruler.
        let doc = rest.starts_with(b"//!") || (rest.starts_with(b"///") && rest.get(3) != Some(&b'/'));
        self.comment(start, start + len, doc);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let mut depth = 1;
        let mut i = 2;
        while depth > 0 {
            let Some(next) = memchr::memchr2(b'/', b'*', &rest[i..]) else {
                i = rest.len();
                break;
            };
            i += next;
            match (rest[i], rest.get(i + 1)) {
                (b'*', Some(b'/')) => (depth, i) = (depth - 1, i + 2),
                (b'/', Some(b'*')) => (depth, i) = (depth + 1, i + 2),
                _ => i += 1,
            }
        }
        // `/** */` documents, `/**/` and `/*** */` do not.
        let doc = rest.starts_with(b"/*!")
            || (rest.starts_with(b"/**") && !matches!(rest.get(3), Some(b'*' | b'/') | None) && i > 4);
        self.comment(start, start + i, doc);
    }

    fn comment(&mut self, start: usize, end: usize, doc: bool) {
        let span = Span::new(start, end);
        self.out.comments.push(span);
        if doc {
            self.out.docs.push(span);
        }
        self.at = end;
    }

    /// From the opening quote of a string with escapes to past its end.
    fn string(&mut self) {
        self.at += 1;
        while let Some(next) = memchr::memchr2(b'"', b'\\', &self.bytes[self.at..]) {
            self.at += next;
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return;
            }
            self.at = (self.at + 2).min(self.bytes.len());
        }
        self.at = self.bytes.len();
    }

    /// `r"..", r#".."#`: `self.at` is after the prefix, at the first `#` or the quote. False if it is no raw string
    /// (`r#type`).
    fn raw_string(&mut self) -> bool {
        let hashes = self.bytes[self.at..].iter().take_while(|&&b| b == b'#').count();
        if self.peek(hashes) != b'"' {
            return false;
        }
        let mut i = self.at + hashes + 1;
        while let Some(next) = memchr::memchr(b'"', &self.bytes[i..]) {
            i += next + 1;
            if self.bytes[i..].iter().take(hashes).filter(|&&b| b == b'#').count() == hashes {
                self.at = i + hashes;
                return true;
            }
        }
        self.at = self.bytes.len();
        true
    }

    /// A character literal or a lifetime: `'a'` against `'a`.
    fn quote(&mut self) {
        self.levels.operand();
        self.at += 1;
        if self.peek(0) == b'\\' {
            self.at += 2;
            while !matches!(self.peek(0), b'\'' | b'\n' | 0) {
                self.at += 1;
            }
            self.at = (self.at + 1).min(self.bytes.len());
            return;
        }
        // One character, of up to four bytes, and a quote.
        let mut len = 1;
        while self.peek(len) & 0xc0 == 0x80 {
            len += 1;
        }
        if self.peek(len) == b'\'' && self.peek(0) != b'\'' {
            self.at += len + 1;
        } else {
            while self.peek(0) == b'_' || self.peek(0) >= 0x80 || self.peek(0).is_ascii_alphanumeric() {
                self.at += 1;
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while self.peek(0) == b'_' || self.peek(0) >= 0x80 || self.peek(0).is_ascii_alphanumeric() {
            self.at += 1;
        }
        let word = &self.bytes[start..self.at];
        match (word, self.peek(0)) {
            (b"r" | b"br" | b"cr", b'"' | b'#') if self.raw_string() => self.levels.operand(),
            (b"b" | b"c", b'"') => {
                self.string();
                self.levels.operand();
            }
            _ => self.levels.word(word),
        }
    }
}
