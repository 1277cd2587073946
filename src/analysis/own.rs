//! The team's own driver files: read and checked like configuration, with a caret into each mistake.

use std::path::{Path, PathBuf};

use super::AnalysisError;
use crate::diagnostics::{Problem, Problems};
use crate::knowledge::{KnowledgeError, LibraryFile};

/// A driver file that could be read.
pub(super) struct Own {
    /// What it says.
    pub library: LibraryFile,
    shown: String,
    text: String,
}

/// Reads files, and the files of folders. All mistakes are reported together.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Own>, AnalysisError> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    for path in paths.iter().flat_map(|path| files(path)) {
        let shown = crate::project::shown(path.strip_prefix(&here).unwrap_or(&path));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                mistakes.push(problems(
                    &shown,
                    "",
                    Problem::general(format!("the driver file cannot be read: {error}")),
                ));
                continue;
            }
        };
        match toml::from_str(&text) {
            Ok(library) => found.push(Own { library, shown, text }),
            Err(error) => mistakes.push(problems(&shown, &text, Problem::from_toml(&error))),
        }
    }
    if mistakes.is_empty() {
        Ok(found)
    } else {
        Err(AnalysisError::Rules(mistakes))
    }
}

/// What is wrong with references in the team's own files; those of the built-in ones have tests.
pub(super) fn check(own: &[Own], errors: &[KnowledgeError]) -> Result<(), AnalysisError> {
    let mut mistakes = Vec::new();
    for file in own {
        let mine = errors.iter().filter(|error| error.library == file.library.library.name);
        let mut all = Problems::new(&file.shown, &file.text);
        all.problems.extend(mine.map(|error| placed(file, &error.message)));
        if !all.problems.is_empty() {
            mistakes.push(all);
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(AnalysisError::Rules(mistakes))
    }
}

/// A mistake at the first place of what the message names, for the index knows no places.
fn placed(file: &Own, message: &str) -> Problem {
    let message = message.trim_end_matches('.');
    let named = message.split('`').skip(1).step_by(2).filter(|name| !name.is_empty());
    let quoted = named.filter_map(|name| {
        let at = ['"', '\'']
            .iter()
            .find_map(|quote| file.text.find(&format!("{quote}{name}{quote}")).map(|at| at + 1));
        at.or_else(|| file.text.find(name)).map(|at| at..at + name.len())
    });
    match quoted.last() {
        Some(span) => Problem::new(message, span),
        None => Problem::general(message),
    }
}

fn problems(shown: &str, text: &str, problem: Problem) -> Problems {
    let mut problems = Problems::new(shown, text);
    problems.problems.push(problem);
    problems
}

fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    let entries = walkdir::WalkDir::new(path)
        .sort_by_file_name()
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path);
    entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect()
}
