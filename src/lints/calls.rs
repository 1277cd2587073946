//! The rules about one call site: RL101 to RL105 and RL109. A site gets one of them.

use super::context::Context;
use crate::findings::{Finding, Severity};
use crate::flow::flight::{Note, Site};
use crate::flow::verdict::{Verdict, connection, judge};
use crate::knowledge::{Connection, Retry};

/// Reports every call site whose error gets away.
pub fn check(ctx: &mut Context<'_>) {
    let out = ctx.out;
    let mut handlers: Vec<(crate::flow::flight::Place, Vec<(Site, Note)>)> = Vec::new();
    for (id, site) in out.sites.iter() {
        let Some(fate) = out.fates.get(id.0 as usize) else {
            continue;
        };
        if ctx.world.is_aside(site.place.unit) {
            continue;
        }
        // Another crate, which got the error through an interface that passes it on as it should, unwraps no result of a
        // round trip any more.
        let own = ctx.world.crate_root(site.place.unit);
        if site.panics.is_some_and(|p| ctx.world.crate_root(p.unit) == own) {
            // It takes the place of what would be said of the error otherwise.
            if let Some(finding) = panic(ctx, site) {
                ctx.add(finding);
            }
            continue;
        }
        let verdict = judge(out, fate);
        let speaks = match connection(out, ctx.knowledge, site) {
            Connection::SelfHealing => true,
            // Spoken of at the call only where the error ends a worker loop, or a guard is there and misses.
            Connection::Pooled => {
                let ends_loop = verdict.escape().is_some_and(|e| e.flight.ends_loop);
                site.retry == Retry::Never && (ends_loop || is_miss(&verdict))
                    || matches!(verdict, Verdict::Lookalike(..))
            }
            // As good as a pool's if the settings keep them; else opened and dropped within a unit of work.
            Connection::Ambient if out.pooled_ambient.contains(&site.driver) => {
                is_miss(&verdict) && site.retry == Retry::Never
            }
            Connection::Ambient => matches!(verdict, Verdict::LazyOutside(..) | Verdict::Lookalike(..)),
            Connection::Bare => matches!(verdict, Verdict::LazyOutside(..) | Verdict::Lookalike(..)),
        };
        if !speaks {
            continue;
        }
        if let Verdict::Lookalike(_, note @ Note::Missed { handler, .. }) = &verdict {
            let entry = (site.clone(), (*note).clone());
            match handlers.iter_mut().find(|(place, _)| place == handler) {
                Some((_, list)) => list.push(entry),
                None => handlers.push((*handler, vec![entry])),
            }
            continue;
        }
        if let Some(finding) = at_call(ctx, site, &verdict) {
            ctx.add(finding);
        }
    }
    for (place, calls) in handlers {
        if let Some(finding) = at_handler(ctx, place, &calls) {
            ctx.add(finding);
        }
    }
}

/// A guard is there and misses. `except KeyError:` is for something else, and none where the pool recovers by itself.
fn is_miss(verdict: &Verdict<'_>) -> bool {
    match verdict {
        Verdict::Unguarded(_) => false,
        Verdict::Missed(_, Note::Missed { about, .. }) => *about,
        _ => true,
    }
}

/// RL107: the result is unwrapped. What is opened and dropped within one unit of work is the unit's own affair.
fn panic(ctx: &mut Context<'_>, site: &Site) -> Option<Finding> {
    let out = ctx.out;
    let outlives = site.origin.is_none_or(|origin| out.outliving.contains(&origin));
    // What the driver repeats until it succeeds gives no error to unwrap.
    if connection(out, ctx.knowledge, site) == Connection::Bare && !outlives || site.retry == Retry::Many {
        return None;
    }
    let call = Context::call_text(site);
    let error = ctx.loss_name(site);
    let message = format!(
        "{call} fails with `{error}` when the connection is lost, and its result is unwrapped: the task panics"
    );
    let mut finding = ctx.finding(107, site.place, message)?;
    finding.confidence = site.confidence;
    finding.label = "panics when the connection is lost".into();
    let elsewhere = site
        .panics
        .filter(|p| p.unit != site.place.unit || !p.span.contains(site.place.span));
    if let Some(place) = elsewhere {
        finding.related.extend(ctx.related(place, "unwrapped here"));
    }
    finding.related.extend(ctx.opening(site));
    finding.notes = ctx.facts(site);
    finding.help = match elsewhere {
        // The call itself may pass the error on as it should.
        Some(_) => "where it is unwrapped, return the error with `?`, or match it and answer".into(),
        // `?` needs a function that returns a result.
        None if !ctx.returns(site) => "match the error and answer; or let the function return it".into(),
        None => ctx.help(107, site),
    };
    finding.context = site.func.map(|f| ctx.function_name(f)).unwrap_or_default();
    Some(finding)
}

fn at_call(ctx: &mut Context<'_>, site: &Site, verdict: &Verdict<'_>) -> Option<Finding> {
    let escape = verdict.escape()?;
    let call = Context::call_text(site);
    let error = ctx.loss_name(site);
    let (code, message, label) = match verdict {
        Verdict::Unguarded(_) if site.retry == Retry::Never => (
            101,
            format!("{call} raises `{error}` when the connection is lost, and nothing handles it"),
            "not retried, not handled",
        ),
        Verdict::Unguarded(_) => (
            102,
            format!("{call} is retried once by the driver, and nothing handles the `{error}` of a second failure"),
            "retried once, not handled",
        ),
        Verdict::LazyOutside(_, stop) => (
            103,
            format!(
                "{call} waits for the database outside of `{}`, which encloses only the making of it",
                stop.what
            ),
            "the round trips happen here",
        ),
        Verdict::Missed(_, Note::Missed { classes, part, .. }) => {
            let covers = if *part {
                "covers only a part of"
            } else {
                "does not cover"
            };
            (
                104,
                format!("{call} raises `{error}` when the connection is lost, which `{classes}` {covers}"),
                "the error passes the handler",
            )
        }
        Verdict::Reraised(_, Note::Reraised { raised, .. }) => {
            let what = raised
                .as_ref()
                .map_or_else(|| "again".to_owned(), |r| format!("as `{r}`"));
            (
                105,
                format!(
                    "the `{error}` of {call} is caught only to be raised {what}, and nothing further out handles that"
                ),
                "the error is raised again",
            )
        }
        _ => return None,
    };
    let mut finding = ctx.finding(code, site.place, message)?;
    if matches!(verdict, Verdict::Unguarded(_)) && site.retry == Retry::Once {
        finding.severity = finding.severity.min(Severity::Warning);
    }
    finding.confidence = site.confidence;
    label.clone_into(&mut finding.label);
    finding.related = ctx.path(site, escape);
    if let Verdict::LazyOutside(_, stop) = verdict {
        finding
            .related
            .extend(ctx.related(stop.place, "this guard encloses only the making"));
    }
    finding.related.extend(ctx.opening(site));
    finding.notes = ctx.facts(site);
    finding.help = ctx.help(code, site);
    finding.context = site.func.map(|f| ctx.function_name(f)).unwrap_or_default();
    Some(finding)
}

/// RL109: one finding at the handler, the calls inside as labels.
fn at_handler(ctx: &mut Context<'_>, place: crate::flow::flight::Place, calls: &[(Site, Note)]) -> Option<Finding> {
    let (site, note) = calls.first()?;
    let Note::Missed {
        classes,
        lookalike: Some(why),
        ..
    } = note
    else {
        return None;
    };
    let error = ctx.loss_name(site);
    let message = format!("`{classes}` never receives the `{error}` of a lost connection: {why}");
    let mut finding = ctx.finding(109, place, message)?;
    finding.confidence = calls.iter().map(|(s, _)| s.confidence).max()?;
    finding.label = "does not fire when the connection is lost".into();
    for (site, _) in calls {
        finding
            .related
            .extend(ctx.related(site.place, format!("{} raises `{error}`", Context::call_text(site))));
    }
    finding.notes = ctx.facts(site);
    finding.help = ctx.help(109, site);
    finding.context = site.func.map(|f| ctx.function_name(f)).unwrap_or_default();
    Some(finding)
}
