//! The public API: a [`Request`] in, an [`Analysis`] out. The only thing that the command line knows of the engine.
//!
//! In: paths, and the settings that change what is read. Out: every finding before suppressions, selection and baseline.
//! May not know: the command line, configuration files, how a report looks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod inventory;
mod select;
mod world;

use rustc_hash::{FxHashMap, FxHashSet};
use world::ProjectWorld;

use crate::findings::suppress::Comments;
use crate::findings::{Finding, Location, Related, Sources};
use crate::knowledge::Knowledge;
use crate::lints::context::Context;
use crate::resolve::program::World as _;
use crate::resolve::value::UnitId;

/// Decides on a path of the walk: `true` leaves it out. The flag says whether it is a folder.
pub type Exclude = Arc<dyn Fn(&Path, bool) -> bool + Send + Sync>;

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

/// A file on standard input.
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
    /// The way out that nothing guards, in order, and where the connection was opened.
    pub path: Vec<Related>,
    /// Driver and version, what it does by itself, what the handle is.
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
}

/// Why there is no analysis at all. Single files never are a reason.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// One of the team's own driver files is wrong; the text is a complete diagnostic.
    #[error("{0}")]
    Rules(String),
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
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || run(request));
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => run(request),
        }
    })
}

/// Stack of the thread that evaluates the program; only what is used of it costs memory.
const STACK: usize = 1 << 30;

fn run(request: &Request) -> Result<Analysis, AnalysisError> {
    let start = std::time::Instant::now();
    let mut analysis = Analysis::default();
    let (knowledge, _) = Knowledge::new(crate::knowledge::embedded(|_| true));
    let found = world::listed(request, &files(request));
    analysis.stats.files_seen = found.iter().filter(|file| file.reported).count() as u64;
    let root = request.context.first().or(request.paths.first()).cloned().unwrap_or_default();
    let root = if root.is_file() { root.parent().map(Path::to_path_buf).unwrap_or_default() } else { root };
    let mut world = ProjectWorld::new(found, &knowledge, &root);
    for index in 0..world.files.len() {
        let unit = UnitId(index as u32);
        let Some(module) = world.module(unit) else { continue };
        let mut names = Vec::new();
        for stmt in module_imports(&module.body) {
            names.extend(stmt);
        }
        world.files[index].imports = names;
        world.seeds.push(unit);
        if let Some(progress) = &request.progress {
            progress(index as u64 + 1, world.files.len() as u64);
        }
    }
    let out = crate::flow::run(&mut world, &knowledge);
    let mut ids = FxHashMap::default();
    let mut reported = FxHashSet::default();
    for index in 0..world.files.len() {
        let unit = UnitId(index as u32);
        let libs = if world.files[index].reported { world.imports(unit) } else { Vec::new() };
        for lib in libs {
            let library = knowledge.library(lib);
            let name = &library.file.library.name;
            if !knowledge.loss(lib, library.oldest).is_empty() && !analysis.stats.drivers.contains(name) {
                analysis.stats.drivers.push(name.clone());
            }
        }
        let file = &world.files[index];
        if let (Some(text), Some(Some(module))) = (&file.text, &file.module) {
            let id = analysis.sources.add(file.display.clone(), Arc::clone(text));
            ids.insert(unit, id);
            analysis.stats.bytes += text.len() as u64;
            analysis.stats.files_parsed += 1;
            if file.reported {
                reported.insert(id);
                analysis.comments.push(Comments { file: id, language: file.language, spans: module.comments.clone() });
            }
        } else if let Err(error) = std::fs::read(&file.path) {
            analysis.stats.unreadable.push((file.display.clone(), error.to_string()));
        }
    }
    let mut ctx = Context { out: &out, knowledge: &knowledge, world: &mut world, files: &ids, findings: Vec::new() };
    crate::lints::run(&mut ctx, &request.env);
    if request.inventory {
        analysis.call_sites = inventory::call_sites(&mut ctx);
    }
    analysis.findings = ctx.findings;
    analysis.findings.retain(|finding| reported.contains(&finding.location.file));
    analysis.call_sites.retain(|site| reported.contains(&site.location.file));
    analysis.stats.duration = start.elapsed();
    Ok(analysis)
}

fn module_imports(block: &crate::core::Block) -> Vec<Vec<crate::core::Symbol>> {
    use crate::core::StmtKind;
    let mut found = Vec::new();
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Import(list) => found.push(list.iter().filter_map(|i| i.module.first().copied()).collect()),
            StmtKind::Try { body, handlers, .. } => {
                found.extend(module_imports(body));
                for handler in handlers {
                    found.extend(module_imports(&handler.body));
                }
            }
            StmtKind::If { then, otherwise, .. } => {
                found.extend(module_imports(then));
                found.extend(module_imports(otherwise));
            }
            _ => {}
        }
    }
    found
}

/// The Python and Rust files that the request's paths lead to, in order.
pub fn files(request: &Request) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in &request.paths {
        let excluded =
            |path: &Path, is_dir: bool| request.exclude.as_ref().is_some_and(|exclude| exclude(path, is_dir));
        if root.is_file() {
            if !(request.force_exclude && excluded(root, false)) {
                found.push(root.clone());
            }
            continue;
        }
        let exclude = request.exclude.clone();
        let walk = ignore::WalkBuilder::new(root)
            .require_git(false)
            .filter_entry(move |entry| {
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                entry.depth() == 0 || !exclude.as_ref().is_some_and(|exclude| exclude(entry.path(), is_dir))
            })
            .build();
        for entry in walk.flatten() {
            let is_source = entry
                .path()
                .extension()
                .is_some_and(|e| e == "py" || e == "rs" || e == "pyi");
            if entry.file_type().is_some_and(|kind| kind.is_file()) && is_source {
                found.push(entry.into_path());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A path as reports show it: forward slashes, no leading `./`.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}
