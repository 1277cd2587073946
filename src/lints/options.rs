//! The rules about how a client is configured: RL301, RL302, RL303, RL304.

use super::context::Context;
use crate::findings::{Finding, Severity};
use crate::flow::configure::Configured;
use crate::flow::flight::Site;

/// Reports constructors with options that take recovery away, or without those that would bring it.
pub fn check(ctx: &mut Context<'_>) {
    let out = ctx.out;
    let broken: Vec<_> = out.configured.iter().filter(|c| c.code == 303).map(|c| c.at).collect();
    for found in &out.configured {
        if ctx.world.is_aside(found.place.unit) && found.code != 301 {
            continue;
        }
        // RL303 takes the place of RL302.
        if found.code == 302 && broken.contains(&found.at) || found.kept && !out.outliving.contains(&found.at) {
            continue;
        }
        if let Some(finding) = finding(ctx, found) {
            ctx.add(finding);
        }
    }
}

fn finding(ctx: &mut Context<'_>, found: &Configured) -> Option<Finding> {
    let out = ctx.out;
    let by_factory = |s: &Site| s.under.and_then(|u| out.factories.get(&u)) == Some(&found.at);
    let on_it = |s: &Site| s.origin == Some(found.at) || s.under == Some(found.at) || s.at == found.at || by_factory(s);
    let sites: Vec<_> = out.sites.iter().filter(|(_, s)| on_it(s)).collect();
    let escapes = |id: crate::flow::flight::SiteId| out.fates.get(id.0 as usize).is_some_and(|f| !f.escapes.is_empty());
    // Not where every call on the client is guarded.
    if (found.code == 302 || found.unless_guarded) && !sites.is_empty() && !sites.iter().any(|(id, _)| escapes(*id)) {
        return None;
    }
    let message = match (&found.value, found.option.as_str()) {
        (_, "") => found.why.clone(),
        (Some(value), option) => format!("`{option}={value}`: {}", found.why),
        (None, option) if found.code == 302 => format!("`{option}` is not set: {}", found.why),
        (None, option) => format!("`{option}`: {}", found.why),
    };
    let mut finding = ctx.finding(found.code, found.place, message)?;
    if let Some(severity) = found.severity.as_ref().and_then(|s| s.parse::<Severity>().ok()) {
        finding.severity = severity;
    }
    finding.label = if found.option.is_empty() {
        "does not recover".into()
    } else {
        "configured here".into()
    };
    if found.code == 302 {
        // First the calls that outlive the start: not those that the function around the constructor makes.
        let starts = ctx.enclosing(found.at);
        let mut shown: Vec<_> = sites.iter().filter(|(id, _)| escapes(*id)).collect();
        shown.sort_by_key(|(id, _)| starts.is_some_and(|starts| ctx.is_within(*id, starts)));
        for (_, site) in shown.into_iter().take(4) {
            let call = Context::call_text(site);
            finding.related.extend(ctx.related(
                site.place,
                format!("{call} raises when the connection is lost, and nothing handles it"),
            ));
        }
    }
    let assumed = ctx.assumed(found.at.unit, found.lib);
    let assumed = match &found.since {
        Some(versions) => {
            let (library, from) = (ctx.library(found.lib), assumed.without_release());
            format!("{from}; what is said here is true of {library} {versions}")
        }
        None => assumed.text,
    };
    finding.notes.push(format!("driver: {assumed}"));
    found.help.trim_end().clone_into(&mut finding.help);
    Some(finding)
}
