//! Files as editors name them: `file:///home/me/a%20b.py`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The path of a `file:` URI; `None` for texts that are no files (`untitled:`, cells of notebooks) and other hosts.
pub fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let slash = rest.find('/')?;
    if !matches!(&rest[..slash], "" | "localhost") {
        return None;
    }
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let decoded = decode(rest.get(slash..end)?)?;
    // `/c:/project` on Windows.
    let drive = decoded.as_bytes().get(2) == Some(&b':') && cfg!(windows);
    let path = PathBuf::from(if drive { &decoded[1..] } else { &decoded });
    Some(crate::report::normalise(&path))
}

/// The URI of an absolute path.
pub fn from_path(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            uri.push(byte as char);
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let digits = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn paths_come_back_as_they_were() {
        for path in ["/a/b.py", "/a b/ü%#?.rs", "/"] {
            assert_eq!(to_path(&from_path(Path::new(path))).as_deref(), Some(Path::new(path)));
        }
        assert_eq!(to_path("file://localhost/a/../b.py"), Some(PathBuf::from("/b.py")));
    }

    #[test]
    fn what_is_no_file_has_no_path() {
        for uri in [
            "untitled:1",
            "file:",
            "file://host/a.py",
            "file:///%",
            "file:///%ff",
            "file:///%zz",
            "",
        ] {
            assert_eq!(to_path(uri), None, "{uri}");
        }
    }
}
