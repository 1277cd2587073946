//! `--fix`, `--diff` and the flags that write or remove suppressions: everything that changes the user's files.

use std::io::Write;
use std::path::Path;

use similar::TextDiff;

use super::Status;
use super::error::{CliError, Explained};
use super::ui::Ui;
use crate::check::Checked;
use crate::findings::{Applicability, Code, Finding, Fix, Sources, suppress};
use crate::fix::{self, Plan};
use crate::report::counted;

/// Fixes make new fixes possible; after this many rounds something is going in circles.
const ROUNDS: usize = 8;
/// RL902, whose fix removes a suppression.
const UNUSED: Code = Code::new(902);

/// Flags about changing files.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("change").multiple(true))]
pub struct FixArgs {
    /// Apply safe fixes
    #[arg(long, group = "change", help_heading = "Fixes")]
    fix: bool,

    /// Apply (or show) fixes also where they change what the program does
    #[arg(long, requires = "change", help_heading = "Fixes")]
    unsafe_fixes: bool,

    /// Show what `--fix` would change, and change nothing; exit status 1 if there is something
    #[arg(long, group = "change", help_heading = "Fixes")]
    diff: bool,

    /// Suppress all findings where they are, with an optional reason
    #[arg(
        long,
        value_name = "REASON",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with_all = ["fix", "remove_unused_suppressions"],
        help_heading = "Fixes"
    )]
    add_suppressions: Option<String>,

    /// Remove suppressions that hide nothing
    #[arg(long, conflicts_with = "fix", help_heading = "Fixes")]
    remove_unused_suppressions: bool,
}

/// How the check goes on.
pub enum Done {
    /// With a report of what is left.
    Report,
    /// It ends here.
    Stop(Status),
}

impl FixArgs {
    /// Whether anything is to be changed or shown.
    pub fn wanted(&self) -> bool {
        self.fix || self.diff || self.add_suppressions.is_some() || self.remove_unused_suppressions
    }

    fn plan(&self, checked: &Checked) -> Plan {
        let (sources, findings) = (&checked.analysis.sources, &checked.analysis.findings);
        if let Some(reason) = &self.add_suppressions {
            // What is wrong with a suppression is not mended by another one.
            let findings: Vec<Finding> = findings
                .iter()
                .filter(|finding| finding.code.number() < 900)
                .cloned()
                .collect();
            let edits = suppress::add(&findings, sources, &checked.analysis.comments, reason);
            let fixes: Vec<Fix> = edits
                .into_iter()
                .map(|edit| Fix {
                    applicability: Applicability::Safe,
                    message: String::new(),
                    edits: vec![edit],
                })
                .collect();
            return fix::plan(&fixes, sources, Applicability::Safe);
        }
        let meant = findings
            .iter()
            .filter(|finding| !self.remove_unused_suppressions || finding.code == UNUSED);
        fix::plan(meant.filter_map(|finding| finding.fix.as_ref()), sources, self.least())
    }

    /// The least applicability that is applied.
    fn least(&self) -> Applicability {
        if self.unsafe_fixes {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        }
    }

    /// Whether the finding is gone after this, as far as can be told without looking again.
    fn mends(&self, finding: &Finding) -> bool {
        self.add_suppressions.is_some()
            || finding
                .fix
                .as_ref()
                .is_some_and(|fix| fix.applicability >= self.least())
    }
}

/// Changes files, or shows what would change. `analyse` looks at them again.
pub fn run(
    args: &FixArgs,
    checked: &mut Checked,
    mut analyse: impl FnMut() -> Result<Checked, CliError>,
    fails: impl Fn(&[Finding]) -> bool,
    ui: &Ui,
) -> Result<Done, CliError> {
    let mut plan = args.plan(checked);
    if args.diff {
        return diff(&plan, &checked.analysis.sources, ui);
    }
    if let Some(path) = &checked.stdin {
        print_fixed(&plan, &checked.analysis.sources, path)?;
        let left: Vec<Finding> = checked
            .analysis
            .findings
            .iter()
            .filter(|f| !args.mends(f))
            .cloned()
            .collect();
        return Ok(Done::Stop(if fails(&left) { Status::Findings } else { Status::Clean }));
    }
    let mut applied = 0;
    for _ in 0..ROUNDS {
        if plan.is_empty() {
            break;
        }
        applied += plan.applied;
        write(&plan, &checked.analysis.sources)?;
        *checked = analyse()?;
        // Suppressions are added once: what they do not hide then, another one would not hide either.
        if args.add_suppressions.is_some() {
            break;
        }
        plan = args.plan(checked);
    }
    if args.add_suppressions.is_some() {
        ui.say(format_args!("Added {}", counted(applied, "suppression")));
    } else if args.remove_unused_suppressions {
        ui.say(format_args!("Removed {}", counted(applied, "suppression")));
    } else if applied > 0 {
        ui.say(format_args!("Fixed {}", counted(applied, "finding")));
    }
    Ok(Done::Report)
}

fn write(plan: &Plan, sources: &Sources) -> Result<(), CliError> {
    for (file, text) in plan.texts(sources) {
        let source = sources.get(file);
        fix::write_text(Path::new(&source.path), &source.text, &text)
            .map_err(|error| Explained::new(format!("`{}` was not changed", source.path)).because(error.to_string()))?;
    }
    Ok(())
}

fn diff(plan: &Plan, sources: &Sources, ui: &Ui) -> Result<Done, CliError> {
    let mut out = ui.out();
    for (file, text) in plan.texts(sources) {
        let source = sources.get(file);
        let diff = TextDiff::from_lines(&*source.text, text.as_str());
        write!(out, "{}", diff.unified_diff().header(&source.path, &source.path))?;
    }
    out.flush()?;
    ui.say(match plan.applied {
        0 => "Nothing would be fixed".to_owned(),
        n => format!("{} would be fixed", counted(n, "finding")),
    });
    Ok(Done::Stop(if plan.is_empty() {
        Status::Clean
    } else {
        Status::Findings
    }))
}

/// The text of standard input goes to standard output, changed or not.
fn print_fixed(plan: &Plan, sources: &Sources, path: &str) -> Result<(), CliError> {
    let Some((file, source)) = sources.iter().find(|(_, source)| source.path == path) else {
        return Ok(());
    };
    let fixed = plan.texts(sources).find(|(changed, _)| *changed == file);
    let mut out = Ui::raw();
    out.write_all(fixed.as_ref().map_or(&*source.text, |(_, text)| text).as_bytes())?;
    Ok(out.flush()?)
}

/// How many of the findings could be fixed.
pub fn available(findings: &[Finding]) -> Option<String> {
    let count = |applicability| {
        findings
            .iter()
            .filter(|f| f.fix.as_ref().is_some_and(|fix| fix.applicability == applicability))
            .count()
    };
    match (count(Applicability::Safe), count(Applicability::Unsafe)) {
        (0, 0) => None,
        (0, n) => Some(format!("{n} fixable with `--fix --unsafe-fixes`")),
        (n, 0) => Some(format!("{n} fixable with `--fix`")),
        (safe, more) => Some(format!(
            "{safe} fixable with `--fix`, {more} more with `--unsafe-fixes`"
        )),
    }
}
