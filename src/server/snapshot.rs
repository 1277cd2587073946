//! One look at the project: what is found in it, with the open documents in place of their files.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::Options;
use super::documents::Documents;
use super::position::Lines;
use crate::analysis::{AnalysisError, Request, project_root};
use crate::check::{self, Checked, View};
use crate::config::{Resolver, Settings};
use crate::core::Span;
use crate::diagnostics::Problems;
use crate::findings::baseline::Baseline;
use crate::findings::{Edit, FileId, Finding, Location};
use crate::report::Place;

/// What was found.
pub struct Snapshot {
    /// The findings that are to be shown.
    pub checked: Checked,
    /// By file.
    lines: Vec<OnceCell<Lines>>,
    /// What paths are shown relative to.
    root: PathBuf,
}

/// What came of a look.
pub struct Looked {
    /// Nothing if the configuration is wrong.
    pub snapshot: Option<Snapshot>,
    /// What people should know, such as mistakes in the configuration.
    pub problems: Vec<String>,
}

/// Looks. The configuration is read anew: it may have changed.
pub fn look(options: &Options, folders: &[PathBuf], documents: &Documents) -> Looked {
    // A defect in the engine must not end the server.
    catch_unwind(AssertUnwindSafe(|| analyse(options, folders, documents))).unwrap_or_else(|_| Looked {
        snapshot: None,
        problems: vec!["the analysis failed; this is a defect of reconnect-lint, please report it".into()],
    })
}

fn analyse(options: &Options, folders: &[PathBuf], documents: &Documents) -> Looked {
    let paths = roots(folders, documents);
    let Some(first) = paths.first() else {
        return Looked {
            snapshot: None,
            problems: Vec::new(),
        };
    };
    let root = if first.is_dir() {
        first.clone()
    } else {
        first.parent().map(Path::to_path_buf).unwrap_or_default()
    };
    let resolver = Resolver::new(
        root.clone(),
        options.isolated,
        &options.overrides,
        options.selection.clone(),
    );
    let resolver = match resolver {
        Ok(resolver) => Arc::new(resolver),
        Err(problems) => return failed(&[problems]),
    };
    let settings = resolver.settings(first);
    let request = Request {
        paths,
        overlays: documents.overlays(),
        inventory: true,
        ..check::request(&resolver, &settings)
    };
    let checked = check::check(&resolver, &request, View::default());
    let problems = resolver.take_problems();
    let mut checked = match checked {
        Err(AnalysisError::Rules(rules)) => return failed(&[problems, rules].concat()),
        Ok(_) if problems.iter().any(Problems::fatal) => return failed(&problems),
        Ok(checked) => checked,
    };
    let mut problems: Vec<String> = problems.iter().map(|problems| problems.render(false)).collect();
    problems.extend(hide_known(&mut checked, &settings, &resolver).err());
    let lines = checked.analysis.sources.iter().map(|_| OnceCell::new()).collect();
    let snapshot = Snapshot { checked, lines, root };
    Looked {
        snapshot: Some(snapshot),
        problems,
    }
}

fn failed(problems: &[Problems]) -> Looked {
    Looked {
        snapshot: None,
        problems: problems.iter().map(|problems| problems.render(false)).collect(),
    }
}

/// The folders of the workspace; without any, the projects around the open documents.
fn roots(folders: &[PathBuf], documents: &Documents) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = if folders.is_empty() {
        let around = |path: &Path| project_root(path).unwrap_or_else(|| path.to_path_buf());
        documents.iter().map(|(path, _)| around(path)).collect()
    } else {
        folders.to_vec()
    };
    let all = roots.clone();
    let inside = |path: &PathBuf| all.iter().any(|other| path != other && path.starts_with(other));
    roots.retain(|path| !inside(path));
    let mut seen = Vec::new();
    roots.retain(|path| !seen.contains(path) && (seen.push(path.clone()), true).1);
    roots
}

/// Takes out what the configured baseline has.
fn hide_known(checked: &mut Checked, settings: &Settings, resolver: &Resolver) -> Result<(), String> {
    let Some(path) = &settings.baseline else {
        return Ok(());
    };
    let path = resolver.absolute(path);
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let baseline = text
        .and_then(|text| Baseline::parse(&text))
        .map_err(|error| format!("the baseline `{}` cannot be read: {error}", path.display()))?;
    let place = Place {
        cwd: resolver.cwd().to_path_buf(),
        root: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        job_summary: None,
    };
    let findings = std::mem::take(&mut checked.analysis.findings);
    let compared = baseline.compare(findings, &checked.analysis.sources, |shown| place.in_repository(shown));
    checked.analysis.findings = compared.new;
    Ok(())
}

impl Snapshot {
    /// The file at a path, if it was parsed.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        let mut files = self.checked.analysis.sources.iter();
        files.find_map(|(id, source)| (Path::new(&source.path) == path).then_some(id))
    }

    /// Where a file is.
    pub fn path(&self, file: FileId) -> &Path {
        Path::new(&self.checked.analysis.sources.get(file).path)
    }

    /// The findings in a file.
    pub fn findings(&self, file: FileId) -> impl Iterator<Item = &Finding> {
        let findings = self.checked.analysis.findings.iter();
        findings.filter(move |finding| finding.location.file == file)
    }

    /// The text of a file, and its lines.
    pub fn text(&self, file: FileId) -> (&str, &Lines) {
        let text = &*self.checked.analysis.sources.get(file).text;
        (text, self.lines[file.0 as usize].get_or_init(|| Lines::new(text)))
    }

    /// A place, as the protocol writes it.
    pub fn range(&self, location: Location) -> Value {
        let (text, lines) = self.text(location.file);
        lines.range(text, location.span)
    }

    /// A place in any file, as the protocol writes it.
    pub fn location(&self, location: Location, documents: &Documents) -> Value {
        json!({ "uri": documents.uri(self.path(location.file)), "range": self.range(location) })
    }

    /// An edit, as the protocol writes it. Line breaks become those of the file.
    pub fn edit(&self, edit: &Edit) -> Value {
        let (text, lines) = self.text(edit.location.file);
        let content = if text.contains("\r\n") {
            edit.content.replace("\r\n", "\n").replace('\n', "\r\n")
        } else {
            edit.content.clone()
        };
        json!({ "range": lines.range(text, edit.location.span), "newText": content })
    }

    /// The bytes that a range or a position of the protocol means.
    pub fn span(&self, file: FileId, range: &Value) -> Option<Span> {
        let (text, lines) = self.text(file);
        lines.span(text, range)
    }

    /// Text for people, with the root of the project taken off its paths.
    pub fn relative(&self, text: &str) -> String {
        let root = crate::analysis::shown(&self.root);
        text.replace(&format!("{}/", root.trim_end_matches('/')), "")
    }
}
