//! RL106: a connection that outlives a unit of work, and that nothing replaces after a loss.

use super::context::Context;
use crate::findings::Finding;
use crate::flow::log::Kept;
use crate::knowledge::LibId;

/// Reports every such opening.
pub fn check(ctx: &mut Context<'_>) {
    let out = ctx.out;
    let broken: Vec<_> = out
        .configured
        .iter()
        .filter(|c| c.code == 303)
        .flat_map(|c| [Some(c.at), c.origin])
        .collect();
    for kept in &out.kept {
        if ctx.world.is_aside(kept.place.unit) || kept.opening.is_some() && broken.contains(&kept.opening) {
            continue;
        }
        if let Some(finding) = finding(ctx, kept) {
            ctx.add(finding);
        }
    }
}

fn finding(ctx: &mut Context<'_>, kept: &Kept) -> Option<Finding> {
    let out = ctx.out;
    let library = ctx.library(kept.lib).to_owned();
    let message = match (kept.opening, kept.derived) {
        (None, _) => {
            format!(
                "all passes of this endless loop use the connection that {library} holds, which nothing renews after it is lost"
            )
        }
        (_, Some(_)) => format!(
            "what is made from this {library} connection is kept when the connection is replaced: every later call on it fails"
        ),
        _ => format!(
            "this {library} connection is kept, and nothing replaces it after it is lost: every later call on it fails"
        ),
    };
    let mut finding = ctx.finding(106, kept.place, message)?;
    finding.label = if kept.opening.is_some() {
        "opened once".into()
    } else {
        "ends only from outside".into()
    };
    if let Some(place) = kept.derived.and_then(|d| ctx.place(d)) {
        finding
            .related
            .extend(ctx.related(place, "made from it here, and kept"));
    }
    for id in kept.sites.iter().take(6) {
        let site = out.sites.get(*id);
        let call = Context::call_text(site);
        finding
            .related
            .extend(ctx.related(site.place, format!("{call} uses it later")));
    }
    let Some(site) = kept.sites.first().map(|s| out.sites.get(*s)) else {
        // Kept for calls that were not found.
        finding.help = "take a connection from a pool for each unit of work, or open a new one after a loss".into();
        return Some(finding);
    };
    finding.confidence = kept.sites.iter().map(|s| out.sites.get(*s).confidence).max()?;
    let assumed = ctx.assumed(site.place.unit, site.driver);
    finding
        .notes
        .push(format!("driver: {}; it does not reconnect by itself", assumed.text));
    // The library whose connection it is says what to keep in its place.
    let says = |lib: LibId| ctx.knowledge.library(lib).file.help.contains_key("RL106");
    finding.help = if says(kept.lib) {
        ctx.help_of(&[kept.lib], 106, site)
    } else {
        ctx.help(106, site)
    };
    Some(finding)
}
