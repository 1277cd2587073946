//! The paths of the command line: whether they exist, and which project is around them.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{CliError, Explained};
use crate::analysis::{Stdin, project_root};
use crate::config::Resolver;
use crate::suggest;

/// Paths to check; none means the current folder. Each has to exist.
pub fn existing(paths: &[PathBuf], commands: &[&str]) -> Result<Vec<PathBuf>, CliError> {
    if paths.is_empty() {
        return Ok(vec![PathBuf::from(".")]);
    }
    for path in paths {
        if path.exists() {
            continue;
        }
        let shown = path.display().to_string();
        let help = if commands.contains(&shown.as_str()) {
            Some(format!("a command comes first: `reconnect-lint {shown} ...`"))
        } else {
            let similar = suggest::path(path).map(|similar| format!("did you mean `{}`?", similar.display()));
            similar.or_else(|| {
                let command = suggest::similar(&shown, commands.iter().copied())?;
                Some(format!("did you mean the command `{command}`?"))
            })
        };
        return Err(Explained::new(format!("no such file or folder: `{shown}`"))
            .help(help)
            .into());
    }
    Ok(paths.to_vec())
}

/// Roots of projects around files that are given by name: their callers and guards may be anywhere in the project.
pub fn context(resolver: &Resolver, paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = paths
        .iter()
        .filter(|path| !path.is_dir())
        .filter_map(|path| project_root(&resolver.absolute(path)))
        .map(|root| root.strip_prefix(resolver.cwd()).map(Path::to_path_buf).unwrap_or(root))
        .map(|root| {
            if root.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                root
            }
        })
        .collect();
    roots.sort();
    roots.dedup();
    roots
}

/// Reads the file that `-` stands for.
pub fn stdin(filename: Option<&Path>) -> Result<Stdin, CliError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Explained::new("standard input cannot be read").because(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Explained::new("standard input is not UTF-8").because(error.to_string()))?;
    let filename = filename.unwrap_or(Path::new("stdin.py")).to_path_buf();
    Ok(Stdin {
        filename,
        text: text.into(),
    })
}
