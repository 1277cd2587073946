//! What an import means: from dotted names to files.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

/// The Python modules of a project. A module's name starts at any folder that is no package itself: the root, a source
/// folder, the folder of a script.
#[derive(Debug, Default)]
pub struct Modules {
    by_name: FxHashMap<String, Vec<u32>>,
    by_path: FxHashMap<PathBuf, u32>,
    folders: Vec<PathBuf>,
}

/// The file of a Python package itself.
pub fn is_package(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n == "__init__.py")
}

impl Modules {
    /// From the files by number.
    pub fn new<'p>(files: impl Iterator<Item = &'p Path>) -> Self {
        let paths: Vec<PathBuf> = files.map(super::absolute).collect();
        let packages: FxHashSet<&Path> = paths
            .iter()
            .filter(|p| is_package(p))
            .filter_map(|p| p.parent())
            .collect();
        let mut this = Self::default();
        for (index, path) in paths.iter().enumerate() {
            let index = index as u32;
            this.by_path.insert(path.clone(), index);
            this.folders
                .push(path.parent().map(Path::to_path_buf).unwrap_or_default());
            if path.extension().is_some_and(|e| e == "rs") {
                continue;
            }
            let stem = path.with_extension("");
            let stem = if stem.file_name().is_some_and(|n| n == "__init__") {
                stem.parent().map(Path::to_path_buf).unwrap_or_default()
            } else {
                stem
            };
            let mut name = String::new();
            let mut current = Some(stem.as_path());
            while let Some(part) = current {
                let Some(file) = part.file_name().and_then(|n| n.to_str()) else {
                    break;
                };
                name = if name.is_empty() {
                    file.to_owned()
                } else {
                    format!("{file}.{name}")
                };
                let folder = part.parent();
                if folder.is_none_or(|f| !packages.contains(f)) {
                    this.by_name.entry(name.clone()).or_default().push(index);
                }
                current = folder;
            }
        }
        this
    }

    /// Files that an import may mean, best first. `level` counts the dots of a relative one.
    pub fn resolve(&self, from: u32, module: &str, level: u32) -> Vec<u32> {
        let Some(own) = self.folders.get(from as usize) else {
            return Vec::new();
        };
        if level > 0 {
            let mut base = own.clone();
            for _ in 1..level {
                base.pop();
            }
            base.extend(module.split('.').filter(|p| !p.is_empty()));
            let file = base.with_extension("py");
            let candidates = [file, base.join("__init__.py")];
            return candidates
                .iter()
                .filter_map(|c| self.by_path.get(c))
                .copied()
                .filter(|f| *f != from)
                .collect();
        }
        let mut found: Vec<u32> = self
            .by_name
            .get(module)
            .into_iter()
            .flatten()
            .copied()
            .filter(|f| *f != from)
            .collect();
        // The nearest first: the same folder, then the longest way in common.
        found.sort_by_key(|f| {
            let folder = &self.folders[*f as usize];
            let common = own
                .components()
                .zip(folder.components())
                .take_while(|(a, b)| a == b)
                .count();
            (folder != own, std::cmp::Reverse(common), folder.components().count())
        });
        found
    }
}

impl Modules {
    /// Files that an absolute import may mean if no folder outside of packages has the module: scripts are run from within
    /// packages, a checkout's root may hold an `__init__.py`, and Python 2 looked in the importing file's own package first.
    pub fn resolve_within(&self, from: u32, module: &str) -> Vec<u32> {
        let Some(own) = self.folders.get(from as usize) else {
            return Vec::new();
        };
        let path: PathBuf = module.split('.').filter(|p| !p.is_empty()).collect();
        own.ancestors()
            .take_while(|folder| self.by_path.contains_key(&folder.join("__init__.py")))
            .flat_map(|folder| {
                let base = folder.join(&path);
                [base.with_extension("py"), base.join("__init__.py")]
            })
            .filter_map(|file| self.by_path.get(&file).copied())
            .filter(|file| *file != from)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_start_at_folders_that_are_no_packages() {
        let files = [
            "src/shop/__init__.py",
            "src/shop/db.py",
            "src/shop/api.py",
            "tools/config.py",
            "tools/run.py",
            "config.py",
        ];
        let paths: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let modules = Modules::new(paths.iter().map(PathBuf::as_path));
        assert_eq!(modules.resolve(5, "shop.db", 0), [1]);
        assert_eq!(modules.resolve(2, "db", 1), [1]);
        assert_eq!(modules.resolve(2, "db", 0), [] as [u32; 0], "`db` is inside a package");
        assert_eq!(modules.resolve(4, "config", 0).first(), Some(&3), "next to the script");
        assert_eq!(modules.resolve(2, "", 1), [0]);
        assert_eq!(modules.resolve_within(2, "db"), [1], "run from within the package");
        assert_eq!(
            modules.resolve_within(4, "db"),
            [] as [u32; 0],
            "its folder is no package"
        );
    }
}
