//! Every library file parses, and every version requirement, type and behaviour named in it exists.

use std::path::Path;

use reconnect_lint::knowledge::LibraryFile;

#[test]
fn library_files_parse() {
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")) {
        let entry = entry.expect("the rules folder can be read");
        if entry.path().extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(entry.path()).expect("a rules file can be read");
            if let Err(error) = toml::from_str::<LibraryFile>(&text) {
                panic!("{}: {error}", entry.path().display());
            }
        }
    }
}
