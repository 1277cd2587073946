//! The encoding of a file on disk, for writing it back as it was.

use encoding_rs::{Encoding, UTF_8};

/// Bytes that stand for a new text, if `bytes` are what the old text was decoded from. `None` if they are not (the file
/// changed, or its encoding is not known), or if the new text has characters that the encoding lacks.
pub fn reencode(bytes: &[u8], old: &str, new: &str) -> Option<Vec<u8>> {
    const BOM: &[u8] = b"\xEF\xBB\xBF";
    if bytes == old.as_bytes() {
        return Some(new.as_bytes().to_vec());
    }
    if bytes.strip_prefix(BOM) == Some(old.as_bytes()) {
        return Some([BOM, new.as_bytes()].concat());
    }
    let encoding = declared(bytes)?;
    if encoding == UTF_8 || encoding.decode_without_bom_handling(bytes).0 != old {
        return None;
    }
    let (encoded, _, unmappable) = encoding.encode(new);
    (!unmappable).then(|| encoded.into_owned())
}

/// The encoding that one of the first two lines declares, as PEP 263 has it.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    bytes.split(|&byte| byte == b'\n').take(2).find_map(|line| {
        let line = std::str::from_utf8(line).ok()?.trim_start();
        let (_, rest) = line.strip_prefix('#')?.split_once("coding")?;
        let rest = rest.strip_prefix([':', '='])?.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
            .unwrap_or(rest.len());
        // Python writes `latin_1` and `iso8859_15` where the web has `latin1` and dashes.
        let label = rest[..end].replace('_', "-").replace("latin-", "latin");
        Encoding::for_label(label.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::reencode;

    #[test]
    fn the_encoding_stays() {
        assert_eq!(reencode(b"a\n", "a\n", "b\n"), Some(b"b\n".to_vec()));
        assert_eq!(reencode("é".as_bytes(), "é", "éé"), Some("éé".as_bytes().to_vec()));
        assert_eq!(reencode(b"\xEF\xBB\xBFa", "a", "b"), Some(b"\xEF\xBB\xBFb".to_vec()));
        let (old, new) = (
            "# -*- coding: latin-1 -*-\n# \u{e9}\n",
            "# -*- coding: latin-1 -*-\n# \u{e9}x\n",
        );
        let bytes = b"# -*- coding: latin-1 -*-\n# \xE9\n";
        assert_eq!(
            reencode(bytes, old, new),
            Some(b"# -*- coding: latin-1 -*-\n# \xE9x\n".to_vec())
        );
    }

    #[test]
    fn what_cannot_be_written_back_is_refused() {
        assert_eq!(reencode(b"changed\n", "a\n", "b\n"), None);
        assert_eq!(reencode(b"\xE9\n", "\u{fffd}\n", "b\n"), None);
        let text = "# coding: latin-1\n# \u{e9}\n";
        assert_eq!(
            reencode(b"# coding: latin-1\n# \xE9\n", text, &format!("{text}\u{20ac}\u{4e2d}")),
            None
        );
    }
}
