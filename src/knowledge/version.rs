//! Version requirements of library files: `>=3.9,<4`.

use std::fmt;
use std::str::FromStr;

/// A release number; missing parts are zero. Pre-releases count as their release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Release(pub u32, pub u32, pub u32);

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = [0; 3];
        for (slot, part) in parts.iter_mut().zip(text.trim().split('.')) {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            *slot = part[..digits]
                .parse()
                .map_err(|_| format!("`{text}` is not a version number"))?;
        }
        Ok(Self(parts[0], parts[1], parts[2]))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
}

/// A conjunction of comparisons.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Requirement(Vec<(Op, Release, usize)>);

impl Requirement {
    /// True if the release fulfils every comparison. `==4.6` matches every patch of 4.6.
    pub fn matches(&self, release: Release) -> bool {
        self.0.iter().all(|&(op, bound, parts)| match op {
            Op::Less => release < bound,
            Op::LessEqual => release <= bound,
            Op::Greater => release > bound,
            Op::GreaterEqual => release >= bound,
            Op::Equal => match parts {
                1 => release.0 == bound.0,
                2 => (release.0, release.1) == (bound.0, bound.1),
                _ => release == bound,
            },
        })
    }
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (op, rest) = if let Some(rest) = part.strip_prefix(">=") {
                (Op::GreaterEqual, rest)
            } else if let Some(rest) = part.strip_prefix("<=") {
                (Op::LessEqual, rest)
            } else if let Some(rest) = part.strip_prefix("==") {
                (Op::Equal, rest)
            } else if let Some(rest) = part.strip_prefix('<') {
                (Op::Less, rest)
            } else if let Some(rest) = part.strip_prefix('>') {
                (Op::Greater, rest)
            } else {
                return Err(format!("`{part}` is not a version requirement: write `>=3.9,<4`"));
            };
            parts.push((op, rest.parse()?, rest.split('.').count()));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_joined() {
        let req: Requirement = ">=3.9,<4".parse().unwrap();
        assert!(req.matches(Release(3, 9, 0)) && req.matches(Release(3, 13, 2)));
        assert!(!req.matches(Release(3, 8, 9)) && !req.matches(Release(4, 0, 0)));
    }

    #[test]
    fn equality_covers_the_parts_written() {
        let req: Requirement = "==4.6".parse().unwrap();
        assert!(req.matches(Release(4, 6, 3)) && !req.matches(Release(4, 7, 0)));
    }
}
