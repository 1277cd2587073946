//! One run: walk, scan, parse what matters, evaluate, report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::own::{self, Own};
use super::reach::Reach;
use super::select;
use super::world::{File, ProjectWorld};
use super::{Analysis, AnalysisError, Request};
use crate::core::{Language, Module, Symbol};
use crate::findings::suppress::Comments;
use crate::findings::{Code, Finding, Location};
use crate::knowledge::{Embedded, Knowledge, LIBRARIES, LibraryFile};
use crate::lints::context::Context;
use crate::lints::texts;
use crate::project::manifests::Libraries;
use crate::project::scan::{ImportLine, Scanner, each_import, python_imports};
use crate::project::{Crates, Entry, Role, Undecodable, decode, role, walk};
use crate::resolve::value::UnitId;

/// Text that may be part of the name of an environment variable, or a field for one.
const ENVIRONMENT: [&str; 2] = ["MONGODB_", "mongodb_"];
/// Comments with this are read even in files that nothing else leads to.
const MARKER: &str = "reconnect-lint";
/// Only decoding takes it off.
const BOM: char = '\u{feff}';
/// Rounds of looking for files that use what others offer.
const MAX_STEPS: usize = 12;
/// Rust: more files that use what others offer than this are left to evaluation, which reads what is called from `main`.
const MAX_USERS: usize = 60;
/// Syntax errors of one file that are reported one by one.
const MAX_ERRORS: usize = 10;

pub(super) fn run(request: &Request) -> Result<Analysis, AnalysisError> {
    let start = Instant::now();
    let mut analysis = Analysis::default();
    let own_rules = own::read(&request.rules)?;
    let mut walked = walk(&request.paths, request.exclude.as_ref(), request.force_exclude);
    let given = given(request, &mut walked.entries);
    // What comes after these is read for its callers and guards only.
    let reported: usize = walked.entries.len();
    if !request.context.is_empty() {
        let around = walk(&request.context, request.exclude.as_ref(), true);
        let known: FxHashSet<PathBuf> = walked.entries.iter().map(|e| canonical(&e.path)).collect();
        walked.entries.extend(
            around
                .entries
                .into_iter()
                .filter(|e| !known.contains(&canonical(&e.path))),
        );
        walked.manifests.extend(around.manifests);
    }
    analysis.stats.unreadable = walked.problems;

    let words = Words::new(&own_rules, &request.env.names);
    let crates = words.crates_possible(&walked.manifests);
    let scanned = scan(request, &walked.entries, &given, &words, crates);
    let mut seeds = Vec::new();
    let mut seen: FxHashSet<usize> = FxHashSet::default();
    for (index, file) in scanned.iter().enumerate() {
        analysis.stats.bytes += file.size;
        if let Some(problem) = &file.problem {
            analysis
                .stats
                .unreadable
                .push((walked.entries[index].display.clone(), problem.clone()));
        }
        if file.text.is_some() {
            seeds.push(index);
            seen.extend(&file.libraries);
        }
    }
    analysis.stats.files_seen = reported as u64;
    if seeds.is_empty() {
        analysis.stats.duration = start.elapsed();
        return Ok(analysis);
    }

    let manifests = Libraries::read(&walked.manifests);
    for problem in &manifests.problems {
        analysis.stats.unreadable.push(problem.clone());
    }
    let knowledge = load(&seen, &own_rules, &walked.entries, &seeds)?;
    analysis.stats.drivers = knowledge
        .libraries()
        .filter(|(id, _)| knowledge.is_store(*id))
        .map(|(_, l)| l.file.library.name.clone())
        .collect();

    let mut files: Vec<File> = walked
        .entries
        .into_iter()
        .zip(scanned)
        .enumerate()
        .map(|(index, (entry, scanned))| File {
            aside: entry.role.is_aside() && !request.include_tests,
            reported: index < reported,
            imports: imported_libraries(&knowledge, &scanned.imports),
            lines: scanned.imports,
            text: scanned.text,
            module: None,
            entry,
        })
        .collect();
    let crates = Crates::new(files.iter().map(|f| f.entry.path.as_path()), &walked.manifests);
    if !request.include_tests {
        for (index, file) in files.iter_mut().enumerate() {
            file.aside |= file.entry.language == Language::Rust && crates.is_test_support(index as u32);
        }
    }
    let mut world = ProjectWorld::new(files, given, &knowledge, manifests, crates);
    world.parse(&seeds);
    let relevant = close(&mut world, &seeds);
    if !request.include_tests {
        for &file in &relevant {
            let rust = world.files[file].entry.language == Language::Rust && !world.files[file].aside;
            if rust && world.is_test_module(UnitId(file as u32), 8) {
                world.files[file].aside = true;
            }
        }
    }
    world.seeds = relevant.into_iter().map(|i| UnitId(i as u32)).collect();

    let out = crate::flow::run(&mut world, &knowledge);
    analysis.stats.truncated = out.truncated;
    let mut ids = FxHashMap::default();
    let mut errors = Vec::new();
    for (index, file) in world.files.iter().enumerate() {
        let (Some(text), Some(Some(module))) = (&file.text, &file.module) else {
            continue;
        };
        analysis.stats.files_parsed += 1;
        let id = analysis.sources.add(file.entry.display.clone(), Arc::clone(text));
        ids.insert(UnitId(index as u32), id);
        if !file.reported {
            continue;
        }
        analysis.comments.push(Comments {
            file: id,
            language: file.entry.language,
            spans: module.comments.clone(),
        });
        // `{{project-name}}/src/lib.rs`: a template, which is code only when it is filled in.
        let is_template = file.entry.display.contains("{{");
        for error in module.errors.iter().take(MAX_ERRORS).filter(|_| !is_template) {
            errors.push((
                Location {
                    file: id,
                    span: error.span,
                },
                error.message.clone(),
            ));
        }
    }
    let mut ctx = Context {
        out: &out,
        knowledge: &knowledge,
        world: &mut world,
        files: &ids,
        findings: Vec::new(),
        mentions: None,
    };
    crate::lints::run(&mut ctx, &request.env);
    let mut findings = std::mem::take(&mut ctx.findings);
    if request.inventory {
        analysis.call_sites = super::inventory::call_sites(&mut ctx);
    }
    findings.extend(
        errors
            .into_iter()
            .filter_map(|(location, message)| syntax_error(location, &message)),
    );
    let hidden: FxHashSet<_> = world
        .files
        .iter()
        .enumerate()
        .filter(|(_, f)| !f.reported)
        .filter_map(|(i, _)| ids.get(&UnitId(i as u32)))
        .collect();
    findings.retain(|f| !hidden.contains(&f.location.file));
    analysis.findings = findings;
    analysis.stats.duration = start.elapsed();
    Ok(analysis)
}

/// Texts that are not read from the disk, by the paths of their files.
pub(super) type Given = FxHashMap<PathBuf, Arc<str>>;

/// Puts the files of standard input and of editors among those of the walk.
fn given(request: &Request, entries: &mut Vec<Entry>) -> Given {
    let mut given = Given::default();
    let entry = |path: &Path, role| Entry {
        path: path.to_path_buf(),
        display: crate::project::shown(path),
        language: if path.extension().is_some_and(|e| e == "rs") {
            Language::Rust
        } else {
            Language::Python
        },
        role,
    };
    if let Some(stdin) = &request.stdin {
        let entry = entry(&stdin.filename, Role::Normal);
        entries.retain(|e| e.display != entry.display);
        entries.push(entry);
        given.insert(stdin.filename.clone(), Arc::clone(&stdin.text));
    }
    for overlay in &request.overlays {
        let path = &overlay.filename;
        if !entries.iter().any(|e| e.path == *path) {
            let below = |root: &PathBuf| path.strip_prefix(root).ok().map(role);
            let excluded = request.exclude.as_ref().is_some_and(|exclude| exclude(path, false));
            match request.paths.iter().find_map(below) {
                Some(role) if !excluded && !path.exists() => entries.push(entry(path, role)),
                _ => continue,
            }
        }
        given.insert(path.clone(), Arc::clone(&overlay.text));
    }
    given
}

fn canonical(path: &std::path::Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn syntax_error(location: Location, message: &str) -> Option<Finding> {
    let rule = texts::by_code(Code::new(901))?;
    let text = format!("this part could not be parsed and was not checked: {message}");
    let mut finding = Finding::new(rule.code, rule.name, rule.severity, location, text);
    finding.label = "not checked".into();
    finding.help = "the rest of the file was checked; nothing inside of this part was".into();
    Some(finding)
}

/// What makes a file worth parsing.
struct Words {
    /// The first words of imports in Python, and the libraries (by number in [`LIBRARIES`]) that they bring.
    imports: FxHashMap<String, Vec<usize>>,
    python: WordList,
    rust: WordList,
    /// For Rust files of packages that depend on none of the crates.
    rust_bare: WordList,
    crates: Vec<String>,
}

/// Words looked for in the whole text of a file.
struct WordList {
    scanner: Scanner,
    /// By word.
    kinds: Vec<Kind>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// A crate of these libraries.
    Crate(Vec<usize>),
    /// A setting of this library.
    Setting(usize),
    /// Part of an environment variable's name.
    Environment,
    /// A comment for this tool.
    Marker,
    /// An import name of the team's own library files, or a variable that its configuration names.
    Own,
}

impl Words {
    fn new(own: &[Own], variables: &[String]) -> Self {
        let mut imports: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let mut crates: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let mut common: Vec<(String, Kind)> = Vec::new();
        let mut settings: Vec<(String, Kind)> = Vec::new();
        for (index, library) in LIBRARIES.iter().enumerate() {
            let names = match library.language {
                "rust" => &mut crates,
                _ => &mut imports,
            };
            for import in library.imports.iter().filter(|_| library.is_store()) {
                names.entry((*import).to_owned()).or_default().push(index);
            }
            settings.extend(library.settings.iter().map(|s| ((*s).to_owned(), Kind::Setting(index))));
        }
        let own_imports = own.iter().flat_map(|file| &file.library.library.imports);
        common.extend(own_imports.chain(variables).map(|name| (name.clone(), Kind::Own)));
        common.extend(ENVIRONMENT.iter().map(|w| ((*w).to_owned(), Kind::Environment)));
        common.push((MARKER.into(), Kind::Marker));
        let crate_names = crates.keys().cloned().collect();
        let crates = crates
            .into_iter()
            .map(|(name, libraries)| (name, Kind::Crate(libraries)));
        let rust_bare = WordList::new(common.clone());
        let rust = common.iter().cloned().chain(crates).collect();
        let python = common.into_iter().chain(settings).collect();
        Self {
            imports,
            python: WordList::new(python),
            rust: WordList::new(rust),
            rust_bare,
            crates: crate_names,
        }
    }

    /// False if the project's manifests name none of the crates: then no file of it can use one. Without a `Cargo.toml`
    /// nothing is known.
    fn crates_possible(&self, manifests: &[PathBuf]) -> bool {
        let mut found = false;
        for path in manifests
            .iter()
            .filter(|p| p.file_name().is_some_and(|n| n == "Cargo.toml"))
        {
            let Ok(text) = std::fs::read_to_string(path) else {
                return true;
            };
            found = true;
            let text = text.replace('-', "_");
            if self.crates.iter().any(|name| text.contains(name.as_str())) {
                return true;
            }
        }
        !found
    }
}

impl WordList {
    fn new(mut words: Vec<(String, Kind)>) -> Self {
        // The first pattern that fits is taken: `tokio_postgres` must be asked before `postgres`.
        words.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        let (words, kinds): (Vec<String>, Vec<Kind>) = words.into_iter().unzip();
        Self {
            scanner: Scanner::new(&words),
            kinds,
        }
    }
}

/// What the scan of a file found.
#[derive(Default)]
struct Scanned {
    size: u64,
    /// Kept if the file is worth parsing.
    text: Option<Arc<str>>,
    imports: Vec<ImportLine>,
    libraries: Vec<usize>,
    problem: Option<String>,
}

fn scan(request: &Request, entries: &[Entry], given: &Given, words: &Words, crates: bool) -> Vec<Scanned> {
    let done = AtomicU64::new(0);
    entries
        .par_iter()
        .map(|entry| {
            let given = given.get(&entry.path);
            let bytes = match given {
                Some(text) => Ok(text.as_bytes().to_vec()),
                None => std::fs::read(&entry.path),
            };
            let scanned = match bytes {
                Ok(bytes) => {
                    let mut scanned = scan_file(entry, bytes, words, crates);
                    // It is decoded already, whatever encoding its first line declares.
                    if let (Some(text), Some(given)) = (&mut scanned.text, given)
                        && !given.starts_with(BOM)
                    {
                        *text = Arc::clone(given);
                    }
                    scanned
                }
                Err(error) => Scanned {
                    problem: Some(error.to_string()),
                    ..Scanned::default()
                },
            };
            if let Some(progress) = &request.progress {
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, entries.len() as u64);
            }
            scanned
        })
        .collect()
}

fn scan_file(entry: &Entry, bytes: Vec<u8>, words: &Words, crates: bool) -> Scanned {
    let mut scanned = Scanned {
        size: bytes.len() as u64,
        ..Scanned::default()
    };
    let list = match entry.language {
        Language::Python => &words.python,
        Language::Rust if crates => &words.rust,
        Language::Rust => &words.rust_bare,
    };
    let mut other = false;
    list.scanner.each(&bytes, |word, end| {
        match &list.kinds[word] {
            Kind::Crate(libraries) => scanned.libraries.extend(libraries),
            // A settings module seldom imports what it configures.
            Kind::Setting(library) => scanned.libraries.push(*library),
            Kind::Environment => {
                let rest = &bytes[end..bytes.len().min(end + 8)];
                let part = [&b"HOST"[..], b"PORT", b"LOGIN", b"PASS", b"USER"];
                other |= part
                    .iter()
                    .any(|p| rest.len() >= p.len() && rest[..p.len()].eq_ignore_ascii_case(p));
            }
            Kind::Marker | Kind::Own => other = true,
        }
        true
    });
    if entry.language == Language::Python {
        each_import(&bytes, |module| {
            if let Some(libraries) = words.imports.get(module) {
                scanned.libraries.extend(libraries);
            }
        });
    }
    scanned.libraries.sort_unstable();
    scanned.libraries.dedup();
    if scanned.libraries.is_empty() && !other {
        return scanned;
    }
    if entry.language == Language::Python {
        scanned.imports = python_imports(&bytes);
    }
    match decode(bytes) {
        Ok(text) => scanned.text = Some(text),
        Err(Undecodable::Binary) => scanned.problem = Some("it is a binary file".into()),
        Err(Undecodable::TooLarge) => scanned.problem = Some("it is larger than 20 MB".into()),
    }
    scanned
}

fn first(module: &str) -> &str {
    module.split('.').next().unwrap_or_default()
}

/// Reads the library files that this project needs: the drivers it imports and those under its layers, and the retry
/// libraries, frameworks and standard libraries of its languages.
fn load(seen: &FxHashSet<usize>, own: &[Own], entries: &[Entry], seeds: &[usize]) -> Result<Knowledge, AnalysisError> {
    let languages: FxHashSet<&str> = seeds
        .iter()
        .map(|s| match entries[*s].language {
            Language::Python => "python",
            Language::Rust => "rust",
        })
        .collect();
    // Libraries of the two languages may have one name: `redis`.
    let id = |l: &Embedded| (l.language, l.name);
    let mut wanted: FxHashSet<(&str, &str)> = seen.iter().map(|l| id(&LIBRARIES[*l])).collect();
    for file in own {
        let driver = file.library.library.driver.as_deref();
        wanted.extend(LIBRARIES.iter().filter(|l| driver == Some(l.name)).map(id));
    }
    loop {
        // The driver under a layer, and libraries whose types a file refers to (`psycopg:connection`).
        let refers = |l: &Embedded, to: &Embedded| {
            l.language == to.language && (l.driver == to.name || l.text.contains(&format!("\"{}:", to.name)))
        };
        let more: Vec<(&str, &str)> = LIBRARIES
            .iter()
            .filter(|to| to.is_store() && !wanted.contains(&id(to)))
            .filter(|to| LIBRARIES.iter().any(|l| wanted.contains(&id(l)) && refers(l, to)))
            .map(id)
            .collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    let needed = |l: &&Embedded| {
        if l.is_store() {
            wanted.contains(&id(l))
        } else {
            languages.contains(l.language)
        }
    };
    let needed: Vec<&Embedded> = LIBRARIES.iter().filter(needed).collect();
    let with_own = |libraries: &[&Embedded]| {
        let mut files: Vec<LibraryFile> = libraries.par_iter().map(|l| l.parse()).collect();
        files.extend(own.iter().map(|file| file.library.clone()));
        Knowledge::new(files)
    };
    let (knowledge, errors) = with_own(&needed);
    if own::check(own, &errors).is_err() {
        // What is not known may only not be needed here: ask again with all there is.
        own::check(own, &with_own(&LIBRARIES.iter().collect::<Vec<_>>()).1)?;
    }
    Ok(knowledge)
}

fn imported_libraries(knowledge: &Knowledge, lines: &[ImportLine]) -> Vec<crate::knowledge::LibId> {
    let mut found = Vec::new();
    for line in lines.iter().filter(|l| l.level == 0) {
        for lib in knowledge.imported(Symbol::new(first(&line.module))) {
            if !found.contains(lib) {
                found.push(*lib);
            }
        }
    }
    found
}

/// The files that matter: those that import a driver, and those that use what such files offer.
fn close(world: &mut ProjectWorld<'_>, seeds: &[usize]) -> Vec<usize> {
    let mut relevant: Vec<usize> = seeds.to_vec();
    let mut offers = FxHashMap::default();
    let mut reach = Reach::default();
    let mut fresh: Vec<usize> = seeds.to_vec();
    // Once imports lead no further: what is called by the names of methods alone.
    let mut loaded: Option<FxHashSet<Symbol>> = None;
    for step in 0..MAX_STEPS {
        let first = step == 0;
        for &index in &fresh {
            let file = &world.files[index];
            if file.aside {
                continue;
            }
            if file.entry.language == Language::Rust {
                // Only of files that name a driver themselves: from there on evaluation leads to what is called.
                if let Some(Some(module)) = file.module.as_ref().filter(|_| first) {
                    let drivers = |name: Symbol| {
                        let libraries = world.knowledge.imported(name);
                        libraries.iter().any(|lib| world.knowledge.is_store(*lib))
                    };
                    reach.add(index as u32, &file.entry.path, module, &drivers);
                }
                continue;
            }
            if let Some(Some(module)) = &file.module {
                let names = offered(world, index, module, &offers, loaded.as_ref());
                offers.insert(index as u32, names);
            }
        }
        let known: FxHashSet<usize> = relevant.iter().copied().collect();
        world.read_imports();
        let mut next: Vec<usize> = (0..world.files.len())
            .filter(|i| !known.contains(i) && !world.files[*i].aside && uses(world, *i, &offers))
            .collect();
        let candidates: Vec<(u32, &Path)> = world
            .files
            .iter()
            .enumerate()
            .filter(|(i, f)| f.entry.language == Language::Rust && !f.aside && !known.contains(i))
            .map(|(i, f)| (i as u32, f.entry.path.as_path()))
            .collect();
        let users = reach.users(&candidates, world.crates());
        if users.len() <= MAX_USERS {
            next.extend(users);
        } else {
            world.users.extend(users);
        }
        if next.is_empty() && loaded.is_none() {
            let (names, users) = super::loaded::users(world, &relevant, &offers);
            loaded = Some(names);
            next = users;
        }
        if next.is_empty() {
            break;
        }
        world.parse(&next);
        // No part of the program: data of a highlighter, templates.
        let broken =
            |file: &File| matches!(&file.module, Some(Some(m)) if m.language == Language::Rust && !m.errors.is_empty());
        for &index in &next {
            let file = &mut world.files[index];
            if broken(file) {
                file.module = Some(None);
            }
        }
        relevant.extend(&next);
        fresh = next;
    }
    relevant.sort_unstable();
    relevant
}

/// The names of a file that lead to a driver, given what other files offer.
fn offered(
    world: &ProjectWorld<'_>,
    index: usize,
    module: &Module,
    offers: &select::Offers,
    loaded: Option<&FxHashSet<Symbol>>,
) -> FxHashSet<Symbol> {
    let mut imported = loaded.cloned().unwrap_or_default();
    for line in &world.files[index].lines {
        let library = line.level == 0 && !world.knowledge.imported(Symbol::new(first(&line.module))).is_empty();
        if library {
            imported.insert(Symbol::new(first(&line.module)));
            imported.extend(line.names.iter().map(|n| Symbol::new(n)));
        } else {
            for target in world.targets(index as u32, line) {
                if let Some(names) = offers.get(&target) {
                    imported.extend(line.names.iter().map(|n| Symbol::new(n)).filter(|n| names.contains(n)));
                    if line.names.is_empty() || line.names.iter().any(|n| n == "*") {
                        imported.extend(names.iter().copied());
                    }
                }
            }
        }
    }
    select::names_that_matter(module, &imported)
}

/// True if a file imports something that another one offers.
fn uses(world: &ProjectWorld<'_>, index: usize, offers: &select::Offers) -> bool {
    let lines = &world.files[index].lines;
    lines
        .iter()
        .any(|line| !offered_to(world, index, line, offers).is_empty())
}

/// The files of whose offers an import line takes something.
pub(super) fn offered_to(
    world: &ProjectWorld<'_>,
    index: usize,
    line: &ImportLine,
    offers: &select::Offers,
) -> Vec<u32> {
    let mut targets = world.targets(index as u32, line);
    targets.retain(|&target| {
        offers.get(&target).is_some_and(|names| {
            line.names.is_empty()
                || line.names.iter().any(|n| n == "*" || names.contains(&Symbol::new(n)))
                // `from package import module`
                || line.names.iter().any(|n| world.is_module(target, n))
        })
    });
    targets
}
