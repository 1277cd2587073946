//! Writing files so that nobody ever sees half of one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::encoding::reencode;

/// Why a text was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is on disk is not what was analysed, or cannot hold the new text.
    #[error("it changed since it was read, or its encoding cannot hold the new text")]
    Changed,
}

/// Replaces the text of a file that was read as `old`; its encoding stays.
pub fn write_text(path: &Path, old: &str, new: &str) -> Result<(), WriteError> {
    let bytes = reencode(&fs::read(path)?, old, new).ok_or(WriteError::Changed)?;
    Ok(write_atomically(path, &bytes)?)
}

/// Replaces a file in one step, keeping its permissions. A symbolic link stays one; its target is replaced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = fs::metadata(&target).ok();
    // Devices and pipes (`/dev/stdout`) cannot be replaced.
    if before.as_ref().is_some_and(|data| !data.is_file()) {
        return fs::OpenOptions::new().write(true).open(&target)?.write_all(bytes);
    }
    let temporary = beside(&target);
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Some(data) = before {
            file.set_permissions(data.permissions())?;
        }
        drop(file);
        fs::rename(&temporary, &target)
    });
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A name in the same folder, for a rename works only within one file system.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
