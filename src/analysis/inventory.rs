//! The rows of the inventory: every call site with its verdict, also those that no rule speaks of.

use std::fmt::Write as _;

use super::{Analysis, CallSite};
use crate::findings::Location;
use crate::flow::flight::Site;
use crate::flow::verdict::{Verdict, judge};
use crate::lints::context::Context;

/// All call sites in files of the report, in the order they were met.
pub(super) fn call_sites(ctx: &mut Context<'_>) -> Vec<CallSite> {
    let out = ctx.out;
    let mut rows = Vec::new();
    for (id, site) in out.sites.iter() {
        let Some(fate) = out.fates.get(id.0 as usize) else {
            continue;
        };
        let verdict = judge(out, fate);
        rows.extend(row(ctx, site, &verdict));
    }
    rows
}

fn row(ctx: &mut Context<'_>, site: &Site, verdict: &Verdict<'_>) -> Option<CallSite> {
    let assumed = ctx.assumed(site.place.unit, site.driver);
    let mut path = verdict
        .escape()
        .map(|escape| ctx.path(site, escape))
        .unwrap_or_default();
    path.extend(ctx.opening(site));
    let guard = match verdict {
        Verdict::Handled(stop) => {
            path.extend(ctx.related(stop.place, "the error is received here"));
            Some(stop.what.clone())
        }
        _ => None,
    };
    Some(CallSite {
        location: ctx.location(site.place)?,
        library: ctx.library(site.driver).to_owned(),
        version: assumed.known.then(|| assumed.release.to_string()),
        operation: site.operation.to_string(),
        handle: site.receiver.clone(),
        verdict: verdict.word(site.retry).to_owned(),
        guard,
        path,
        facts: ctx.facts(site),
    })
}

impl Analysis {
    /// What the tool knows about a line: handles, guards, verdicts with their evidence. `None` if there is no call
    /// site on it. Needs an analysis with the inventory.
    pub fn explain(&self, file: &str, row: u32) -> Option<String> {
        let here = self.call_sites.iter().filter(|site| {
            let source = self.sources.get(site.location.file);
            let rows = source.start(site.location.span).row..=source.end(site.location.span).row;
            source.path == file && rows.contains(&row)
        });
        let texts: Vec<String> = here.map(|site| self.explain_site(site)).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// What is known of one call site: the verdict, the facts, the way of the error.
    pub fn explain_site(&self, site: &CallSite) -> String {
        let place = |location: Location| {
            let source = self.sources.get(location.file);
            let start = source.start(location.span);
            format!("{}:{}:{}", source.path, start.row, start.column)
        };
        let mut text = format!(
            "{}: `{}.{}`: {}",
            place(site.location),
            site.handle,
            site.operation,
            site.verdict
        );
        if let Some(guard) = &site.guard {
            let _ = write!(text, " by `{guard}`");
        }
        text.push('\n');
        for fact in &site.facts {
            let _ = writeln!(text, "  {fact}");
        }
        for step in &site.path {
            let _ = writeln!(text, "  {}: {}", place(step.location), step.message);
        }
        text
    }
}
