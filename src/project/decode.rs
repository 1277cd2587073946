//! Bytes to text: byte order marks, declared encodings, binary files.

use std::sync::Arc;

use encoding_rs::Encoding;

/// Why bytes are no source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// It holds NUL bytes, as no source does.
    Binary,
    /// More than 20 MB.
    TooLarge,
}

/// Larger files are generated.
const MAX_BYTES: usize = 20_000_000;

/// The text of a file. Offsets in it are what findings refer to; a byte order mark is no part of it. Bytes that do not fit
/// the encoding become U+FFFD: a file is checked as far as it can be read.
pub fn decode(bytes: Vec<u8>) -> Result<Arc<str>, Undecodable> {
    if bytes.len() > MAX_BYTES {
        return Err(Undecodable::TooLarge);
    }
    if let Some((encoding, length)) = Encoding::for_bom(&bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[length..]);
        return Ok(Arc::from(text.as_ref()));
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some() {
        return Err(Undecodable::Binary);
    }
    if let Some(encoding) = declared(&bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        return Ok(Arc::from(text.as_ref()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::from(text)),
        Err(error) => Ok(Arc::from(String::from_utf8_lossy(error.as_bytes()).as_ref())),
    }
}

/// `# -*- coding: latin-1 -*-` in the first two lines (PEP 263), if it is not UTF-8.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    for line in bytes.splitn(3, |b| *b == b'\n').take(2) {
        let line = std::str::from_utf8(&line[..line.len().min(200)]).ok()?;
        if !line.trim_start().starts_with('#') {
            continue;
        }
        let Some(at) = line.find("coding") else { continue };
        let rest = line[at + "coding".len()..].trim_start_matches([':', '=', ' ']);
        let label: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
            .collect();
        let label = label.replace('_', "-").to_ascii_lowercase();
        let label = match label.as_str() {
            "latin-1" | "latin1" | "iso-latin-1" => "iso-8859-1",
            other => other,
        };
        let encoding = Encoding::for_label(label.as_bytes())?;
        return (encoding != encoding_rs::UTF_8).then_some(encoding);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_recognised() {
        assert_eq!(&*decode(b"\xef\xbb\xbfx = 1".to_vec()).unwrap(), "x = 1");
        assert_eq!(
            &*decode(b"# -*- coding: latin-1 -*-\nx = '\xe9'".to_vec()).unwrap(),
            "# -*- coding: latin-1 -*-\nx = 'é'"
        );
        assert_eq!(&*decode(b"x = '\xff'".to_vec()).unwrap(), "x = '\u{fffd}'");
        assert_eq!(&*decode("x = 'é'".as_bytes().to_vec()).unwrap(), "x = 'é'");
        assert_eq!(decode(b"\x7fELF\0\0".to_vec()), Err(Undecodable::Binary));
        assert_eq!(&*decode(vec![0xff, 0xfe, b'x', 0]).unwrap(), "x");
    }
}
