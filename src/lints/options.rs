//! The rules about how a client is configured: RL301, RL302, RL303, RL304.

use super::context::Context;
use crate::findings::{Finding, Severity};
use crate::flow::Opening;
use crate::flow::flight::Place;
use crate::knowledge::{ArgRef, LibId, Literal, OptionSpec, matches};

/// Reports constructors with options that take recovery away, or without those that would bring it.
pub fn check(ctx: &mut Context<'_>) {
    let out = ctx.out;
    let knowledge = ctx.knowledge;
    for opening in &out.openings {
        if ctx.world.is_aside(opening.at.unit) {
            continue;
        }
        for (lib, option) in knowledge.options(opening.ty) {
            if let Some(finding) = option_finding(ctx, opening, lib, option) {
                ctx.add(finding);
            }
        }
        if let Some(finding) = broken(ctx, opening) {
            ctx.add(finding);
        }
    }
}

fn option_finding(ctx: &mut Context<'_>, opening: &Opening, lib: LibId, option: &OptionSpec) -> Option<Finding> {
    let code: u16 = option.code.as_ref()?.strip_prefix("RL")?.parse().ok()?;
    let assumed = ctx.assumed(opening.at.unit, ctx.knowledge.library(lib).driver);
    if !matches(option.versions.as_deref(), assumed.release) {
        return None;
    }
    let names: Vec<String> = std::iter::once(&option.name).chain(&option.spellings).map(|n| n.to_ascii_lowercase()).collect();
    let given = opening.options.iter().find(|(n, _)| names.contains(n));
    let value = match (given, option.missing) {
        (None, true) if !opening.open_ended => None,
        (Some((_, Some(value))), false) if option.values.iter().any(|v| is(v, value)) => Some(value),
        _ => return None,
    };
    let place = match opening.places.iter().find(|(n, _)| names.contains(n)) {
        Some((_, place)) => *place,
        None => ctx.place(opening.at)?,
    };
    let name = &option.name;
    let message = match value {
        Some(value) => format!("`{name}={value}`: {}", option.why),
        None => format!("`{name}` is not set: {}", option.why),
    };
    finding(ctx, code, place, message, option.severity.as_deref(), &assumed.text, &option.help)
}

fn is(literal: &Literal, text: &str) -> bool {
    match literal {
        Literal::Bool(b) => text.eq_ignore_ascii_case(&b.to_string()),
        Literal::Int(i) => text == i.to_string(),
        Literal::Text(t) => text.eq_ignore_ascii_case(t),
    }
}

fn broken(ctx: &mut Context<'_>, opening: &Opening) -> Option<Finding> {
    let entry = ctx.knowledge.ty(opening.ty);
    let lib = entry.lib;
    let library = ctx.knowledge.library(lib);
    let own = ctx.assumed(opening.at.unit, lib);
    let driver = ctx.assumed(opening.at.unit, library.driver);
    let found = library.file.broken.iter().find(|b| {
        entry.spec.paths.contains(&b.path)
            && matches(b.versions.as_deref(), own.release)
            && matches(b.driver_versions.as_deref(), driver.release)
            && !b.unless.iter().any(|r| match r {
                ArgRef::Name(name) | ArgRef::Either(_, name) => opening.options.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)),
                ArgRef::Position(_) => false,
            })
    })?;
    let place = ctx.place(opening.at)?;
    let text = if own.text == driver.text { own.text } else { format!("{}, {}", own.text, driver.text) };
    finding(ctx, 303, place, found.why.clone(), None, &text, &found.help)
}

fn finding(
    ctx: &mut Context<'_>,
    code: u16,
    place: Place,
    message: String,
    severity: Option<&str>,
    version: &str,
    help: &str,
) -> Option<Finding> {
    let mut finding = ctx.finding(code, place, message)?;
    if let Some(severity) = severity.and_then(|s| s.parse::<Severity>().ok()) {
        finding.severity = severity;
    }
    finding.notes.push(format!("driver: {version}"));
    finding.help = help.trim_end().to_owned();
    Some(finding)
}
