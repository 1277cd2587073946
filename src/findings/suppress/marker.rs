//! Reading suppressions from comments.
//!
//! In: comments with their text. Out: [`Marker`]s, also malformed ones, for nothing that was meant as a suppression may
//! be ignored in silence.

use crate::core::{Language, Span};

/// What every suppression of this tool begins with.
const NAME: &str = "reconnect-lint:";

/// One suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What it says.
    pub kind: Kind,
    /// The comment that holds it, with its `#` or `//`.
    pub comment: Span,
    /// The part of the comment that is this marker, without white space at its ends.
    pub span: Span,
    /// The list of rules with its brackets; empty if there is none.
    pub list: Span,
    /// The rules in the list.
    pub entries: Vec<Entry>,
}

/// What a marker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ignore[...]`: this statement or the next one.
    Ignore,
    /// `ignore-file[...]`.
    IgnoreFile,
    /// `disable[...]`: from here on.
    Disable,
    /// `enable[...]`: no longer.
    Enable,
    /// `# noqa: RL101`, as Ruff and Flake8 have it.
    Noqa,
    /// Another keyword.
    Unknown(String),
}

/// A rule in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its code or name, as it is written.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// The keywords, for "did you mean".
pub const KEYWORDS: &[&str] = &["ignore", "ignore-file", "disable", "enable"];

/// All markers of a file, in order.
pub fn markers(text: &str, language: Language, comments: &[Span]) -> Vec<Marker> {
    comments
        .iter()
        .flat_map(|&comment| in_comment(text, language, comment))
        .collect()
}

fn in_comment(text: &str, language: Language, comment: Span) -> Vec<Marker> {
    let Some(whole) = text.get(comment.range()) else {
        return Vec::new();
    };
    let start = comment.start as usize;
    let sign = match language {
        Language::Python => "#",
        Language::Rust => "//",
    };
    if let Some(body) = whole.strip_prefix("/*") {
        let body = body.strip_suffix("*/").unwrap_or(body);
        return piece(body, start + 2, comment).into_iter().collect();
    }
    // Documentation speaks of suppressions, it does not contain any.
    let Some(body) = whole
        .strip_prefix(sign)
        .filter(|body| sign == "#" || !body.starts_with(['/', '!']))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = start + sign.len();
    let mut before: Option<&str> = None;
    for part in body.split(sign) {
        // After prose a marker needs the distance of a comment of its own: `# prose  # reconnect-lint: ...`.
        if before.is_none_or(|before| is_pragma(before) || before.ends_with("  ")) {
            found.extend(piece(part, at, comment));
        }
        at += part.len() + sign.len();
        before = Some(part);
    }
    found
}

/// `type: ignore`, `noqa`, `pylint: disable=...`: something for a tool.
fn is_pragma(part: &str) -> bool {
    let part = part.trim();
    let word = part
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .next()
        .unwrap_or("");
    !word.is_empty() && (part[word.len()..].starts_with(':') || ["noqa", "nosec", "NOSONAR"].contains(&word))
}

/// A part of a comment, if it is a marker.
fn piece(part: &str, at: usize, comment: Span) -> Option<Marker> {
    let trimmed = part.trim_start();
    let start = at + part.len() - trimmed.len();
    let trimmed = trimmed.trim_end();
    let span = Span::new(start, start + trimmed.len());
    if let Some(rest) = trimmed.strip_prefix(NAME) {
        return Some(own(rest, span, start + NAME.len(), comment));
    }
    noqa(trimmed, span, comment)
}

/// `reconnect-lint: keyword[list] reason`; `rest` is what follows the colon.
fn own(rest: &str, span: Span, at: usize, comment: Span) -> Marker {
    let keyword_at = at + rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(rest.len());
    let (keyword, after) = rest.split_at(length);
    let kind = match keyword {
        "ignore" => Kind::Ignore,
        "ignore-file" => Kind::IgnoreFile,
        "disable" => Kind::Disable,
        "enable" => Kind::Enable,
        other => Kind::Unknown(other.to_owned()),
    };
    let spaces = after.len() - after.trim_start().len();
    let list_at = keyword_at + length + spaces;
    let list = after
        .trim_start()
        .strip_prefix('[')
        .and_then(|list| list.split_once(']'))
        .map(|(list, _)| list);
    Marker {
        kind,
        comment,
        span,
        list: list.map_or(Span::new(list_at, list_at), |list| {
            Span::new(list_at, list_at + list.len() + 2)
        }),
        entries: list.map(|list| entries(list, list_at + 1)).unwrap_or_default(),
    }
}

/// `noqa: RL101, E501`: only our codes are taken, the rest is for others. A bare `noqa` is for others altogether.
fn noqa(part: &str, span: Span, comment: Span) -> Option<Marker> {
    let head = part.get(..4).filter(|head| head.eq_ignore_ascii_case("noqa"))?;
    let rest = part[head.len()..].trim_start().strip_prefix(':')?;
    let at = span.start as usize + part.len() - rest.len();
    let is_code = |c: char| c.is_ascii_alphanumeric();
    // Codes end where prose begins: `# noqa: RL101 because`.
    let mut entries = Vec::new();
    let mut end = 0;
    for word in rest.split([',', ' ', '\t']) {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let looks_like_code =
            digits.len() < word.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !word.is_empty() {
            if !looks_like_code || !word.chars().all(is_code) {
                break;
            }
            if word.starts_with("RL") && digits.len() == word.len() - 2 {
                entries.push(Entry {
                    text: word.to_owned(),
                    span: Span::new(at + end, at + end + word.len()),
                });
            }
        }
        end += word.len() + 1;
    }
    let list = Span::new(at, (at + end).min(span.end as usize));
    (!entries.is_empty()).then_some(Marker {
        kind: Kind::Noqa,
        comment,
        span,
        list,
        entries,
    })
}

/// The words of a list, with their places.
fn entries(list: &str, at: usize) -> Vec<Entry> {
    let mut offset = at;
    let mut found = Vec::new();
    for part in list.split(',') {
        let word = part.trim();
        let start = offset + part.len() - part.trim_start().len();
        if !word.is_empty() {
            found.push(Entry {
                text: word.to_owned(),
                span: Span::new(start, start + word.len()),
            });
        }
        offset += part.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: Language, comment: &str) -> Vec<(Kind, Vec<String>)> {
        let text = format!("x {comment}\n");
        let found = markers(&text, language, &[Span::new(2, 2 + comment.len())]);
        for marker in &found {
            for entry in &marker.entries {
                assert_eq!(&text[entry.span.range()], entry.text);
                assert!(
                    marker.list.contains(entry.span) && marker.span.contains(marker.list),
                    "{marker:?}"
                );
            }
        }
        found
            .into_iter()
            .map(|m| (m.kind, m.entries.into_iter().map(|e| e.text).collect()))
            .collect()
    }

    fn one(kind: Kind, entries: &[&str]) -> Vec<(Kind, Vec<String>)> {
        vec![(kind, entries.iter().map(ToString::to_string).collect())]
    }

    #[test]
    fn markers_are_read_where_people_put_them() {
        let cases = [
            ("# reconnect-lint: ignore[RL101]", one(Kind::Ignore, &["RL101"])),
            (
                "#reconnect-lint:ignore[RL101,unguarded-cursor] why",
                one(Kind::Ignore, &["RL101", "unguarded-cursor"]),
            ),
            (
                "# reconnect-lint: ignore [ RL101 , RL102 ]",
                one(Kind::Ignore, &["RL101", "RL102"]),
            ),
            ("# reconnect-lint: ignore-file[RL1]", one(Kind::IgnoreFile, &["RL1"])),
            (
                "# type: ignore # reconnect-lint: ignore[RL101]",
                one(Kind::Ignore, &["RL101"]),
            ),
            ("# noqa # reconnect-lint: ignore[RL101]", one(Kind::Ignore, &["RL101"])),
            (
                "# reads users  # reconnect-lint: ignore[RL101]",
                one(Kind::Ignore, &["RL101"]),
            ),
            (
                "# reconnect-lint: ignore[RL101] see #12  # noqa: E501",
                one(Kind::Ignore, &["RL101"]),
            ),
            ("# reconnect-lint: ignore", one(Kind::Ignore, &[])),
            ("# reconnect-lint: ignore RL101", one(Kind::Ignore, &[])),
            ("# reconnect-lint: ignore[RL101", one(Kind::Ignore, &[])),
            (
                "# reconnect-lint: ignor[RL101]",
                one(Kind::Unknown("ignor".into()), &["RL101"]),
            ),
            ("# reconnect-lint: disable=RL101", one(Kind::Disable, &[])),
            ("# noqa: RL101", one(Kind::Noqa, &["RL101"])),
            (
                "# NOQA : E501,RL101 RL102 because RL103",
                one(Kind::Noqa, &["RL101", "RL102"]),
            ),
            (
                "# noqa: RL101  # reconnect-lint: enable[RL102]",
                [one(Kind::Noqa, &["RL101"]), one(Kind::Enable, &["RL102"])].concat(),
            ),
        ];
        for (comment, expected) in cases {
            assert_eq!(read(Language::Python, comment), expected, "{comment}");
        }
        let cases = [
            (
                "// reconnect-lint: ignore[RL107] at start",
                one(Kind::Ignore, &["RL107"]),
            ),
            (
                "// opens  // reconnect-lint: ignore[RL107]",
                one(Kind::Ignore, &["RL107"]),
            ),
            ("/* reconnect-lint: ignore[RL107] */", one(Kind::Ignore, &["RL107"])),
        ];
        for (comment, expected) in cases {
            assert_eq!(read(Language::Rust, comment), expected, "{comment}");
        }
    }

    #[test]
    fn prose_documentation_and_other_tools_are_left_alone() {
        let cases = [
            "# see reconnect-lint: ignore[RL101]",
            "# write `# reconnect-lint: ignore[RL101]` to hide it",
            "# use # reconnect-lint: ignore[RL101] here",
            "# noqa",
            "# noqa: E501",
            "# noqa: RLX101",
            "# noqa:",
            "# noqaRL101",
            "# reconnect-lint ignore[RL101]",
        ];
        for comment in cases {
            assert_eq!(read(Language::Python, comment), [], "{comment}");
        }
        for comment in [
            "/// reconnect-lint: ignore[RL101]",
            "//! reconnect-lint: ignore[RL101]",
            "# reconnect-lint: ignore[RL101]",
        ] {
            assert_eq!(read(Language::Rust, comment), [], "{comment}");
        }
    }
}
