//! One requirement: a name and what it allows.

use crate::knowledge::Release;

use super::{Firmness, Pin};

/// A package's name as registries compare it (PEP 503): lower case, runs of `-_.` are one `-`.
pub fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim().chars() {
        if matches!(c, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// The least version that a specifier allows, and whether it allows just one. Knows `==1.2`, `>=1,<2`, `~=1.2`, `^1.2`,
/// `~1.2`, `1.*`, `1.2`.
pub fn lower_bound(specifier: &str) -> (Option<Release>, bool) {
    let mut least: Option<Release> = None;
    let mut exact = false;
    for part in specifier.split([',', ' ']).map(str::trim).filter(|p| !p.is_empty()) {
        let digits = part.trim_start_matches(['=', '>', '<', '~', '^', '!', ' ', 'v']);
        let op = part[..part.len() - digits.len()].trim_end_matches('v').trim();
        let Ok(release) = digits
            .trim_end_matches(".*")
            .trim_end_matches('*')
            .trim_end_matches('.')
            .parse::<Release>()
        else {
            continue;
        };
        match op {
            "==" | "===" | "=" => {
                least = Some(release);
                exact = !digits.contains('*');
            }
            // The next one.
            ">" => {
                let next = Release(release.0, release.1, release.2.saturating_add(1));
                least = Some(least.map_or(next, |old| old.max(next)));
            }
            ">=" | "~=" | "^" | "~" | "~>" | "" => least = Some(least.map_or(release, |old| old.max(release))),
            _ => {}
        }
    }
    (least, exact)
}

/// A requirement as pip writes it: `Name[extra]>=1.0,<2; python_version < "3"`.
pub(super) fn parse(text: &str, source: &str, line: u32) -> Option<Pin> {
    let text = text.split(" #").next()?.split(';').next()?.trim();
    let text = text.split(" --").next()?.trim();
    if text.is_empty() || text.starts_with(['#', '-', '.', '/']) || text.contains("://") && !text.contains(" @ ") {
        return None;
    }
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let name = &text[..end];
    if name.is_empty() || !name.starts_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    let mut rest = text[end..].trim();
    if rest.starts_with('[') {
        rest = rest.split_once(']').map_or("", |(_, r)| r).trim();
    }
    let rest = rest.trim_matches(['(', ')']).trim();
    if rest.starts_with('@') || !rest.is_empty() && !rest.starts_with(['=', '<', '>', '~', '!', '^']) {
        return rest.starts_with('@').then(|| pin(name, "", source, line));
    }
    Some(pin(name, rest, source, line))
}

/// A pin from a name and a specifier.
pub(super) fn pin(name: &str, specifier: &str, source: &str, line: u32) -> Pin {
    let specifier = specifier.trim();
    let specifier = if specifier == "*" { "" } else { specifier };
    let (least, exact) = lower_bound(specifier);
    let firmness = match (least, exact) {
        (Some(_), true) => Firmness::Pinned,
        (Some(_), false) => Firmness::Range,
        (None, _) if specifier.is_empty() => Firmness::Named,
        (None, _) => Firmness::Range,
    };
    Pin {
        package: normalise(name),
        least,
        written: specifier.to_owned(),
        firmness,
        source: source.to_owned(),
        line,
        aside: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read() {
        for (text, name, least, firmness) in [
            ("pymongo==3.4.0", "pymongo", Some(Release(3, 4, 0)), Firmness::Pinned),
            (
                "Flask_PyMongo >= 2.0, <3",
                "flask-pymongo",
                Some(Release(2, 0, 0)),
                Firmness::Range,
            ),
            (
                "celery[redis]~=5.2 ; python_version > '3'",
                "celery",
                Some(Release(5, 2, 0)),
                Firmness::Range,
            ),
            ("redis>4.4.4", "redis", Some(Release(4, 4, 5)), Firmness::Range),
            ("pymongo", "pymongo", None, Firmness::Named),
            ("pymongo<4", "pymongo", None, Firmness::Range),
            ("redis==4.* # note", "redis", Some(Release(4, 0, 0)), Firmness::Range),
        ] {
            let pin = parse(text, "requirements.txt", 1).unwrap();
            assert_eq!(
                (pin.package.as_str(), pin.least, pin.firmness),
                (name, least, firmness),
                "{text}"
            );
        }
        assert_eq!(parse("-r base.txt", "", 1), None);
        assert_eq!(parse("git+https://x/y.git#egg=z", "", 1), None);
        assert_eq!(lower_bound("^3.8").0, Some(Release(3, 8, 0)));
    }
}
