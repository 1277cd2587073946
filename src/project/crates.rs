//! Rust crates: which root a file belongs to, where the file of `mod name;` is, which crates of the workspace a name means.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use toml::{Table, Value};

/// The crates of a project.
#[derive(Debug, Default)]
pub struct Crates {
    paths: Vec<PathBuf>,
    by_path: FxHashMap<PathBuf, u32>,
    /// Folders with a manifest, and what it says.
    packages: FxHashMap<PathBuf, Package>,
    /// The folder of each file's package, by number.
    package_of: Vec<Option<PathBuf>>,
    /// Roots of libraries by the name that other crates use.
    libraries: FxHashMap<String, u32>,
}

/// A package.
#[derive(Debug, Default)]
struct Package {
    /// Dependencies under another name: name in the code -> name of the package, both with underscores.
    renamed: FxHashMap<String, String>,
    /// Roots named in the manifest.
    roots: Vec<PathBuf>,
    /// Its name, with hyphens.
    name: String,
    /// The packages that it needs, and those that only its tests need.
    needs: Vec<String>,
    needs_in_tests: Vec<String>,
    /// It serves tests or migrations only.
    support: bool,
    /// Where each crate that it names comes from, by its name in the code.
    sources: FxHashMap<String, Source>,
    /// The same for the members of a workspace, and what its root puts in the place of other crates.
    shared: FxHashMap<String, Source>,
    patched: FxHashMap<String, PathBuf>,
    /// Its library: the name in the code, and the root if it was found.
    library: Option<(String, Option<u32>)>,
}

/// Where a crate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// A folder of the project.
    Path(PathBuf),
    /// A registry or another repository.
    Elsewhere,
    /// What the root of the workspace says.
    Workspace,
}

/// What is known of where a crate comes from.
enum Origin<'a> {
    /// A folder of the project.
    Folder(&'a Path),
    /// Outside of the project.
    Outside,
    /// The manifest does not name it.
    Unnamed,
}

/// The crates in a table of dependencies, by their names in the code.
fn sources<'t>(folder: &'t Path, table: &'t Table) -> impl Iterator<Item = (String, Source)> + 't {
    table.iter().map(|(name, entry)| {
        let source = if let Some(path) = entry.get("path").and_then(Value::as_str) {
            Source::Path(plain(&folder.join(path)))
        } else if entry.get("workspace").and_then(Value::as_bool) == Some(true) {
            Source::Workspace
        } else {
            Source::Elsewhere
        };
        (name.replace('-', "_"), source)
    })
}

/// The tables of dependencies of a manifest, also those of one kind of machine.
fn tables<'t>(table: &'t Table, kinds: &'t [&str]) -> impl Iterator<Item = &'t Table> {
    let targets = table.get("target").and_then(Value::as_table).into_iter().flatten();
    let all = std::iter::once(table).chain(targets.filter_map(|(_, target)| target.as_table()));
    all.flat_map(move |table| kinds.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(Value::as_table)
}

impl Package {
    /// Its name says that it is for tests: `test-store`, `tests-fuzz`, `shop_test`.
    fn is_named_for_tests(&self) -> bool {
        let words = || self.name.split(['-', '_']);
        let test = |word: Option<&str>| matches!(word, Some("test" | "tests" | "testing" | "fuzz"));
        test(words().next()) || test(words().next_back())
    }
}

/// The names of the packages in tables of dependencies.
fn dependencies<'t>(table: &'t Table, kinds: &'t [&str]) -> impl Iterator<Item = String> + 't {
    tables(table, kinds).flatten().map(|(name, entry)| {
        let real = entry.get("package").and_then(Value::as_str).unwrap_or(name);
        real.replace('_', "-")
    })
}

impl Crates {
    /// From the files by number and the manifests of a walk.
    pub fn new<'p>(files: impl Iterator<Item = &'p Path>, manifests: &[PathBuf]) -> Self {
        let paths: Vec<PathBuf> = files.map(Path::to_path_buf).collect();
        let by_path = paths.iter().enumerate().map(|(i, p)| (p.clone(), i as u32)).collect();
        let mut this = Self {
            paths,
            by_path,
            packages: FxHashMap::default(),
            package_of: Vec::new(),
            libraries: FxHashMap::default(),
        };
        for manifest in manifests
            .iter()
            .filter(|m| m.file_name().is_some_and(|n| n == "Cargo.toml"))
        {
            let folder = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
            let Ok(text) = std::fs::read_to_string(manifest) else {
                continue;
            };
            let Ok(table) = text.parse::<Table>() else { continue };
            this.add(folder, &table);
        }
        this.mark_support();
        this.package_of = this.paths.iter().map(|path| this.folder_of(path)).collect();
        this
    }

    fn folder_of(&self, path: &Path) -> Option<PathBuf> {
        let mut folders = path.ancestors().skip(1);
        folders.find(|f| self.packages.contains_key(*f)).map(Path::to_path_buf)
    }

    /// Finds the packages of a workspace that only tests or migrations need. One that stands alone is the program, whatever its name.
    fn mark_support(&mut self) {
        if self.packages.len() < 2 {
            return;
        }
        for package in self.packages.values_mut() {
            package.support = package.is_named_for_tests() || super::role::is_migration(&package.name);
        }
        loop {
            let of = |tests: bool| -> FxHashSet<String> {
                let packages = self.packages.values().filter(|p| tests || !p.support);
                let needs = packages.flat_map(|p| if tests { &p.needs_in_tests } else { &p.needs });
                needs.cloned().collect()
            };
            let (in_tests, needed) = (of(true), of(false));
            let found: Vec<PathBuf> = self
                .packages
                .iter()
                .filter(|(_, p)| !p.support && in_tests.contains(&p.name) && !needed.contains(&p.name))
                .filter(|(folder, _)| !self.by_path.contains_key(&folder.join("src/main.rs")))
                .map(|(folder, _)| folder.clone())
                .collect();
            if found.is_empty() {
                return;
            }
            for folder in found {
                if let Some(package) = self.packages.get_mut(&folder) {
                    package.support = true;
                }
            }
        }
    }

    /// True if a file's package is another file's, or depends on it.
    pub fn may_use(&self, user: u32, other: u32) -> bool {
        let folder = |file: u32| self.package_of.get(file as usize).and_then(Option::as_ref);
        let (Some(user), Some(other)) = (folder(user), folder(other)) else {
            return folder(user).is_none() && folder(other).is_none();
        };
        if user == other {
            return true;
        }
        let (package, needed) = (&self.packages[user], &self.packages[other]);
        if !package.needs.contains(&needed.name) {
            return false;
        }
        match self.origin(user, package, &needed.name.replace('-', "_")) {
            Origin::Folder(path) => path == other,
            Origin::Outside => false,
            Origin::Unnamed => true,
        }
    }

    /// True if a file belongs to a package that serves tests or migrations only.
    pub fn is_test_support(&self, file: u32) -> bool {
        self.package(file).is_some_and(|p| p.support)
    }

    fn add(&mut self, folder: PathBuf, table: &Table) {
        let mut package = Package::default();
        let workspace = table.get("workspace").and_then(|w| w.get("dependencies"));
        for (name, entry) in [table.get("dependencies"), workspace]
            .into_iter()
            .flatten()
            .filter_map(Value::as_table)
            .flatten()
        {
            if let Some(real) = entry.get("package").and_then(Value::as_str) {
                package.renamed.insert(name.replace('-', "_"), real.replace('-', "_"));
            }
        }
        let own_name = table.get("package").and_then(|p| p.get("name")).and_then(Value::as_str);
        package.name = own_name.unwrap_or_default().replace('_', "-");
        package.needs = dependencies(table, &["dependencies", "build-dependencies"]).collect();
        package.needs_in_tests = dependencies(table, &["dev-dependencies"]).collect();
        for table in tables(table, &["dependencies", "dev-dependencies", "build-dependencies"]) {
            package.sources.extend(sources(&folder, table));
        }
        if let Some(table) = workspace.and_then(Value::as_table) {
            package.shared.extend(sources(&folder, table));
        }
        let patches = table.get("patch").and_then(Value::as_table).into_iter().flatten();
        let replaced = patches.filter_map(|(_, table)| table.as_table()).flatten();
        for (name, entry) in replaced {
            if let Some(path) = entry.get("path").and_then(Value::as_str) {
                let real = entry.get("package").and_then(Value::as_str).unwrap_or(name);
                let real = real.replace('-', "_");
                package.patched.insert(real, plain(&folder.join(path)));
            }
        }
        let lib = table.get("lib");
        let path_of = |entry: &Value| entry.get("path").and_then(Value::as_str).map(|p| folder.join(p));
        let bins = table.get("bin").and_then(Value::as_array).into_iter().flatten();
        package.roots.extend(bins.chain(lib).filter_map(path_of));
        let name = lib
            .and_then(|l| l.get("name"))
            .or_else(|| table.get("package").and_then(|p| p.get("name")));
        if let Some(name) = name.and_then(Value::as_str) {
            let root = lib.and_then(path_of).unwrap_or_else(|| folder.join("src/lib.rs"));
            let file = self.by_path.get(&root).copied();
            if let Some(file) = file {
                self.libraries.insert(name.replace('-', "_"), file);
            }
            package.library = Some((name.replace('-', "_"), file));
        }
        self.packages.insert(folder, package);
    }

    fn package(&self, file: u32) -> Option<&Package> {
        self.packages.get(self.package_of.get(file as usize)?.as_ref()?)
    }

    /// The roots that a file may belong to, best first; never empty. Where a package has a library and a program, `mod`
    /// declarations decide, which only the caller can read.
    pub fn roots(&self, file: u32) -> Vec<u32> {
        let Some(path) = self.paths.get(file as usize) else {
            return vec![file];
        };
        let is_named = self.package(file).is_some_and(|p| p.roots.contains(path));
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if is_named || matches!(name, "main.rs" | "lib.rs" | "build.rs") {
            return vec![file];
        }
        for folder in path.ancestors().skip(1) {
            let mut found: Vec<u32> = ["main.rs", "lib.rs"]
                .iter()
                .filter_map(|n| self.by_path.get(&folder.join(n)))
                .copied()
                .collect();
            if let Some(package) = self.packages.get(folder) {
                found.extend(
                    package
                        .roots
                        .iter()
                        .filter_map(|r| self.by_path.get(r))
                        .filter(|r| **r != file),
                );
            }
            if !found.is_empty() {
                return found;
            }
            let own_root = folder
                .file_name()
                .is_some_and(|n| matches!(n.to_str(), Some("bin" | "examples" | "tests" | "benches")));
            if own_root && path.parent() == Some(folder) || self.packages.contains_key(folder) {
                break;
            }
        }
        vec![file]
    }

    /// The file of `mod name;` in a file, inside of inline modules.
    pub fn submodule(&self, file: u32, is_root: bool, outer: &[&str], name: &str, path: Option<&str>) -> Option<u32> {
        let own = self.paths.get(file as usize)?;
        let folder = own.parent().unwrap_or(Path::new(""));
        let stem = own.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let mut base = folder.to_path_buf();
        if !is_root && !matches!(stem, "mod" | "main" | "lib") {
            base.push(stem);
        }
        base.extend(outer);
        if let Some(path) = path {
            let from = if outer.is_empty() { folder } else { &base };
            return self.by_path.get(&plain(&from.join(path))).copied();
        }
        let candidates = [base.join(format!("{name}.rs")), base.join(name).join("mod.rs")];
        candidates.iter().find_map(|c| self.by_path.get(c)).copied()
    }

    /// The file of the module around that of a file, as far as the folders tell.
    pub fn parent(&self, file: u32) -> Option<u32> {
        self.parents(file).first().copied()
    }

    /// The files that may declare the module of a file, likeliest first.
    pub fn parents(&self, file: u32) -> Vec<u32> {
        self.folders_of(file).unwrap_or_default()
    }

    fn folders_of(&self, file: u32) -> Option<Vec<u32>> {
        let path = self.paths.get(file as usize)?;
        let mut folder = path.parent()?;
        if path.file_name().is_some_and(|n| n == "mod.rs") {
            folder = folder.parent()?;
        }
        let name = folder.file_name().map(|n| format!("{}.rs", n.to_string_lossy()));
        let beside = name.and_then(|n| folder.parent().map(|p| p.join(n)));
        let candidates = [
            Some(folder.join("mod.rs")),
            beside,
            Some(folder.join("main.rs")),
            Some(folder.join("lib.rs")),
        ];
        let known = candidates.into_iter().flatten().filter_map(|c| self.by_path.get(&c));
        Some(known.copied().filter(|p| *p != file).collect())
    }

    /// The root of a library of the project, by its name in the code. A crate that the manifest takes from a registry is
    /// another one, whatever is called like it in the project.
    pub fn library(&self, file: u32, name: &str) -> Option<u32> {
        let by_name = || self.libraries.get(&self.real_name(file, name)).copied();
        let Some(folder) = self.package_of.get(file as usize).and_then(Option::as_ref) else {
            return by_name();
        };
        let package = &self.packages[folder];
        if let Some((own, root)) = &package.library
            && own == name
            && root.is_some()
        {
            return *root;
        }
        let path = match self.origin(folder, package, name) {
            Origin::Folder(path) => path,
            Origin::Outside => return None,
            Origin::Unnamed => return by_name(),
        };
        match self.packages.get(path).and_then(|p| p.library.as_ref()) {
            Some((_, root)) => *root,
            None => by_name(),
        }
    }

    /// Where the crate comes from that a package knows by this name, which is its own or the one in the code.
    fn origin<'a>(&'a self, folder: &'a Path, package: &'a Package, name: &str) -> Origin<'a> {
        let alias = || package.renamed.iter().find(|(_, real)| *real == name);
        let named = package.sources.get_key_value(name);
        let named = named.or_else(|| package.sources.get_key_value(alias()?.0));
        let Some((key, source)) = named else {
            return Origin::Unnamed;
        };
        let above = || folder.ancestors().filter_map(|f| self.packages.get(f));
        let source = match source {
            Source::Workspace => above().find_map(|p| p.shared.get(key)),
            other => Some(other),
        };
        match source {
            Some(Source::Path(path)) => Origin::Folder(path),
            Some(Source::Elsewhere) => {
                let real = package.renamed.get(key).map_or(key.as_str(), String::as_str);
                above()
                    .find_map(|p| p.patched.get(real))
                    .map_or(Origin::Outside, |path| Origin::Folder(path))
            }
            _ => Origin::Unnamed,
        }
    }

    /// The real name of a crate that the manifest renames.
    pub fn real_name(&self, file: u32, name: &str) -> String {
        self.package(file)
            .and_then(|p| p.renamed.get(name))
            .cloned()
            .unwrap_or_else(|| name.to_owned())
    }
}

/// Without `.` and `..`, except at its beginning.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        let last = out.components().next_back();
        match (part, last) {
            (Component::CurDir, Some(_)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                out.pop();
            }
            (Component::ParentDir, Some(Component::CurDir)) => out = PathBuf::from(".."),
            (other, _) => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates(files: &[&str]) -> Crates {
        let paths: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        Crates::new(paths.iter().map(PathBuf::as_path), &[])
    }

    #[test]
    fn a_file_belongs_to_the_nearest_root() {
        let crates = crates(&[
            "app/src/main.rs",
            "app/src/db/mod.rs",
            "app/src/db/pool.rs",
            "app/src/bin/tool.rs",
            "lib/src/lib.rs",
        ]);
        assert_eq!(crates.roots(2), [0]);
        assert_eq!(crates.roots(3), [3]);
        assert_eq!(crates.roots(4), [4]);
    }

    fn with_manifests(manifests: &[(&str, &str)]) -> Crates {
        let paths: Vec<PathBuf> = manifests
            .iter()
            .map(|(f, _)| PathBuf::from(f).join("src/lib.rs"))
            .collect();
        let mut crates = Crates::new(paths.iter().map(PathBuf::as_path), &[]);
        for (folder, text) in manifests {
            crates.add(PathBuf::from(folder), &text.parse().expect("it is TOML"));
        }
        crates.package_of = paths.iter().map(|path| crates.folder_of(path)).collect();
        crates
    }

    #[test]
    fn a_crate_of_the_registry_is_not_its_namesake_in_the_project() {
        let crates = with_manifests(&[
            ("libs/launcher", "[package]\nname = \"service-launcher\""),
            (
                "shop",
                "[package]\nname = \"shop\"\n[dependencies]\nservice-launcher = \"0.9\"",
            ),
            (
                "near",
                "[package]\nname = \"near\"\n[dependencies]\nservice-launcher = { path = \"../libs/launcher\" }",
            ),
            (
                "w",
                "[package]\nname = \"w\"\n[workspace.dependencies]\nservice-launcher = { path = \"../libs/launcher\" }",
            ),
            (
                "w/a",
                "[package]\nname = \"a\"\n[dependencies]\nservice-launcher = { workspace = true }",
            ),
            (
                "p",
                "[package]\nname = \"p\"\n[dependencies]\nservice-launcher = \"0.9\"\n[patch.crates-io]\nservice-launcher = { path = \"../libs/launcher\" }",
            ),
            (
                "r",
                "[package]\nname = \"r\"\n[dependencies]\nstart = { package = \"service-launcher\", version = \"0.9\" }",
            ),
        ]);
        let found: Vec<_> = (1..7).map(|file| crates.library(file, "service_launcher")).collect();
        assert_eq!(found, [None, Some(0), Some(0), Some(0), Some(0), None]);
        assert!(!crates.may_use(1, 0) && crates.may_use(2, 0) && crates.may_use(4, 0));
    }

    #[test]
    fn a_path_begins_as_the_walk_did() {
        for (folder, expected) in [
            ("./shop", "./libs/a"),
            ("shop", "libs/a"),
            ("../w/shop", "../w/libs/a"),
            (".", "../libs/a"),
            ("..", "../../libs/a"),
            ("/w/shop", "/w/libs/a"),
        ] {
            assert_eq!(
                plain(&Path::new(folder).join("../libs/./a")),
                Path::new(expected),
                "{folder}"
            );
        }
    }

    #[test]
    fn modules_are_found_beside_and_below() {
        let crates = crates(&[
            "src/main.rs",
            "src/db.rs",
            "src/db/pool.rs",
            "src/web/mod.rs",
            "src/web/api.rs",
        ]);
        assert_eq!(crates.submodule(0, true, &[], "db", None), Some(1));
        assert_eq!(crates.submodule(1, false, &[], "pool", None), Some(2));
        assert_eq!(crates.submodule(3, false, &[], "api", None), Some(4));
        assert_eq!(crates.submodule(0, true, &[], "x", Some("web/api.rs")), Some(4));
        assert_eq!(crates.parent(2), Some(1));
        assert_eq!(crates.parent(4), Some(3));
        assert_eq!(crates.parent(3), Some(0));
    }
}
