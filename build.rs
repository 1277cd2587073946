//! Lists the library files and rule texts under `rules/`, so that a new one is a new file and nothing else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("rules");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut out = String::from("/// Library files: path below `rules/` and text.\npub const LIBRARIES: &[(&str, &str)] = &[\n");
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "toml")) {
        let shown = file.strip_prefix(&root).expect("below rules").display().to_string().replace('\\', "/");
        writeln!(out, "    ({shown:?}, include_str!({:?})),", file.display().to_string()).expect("a string takes it");
    }
    out.push_str("];\n");
    let target = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("libraries.rs");
    fs::write(target, out).expect("cargo's output folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
