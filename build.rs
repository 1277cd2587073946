//! Embeds the rule texts: a new rule is a new file in `rules/lints`, and nothing else has to name it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    embed_rule_texts(&root, &out);
    embed_libraries(&root.join("rules"), &out);
}

/// Writes a list of the library files below `rules/`, for `src/knowledge`: the text, and what decides whether it is needed,
/// so that a run reads only the files of libraries that the project uses.
fn embed_libraries(root: &Path, out: &Path) {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    let mut list = String::from("/// The library files below `rules/`.\npub const LIBRARIES: &[Embedded] = &[\n");
    for file in files {
        let shown = file
            .strip_prefix(root)
            .expect("below rules")
            .display()
            .to_string()
            .replace('\\', "/");
        let text = fs::read_to_string(&file).expect("a library file can be read");
        let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("rules/{shown}: {error}"));
        let head = table
            .get("library")
            .unwrap_or_else(|| panic!("rules/{shown}: no [library]"));
        let word = |key: &str| {
            head.get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let imports: Vec<&str> = head
            .get("imports")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
            .collect();
        let settings: Vec<&str> = table
            .get("settings")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|s| s.get("name")?.as_str()?.split('.').next())
            .collect();
        let listed = table.get("listed").and_then(toml::Value::as_table);
        let listed = listed
            .into_iter()
            .flat_map(|t| t.keys())
            .filter_map(|k| k.split('.').next());
        let settings: Vec<&str> = settings.into_iter().chain(listed).collect();
        writeln!(
            list,
            "    Embedded {{ path: {shown:?}, text: include_str!({:?}), name: {:?}, language: {:?}, role: {:?}, driver: {:?}, imports: &{imports:?}, settings: &{settings:?} }},",
            file.display().to_string(),
            word("name"),
            word("language"),
            word("role"),
            word("driver"),
        )
        .expect("a string takes it");
    }
    list.push_str("];\n");
    fs::write(out.join("libraries.rs"), list).expect("the build folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

/// Writes a list of the texts of `rules/lints/*.md`, in the order of their names, for `src/lints/texts.rs`.
fn embed_rule_texts(root: &Path, out: &Path) {
    let folder = root.join("rules/lints");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the crate has a folder rules/lints")
        .map(|entry| entry.expect("the folder rules/lints can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.display().to_string()).expect("a string takes it");
    }
    list.push_str("]\n");
    fs::write(out.join("rule_texts.rs"), list).expect("the build folder can be written");
}
