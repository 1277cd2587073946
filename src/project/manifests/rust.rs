//! `Cargo.toml`. (`Cargo.lock` has the form of Python's locks.)

use toml::{Table, Value};

use super::Pin;
use super::requirement::pin;

/// Dependencies of a package or workspace; a renamed one by its real name.
pub(super) fn cargo(source: &str, text: &str) -> Result<Vec<Pin>, String> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
    let workspace = table.get("workspace").and_then(|w| w.get("dependencies"));
    let tables = [table.get("dependencies"), workspace];
    let mut pins = Vec::new();
    for (name, value) in tables.into_iter().flatten().filter_map(Value::as_table).flatten() {
        let (package, version) = match value {
            Value::String(version) => (name.as_str(), version.as_str()),
            Value::Table(entry) => {
                if entry.get("workspace").is_some() {
                    continue;
                }
                (
                    entry.get("package").and_then(Value::as_str).unwrap_or(name),
                    entry.get("version").and_then(Value::as_str).unwrap_or(""),
                )
            }
            _ => continue,
        };
        let line = text
            .lines()
            .position(|l| l.trim_start().starts_with(name.as_str()))
            .map_or(1, |i| i as u32 + 1);
        pins.push(pin(package, version, source, line));
    }
    Ok(pins)
}
