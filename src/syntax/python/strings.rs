//! String literals: prefixes, escapes, interpolation.

/// Decodes the escapes of a literal's content. Raw strings are taken as they are.
pub(super) fn decode(content: &str, raw: bool) -> String {
    if raw || !content.contains('\\') {
        return content.to_owned();
    }
    let mut out = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('\n') | None => {}
            Some('x') => push_code(&mut out, &mut chars, 2),
            Some('u') => push_code(&mut out, &mut chars, 4),
            Some('U') => push_code(&mut out, &mut chars, 8),
            Some(other) => {
                if !matches!(other, '\\' | '\'' | '"') {
                    out.push('\\');
                }
                out.push(other);
            }
        }
    }
    out
}

fn push_code(out: &mut String, chars: &mut std::str::Chars<'_>, digits: usize) {
    let rest = chars.as_str();
    let hex: String = rest.chars().take(digits).take_while(char::is_ascii_hexdigit).collect();
    match u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32) {
        Some(c) if hex.len() == digits => {
            out.push(c);
            chars.nth(digits - 1);
        }
        _ => out.push('\u{fffd}'),
    }
}

/// True if the opening of a literal (`r"`, `Rb'''`) makes it raw.
pub(super) fn is_raw(start: &str) -> bool {
    start
        .chars()
        .take_while(|c| c.is_alphabetic())
        .any(|c| matches!(c, 'r' | 'R'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode(r"a\n\x41\u00e9\q", false), "a\nA\u{e9}\\q");
        assert_eq!(decode(r"a\n", true), r"a\n");
        assert!(is_raw("rb'") && !is_raw("b'"));
    }
}
