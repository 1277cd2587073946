//! Findings that are not reported because they are known (`--baseline`) or because the change at hand is not responsible
//! (`--since`, `--changed`, `--staged`).

use std::path::{Path, PathBuf};

use super::Status;
use super::error::{CliError, Explained};
use super::session::Session;
use super::ui::Ui;
use crate::check::{Checked, View};
use crate::findings::baseline::{Baseline, Entry};
use crate::findings::changed::{Changed, GitError, Since};
use crate::fix::write_atomically;
use crate::report::{Place, counted};

/// Where a baseline is written if nothing else is said.
const DEFAULT: &str = ".reconnect-lint-baseline.json";

/// Flags about known findings.
#[derive(clap::Args)]
pub struct KnownArgs {
    /// A file of known findings that are not reported, instead of the configured one
    #[arg(long, value_name = "FILE", help_heading = "Known findings")]
    baseline: Option<PathBuf>,

    /// Write the findings of this run as known ones [default: the configured file or .reconnect-lint-baseline.json]
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with_all = ["baseline", "prune_baseline", "since", "changed", "staged"],
        help_heading = "Known findings"
    )]
    #[allow(clippy::option_option)] // clap's way to tell a flag without a value from no flag
    write_baseline: Option<Option<PathBuf>>,

    /// Remove from the baseline what is no longer found
    #[arg(long, conflicts_with_all = ["since", "changed", "staged"], help_heading = "Known findings")]
    prune_baseline: bool,

    /// Report only findings that lines changed since a commit take part in
    #[arg(long, value_name = "COMMIT", group = "range", help_heading = "Known findings")]
    since: Option<String>,

    /// Report only findings that uncommitted lines take part in
    #[arg(long, group = "range", help_heading = "Known findings")]
    changed: bool,

    /// Report only findings that staged lines take part in
    #[arg(long, group = "range", help_heading = "Known findings")]
    staged: bool,
}

/// What is known, and what became of it.
pub struct Known {
    changed: Option<Changed>,
    baseline: Option<(PathBuf, Baseline)>,
    write_to: Option<PathBuf>,
    prune: bool,
    /// A baseline that was written although no configuration reads it.
    configure: bool,
    /// Whether this run sees all findings, so that what it does not find is gone.
    complete: bool,
    hidden: usize,
    unchanged: usize,
    gone: Vec<Entry>,
}

impl Known {
    /// Reads the baseline and asks git, before anything is analysed.
    pub fn new(args: &KnownArgs, session: &Session, view: View) -> Result<Self, CliError> {
        let configured = session.settings.baseline.clone();
        let write_to = args.write_baseline.as_ref().map(|file| {
            file.clone()
                .or_else(|| configured.clone())
                .unwrap_or_else(|| session.settings.root.join(DEFAULT))
        });
        let file = args
            .baseline
            .clone()
            .or_else(|| configured.clone())
            .filter(|_| write_to.is_none());
        if args.prune_baseline && file.is_none() {
            return Err(Explained::new("there is no baseline to prune")
                .help(Some(
                    "name it with `--baseline FILE`, or as `baseline` in the configuration",
                ))
                .into());
        }
        let baseline = file
            .map(|path| Ok::<_, CliError>((path.clone(), read(&path)?)))
            .transpose()?;
        Ok(Self {
            changed: since(args).map(|since| changed(session, &since)).transpose()?,
            baseline,
            configure: write_to.is_some() && configured.is_none(),
            write_to,
            prune: args.prune_baseline,
            complete: view.level.is_none() && view.min_confidence.is_none() && since(args).is_none(),
            hidden: 0,
            unchanged: 0,
            gone: Vec::new(),
        })
    }

    /// Takes out what is not to be reported.
    pub fn filter(&mut self, checked: &mut Checked, session: &Session) {
        let findings = std::mem::take(&mut checked.analysis.findings);
        let sources = &checked.analysis.sources;
        let before = findings.len();
        let findings = match &self.changed {
            Some(changed) => findings
                .into_iter()
                .filter(|finding| {
                    changed.touches(finding, sources, |shown| session.resolver.absolute(Path::new(shown)))
                })
                .collect(),
            None => findings,
        };
        self.unchanged = before - findings.len();
        checked.analysis.findings = match &self.baseline {
            Some((path, baseline)) => {
                let place = beside(path, session);
                let compared = baseline.compare(findings, sources, |shown| place.in_repository(shown));
                self.hidden = compared.known;
                self.gone = compared
                    .gone
                    .into_iter()
                    .filter(|entry| self.complete && in_scope(entry, &place, session))
                    .collect();
                compared.new
            }
            None => findings,
        };
    }

    /// Writes or prunes the baseline. With a status the run ends here.
    pub fn write(&mut self, checked: &mut Checked, session: &Session, ui: &Ui) -> Result<Option<Status>, CliError> {
        if let Some(path) = &self.write_to {
            let place = beside(path, session);
            let analysis = &checked.analysis;
            let baseline = Baseline::of(&analysis.findings, &analysis.sources, |shown| {
                place.in_repository(shown)
            });
            save(path, &baseline)?;
            let shown = session.resolver.shown(path);
            ui.say(format_args!(
                "Wrote {} to {shown}",
                counted(baseline.len(), "known finding")
            ));
            if self.configure {
                let name = path
                    .strip_prefix(&session.settings.root)
                    .unwrap_or(path)
                    .display()
                    .to_string();
                ui.hint(format_args!(
                    "add `baseline = {name:?}` to the configuration, and commit both"
                ));
            }
            return Ok(Some(Status::Clean));
        }
        if self.prune
            && !self.gone.is_empty()
            && let Some((path, baseline)) = &mut self.baseline
        {
            baseline.prune(&self.gone);
            save(path, baseline)?;
            ui.say(format_args!(
                "Removed {} from {}",
                counted(self.gone.len(), "known finding"),
                session.resolver.shown(path)
            ));
            self.gone.clear();
        }
        Ok(None)
    }

    /// Says what was hidden.
    pub fn say(&self, ui: &Ui) {
        if self.hidden > 0 {
            ui.say(format_args!(
                "{} in the baseline",
                counted(self.hidden, "known finding")
            ));
        }
        if self.unchanged > 0 {
            ui.detail(format_args!(
                "{} in lines that did not change",
                counted(self.unchanged, "finding")
            ));
        }
        if !self.gone.is_empty() {
            let n = self.gone.len();
            let verb = if n == 1 { "is" } else { "are" };
            ui.say(format_args!(
                "{} of the baseline {verb} no longer found: `--prune-baseline` removes them",
                counted(n, "finding")
            ));
        }
    }
}

fn since(args: &KnownArgs) -> Option<Since> {
    if args.staged {
        Some(Since::Staged)
    } else if args.changed {
        Some(Since::Head)
    } else {
        args.since.clone().map(Since::Commit)
    }
}

fn changed(session: &Session, since: &Since) -> Result<Changed, CliError> {
    let first = session.request.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let first = session.resolver.absolute(first);
    let folder = if first.is_dir() {
        first.as_path()
    } else {
        first.parent().unwrap_or(Path::new("/"))
    };
    Changed::ask(folder, since).map_err(|error| {
        let help = matches!(error, GitError::Missing).then_some("`--since`, `--changed` and `--staged` need git");
        Explained::new("the changed lines are not known")
            .because(error.to_string())
            .help(help)
            .into()
    })
}

fn read(path: &Path) -> Result<Baseline, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        Explained::new(format!("the baseline `{}` cannot be read", path.display()))
            .because(error.to_string())
            .help(missing.then_some("`--write-baseline` makes it"))
    })?;
    Baseline::parse(&text).map_err(|error| {
        Explained::new(format!("`{}` is no baseline", path.display()))
            .because(error)
            .help(Some("`--write-baseline` writes it anew"))
            .into()
    })
}

fn save(path: &Path, baseline: &Baseline) -> Result<(), CliError> {
    write_atomically(path, baseline.text().as_bytes()).map_err(|error| {
        Explained::new(format!("the baseline `{}` cannot be written", path.display()))
            .because(error.to_string())
            .into()
    })
}

/// The paths in a baseline are relative to its folder: it means the same wherever the tool is started.
fn beside(path: &Path, session: &Session) -> Place {
    let path = session.resolver.absolute(path);
    let root = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Place {
        cwd: session.resolver.cwd().to_path_buf(),
        root,
        job_summary: None,
    }
}

/// Whether this run would have found it: its file is below the checked paths, and its rule is switched on there.
fn in_scope(entry: &Entry, place: &Place, session: &Session) -> bool {
    let path = session.resolver.absolute(&place.root.join(&entry.path));
    let below = session
        .request
        .paths
        .iter()
        .any(|checked| path.starts_with(session.resolver.absolute(checked)));
    let enabled = |code| session.resolver.settings_of_file(&path).is_enabled(code, &path);
    below && entry.code.parse().is_ok_and(enabled)
}
