//! The public API: a [`Request`] in, an [`Analysis`] out. The only thing that the command line knows of the engine.
//!
//! In: paths, and the settings that change what is read. Out: every finding before suppressions, selection and baseline.
//! May not know: the command line, configuration files, how a report looks.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod inventory;
mod loaded;
mod own;
mod reach;
mod run;
mod select;
mod world;

use crate::diagnostics::Problems;
use crate::findings::suppress::Comments;
use crate::findings::{Finding, Location, Related, Sources};

/// Called with the number of files done and the number of files known so far.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// What to analyse.
#[derive(Clone, Default)]
pub struct Request {
    /// Files and folders to check, as the user wrote them. Findings are reported only inside of them.
    pub paths: Vec<PathBuf>,
    /// Roots of projects that are read as well, so that callers and guards outside of `paths` are known.
    pub context: Vec<PathBuf>,
    /// A file given on standard input; takes the place of the file of that name.
    pub stdin: Option<Stdin>,
    /// Texts that take the place of files which the walk finds, such as those in an editor. A file that is not there yet
    /// is added if it is below one of the paths; one that the walk leaves out stays left out.
    pub overlays: Vec<Stdin>,
    /// What the walk leaves out, besides what `.gitignore` says.
    pub exclude: Option<Exclude>,
    /// Whether `exclude` also applies to files given by name.
    pub force_exclude: bool,
    /// Whether tests, examples, migrations and vendored code take part in RL1xx and RL2xx.
    pub include_tests: bool,
    /// The team's own driver files, or folders of them.
    pub rules: Vec<PathBuf>,
    /// What RL401 looks for besides its defaults.
    pub env: EnvNames,
    /// No cache is read or written.
    pub no_cache: bool,
    /// Whether the inventory is wanted; without it the engine may skip what only the inventory needs.
    pub inventory: bool,
    /// Told about progress, from any thread.
    pub progress: Option<Progress>,
}

/// A file on standard input or in an editor.
#[derive(Clone, Debug)]
pub struct Stdin {
    /// The name it is analysed under; it decides the language and the project.
    pub filename: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

/// Names of environment variables for RL401.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvNames {
    /// Only variables with one of these prefixes are meant; empty: any prefix.
    pub prefixes: Vec<String>,
    /// Further names that are parts of a URL, such as `DB_HOST`.
    pub names: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Analysis {
    /// The texts that locations refer to.
    pub sources: Sources,
    /// All findings with their default severities, in no particular order.
    pub findings: Vec<Finding>,
    /// All call sites, for the inventory.
    pub call_sites: Vec<CallSite>,
    /// The comments of every file that was parsed; files that speak of `reconnect-lint:` have to be.
    pub comments: Vec<Comments>,
    /// How much was done.
    pub stats: Stats,
}

/// One call site of the inventory.
#[derive(Clone, Debug)]
pub struct CallSite {
    /// Where the program waits for the database.
    pub location: Location,
    /// The driver's name in its ecosystem.
    pub library: String,
    /// Its version, if one was found.
    pub version: Option<String>,
    /// The method or function.
    pub operation: String,
    /// What the receiver is and where it was opened.
    pub handle: String,
    /// What happens to a lost connection here: `handled`, `driver-retried`, `heals`, `escapes`, ...
    pub verdict: String,
    /// What handles it.
    pub guard: Option<String>,
    /// The way out that nothing guards, where the connection is opened, what receives the error: in reading order.
    pub path: Vec<Related>,
    /// The driver and its version, what it does by itself, what the receiver is.
    pub facts: Vec<String>,
}

/// How much was done, and what could not be.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Python and Rust files in the paths.
    pub files_seen: u64,
    /// Files that were parsed because something led to them.
    pub files_parsed: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// From the start of the walk to the last finding.
    pub duration: Duration,
    /// Files that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// Drivers that the project imports or declares.
    pub drivers: Vec<String>,
    /// The program was too large to be followed to its end: findings may be missing.
    pub truncated: bool,
}

/// Why there is no analysis at all. Single files never are a reason.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The team's own driver files have mistakes.
    #[error("a driver file has mistakes")]
    Rules(Vec<Problems>),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("paths", &self.paths)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Reads and analyses what the request names.
pub fn analyse(request: &Request) -> Result<Analysis, AnalysisError> {
    // Deeply nested code and long chains of calls are followed by recursion.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || run::run(request));
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => run::run(request),
        }
    })
}

/// Stack of the thread that evaluates the program; only what is used of it costs memory.
const STACK: usize = 1 << 30;

/// The Python and Rust files that the request's paths lead to, in order.
pub fn files(request: &Request) -> Vec<PathBuf> {
    let walked = crate::project::walk(&request.paths, request.exclude.as_ref(), request.force_exclude);
    walked.entries.into_iter().map(|entry| entry.path).collect()
}

pub use crate::project::{Exclude, project_root, shown};
