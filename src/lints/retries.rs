//! The rules about retries: RL108, RL201, RL202, RL203, RL204.

use super::context::Context;
use crate::findings::Finding;
use crate::flow::flight::{Place, SiteId};
use crate::flow::repeat::Retried;

/// Reports what is wrong with the retries that were met.
pub fn check(ctx: &mut Context<'_>) {
    let out = ctx.out;
    for &at in &out.revived_within {
        let Some(place) = ctx.place(at) else { continue };
        let message =
            "the connection is revived inside an open transaction: what came before is gone with it, with no error"
                .to_owned();
        if let (false, Some(mut finding)) = (ctx.world.is_aside(at.unit), ctx.finding(203, place, message)) {
            finding.label = "revived between two statements".into();
            finding.help =
                "revive the connection before the first statement, and do the whole transaction again after a loss"
                    .into();
            ctx.add(finding);
        }
    }
    for retried in &out.retried {
        if ctx.world.is_aside(retried.place.unit) {
            continue;
        }
        for &site in &retried.resumed {
            report(ctx, 204, site, retried, |call, _| {
                format!(
                    "{call} goes on with an object that is dead after a lost connection: the rest of the result is missing, with no error"
                )
            });
        }
        for &site in &retried.in_transaction {
            report(ctx, 203, site, retried, |call, _| {
                format!(
                    "{call} is retried alone inside an open transaction, whose earlier statements are gone with the connection"
                )
            });
        }
        for &site in &retried.changing {
            if !retried.in_transaction.contains(&site) {
                report(ctx, 201, site, retried, |call, error| {
                    format!(
                        "{call} is retried after `{error}`, but may have been applied already: applied twice it changes the result"
                    )
                });
            }
        }
        if retried.sites.is_empty() {
            continue;
        }
        if !retried.limited && !retried.waits {
            at_retry(
                ctx,
                202,
                retried,
                "this retry has neither a wait nor a limit: it hammers a server that is failing over".into(),
            );
        }
        if retried.silent {
            at_retry(
                ctx,
                108,
                retried,
                "after its last attempt this retry falls off the end: the caller gets nothing instead of the error"
                    .into(),
            );
        }
    }
}

fn report(ctx: &mut Context<'_>, code: u16, id: SiteId, retried: &Retried, message: impl Fn(&str, &str) -> String) {
    let out = ctx.out;
    let site = out.sites.get(id);
    if ctx.world.is_aside(site.place.unit) {
        return;
    }
    let call = Context::call_text(site);
    let error = ctx.loss_name(site);
    let Some(mut finding) = ctx.finding(code, site.place, message(&call, &error)) else {
        return;
    };
    finding.confidence = site.confidence;
    finding.label = "repeated by the retry".into();
    finding
        .related
        .extend(ctx.related(retried.place, "this retry repeats it"));
    finding.related.extend(ctx.opening(site));
    finding.notes = ctx.facts(site);
    finding.help = ctx.help(code, site);
    finding.context = site.func.map(|f| ctx.function_name(f)).unwrap_or_default();
    ctx.add(finding);
}

fn at_retry(ctx: &mut Context<'_>, code: u16, retried: &Retried, message: String) {
    let Some(finding) = build(ctx, code, retried.place, retried, message) else {
        return;
    };
    ctx.add(finding);
}

fn build(ctx: &mut Context<'_>, code: u16, place: Place, retried: &Retried, message: String) -> Option<Finding> {
    let out = ctx.out;
    let site = out.sites.get(*retried.sites.first()?);
    let mut finding = ctx.finding(code, place, message)?;
    finding.confidence = retried.sites.iter().map(|s| out.sites.get(*s).confidence).max()?;
    finding.label = "this retry".into();
    for id in retried.sites.iter().take(4) {
        let site = out.sites.get(*id);
        finding
            .related
            .extend(ctx.related(site.place, format!("{} is repeated by it", Context::call_text(site))));
    }
    finding.notes = ctx.facts(site);
    finding.help = ctx.help(code, site);
    Some(finding)
}
