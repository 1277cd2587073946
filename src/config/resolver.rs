//! Which settings hold for which path: the nearest configuration wins, the command line is stronger than all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::load::{self, FILES, Layer, Loaded};
use super::options::Override;
use super::selector::Selection;
use super::settings::Settings;
use crate::diagnostics::{Problem, Problems};

/// Longest chain of `extend`.
const DEEPEST: usize = 16;

/// Where configuration comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The nearest file above each path.
    #[default]
    Discover,
    /// No file at all.
    Isolated,
    /// This file for every path.
    File(PathBuf),
}

/// The configuration of the first path, which decides about the run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Main {
    /// Not looked up yet.
    #[default]
    Unknown,
    /// There is no file.
    Defaults,
    /// This file.
    File(PathBuf),
}

/// Finds and keeps settings, from any thread.
pub struct Resolver {
    cwd: PathBuf,
    mode: Mode,
    /// From the command line, the last is the strongest.
    top: Vec<Layer>,
    cache: Mutex<FxHashMap<PathBuf, Arc<Settings>>>,
    problems: Mutex<Vec<Problems>>,
    /// The file whose run-wide keys hold; set by the first look-up.
    main: Mutex<Main>,
}

impl Resolver {
    /// From `--config`, `--isolated` and `--select` with its like. The error is a complete diagnostic.
    pub fn new(cwd: PathBuf, isolated: bool, overrides: &[Override], selection: Selection) -> Result<Self, Problems> {
        let mut mode = if isolated { Mode::Isolated } else { Mode::Discover };
        let mut top = Vec::new();
        for one in overrides {
            match one {
                Override::File(path) if mode == Mode::Discover => mode = Mode::File(cwd.join(path)),
                Override::File(path) => {
                    let reason = if isolated {
                        "`--isolated` reads no files"
                    } else {
                        "another file was given before"
                    };
                    let mut problems = Problems::new("the command line", "");
                    let message = format!("`--config {}` cannot be used: {reason}", path.display());
                    problems.problems.push(Problem::general(message));
                    return Err(problems);
                }
                Override::Key(argument) => {
                    let loaded = load::read_override(argument, &cwd);
                    if loaded.problems.fatal() {
                        return Err(loaded.problems);
                    }
                    top.extend(loaded.layers);
                }
            }
        }
        top.push(Layer {
            root: cwd.clone(),
            selection,
            ..Layer::default()
        });
        Ok(Self {
            cwd,
            mode,
            top,
            cache: Mutex::default(),
            problems: Mutex::default(),
            main: Mutex::default(),
        })
    }

    /// The folder the tool was started in.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// A path made absolute by its text alone.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        crate::report::normalise(&self.cwd.join(path))
    }

    /// The settings for a file, or for the files directly in a folder.
    pub fn settings(&self, path: &Path) -> Arc<Settings> {
        let path = self.absolute(path);
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().map(Path::to_path_buf).unwrap_or_default()
        };
        self.folder(&folder)
    }

    /// The settings for a file by its absolute path. Unlike [`Self::settings`] it does not look at the disk.
    pub fn settings_of_file(&self, path: &Path) -> Arc<Settings> {
        self.folder(path.parent().unwrap_or(Path::new("")))
    }

    /// Whether the walk leaves out a file or folder (by itself; it never enters folders that are left out).
    pub fn is_excluded(&self, path: &Path) -> bool {
        let path = self.absolute(path);
        path.parent()
            .is_some_and(|folder| self.folder(folder).is_excluded(&path))
    }

    /// Whether a file, or a folder above it, is left out.
    pub fn is_inside_excluded(&self, path: &Path) -> bool {
        let path = self.absolute(path);
        path.parent()
            .is_some_and(|folder| self.folder(folder).is_inside_excluded(&path))
    }

    /// The settings for the files directly in an absolute folder.
    fn folder(&self, folder: &Path) -> Arc<Settings> {
        let lock = |cache: &Mutex<FxHashMap<PathBuf, Arc<Settings>>>, settings: Option<Arc<Settings>>| {
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            match settings {
                // Two threads may have read the same file; the first one's answer stays.
                Some(settings) => Some(Arc::clone(cache.entry(folder.to_owned()).or_insert(settings))),
                None => cache.get(folder).cloned(),
            }
        };
        if let Some(known) = lock(&self.cache, None) {
            return known;
        }
        let settings = match &self.mode {
            Mode::Isolated => self.finish(Settings::new(self.cwd.clone()), None),
            Mode::File(path) => self.load(&path.clone()),
            Mode::Discover => match self.file_in(folder) {
                Some(path) => self.load(&path),
                None => match folder.parent() {
                    Some(parent) => self.folder(parent),
                    None => self.finish(Settings::new(self.cwd.clone()), None),
                },
            },
        };
        lock(&self.cache, Some(Arc::clone(&settings))).unwrap_or(settings)
    }

    /// The configuration file of a folder, if it has one. Weaker ones beside it are reported, for nobody reads them.
    fn file_in(&self, folder: &Path) -> Option<PathBuf> {
        let mut strongest: Option<PathBuf> = None;
        for (name, sections) in FILES {
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            if *sections != [&[] as &[&str]] {
                let loaded = load::read(&path, &self.shown(&path));
                if loaded.layers.is_empty() && !loaded.problems.fatal() {
                    continue;
                }
            }
            match &strongest {
                None => strongest = Some(path),
                Some(used) => {
                    let message = format!(
                        "this configuration is not used: {} is in the same folder",
                        self.shown(used)
                    );
                    let mut problems = Problems::new(self.shown(&path), "");
                    let help = "keep one of them".to_owned();
                    problems
                        .problems
                        .push(Problem::general(message).help(Some(help)).warning());
                    self.report(problems);
                }
            }
        }
        strongest
    }

    fn load(&self, path: &Path) -> Arc<Settings> {
        let mut chain: Vec<Loaded> = Vec::new();
        let mut next = Some(path.to_path_buf());
        while let Some(path) = next.take() {
            let mut loaded = load::read(&path, &self.shown(&path));
            let is_manifest = FILES
                .iter()
                .any(|(name, sections)| path.ends_with(name) && *sections != [&[] as &[&str]]);
            if loaded.layers.is_empty() && is_manifest && !loaded.problems.fatal() {
                let message = "there is no section of reconnect-lint in this file";
                loaded.problems.problems.push(Problem::general(message));
            }
            let extend = loaded.layers.iter().rev().find_map(|layer| layer.extend.clone());
            if let Some((base, span)) = extend {
                let base = crate::report::normalise(&base);
                let known = base == path || chain.iter().any(|earlier| earlier.path == base);
                if known || chain.len() >= DEEPEST {
                    loaded
                        .problems
                        .problems
                        .push(Problem::new("`extend` leads back to a file that is being read", span));
                } else {
                    next = Some(base);
                }
            }
            chain.push(loaded);
        }
        let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut settings = Settings::new(root);
        settings.origin = Some(path.to_path_buf());
        for layer in chain.iter().rev().flat_map(|loaded| &loaded.layers) {
            settings.apply(layer);
        }
        self.warn_of_run_wide_keys(path, &mut chain[0]);
        for loaded in chain {
            if !loaded.problems.problems.is_empty() {
                self.report(loaded.problems);
            }
        }
        self.finish(settings, Some(path))
    }

    /// Keys for the whole run in a file that does not decide about it would be ignored in silence.
    fn warn_of_run_wide_keys(&self, path: &Path, loaded: &mut Loaded) {
        let used = match &*self.main.lock().unwrap_or_else(PoisonError::into_inner) {
            Main::Unknown => return,
            Main::File(main) if main == path => return,
            Main::File(main) => self.shown(main),
            Main::Defaults => "the defaults".to_owned(),
        };
        let keys: Vec<_> = loaded.layers.iter().flat_map(|layer| layer.run_wide.clone()).collect();
        for (key, span) in keys {
            let message = format!("`{key}` holds for a whole run and is taken from {used}");
            loaded.problems.problems.push(Problem::new(message, span).warning());
        }
    }

    fn finish(&self, mut settings: Settings, origin: Option<&Path>) -> Arc<Settings> {
        for layer in &self.top {
            settings.apply(layer);
        }
        let mut main = self.main.lock().unwrap_or_else(PoisonError::into_inner);
        if *main == Main::Unknown {
            *main = origin.map_or(Main::Defaults, |path| Main::File(path.to_path_buf()));
        }
        Arc::new(settings)
    }

    fn report(&self, problems: Problems) {
        let mut all = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&problems) {
            all.push(problems);
        }
    }

    /// What was wrong in the files that were read so far. Empties the list.
    pub fn take_problems(&self) -> Vec<Problems> {
        let mut problems = std::mem::take(&mut *self.problems.lock().unwrap_or_else(PoisonError::into_inner));
        problems.sort_by(|a, b| a.name.cmp(&b.name));
        problems
    }

    /// A path as messages show it: relative to the folder the tool was started in where that is shorter.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.cwd).unwrap_or(path).display().to_string()
    }
}
