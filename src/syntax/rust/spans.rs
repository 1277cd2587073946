//! From proc-macro2's spans to byte offsets.
//!
//! `Span::byte_range` inserts into a map at each call; lines and columns are a binary search. So lines and columns
//! (which count characters) it is, with a table of the characters that are longer than a byte.

use proc_macro2::LineColumn;

use crate::core::Span;

/// The places of one text that was tokenised on its own.
pub(super) struct Spans {
    /// The offset of the text in the file.
    base: u32,
    len: u32,
    /// The index of the first character of each line.
    lines: Vec<u32>,
    /// For each character longer than a byte: its index, and how many bytes more than characters end with it.
    wide: Vec<(u32, u32)>,
}

impl Spans {
    /// For `text`, which starts at byte `base` of its file.
    pub fn new(text: &str, base: usize) -> Self {
        let mut lines = vec![0];
        let mut wide = Vec::new();
        if text.is_ascii() {
            lines.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| i as u32 + 1));
        } else {
            let mut extra = 0;
            for (i, c) in text.chars().enumerate() {
                if c == '\n' {
                    lines.push(i as u32 + 1);
                } else if c.len_utf8() > 1 {
                    extra += c.len_utf8() as u32 - 1;
                    wide.push((i as u32, extra));
                }
            }
        }
        Self {
            base: base as u32,
            len: text.len() as u32,
            lines,
            wide,
        }
    }

    fn offset(&self, place: LineColumn) -> u32 {
        let line = self
            .lines
            .get(place.line.saturating_sub(1))
            .copied()
            .unwrap_or(self.len);
        let index = line.saturating_add(place.column as u32);
        let before = self.wide.partition_point(|&(i, _)| i < index);
        let extra = before.checked_sub(1).map_or(0, |i| self.wide[i].1);
        self.base + index.saturating_add(extra).min(self.len)
    }

    /// The bytes of a span.
    pub fn get(&self, span: proc_macro2::Span) -> Span {
        Span {
            start: self.offset(span.start()),
            end: self.offset(span.end()),
        }
    }

    /// The first byte of a span.
    pub fn start(&self, span: proc_macro2::Span) -> u32 {
        self.offset(span.start())
    }

    /// One past the last byte of a span.
    pub fn end(&self, span: proc_macro2::Span) -> u32 {
        self.offset(span.end())
    }

    /// The end of the text: where the parser places what it misses at the end of input.
    pub fn eof(&self) -> Span {
        Span {
            start: self.base + self.len,
            end: self.base + self.len,
        }
    }
}
