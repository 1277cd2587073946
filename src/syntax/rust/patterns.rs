//! Patterns.

use syn::{Expr, FieldPat, Member, Pat};

use super::lower::Lower;
use crate::core::{ExprKind, Pattern, PatternKind, Span, Symbol};

impl Lower<'_> {
    /// A pattern; a guard (`x if cond`) is left to the caller.
    pub fn pattern(&mut self, pat: &Pat) -> Pattern {
        if !self.down(|me| me.pat_span(pat)) {
            return Pattern {
                kind: PatternKind::Wild,
                span: self.pat_span(pat),
            };
        }
        let pattern = self.pattern_inner(pat);
        self.up();
        pattern
    }

    fn pattern_inner(&mut self, pat: &Pat) -> Pattern {
        match pat {
            Pat::Ident(ident) => {
                let (name, name_span) = self.ident(&ident.ident);
                let mut span = name_span;
                for keyword in [ident.by_ref.map(|t| t.span), ident.mutability.map(|t| t.span)]
                    .into_iter()
                    .flatten()
                {
                    span.start = span.start.min(self.spans.start(keyword));
                }
                let plain = ident.by_ref.is_none() && ident.mutability.is_none();
                match &ident.subpat {
                    // `rest @ ..`
                    Some((_, sub)) if matches!(**sub, Pat::Rest(_)) => Pattern {
                        kind: PatternKind::Star(Some(name)),
                        span,
                    },
                    Some((_, sub)) => {
                        let sub = self.pattern(sub);
                        span.end = sub.span.end;
                        Pattern {
                            kind: PatternKind::Bind(name, Some(Box::new(sub))),
                            span,
                        }
                    }
                    // `None`, `LIMIT`: without name resolution the case of the first letter decides, as everybody writes.
                    None if plain && name.as_str().starts_with(char::is_uppercase) => {
                        let path = self.add(ExprKind::Name(name), name_span);
                        Pattern {
                            kind: PatternKind::Path(path),
                            span,
                        }
                    }
                    None => Pattern {
                        kind: PatternKind::Bind(name, None),
                        span,
                    },
                }
            }
            Pat::Path(path) => {
                let id = self.value_path(path.qself.as_ref(), &path.path);
                Pattern {
                    kind: PatternKind::Path(id),
                    span: self.expr_span(id),
                }
            }
            Pat::TupleStruct(tuple) => {
                let path = self.value_path(tuple.qself.as_ref(), &tuple.path);
                let span = Span {
                    start: self.expr_span(path).start,
                    end: self.spans.end(tuple.paren_token.span.join()),
                };
                let elements = tuple.elems.iter().map(|pat| self.pattern(pat)).collect();
                Pattern {
                    kind: PatternKind::TupleStruct(path, elements),
                    span,
                }
            }
            Pat::Struct(pat) => {
                let path = self.value_path(pat.qself.as_ref(), &pat.path);
                let span = Span {
                    start: self.expr_span(path).start,
                    end: self.spans.end(pat.brace_token.span.join()),
                };
                let fields = pat.fields.iter().map(|field| self.field_pattern(field)).collect();
                Pattern {
                    kind: PatternKind::Struct(path, fields),
                    span,
                }
            }
            Pat::Tuple(tuple) => {
                let span = self.span(tuple.paren_token.span.join());
                let elements = tuple.elems.iter().map(|pat| self.pattern(pat)).collect();
                Pattern {
                    kind: PatternKind::Tuple(elements),
                    span,
                }
            }
            Pat::Slice(slice) => {
                let span = self.span(slice.bracket_token.span.join());
                let elements = slice.elems.iter().map(|pat| self.pattern(pat)).collect();
                Pattern {
                    kind: PatternKind::Tuple(elements),
                    span,
                }
            }
            Pat::Or(or) => {
                let cases: Vec<Pattern> = or.cases.iter().map(|pat| self.pattern(pat)).collect();
                let span = match &cases[..] {
                    [first, .., last] => Span {
                        start: first.span.start,
                        end: last.span.end,
                    },
                    _ => self.pat_span(pat),
                };
                Pattern {
                    kind: PatternKind::Or(cases),
                    span,
                }
            }
            Pat::Rest(rest) => {
                let [first, second] = rest.dot2_token.spans;
                Pattern {
                    kind: PatternKind::Star(None),
                    span: self.range(first, second),
                }
            }
            Pat::Lit(lit) => {
                let value = self.expr(&Expr::Lit(lit.clone()));
                Pattern {
                    kind: PatternKind::Literal(value),
                    span: self.expr_span(value),
                }
            }
            Pat::Paren(paren) => self.pattern(&paren.pat),
            Pat::Reference(reference) => self.pattern(&reference.pat),
            Pat::Type(typed) => self.pattern(&typed.pat),
            Pat::Guard(guarded) => self.pattern(&guarded.pat),
            _ => Pattern {
                kind: PatternKind::Wild,
                span: self.pat_span(pat),
            },
        }
    }

    fn field_pattern(&mut self, field: &FieldPat) -> (Symbol, Pattern) {
        (self.member(&field.member).0, self.pattern(&field.pat))
    }

    /// A field's name: an identifier or a number.
    pub fn member(&mut self, member: &Member) -> (Symbol, Span) {
        match member {
            Member::Named(ident) => self.ident(ident),
            Member::Unnamed(index) => (Symbol::new(&index.index.to_string()), self.span(index.span)),
        }
    }

    /// The span of a rare pattern, by way of its tokens.
    fn pat_span(&self, pat: &Pat) -> Span {
        match pat {
            Pat::Wild(wild) => self.span(wild.underscore_token.span),
            _ => self.span(syn::spanned::Spanned::span(pat)),
        }
    }
}

/// The first name that a pattern binds.
pub(super) fn first_binding(pattern: &Pattern) -> Option<Symbol> {
    match &pattern.kind {
        PatternKind::Bind(name, _) => Some(*name),
        PatternKind::TupleStruct(_, parts) | PatternKind::Tuple(parts) | PatternKind::Or(parts) => {
            parts.iter().find_map(first_binding)
        }
        PatternKind::Struct(_, fields) => fields.iter().find_map(|(_, part)| first_binding(part)),
        _ => None,
    }
}
