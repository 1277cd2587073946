//! Which fixes are applied together, and what the texts look like then.
//!
//! A fix is applied as a whole or not at all. Where two fixes touch the same place the first one wins; the other one
//! has its turn in the next run, on the text that it then finds.

use std::collections::BTreeMap;

use crate::findings::{Applicability, Edit, FileId, Fix, Sources};

/// Edits that do not conflict.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// By file, in the order of the text.
    edits: BTreeMap<FileId, Vec<Edit>>,
    /// How many fixes are applied.
    pub applied: usize,
    /// How many wait for the next run, because another fix touches the same place.
    pub postponed: usize,
}

/// Chooses fixes that are at least this applicable. Edits that do not fit the texts are left out, with their fix.
pub fn plan<'a>(fixes: impl IntoIterator<Item = &'a Fix>, sources: &Sources, least: Applicability) -> Plan {
    let mut wanted: Vec<&Fix> = fixes
        .into_iter()
        .filter(|fix| fix.applicability >= least && fits(fix, sources))
        .collect();
    wanted.sort_by_key(|fix| fix.edits.iter().map(|edit| edit.location).min());
    let mut plan = Plan::default();
    for fix in wanted {
        if fix.edits.iter().any(|edit| plan.conflicts(edit)) {
            plan.postponed += 1;
            continue;
        }
        plan.applied += 1;
        for edit in &fix.edits {
            let edits = plan.edits.entry(edit.location.file).or_default();
            // Two fixes may need the same import: it is added once.
            if !edits.contains(edit) {
                let at = edits.partition_point(|other| other.location.span <= edit.location.span);
                edits.insert(at, edit.clone());
            }
        }
    }
    plan
}

/// Whether a fix has edits, and all are inside of their text, at boundaries of characters, and apart from each other.
fn fits(fix: &Fix, sources: &Sources) -> bool {
    let inside = |edit: &Edit| {
        let (text, span) = (&sources.get(edit.location.file).text, edit.location.span);
        span.start <= span.end && text.get(span.range()).is_some()
    };
    let apart = |(i, edit): (usize, &Edit)| fix.edits[..i].iter().all(|other| !overlap(edit, other));
    !fix.edits.is_empty() && fix.edits.iter().all(inside) && fix.edits.iter().enumerate().all(apart)
}

/// Whether the result would depend on the order of two edits.
fn overlap(a: &Edit, b: &Edit) -> bool {
    let (x, y) = (a.location.span, b.location.span);
    a.location.file == b.location.file && ((x.start < y.end && y.start < x.end) || (x == y && x.start == x.end))
}

impl Plan {
    fn conflicts(&self, edit: &Edit) -> bool {
        let edits = self.edits.get(&edit.location.file);
        edits.is_some_and(|edits| edits.iter().any(|other| other != edit && overlap(edit, other)))
    }

    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The files that change, with their new texts.
    pub fn texts<'a>(&'a self, sources: &'a Sources) -> impl Iterator<Item = (FileId, String)> + 'a {
        self.edits
            .iter()
            .map(|(&file, edits)| (file, apply(&sources.get(file).text, edits)))
    }
}

/// One pass over the text. Line breaks in new text become those of the file.
fn apply(text: &str, edits: &[Edit]) -> String {
    let windows = text.contains("\r\n");
    let mut result = String::with_capacity(text.len() + edits.iter().map(|edit| edit.content.len()).sum::<usize>());
    let mut done = 0;
    for edit in edits {
        let span = edit.location.span.range();
        result.push_str(&text[done..span.start]);
        if windows {
            result.push_str(&edit.content.replace("\r\n", "\n").replace('\n', "\r\n"));
        } else {
            result.push_str(&edit.content);
        }
        done = span.end;
    }
    result.push_str(&text[done..]);
    result
}
