//! Rewrites of equal length for what the grammar does not know, so that spans stay true.

use std::borrow::Cow;

use memchr::memmem;

/// Turns a bare carriage return, which ends a line in Python, into the line feed that the grammar knows.
pub(super) fn line_ends(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let bare = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    if !memchr::memchr_iter(b'\r', bytes).any(bare) {
        return Cow::Borrowed(text);
    }
    let mut out = text.as_bytes().to_vec();
    for at in memchr::memchr_iter(b'\r', bytes).filter(|&at| bare(at)) {
        out[at] = b'\n';
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text with the known gaps of the grammar filled, or nothing if there are none:
/// defaults of type parameters (`class C[T = int]`, PEP 696) are blanked, Python 2's backticks become brackets.
pub(super) fn rewrite(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = None;
    let mut at = 0;
    let mut tick_open = false;
    while at < bytes.len() {
        let after = skip_opaque(bytes, at);
        if after > at {
            at = after;
            continue;
        }
        match bytes[at] {
            b'`' => {
                out.get_or_insert_with(|| bytes.to_vec())[at] = if tick_open { b')' } else { b'(' };
                tick_open = !tick_open;
            }
            b'[' if after_header(&text[..at]) => {
                let end = blank_defaults(bytes, at, &mut out);
                at = end.max(at);
            }
            _ => {}
        }
        at += 1;
    }
    String::from_utf8(out?).ok()
}

/// The end of the comment or string that starts here; `at` itself if none does.
fn skip_opaque(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest[0] {
        b'#' => at + memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
        quote @ (b'"' | b'\'') => {
            let triple = [quote; 3];
            if rest.starts_with(&triple) {
                let mut from = at + 3;
                while let Some(found) = memmem::find(&bytes[from..], &triple) {
                    let end = from + found;
                    let slashes = bytes[at + 3..end].iter().rev().take_while(|&&b| b == b'\\').count();
                    if slashes % 2 == 0 {
                        return end + 3;
                    }
                    from = end + 1;
                }
                return bytes.len();
            }
            let mut end = at + 1;
            while let Some(&byte) = bytes.get(end) {
                match byte {
                    b'\\' => end += 2,
                    b'\n' => return end,
                    _ if byte == quote => return end + 1,
                    _ => end += 1,
                }
            }
            bytes.len()
        }
        _ => at,
    }
}

/// True if the line so far is `class Name`, `def name` or `type Name`.
fn after_header(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or("");
    let mut words = line.split_whitespace().skip_while(|&word| word == "async");
    matches!(words.next(), Some("class" | "def" | "type"))
        && words
            .next()
            .is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        && words.next().is_none()
}

/// Blanks the defaults in the brackets that open at `open`. Returns where they close.
fn blank_defaults(bytes: &[u8], open: usize, out: &mut Option<Vec<u8>>) -> usize {
    let mut depth = 0_u32;
    let mut blanking = false;
    let mut at = open;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'[' | b'(' | b'{' => depth += 1,
            b']' | b')' | b'}' => depth = depth.saturating_sub(1),
            b'=' if depth == 1 => blanking = true,
            b',' if depth == 1 => blanking = false,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        let after = skip_opaque(bytes, at).max(at + 1).min(bytes.len());
        if blanking {
            for byte in &mut out.get_or_insert_with(|| bytes.to_vec())[at..after] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = after;
    }
    at
}
