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
/// defaults of type parameters (`class C[T = int]`, PEP 696) are blanked, Python 2's backticks become brackets, and
/// `async` as the name that it could be before Python 3.7 becomes another one.
pub(super) fn rewrite(text: &str) -> Option<Rewritten> {
    let bytes = text.as_bytes();
    let mut names = Vec::new();
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
            b'a' if is_name_async(bytes, at) => {
                out.get_or_insert_with(|| bytes.to_vec())[at + 4] = b'k';
                names.push(at + 4);
                at += 4;
            }
            _ => {}
        }
        at += 1;
    }
    let text = String::from_utf8(out?).ok()?;
    Some(Rewritten { text, names })
}

/// A text that the grammar knows.
pub(super) struct Rewritten {
    /// The text.
    pub text: String,
    /// Where the last letter of a name was changed.
    names: Vec<usize>,
}

impl Rewritten {
    /// The text with the names as they were, to read them from.
    pub(super) fn names_restored(self) -> String {
        let mut bytes = self.text.into_bytes();
        for at in self.names {
            bytes[at] = b'c';
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// The word `async` that no `def`, `for` or `with` follows.
fn is_name_async(bytes: &[u8], at: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80);
    let Some(rest) = bytes[at..].strip_prefix(b"async") else {
        return false;
    };
    if word(rest.first()) || at > 0 && word(bytes.get(at - 1)) {
        return false;
    }
    let next = rest.trim_ascii_start();
    let keyword = [&b"def"[..], b"for", b"with"]
        .into_iter()
        .any(|k| next.strip_prefix(k).is_some_and(|after| !word(after.first())));
    // A line break ends the statement: what follows on the next line says nothing.
    !keyword || rest.len() == next.len()
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

#[cfg(test)]
mod tests {
    use crate::core::ExprKind;
    use crate::syntax::python::parse;

    fn names(text: &str) -> Vec<String> {
        let module = parse(text);
        assert_eq!(module.errors, [], "{text}");
        let name = |e: &crate::core::Expr| match &e.kind {
            ExprKind::Name(name) | ExprKind::Attr { name, .. } => Some(name.to_string()),
            _ => None,
        };
        module.exprs.iter().filter_map(name).collect()
    }

    #[test]
    fn async_is_a_name_where_it_is_no_keyword() {
        assert!(names("job.async = run(async=True)\n").contains(&"async".to_owned()));
        assert!(parse("from server.async import app\nimport async\n").errors.is_empty());
        let both = "async def f():\n    async with a.async as b:\n        pass\n";
        assert!(parse(both).errors.is_empty());
    }

    #[test]
    fn what_the_grammar_does_not_know_is_read() {
        assert_eq!(names("x = `value`\ny = x\n"), ["x", "y", "x"]);
        assert!(parse("class C[T = int]:\n    pass\n").errors.is_empty());
    }
}
