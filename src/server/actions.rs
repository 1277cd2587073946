//! What the editor can do about a finding: apply its fix, or suppress it where it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::diagnostics::diagnostic;
use super::documents::Documents;
use super::snapshot::Snapshot;
use crate::core::Span;
use crate::findings::{Applicability, Edit, FileId, Finding, Fix, suppress};
use crate::fix;

/// The kinds of actions there are here.
pub const KINDS: [&str; 2] = [QUICK_FIX, FIX_ALL];
const QUICK_FIX: &str = "quickfix";
const FIX_ALL: &str = "source.fixAll.reconnect-lint";
/// Rules about the run itself; what is wrong with a suppression is not mended by another one.
const ABOUT_THE_RUN: u16 = 900;

/// Where actions are asked for.
pub struct Asked<'a> {
    pub snapshot: &'a Snapshot,
    pub documents: &'a Documents,
    pub file: FileId,
    /// The selection.
    pub span: Span,
    /// The kinds that are wanted; `None`: all.
    pub only: Option<Vec<&'a str>>,
}

impl Asked<'_> {
    /// The actions.
    pub fn actions(&self) -> Vec<Value> {
        let mut actions = Vec::new();
        if self.wants(QUICK_FIX) {
            let touched =
                |f: &&Finding| f.location.span.start <= self.span.end && self.span.start <= f.location.span.end;
            let findings: Vec<&Finding> = self.snapshot.findings(self.file).filter(touched).collect();
            actions.extend(findings.iter().filter_map(|finding| self.fix(finding)));
            actions.extend(findings.iter().filter_map(|finding| self.suppress(finding)));
        }
        if self.wants(FIX_ALL) {
            actions.extend(self.fix_all());
        }
        actions
    }

    /// `source` asks for `source.fixAll` and all else below it.
    fn wants(&self, kind: &str) -> bool {
        self.only.as_ref().is_none_or(|kinds| {
            kinds.iter().any(|wanted| {
                let rest = kind.strip_prefix(wanted);
                rest.is_some_and(|rest| wanted.is_empty() || rest.is_empty() || rest.starts_with('.'))
            })
        })
    }

    fn fix(&self, finding: &Finding) -> Option<Value> {
        let fix = finding.fix.as_ref()?;
        let title = match fix.applicability {
            Applicability::Display => return None,
            Applicability::Safe => format!("{}: {}", finding.code, fix.message),
            Applicability::Unsafe => format!("{}: {} (changes what the program does)", finding.code, fix.message),
        };
        let plan = fix::plan([fix], &self.snapshot.checked.analysis.sources, Applicability::Unsafe);
        if plan.is_empty() {
            return None; // it does not fit the text
        }
        let mut action = self.quick_fix(&title, finding, &fix.edits);
        action["isPreferred"] = json!(fix.applicability == Applicability::Safe);
        Some(action)
    }

    fn suppress(&self, finding: &Finding) -> Option<Value> {
        if finding.code.number() >= ABOUT_THE_RUN {
            return None;
        }
        let analysis = &self.snapshot.checked.analysis;
        let edits = suppress::add(std::slice::from_ref(finding), &analysis.sources, &analysis.comments, "");
        let title = format!("suppress {} here", finding.code);
        (!edits.is_empty()).then(|| self.quick_fix(&title, finding, &edits))
    }

    fn quick_fix(&self, title: &str, finding: &Finding, edits: &[Edit]) -> Value {
        json!({
            "title": title,
            "kind": QUICK_FIX,
            "diagnostics": [diagnostic(self.snapshot, finding, self.documents, false)],
            "edit": self.workspace_edit(edits),
        })
    }

    /// All safe fixes of the file at once, as `--fix` chooses them.
    fn fix_all(&self) -> Option<Value> {
        let sources = &self.snapshot.checked.analysis.sources;
        let inside = |fix: &&Fix| fix.edits.iter().all(|edit| edit.location.file == self.file);
        let fixes = self.snapshot.findings(self.file).filter_map(|f| f.fix.as_ref());
        let plan = fix::plan(fixes.filter(inside), sources, Applicability::Safe);
        let (_, text) = plan.texts(sources).find(|(file, _)| *file == self.file)?;
        let (old, lines) = self.snapshot.text(self.file);
        let edit = json!({ "range": lines.range(old, Span::new(0, old.len())), "newText": text });
        Some(json!({
            "title": "fix all that reconnect-lint can fix safely",
            "kind": FIX_ALL,
            "edit": { "changes": { self.uri(self.file): [edit] } },
        }))
    }

    fn uri(&self, file: FileId) -> String {
        self.documents.uri(self.snapshot.path(file))
    }

    fn workspace_edit(&self, edits: &[Edit]) -> Value {
        let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for edit in edits {
            let uri = self.uri(edit.location.file);
            changes.entry(uri).or_default().push(self.snapshot.edit(edit));
        }
        json!({ "changes": changes })
    }
}
