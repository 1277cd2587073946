//! The inventory: every call site with its verdict, for `inventory` and `explain`.

use super::CallSite;
use crate::flow::verdict::{Verdict, judge};
use crate::lints::context::Context;

/// One row per call site of the files that are reported.
pub(super) fn rows(ctx: &mut Context<'_>) -> Vec<CallSite> {
    let out = ctx.out;
    let mut rows = Vec::new();
    for (id, site) in out.sites.iter() {
        let Some(fate) = out.fates.get(id.0 as usize) else { continue };
        let Some(location) = ctx.location(site.place) else { continue };
        let verdict = judge(out, site, fate);
        let assumed = ctx.assumed(site.place.unit, site.driver);
        let handle = match site.ty {
            Some(ty) => {
                let entry = ctx.knowledge.ty(ty);
                format!("{}: {} {}", site.receiver, ctx.library(entry.lib), entry.spec.name)
            }
            None => site.receiver.clone(),
        };
        let mut path = verdict.escape().map(|e| ctx.path(site, e)).unwrap_or_default();
        path.extend(ctx.opening(site));
        let guard = match &verdict {
            Verdict::Handled(stop) | Verdict::LazyOutside(_, stop) => {
                path.extend(ctx.related(stop.place, format!("`{}` receives the error here", stop.what)));
                Some(stop.what.clone())
            }
            _ => None,
        };
        rows.push(CallSite {
            location,
            library: ctx.library(site.driver).to_owned(),
            version: assumed.known.then(|| assumed.release.to_string()),
            operation: site.operation.to_string(),
            handle,
            verdict: verdict.word(site.retry).to_owned(),
            guard,
            path,
            facts: ctx.facts(site),
        });
    }
    rows.sort_by_key(|r| r.location);
    rows
}
