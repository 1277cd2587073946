//! Places as editors count them: lines and UTF-16 code units from 0; lines end at `\n`, `\r\n` and `\r`.

use serde_json::{Value, json};

use crate::core::Span;

/// The starts of lines of one text.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Scans the text once.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(memchr::memchr2_iter(b'\n', b'\r', bytes).filter_map(|at| {
            let pair = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
            (!pair).then_some(at + 1)
        }));
        Self { starts }
    }

    /// The place of a byte. One inside of a character is at its start, one past the end at the end.
    pub fn position(&self, text: &str, offset: usize) -> Value {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let units: usize = text[self.starts[line]..offset].chars().map(char::len_utf16).sum();
        json!({ "line": line, "character": units })
    }

    /// The place of a span.
    pub fn range(&self, text: &str, span: Span) -> Value {
        json!({
            "start": self.position(text, span.start as usize),
            "end": self.position(text, span.end.max(span.start) as usize),
        })
    }

    /// The byte at a place; `None` if it is none. A line that is too short ends at its last character, as the protocol
    /// has it.
    pub fn offset(&self, text: &str, position: &Value) -> Option<usize> {
        let line = usize::try_from(position.get("line")?.as_u64()?).ok()?;
        let character = usize::try_from(position.get("character")?.as_u64()?).ok()?;
        let Some(&start) = self.starts.get(line) else {
            return Some(text.len());
        };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let mut units = 0;
        let mut at = start;
        for char in text[start..end].chars() {
            if units + char.len_utf16() > character || matches!(char, '\n' | '\r') {
                break;
            }
            units += char.len_utf16();
            at += char.len_utf8();
        }
        Some(at)
    }

    /// The bytes of a range; `None` if it is none.
    pub fn span(&self, text: &str, range: &Value) -> Option<Span> {
        let start = self.offset(text, range.get("start")?)?;
        let end = self.offset(text, range.get("end")?)?;
        Some(Span::new(start, end.max(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf16_code_units() {
        let text = "a\n𝄞ü = x\r\nend\rlast";
        let lines = Lines::new(text);
        for (needle, line, character) in [("𝄞", 1, 0), ("ü", 1, 2), ("x", 1, 6), ("end", 2, 0), ("last", 3, 0)] {
            let offset = text.find(needle).expect("it is there");
            let position = lines.position(text, offset);
            assert_eq!(position, json!({"line": line, "character": character}), "{needle}");
            assert_eq!(lines.offset(text, &position), Some(offset), "{needle}");
        }
    }

    #[test]
    fn places_that_do_not_exist_are_brought_into_the_text() {
        let text = "ab\r\ncd";
        let lines = Lines::new(text);
        let offset = |line: u64, character: u64| lines.offset(text, &json!({"line": line, "character": character}));
        assert_eq!(offset(0, 99), Some(2));
        assert_eq!(offset(9, 0), Some(6));
        assert_eq!(lines.position(text, 99), json!({"line": 1, "character": 2}));
        assert_eq!(lines.offset(text, &json!({"line": -1, "character": "x"})), None);
        assert_eq!(
            Lines::new("𝄞").offset("𝄞", &json!({"line": 0, "character": 1})),
            Some(0)
        );
    }
}
