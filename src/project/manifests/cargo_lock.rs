//! Which version of a crate each package of a workspace gets: `Cargo.lock` may hold several of one crate, and a package's
//! is the one that its own requirement allows. A lock file in a member of a workspace is not read by Cargo.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use toml::{Table, Value};

use super::{Firmness, Pin, normalise};

/// Manifests and lock files of Cargo, by folder.
#[derive(Debug, Default)]
pub(super) struct Cargo {
    pub packages: Vec<(PathBuf, Table)>,
    pub locks: Vec<(PathBuf, Vec<Pin>)>,
}

impl Cargo {
    /// Pins of the locks by folder: those of the whole workspace at its root, and a member's own where it says which.
    pub fn pins(mut self) -> Vec<(PathBuf, Vec<Pin>)> {
        let locks = std::mem::take(&mut self.locks);
        let mut found = Vec::new();
        for (folder, pins) in locks {
            if self.root_of(&folder).is_some_and(|root| root != folder) {
                continue;
            }
            let members = self.packages.iter().filter(|(f, _)| match self.root_of(f) {
                Some(root) => root == folder,
                None => *f == folder,
            });
            for (member, table) in members {
                let own = self.required(&folder, table, &pins);
                if !own.is_empty() {
                    found.push((member.clone(), own));
                }
            }
            found.push((folder, pins));
        }
        found
    }

    fn table(&self, folder: &Path) -> Option<&Table> {
        self.packages.iter().find(|(f, _)| f == folder).map(|(_, table)| table)
    }

    /// The root of the workspace that a folder belongs to, itself included.
    fn root_of<'a>(&'a self, folder: &'a Path) -> Option<&'a Path> {
        folder.ancestors().find(|root| {
            let workspace = self.table(root).and_then(|table| table.get("workspace"));
            workspace.is_some_and(|workspace| {
                let Ok(inside) = folder.strip_prefix(root) else {
                    return false;
                };
                let excluded = workspace.get("exclude").and_then(Value::as_array).into_iter().flatten();
                !excluded.filter_map(Value::as_str).any(|e| inside.starts_with(e))
            })
        })
    }

    /// Of the versions in a lock those that a package requires itself.
    fn required(&self, root: &Path, table: &Table, pins: &[Pin]) -> Vec<Pin> {
        let shared = self.table(root).and_then(|t| t.get("workspace")?.get("dependencies"));
        let mut found = Vec::new();
        let targets = table.get("target").and_then(Value::as_table).into_iter().flatten();
        let tables = std::iter::once(table).chain(targets.filter_map(|(_, target)| target.as_table()));
        let dependencies = tables
            .filter_map(|t| t.get("dependencies").and_then(Value::as_table))
            .flatten();
        for (name, entry) in dependencies {
            let inherited = entry.get("workspace").and_then(Value::as_bool) == Some(true);
            let entry = match shared.and_then(|shared| shared.get(name)) {
                Some(shared) if inherited => shared,
                _ => entry,
            };
            let package = normalise(entry.get("package").and_then(Value::as_str).unwrap_or(name));
            let wanted = entry.as_str().or_else(|| entry.get("version").and_then(Value::as_str));
            let Some(wanted) = wanted.and_then(|w| VersionReq::parse(w).ok()) else {
                continue;
            };
            let fitting = pins.iter().filter(|pin| pin.package == package).filter_map(|pin| {
                let version = Version::parse(pin.written.trim_start_matches('=')).ok()?;
                wanted.matches(&version).then_some((version, pin))
            });
            if let Some((_, pin)) = fitting.max_by(|(a, _), (b, _)| a.cmp(b)) {
                found.push(Pin {
                    firmness: Firmness::Chosen,
                    ..pin.clone()
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(manifests: &[(&str, &str)], locks: &[(&str, &str)], of: &str, package: &str) -> Option<String> {
        let cargo = Cargo {
            packages: manifests
                .iter()
                .map(|(folder, text)| (PathBuf::from(folder), text.parse().expect("it is TOML")))
                .collect(),
            locks: locks
                .iter()
                .map(|(folder, text)| (PathBuf::from(folder), super::super::python::lock("Cargo.lock", text)))
                .collect(),
        };
        let found = cargo.pins();
        let (_, pins) = found.iter().find(|(folder, _)| folder == Path::new(of))?;
        pins.iter().find(|p| p.package == package).map(|p| p.written.clone())
    }

    const LOCK: &str =
        "[[package]]\nname = \"redis\"\nversion = \"0.23.3\"\n[[package]]\nname = \"redis\"\nversion = \"0.29.5\"\n";

    #[test]
    fn a_member_gets_the_version_that_it_requires() {
        let root = "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.dependencies]\nredis = \"0.29\"";
        let a = "[package]\nname = \"a\"\n[dependencies]\nredis = { workspace = true, features = [\"aio\"] }";
        let b = "[package]\nname = \"b\"\n[dependencies]\nredis = \"0.23\"";
        let manifests = [("w", root), ("w/a", a), ("w/b", b)];
        assert_eq!(
            pins(&manifests, &[("w", LOCK)], "w/a", "redis").as_deref(),
            Some("==0.29.5")
        );
        assert_eq!(
            pins(&manifests, &[("w", LOCK)], "w/b", "redis").as_deref(),
            Some("==0.23.3")
        );
    }

    #[test]
    fn the_lock_of_a_member_is_not_read() {
        let old = "[[package]]\nname = \"redis\"\nversion = \"0.20.0\"\n";
        let root = "[workspace]\nmembers = [\"a\"]\nexclude = [\"tools\"]";
        let package = "[package]\nname = \"a\"\n[dependencies]\nredis = \"0.29\"";
        let manifests = [
            ("w", root),
            ("w/a", package),
            ("w/tools", "[package]\nname = \"tools\""),
        ];
        let locks = [("w", LOCK), ("w/a", old), ("w/tools", old)];
        assert_eq!(pins(&manifests, &locks, "w/a", "redis").as_deref(), Some("==0.29.5"));
        assert_eq!(
            pins(&manifests, &locks, "w/tools", "redis").as_deref(),
            Some("==0.20.0")
        );
    }
}
