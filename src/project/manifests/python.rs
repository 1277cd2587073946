//! Python's manifests.

use toml::{Table, Value};

use super::requirement::{parse, pin};
use super::{Firmness, Pin, is_aside_name, normalise};
use crate::knowledge::Release;

/// `requirements.txt` and its like; continuation lines and hashes are skipped. Included files are manifests themselves.
pub(super) fn requirements(source: &str, text: &str) -> Vec<Pin> {
    text.lines()
        .enumerate()
        .filter_map(|(i, line)| parse(line.trim_end_matches('\\'), source, i as u32 + 1))
        .collect()
}

/// The first line that names a package, for formats that are read as a whole.
fn line_of(text: &str, name: &str) -> u32 {
    let name = name.to_ascii_lowercase();
    text.lines()
        .position(|l| l.to_ascii_lowercase().contains(&name))
        .map_or(1, |i| i as u32 + 1)
}

/// PEP 621, dependency groups, poetry, pdm, uv.
pub(super) fn pyproject(source: &str, text: &str) -> Result<Vec<Pin>, String> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let mut pins = Vec::new();
    let mut list = |value: Option<&Value>, aside: bool| {
        for item in value
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let line = line_of(
                text,
                item.split(['=', '<', '>', '~', '[', ' ', ';']).next().unwrap_or(item),
            );
            pins.extend(parse(item, source, line).map(|pin| Pin { aside, ..pin }));
        }
    };
    let project = table.get("project");
    list(project.and_then(|p| p.get("dependencies")), false);
    let groups = [
        project.and_then(|p| p.get("optional-dependencies")),
        table.get("dependency-groups"),
    ];
    for group in groups.into_iter().flatten().filter_map(Value::as_table) {
        group.iter().for_each(|(name, v)| list(Some(v), is_aside_name(name)));
    }
    let tool = table.get("tool");
    for (name, key) in [("pdm", "dev-dependencies"), ("uv", "dev-dependencies")] {
        match tool.and_then(|t| t.get(name)).and_then(|t| t.get(key)) {
            Some(Value::Table(groups)) => groups.values().for_each(|v| list(Some(v), true)),
            other => list(other, true),
        }
    }
    if let Some(poetry) = tool.and_then(|t| t.get("poetry")) {
        let mut tables: Vec<(bool, &Value)> = Vec::new();
        tables.extend(poetry.get("dependencies").map(|t| (false, t)));
        tables.extend(poetry.get("dev-dependencies").map(|t| (true, t)));
        if let Some(groups) = poetry.get("group").and_then(Value::as_table) {
            let of = |(name, group): (&String, _)| Some((is_aside_name(name), Value::get(group, "dependencies")?));
            tables.extend(groups.iter().filter_map(of));
        }
        for (aside, table) in tables {
            for (name, value) in table.as_table().into_iter().flatten() {
                let found = entry(name, value, source, line_of(text, name));
                pins.extend(found.map(|pin| Pin { aside, ..pin }));
            }
        }
    }
    Ok(pins)
}

/// `name = "^1.0"`, `name = { version = "^1.0" }`, a list of such.
fn entry(name: &str, value: &Value, source: &str, line: u32) -> Option<Pin> {
    match value {
        Value::String(version) => Some(pin(name, version, source, line)),
        Value::Table(table) => Some(pin(
            name,
            table.get("version").and_then(Value::as_str).unwrap_or(""),
            source,
            line,
        )),
        Value::Array(items) => entry(name, items.first()?, source, line),
        _ => None,
    }
}

/// `Pipfile`.
pub(super) fn pipfile(source: &str, text: &str) -> Result<Vec<Pin>, String> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let mut pins = Vec::new();
    for (key, aside) in [("packages", false), ("dev-packages", true)] {
        for (name, value) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
            let found = entry(name, value, source, line_of(text, name));
            pins.extend(found.map(|pin| Pin { aside, ..pin }));
        }
    }
    Ok(pins)
}

/// `Pipfile.lock`.
pub(super) fn pipfile_lock(source: &str, text: &str) -> Result<Vec<Pin>, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut pins = Vec::new();
    for (key, aside) in [("default", false), ("develop", true)] {
        for (name, value) in json.get(key).and_then(|v| v.as_object()).into_iter().flatten() {
            let version = value.get("version").and_then(|v| v.as_str()).unwrap_or("");
            let mut pin = pin(name, version, source, line_of(text, &format!("\"{name}\"")));
            pin.firmness = Firmness::Locked;
            pin.aside = aside;
            pins.push(pin);
        }
    }
    Ok(pins)
}

/// Lock files made of `[[package]]` tables, read line by line: they are large, and only two keys matter.
pub(super) fn lock(source: &str, text: &str) -> Vec<Pin> {
    let mut pins: Vec<Pin> = Vec::new();
    let mut name: Option<(&str, u32)> = None;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("[[") {
            name = None;
        } else if let Some(value) = line.strip_prefix("name = ") {
            name = Some((value.trim_matches(['"', '\'', ' ']), index as u32 + 1));
        } else if let Some(value) = line.strip_prefix("version = ") {
            let Some((name, line)) = name.take() else { continue };
            let version = value.trim_matches(['"', '\'', ' ']);
            if let Ok(release) = version.parse::<Release>() {
                pins.push(Pin {
                    package: normalise(name),
                    least: Some(release),
                    written: format!("=={version}"),
                    firmness: Firmness::Locked,
                    source: source.to_owned(),
                    line,
                    aside: false,
                });
            }
        }
    }
    pins
}

/// Of several versions of a package in a lock file of Python, which is sorted by name, the newest counts: the others are
/// for older Pythons.
pub(super) fn newest(pins: Vec<Pin>) -> Vec<Pin> {
    let mut kept: Vec<Pin> = Vec::new();
    for pin in pins {
        match kept.last_mut().filter(|p| p.package == pin.package) {
            Some(last) if last.least < pin.least => *last = pin,
            Some(_) => {}
            None => kept.push(pin),
        }
    }
    kept
}

/// `setup.py` and `setup.cfg` where they are literal: strings in the lists of requirements.
pub(super) fn setup(source: &str, text: &str) -> Vec<Pin> {
    let mut pins = Vec::new();
    let is_cfg = source.ends_with(".cfg");
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line_number = index as u32 + 1;
        let trimmed = line.trim();
        // A section of setup.cfg ends the one before; `[options.extras_require]` begins one.
        if is_cfg && trimmed.starts_with('[') {
            inside = false;
        }
        if trimmed.contains("install_requires")
            || trimmed.contains("extras_require")
            || trimmed.starts_with("requires")
            || trimmed.contains("requirements = [")
            || trimmed.contains("REQUIRE")
        {
            inside = true;
        }
        if is_cfg {
            if inside {
                // `install_requires = a`, `extra = a`; not `a>=1`.
                let item = trimmed
                    .split_once('=')
                    .filter(|(key, rest)| {
                        let key = key.trim();
                        !rest.starts_with('=') && !key.ends_with(['>', '<', '!', '~', '='])
                    })
                    .map_or(trimmed, |(_, v)| v.trim());
                pins.extend(parse(item, source, line_number));
            }
            continue;
        }
        for literal in literals(trimmed) {
            let firm = literal.contains(['=', '<', '>', '~']);
            if inside || firm {
                pins.extend(parse(literal, source, line_number));
            }
        }
        if inside && trimmed.ends_with(']') || trimmed.ends_with("],") {
            inside = false;
        }
    }
    pins
}

/// The strings of a line.
fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = rest.as_bytes()[start] as char;
        let after = &rest[start + 1..];
        let Some(end) = after.find(quote) else { break };
        found.push(&after[..end]);
        rest = &after[end + 1..];
    }
    found
}

/// `environment.yml` of conda: list items, `name=1.2` or pip's form.
pub(super) fn conda(source: &str, text: &str) -> Vec<Pin> {
    text.lines()
        .enumerate()
        .filter_map(|(i, line)| {
            let item = line.trim().strip_prefix("- ")?.trim_matches(['"', '\'']);
            let line = i as u32 + 1;
            if item.contains("==") || item.contains(['<', '>', '~']) || !item.contains('=') {
                return parse(item, source, line);
            }
            let (name, version) = item.split_once('=')?;
            Some(pin(name, &format!("=={}", version.split('=').next()?), source, line))
        })
        .collect()
}

/// Exact pins in commands and lists (`pip install pymongo==3.4`).
pub(super) fn loose(source: &str, text: &str) -> Vec<Pin> {
    text.lines()
        .enumerate()
        .flat_map(|(i, line)| {
            line.split_whitespace()
                .filter(|w| w.contains("=="))
                .map(move |w| (i, w))
        })
        .filter_map(|(i, word)| parse(word.trim_matches(['"', '\'']), source, i as u32 + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pins: &[Pin], name: &str) -> Option<(Option<Release>, Firmness)> {
        pins.iter().find(|p| p.package == name).map(|p| (p.least, p.firmness))
    }

    #[test]
    fn every_format_gives_its_versions() {
        let text = "[project]\ndependencies = ['pymongo>=3.9']\n[tool.poetry.dependencies]\nredis = '^4.5'\nmotor = {version='3.1', extras=['x']}\n";
        let pins = pyproject("pyproject.toml", text).unwrap();
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(3, 9, 0)), Firmness::Range)));
        assert_eq!(of(&pins, "redis"), Some((Some(Release(4, 5, 0)), Firmness::Range)));
        assert_eq!(of(&pins, "motor"), Some((Some(Release(3, 1, 0)), Firmness::Range)));
        let pins = lock("poetry.lock", "[[package]]\nname = \"pymongo\"\nversion = \"3.12.3\"\n");
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(3, 12, 3)), Firmness::Locked)));
        let text = "[[package]]\nname = \"redis\"\nversion = \"5.0.1\"\n\n[[package]]\nname = \"redis\"\nversion = \"6.4.0\"\n";
        let pins = newest(lock("uv.lock", text));
        assert_eq!(pins.len(), 1);
        assert_eq!(pins[0].written, "==6.4.0");
        let pins = pipfile_lock("Pipfile.lock", r#"{"default": {"pymongo": {"version": "==4.1.1"}}}"#).unwrap();
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(4, 1, 1)), Firmness::Locked)));
        let pins = setup(
            "setup.py",
            "setup(install_requires=[\n  'pymongo>=2.7',\n  \"six\",\n])\n",
        );
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(2, 7, 0)), Firmness::Range)));
        assert_eq!(of(&pins, "six"), Some((None, Firmness::Named)));
        let pins = setup("setup.cfg", "[options]\ninstall_requires =\n    pymongo==3.4\n");
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(3, 4, 0)), Firmness::Pinned)));
        let pins = conda(
            "environment.yml",
            "dependencies:\n  - pymongo=3.4\n  - pip:\n    - motor==2.1\n",
        );
        assert_eq!(of(&pins, "pymongo"), Some((Some(Release(3, 4, 0)), Firmness::Pinned)));
        assert_eq!(of(&pins, "motor"), Some((Some(Release(2, 1, 0)), Firmness::Pinned)));
        assert!(pyproject("pyproject.toml", "[").is_err());
    }
}
