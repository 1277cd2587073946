//! What every command that analyses needs: configuration, paths, and the request to the engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::CommandFactory;

use super::args::{self, ConfigArgs, SelectionArgs};
use super::error::CliError;
use super::ui::Ui;
use super::{Cli, paths};
use crate::analysis::Request;
use crate::config::{Resolver, Settings};

/// A run, ready to start.
pub struct Session {
    /// Settings for every path. Shared with the walk, which asks what it may leave out.
    pub resolver: Arc<Resolver>,
    /// The settings that hold for the run as a whole.
    pub settings: Arc<Settings>,
    /// What to analyse.
    pub request: Request,
}

impl Session {
    /// From flags and paths; `-` reads standard input.
    pub fn new(
        config: &ConfigArgs,
        selection: &SelectionArgs,
        given: &[PathBuf],
        stdin_filename: Option<&Path>,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let resolver = Arc::new(args::resolver(config, selection)?);
        let from_stdin = given.iter().any(|path| path == Path::new("-"));
        let stdin = if from_stdin {
            Some(paths::stdin(stdin_filename)?)
        } else {
            None
        };
        let files: Vec<PathBuf> = given.iter().filter(|path| *path != Path::new("-")).cloned().collect();
        let commands = Cli::command();
        let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
        let checked = if from_stdin && files.is_empty() {
            Vec::new()
        } else {
            paths::existing(&files, &names)?
        };
        let named: Vec<PathBuf> = checked
            .iter()
            .chain(stdin.iter().map(|stdin| &stdin.filename))
            .cloned()
            .collect();
        let settings = resolver.settings(named.first().map_or(Path::new("."), PathBuf::as_path));
        let session = Self {
            request: Request {
                context: paths::context(&resolver, &named),
                paths: checked,
                stdin,
                exclude: Some(exclude(&resolver)),
                force_exclude: config.force_exclude,
                include_tests: settings.include_tests,
                rules: settings.rules.clone(),
                env: settings.env.clone(),
                no_cache: config.no_cache,
                inventory: false,
                progress: None,
            },
            settings,
            resolver,
        };
        session.problems(ui)?;
        Ok(session)
    }

    /// Shows what is wrong in the configuration files that were read so far, and stops if it is more than a warning.
    pub fn problems(&self, ui: &Ui) -> Result<(), CliError> {
        let (fatal, warnings) = self
            .resolver
            .take_problems()
            .into_iter()
            .partition(crate::diagnostics::Problems::fatal);
        let fatal: Vec<_> = fatal;
        ui.config_warnings(&Vec::from_iter::<Vec<_>>(warnings));
        if fatal.is_empty() {
            Ok(())
        } else {
            Err(CliError::Config(fatal))
        }
    }
}

/// What the walk asks. A file given by name is asked about only with `--force-exclude`, and then the folders above it
/// count too, for no walk has passed them.
fn exclude(resolver: &Arc<Resolver>) -> crate::analysis::Exclude {
    let resolver = Arc::clone(resolver);
    Arc::new(move |path, is_dir| {
        if is_dir {
            resolver.is_excluded(path)
        } else {
            resolver.is_inside_excluded(path)
        }
    })
}
