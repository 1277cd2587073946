//! The repair of RL401: a client that is built from the parts of a URL is built from the URL.

use super::context::Context;
use crate::core::{ArgKind, ExprKind, Span};
use crate::findings::{Applicability, Edit, Fix, Location};
use crate::flow::flight::Place;

/// A read of a part, and the variable that has the whole.
#[derive(Clone, Debug)]
pub struct Part {
    /// The whole expression that reads.
    pub place: Place,
    /// The variable read.
    pub name: String,
    /// The variable that should be.
    pub url: String,
}

/// For each read the fix of the call that it is an argument of. Only where the parts, the host among them, are read in the
/// arguments of the call that opens the connection: a part that a variable or another module holds may have other users.
pub fn fixes(ctx: &mut Context<'_>, parts: &[Part]) -> Vec<Option<Fix>> {
    parts
        .iter()
        .map(|part| {
            let (call, args) = opening_around(ctx, part.place)?;
            let group: Vec<&Part> = parts
                .iter()
                .filter(|p| p.place.unit == part.place.unit && p.url == part.url && call.contains(p.place.span))
                .collect();
            let text = ctx.world.text(part.place.unit);
            let edits = edits(&text, &args, &group)?;
            let file = ctx.location(part.place)?.file;
            Some(Fix {
                applicability: Applicability::Unsafe,
                message: format!("give the client `{}`", part.url),
                edits: edits
                    .into_iter()
                    .map(|(span, content)| Edit {
                        location: Location { file, span },
                        content,
                    })
                    .collect(),
            })
        })
        .collect()
}

/// The innermost call around a place that opens a connection, and its arguments: each as a whole, and its value.
fn opening_around(ctx: &mut Context<'_>, place: Place) -> Option<(Span, Vec<(Span, Span)>)> {
    let module = ctx.world.module(place.unit)?;
    let text = ctx.world.text(place.unit);
    let openings = ctx.out.kinds.keys().filter(|at| at.unit == place.unit);
    let call = openings
        .filter_map(|at| module.exprs.get(at.expr.0 as usize))
        .filter(|e| e.span.contains(place.span) && matches!(e.kind, ExprKind::Call { .. }))
        .min_by_key(|e| e.span.end - e.span.start)?;
    let ExprKind::Call { args, .. } = &call.kind else {
        return None;
    };
    let mut found = Vec::new();
    for arg in args {
        let value = module.expr(arg.value).span;
        let start = match arg.kind {
            ArgKind::Positional => value.start,
            ArgKind::Keyword(name) => keyword_start(&text, value.start, name.as_str())?,
            // What these hold can't be told apart.
            ArgKind::Star | ArgKind::DoubleStar => return None,
        };
        found.push((Span { start, end: value.end }, value));
    }
    Some((call.span, found))
}

/// Where `name = value` begins, given where its value does.
fn keyword_start(text: &str, value: u32, name: &str) -> Option<u32> {
    let before = text.get(..value as usize)?.trim_end();
    let before = before.strip_suffix('=')?.trim_end();
    let rest = before.strip_suffix(name)?;
    Some(rest.len() as u32)
}

/// The argument with the host becomes the URL, the others with parts go.
fn edits(text: &str, args: &[(Span, Span)], group: &[&Part]) -> Option<Vec<(Span, String)>> {
    let host = group.iter().find(|p| p.name.ends_with("_HOST"))?;
    let read = text.get(host.place.span.range())?;
    let url = read.replacen(host.name.as_str(), &host.url, 1);
    // A read whose text does not have the name, by a constant.
    if url == read {
        return None;
    }
    let holds = |span: &Span| group.iter().any(|p| span.contains(p.place.span));
    let mut found = Vec::new();
    for (index, (arg, value)) in args.iter().enumerate() {
        if value.contains(host.place.span) {
            found.push((*value, url.clone()));
        } else if holds(value) {
            let before = index.checked_sub(1).and_then(|i| args.get(i)).map(|(b, _)| b.end);
            found.push((removed(text, *arg, before)?, String::new()));
        }
    }
    // Every part is in an argument.
    let all = group
        .iter()
        .all(|p| args.iter().any(|(_, value)| value.contains(p.place.span)));
    // What goes may touch what goes beside it.
    let mut merged: Vec<(Span, String)> = Vec::new();
    for (span, content) in found {
        match merged.last_mut() {
            Some((last, old)) if old.is_empty() && content.is_empty() && span.start <= last.end => last.end = span.end,
            _ => merged.push((span, content)),
        }
    }
    all.then_some(merged)
}

/// What goes with an argument: the comma behind it, and its line if nothing else is on it; else the comma before it.
/// `None` if a comment would go too.
fn removed(text: &str, arg: Span, before: Option<u32>) -> Option<Span> {
    let after = text.get(arg.end as usize..)?;
    let rest = after.trim_start();
    let Some(rest) = rest.strip_prefix(',') else {
        let span = Span {
            start: before?,
            end: arg.end,
        };
        return (!text.get(span.range())?.contains('#')).then_some(span);
    };
    let comma = text.len() - rest.len();
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let line = text.get(..arg.start as usize)?.rfind('\n').map_or(0, |i| i + 1);
    let alone = text.get(line..arg.start as usize)?.trim().is_empty();
    let next = comma + blanks;
    let ends = text
        .get(next..)?
        .find('\n')
        .filter(|i| text[next..next + i].trim().is_empty());
    match ends {
        Some(end) if alone => Some(Span::new(line, next + end + 1)),
        _ => Some(Span::new(arg.start as usize, next)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::value::UnitId;

    fn fixed(code: &str, args: &[&str], names: &[&str]) -> Option<String> {
        let span = |part: &str| {
            let start = code.find(part).unwrap();
            Span::new(start, start + part.len())
        };
        let args: Vec<(Span, Span)> = args
            .iter()
            .map(|arg| {
                let whole = span(arg);
                let value = match arg.split_once('=') {
                    Some((name, _)) if name.chars().all(char::is_alphanumeric) => Span {
                        start: whole.start + name.len() as u32 + 1,
                        end: whole.end,
                    },
                    _ => whole,
                };
                (whole, value)
            })
            .collect();
        let parts: Vec<Part> = names
            .iter()
            .map(|name| Part {
                place: Place {
                    unit: UnitId(0),
                    span: span(&format!("env(\"{name}\")")),
                },
                name: (*name).to_owned(),
                url: "A_MONGODB_URL".to_owned(),
            })
            .collect();
        let group: Vec<&Part> = parts.iter().collect();
        let mut edits = edits(code, &args, &group)?;
        edits.sort_by_key(|(span, _)| span.start);
        let mut text = code.to_owned();
        for (span, content) in edits.into_iter().rev() {
            text.replace_range(span.range(), &content);
        }
        Some(text)
    }

    #[test]
    fn the_host_becomes_the_url_and_the_other_parts_go() {
        let names = ["A_MONGODB_HOST", "A_MONGODB_PORT"];
        let code = "Client(env(\"A_MONGODB_HOST\"), int(env(\"A_MONGODB_PORT\")), tz=True)";
        let args = ["env(\"A_MONGODB_HOST\")", "int(env(\"A_MONGODB_PORT\"))", "tz=True"];
        assert_eq!(
            fixed(code, &args, &names).as_deref(),
            Some("Client(env(\"A_MONGODB_URL\"), tz=True)")
        );
        let code = "Client(env(\"A_MONGODB_HOST\"), env(\"A_MONGODB_PORT\"), env(\"A_MONGODB_USER\"))";
        let args = [
            "env(\"A_MONGODB_HOST\")",
            "env(\"A_MONGODB_PORT\")",
            "env(\"A_MONGODB_USER\")",
        ];
        let all = ["A_MONGODB_HOST", "A_MONGODB_PORT", "A_MONGODB_USER"];
        assert_eq!(
            fixed(code, &args, &all).as_deref(),
            Some("Client(env(\"A_MONGODB_URL\"), )")
        );
        let code = "Client(port=env(\"A_MONGODB_PORT\"), host=env(\"A_MONGODB_HOST\"))";
        let args = ["port=env(\"A_MONGODB_PORT\")", "host=env(\"A_MONGODB_HOST\")"];
        assert_eq!(
            fixed(code, &args, &names).as_deref(),
            Some("Client(host=env(\"A_MONGODB_URL\"))")
        );
    }

    #[test]
    fn what_is_said_in_a_comment_is_not_thrown_away() {
        let code = "Client(\n  env(\"A_MONGODB_HOST\"),  # here\n  env(\"A_MONGODB_PORT\"),  # there\n)";
        let args = ["env(\"A_MONGODB_HOST\")", "env(\"A_MONGODB_PORT\")"];
        assert_eq!(
            fixed(code, &args, &["A_MONGODB_HOST", "A_MONGODB_PORT"]).as_deref(),
            Some("Client(\n  env(\"A_MONGODB_URL\"),  # here\n  # there\n)")
        );
        let names = ["A_MONGODB_HOST", "A_MONGODB_PORT"];
        let code = "Client(env(\"A_MONGODB_HOST\"),  # of this zone\n  env(\"A_MONGODB_PORT\"))";
        let args = ["env(\"A_MONGODB_HOST\")", "env(\"A_MONGODB_PORT\")"];
        assert_eq!(fixed(code, &args, &names), None);
    }

    #[test]
    fn a_port_alone_is_left() {
        let code = "Client(\"a\", env(\"A_MONGODB_PORT\"))";
        assert_eq!(
            fixed(code, &["\"a\"", "env(\"A_MONGODB_PORT\")"], &["A_MONGODB_PORT"]),
            None
        );
    }
}
