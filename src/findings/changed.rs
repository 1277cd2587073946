//! Lines that changed since a commit, as git knows them, for findings that a change is responsible for.
//!
//! In: a folder and a range of commits. Out: changed rows by absolute path.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustc_hash::FxHashMap;

use super::{Finding, Location, Sources};

/// Which changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// All since the commit where the current branch left this one, with what is not committed.
    Commit(String),
    /// What is not committed.
    Head,
    /// What is staged.
    Staged,
}

/// Why changes are not known; each text is complete.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("git is not installed, or not in PATH")]
    Missing,
    /// It said no.
    #[error("{0}")]
    Failed(String),
    /// It could not be run.
    #[error("git cannot be run: {0}")]
    Io(io::Error),
}

/// Changed rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    files: FxHashMap<PathBuf, Rows>,
}

#[derive(Debug, PartialEq, Eq)]
enum Rows {
    /// A new file.
    All,
    Some(Vec<RangeInclusive<u32>>),
}

impl Changed {
    /// Asks git about the repository around a folder.
    pub fn ask(folder: &Path, since: &Since) -> Result<Self, GitError> {
        let root = PathBuf::from(git(folder, &["rev-parse", "--show-toplevel"])?.trim_end_matches(['\n', '\r']));
        let base;
        let mut arguments = vec![
            "-c",
            "core.quotePath=false",
            "diff",
            "--unified=0",
            "--no-color",
            "--no-ext-diff",
        ];
        arguments.extend(["--no-prefix", "--no-renames", "--diff-filter=d"]);
        match since {
            Since::Commit(commit) => {
                let commit = format!("{commit}^{{commit}}");
                git(folder, &["rev-parse", "--verify", "--quiet", &commit])
                    .map_err(|error| unknown_commit(error, commit.trim_end_matches("^{commit}")))?;
                base = git(folder, &["merge-base", &commit, "HEAD"])?.trim().to_owned();
                arguments.push(&base);
            }
            Since::Head => arguments.push("HEAD"),
            Since::Staged => arguments.push("--cached"),
        }
        arguments.push("--");
        let mut changed = Self::parse(&git(&root, &arguments)?, &root);
        if *since != Since::Staged {
            for path in git(&root, &["ls-files", "--others", "--exclude-standard", "-z"])?.split_terminator('\0') {
                changed.files.insert(root.join(path), Rows::All);
            }
        }
        Ok(changed)
    }

    /// Reads a diff without context and prefixes.
    fn parse(diff: &str, root: &Path) -> Self {
        let mut changed = Self::default();
        let mut file: Option<PathBuf> = None;
        for line in diff.lines() {
            if let Some(path) = line.strip_prefix("+++ ") {
                file = Some(root.join(unquoted(path.trim_end_matches('\t'))));
            } else if let Some(rows) = line.strip_prefix("@@ ").and_then(new_rows)
                && let Some(file) = &file
            {
                match changed
                    .files
                    .entry(file.clone())
                    .or_insert_with(|| Rows::Some(Vec::new()))
                {
                    Rows::Some(all) => all.push(rows),
                    Rows::All => {}
                }
            }
        }
        changed
    }

    /// Whether the finding's place or one of those that belong to it changed. `absolute` is for shown paths.
    pub fn touches(&self, finding: &Finding, sources: &Sources, absolute: impl Fn(&str) -> PathBuf) -> bool {
        let touched = |location: Location| {
            let source = sources.get(location.file);
            let rows = source.start(location.span).row..=source.end(location.span).row;
            match self.files.get(&absolute(&source.path)) {
                None => false,
                Some(Rows::All) => true,
                Some(Rows::Some(all)) => all
                    .iter()
                    .any(|one| one.start() <= rows.end() && rows.start() <= one.end()),
            }
        };
        touched(finding.location) || finding.related.iter().any(|related| touched(related.location))
    }
}

/// The rows of the new side in `-1,2 +3,4 @@ ...`. Where lines were only removed, those around the gap count: what was
/// removed may have been a guard.
fn new_rows(hunk: &str) -> Option<RangeInclusive<u32>> {
    let new = hunk.split(' ').find_map(|part| part.strip_prefix('+'))?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count): (u32, u32) = (start.parse().ok()?, count.parse().ok()?);
    Some(if count == 0 {
        start.max(1)..=start + 1
    } else {
        start..=start + count - 1
    })
}

/// A path as git quotes it, if it has special characters.
fn unquoted(path: &str) -> String {
    let Some(inner) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else {
        return path.to_owned();
    };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b't') => bytes.push(b'\t'),
            Some(b'n') => bytes.push(b'\n'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                while let Some(digit) = rest.next_if(|b| (b'0'..=b'7').contains(b)) {
                    value = value * 8 + u32::from(digit - b'0');
                }
                bytes.push(value as u8);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unknown_commit(error: GitError, commit: &str) -> GitError {
    match error {
        GitError::Failed(_) => GitError::Failed(format!("git knows no commit `{commit}`")),
        other => other,
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                GitError::Missing
            } else {
                GitError::Io(error)
            }
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.trim().trim_start_matches("fatal: ");
    Err(GitError::Failed(format!(
        "git: {}",
        if message.is_empty() {
            "it failed without a message"
        } else {
            message
        }
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_side_of_a_hunk_counts() {
        assert_eq!(new_rows("-1,2 +3,4 @@ def f():"), Some(3..=6));
        assert_eq!(new_rows("-1 +3 @@"), Some(3..=3));
        assert_eq!(new_rows("-4,2 +3,0 @@"), Some(3..=4));
        assert_eq!(new_rows("-1,2 +0,0 @@"), Some(1..=1));
        assert_eq!(new_rows("nonsense"), None);
    }

    #[test]
    fn paths_with_special_characters_are_understood() {
        let diff =
            "diff --git a b\n--- a\n+++ b c.py\t\n@@ -1 +1 @@\n--- a\n+++ \"d\\\"\\303\\274\\t.py\"\n@@ -1 +2,2 @@\n";
        let changed = Changed::parse(diff, Path::new("/r"));
        assert_eq!(
            changed.files.get(Path::new("/r/b c.py")),
            Some(&Rows::Some(vec![1..=1]))
        );
        assert_eq!(
            changed.files.get(Path::new("/r/d\"ü\t.py")),
            Some(&Rows::Some(vec![2..=3]))
        );
    }
}
