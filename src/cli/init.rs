//! `reconnect-lint init`: the files that a team needs. Asks nothing, and never overwrites.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Status;
use super::error::{CliError, Explained};
use super::ui::Ui;

/// Arguments of `init`.
#[derive(clap::Args)]
pub struct Args {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
}

/// What is written where.
const FILES: &[(&str, &str)] = &[
    ("reconnect-lint.toml", include_str!("templates/reconnect-lint.toml")),
    (PRE_COMMIT, include_str!("templates/pre-commit-config.yaml")),
    (
        ".github/workflows/reconnect-lint.yml",
        include_str!("templates/workflow.yml"),
    ),
];
const PRE_COMMIT: &str = ".pre-commit-config.yaml";

/// Writes the files that are not there yet.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    if !args.path.is_dir() {
        return Err(Explained::new(format!("no such folder: `{}`", args.path.display())).into());
    }
    for (name, template) in FILES {
        let path = args.path.join(name);
        let text = template.replace("{version}", env!("CARGO_PKG_VERSION"));
        match write_new(&path, &text) {
            Ok(()) => ui.say(format_args!("created {}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                ui.say(format_args!("kept {}, which is there already", path.display()));
                if *name == PRE_COMMIT && !fs::read_to_string(&path).unwrap_or_default().contains("reconnect-lint") {
                    let entry = text.split_once("repos:\n").map_or(text.as_str(), |(_, entry)| entry);
                    ui.hint(format_args!("add this below its `repos:`\n{}", entry.trim_end()));
                }
            }
            Err(error) => {
                let title = format!("{} cannot be written", path.display());
                return Err(Explained::new(title).because(error.to_string()).into());
            }
        }
    }
    Ok(Status::Clean)
}

/// Writes a file that must not exist, with the folders above it.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(text.as_bytes())
}
