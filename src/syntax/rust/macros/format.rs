//! Format strings: `format!("mongodb://{host}:{}", port)`.

use syn::{Expr, Lit};

use super::document::Node;
use super::shape::Argument;
use crate::core::{Arg, ExprId, ExprKind, Span, StrLit, Symbol};
use crate::syntax::rust::lower::Lower;

/// The macros whose first string is a format string. Elsewhere braces in a string are text (SQL, JSON).
const FORMATTING: [&str; 28] = [
    "anyhow",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "debug",
    "debug_assert",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "eyre",
    "format",
    "format_args",
    "format_err",
    "info",
    "log",
    "panic",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
    "debug_assert_eq",
];

/// Whether a macro of that name takes a format string.
pub(super) fn takes_format(name: &str) -> bool {
    FORMATTING.contains(&name)
}

impl Lower<'_> {
    /// The arguments of a formatting macro.
    pub(super) fn formatted(&mut self, args: &[Argument]) -> Vec<Arg> {
        let mut found = false;
        let mut out = Vec::with_capacity(args.len());
        for arg in args {
            let lowered = self.argument_of(arg);
            if !found && arg.name.is_none() && is_string(&arg.value) {
                found = true;
                self.split(lowered.value, args);
            }
            out.push(lowered);
        }
        out
    }

    /// Cuts the known string behind `id` at its placeholders.
    fn split(&mut self, id: ExprId, args: &[Argument]) {
        let span = self.expr_span(id);
        let ExprKind::Str(literal) = &self.module.expr(id).kind else {
            return;
        };
        let Some(text) = literal.known() else { return };
        let mut parts = Vec::new();
        let mut values = Vec::new();
        let mut known = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            known.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                known.push_str(brace);
                rest = after;
                continue;
            }
            let Some(end) = rest.find('}').filter(|_| brace == "{") else {
                continue;
            };
            let name = rest[..end].split(':').next().unwrap_or_default().trim();
            if is_name(name) && !args.iter().any(|arg| arg.name.as_deref() == Some(name)) {
                let offset = text.len() - rest.len();
                let place = self.inside(span, &text, offset, name.len());
                values.push(self.add(ExprKind::Name(Symbol::new(name)), place));
            }
            if !known.is_empty() {
                parts.push(Some(std::mem::take(&mut known)));
            }
            parts.push(None);
            rest = &rest[end + 1..];
        }
        known.push_str(rest);
        if !known.is_empty() || parts.is_empty() {
            parts.push(Some(known));
        }
        self.module.exprs[id.0 as usize].kind = ExprKind::Str(StrLit { parts, values });
    }

    /// The place of a part of a literal's text, if the literal is written without escapes, or else of the literal.
    fn inside(&self, literal: Span, text: &str, offset: usize, len: usize) -> Span {
        let source = self.text.get(literal.range()).unwrap_or_default();
        match source.find('"') {
            Some(quote) if source[quote + 1..].starts_with(text) => {
                let start = literal.start as usize + quote + 1 + offset;
                Span::new(start, start + len)
            }
            _ => literal,
        }
    }
}

fn is_string(node: &Node) -> bool {
    matches!(node, Node::Expr(Expr::Lit(lit)) if matches!(lit.lit, Lit::Str(_)))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_alphabetic()) && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}
