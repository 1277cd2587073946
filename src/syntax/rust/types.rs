//! Paths, types and generics, as expressions.

use syn::{
    GenericArgument, GenericParam, Generics, Path, PathArguments, QSelf, ReturnType, Type, TypeParamBound,
    WherePredicate,
};

use super::lower::Lower;
use crate::core::{ExprId, ExprKind, Generic, Span, Symbol};

impl Lower<'_> {
    /// `a::b<C>`: names and attributes with type arguments as indices.
    pub fn type_path(&mut self, qself: Option<&QSelf>, path: &Path) -> ExprId {
        self.path(qself, path, true)
    }

    /// `a::b::<C>` as a value: the arguments of the last segment are dropped, so that a callee is a name.
    pub fn value_path(&mut self, qself: Option<&QSelf>, path: &Path) -> ExprId {
        self.path(qself, path, false)
    }

    fn path(&mut self, qself: Option<&QSelf>, path: &Path, last_arguments: bool) -> ExprId {
        let mut start = path
            .leading_colon
            .as_ref()
            .map(|colon| self.spans.start(colon.spans[0]));
        let mut base = None;
        let mut skip = 0;
        if let Some(qself) = qself {
            // `<T as Trait>::name` is `T::name`: the type says more than the trait.
            start = Some(self.spans.start(qself.lt_token.span));
            base = Some(self.ty(&qself.ty));
            skip = qself.position;
        }
        let last = path.segments.len().saturating_sub(1);
        for (i, segment) in path.segments.iter().enumerate().skip(skip) {
            let (name, name_span) = self.ident(&segment.ident);
            let start = *start.get_or_insert(name_span.start);
            let span = Span {
                start,
                end: name_span.end,
            };
            let mut id = match base {
                Some(base) => self.add(
                    ExprKind::Attr {
                        base,
                        name,
                        name_span,
                        path: true,
                    },
                    span,
                ),
                None => self.add(ExprKind::Name(name), span),
            };
            if last_arguments || i < last {
                id = self.type_arguments(id, &segment.arguments);
            }
            base = Some(id);
        }
        base.unwrap_or_else(|| {
            let span = self.spans.eof();
            self.unknown(span)
        })
    }

    /// The name of a macro, with its `!`.
    pub fn macro_path(&mut self, path: &Path, bang: proc_macro2::Span) -> ExprId {
        let id = self.value_path(None, path);
        let end = self.spans.end(bang);
        let expr = &mut self.module.exprs[id.0 as usize];
        expr.span.end = end;
        match &mut expr.kind {
            ExprKind::Name(name) => *name = Symbol::new(&format!("{name}!")),
            ExprKind::Attr { name, name_span, .. } => {
                *name = Symbol::new(&format!("{name}!"));
                name_span.end = end;
            }
            _ => {}
        }
        id
    }

    fn type_arguments(&mut self, base: ExprId, arguments: &PathArguments) -> ExprId {
        let start = self.expr_span(base).start;
        let mut index = Vec::new();
        let end = match arguments {
            PathArguments::None => return base,
            PathArguments::AngleBracketed(generics) => {
                for argument in &generics.args {
                    index.extend(self.argument(argument));
                }
                self.spans.end(generics.gt_token.span)
            }
            PathArguments::Parenthesized(generics) => {
                let inputs: Vec<ExprId> = generics.inputs.iter().map(|input| self.ty(&input.ty)).collect();
                let mut span = self.span(generics.paren_token.span.join());
                index.push(self.add(ExprKind::Tuple(inputs), span));
                if let ReturnType::Type(_, ty) = &generics.output {
                    let output = self.ty(ty);
                    span.end = self.expr_span(output).end;
                    index.push(output);
                }
                let tuple = self.add(ExprKind::Tuple(index), span);
                return self.add(ExprKind::Index { base, index: tuple }, Span { start, end: span.end });
            }
        };
        self.index(base, index, Span { start, end })
    }

    /// `base[index]`; no index at all is the base alone (`Foo<'a>`).
    fn index(&mut self, base: ExprId, index: Vec<ExprId>, span: Span) -> ExprId {
        let index = match index[..] {
            [] => return base,
            [one] => one,
            [first, .., last] => {
                let span = Span {
                    start: self.expr_span(first).start,
                    end: self.expr_span(last).end,
                };
                self.add(ExprKind::Tuple(index), span)
            }
        };
        self.add(ExprKind::Index { base, index }, span)
    }

    fn argument(&mut self, argument: &GenericArgument) -> Option<ExprId> {
        match argument {
            GenericArgument::Type(ty) => Some(self.ty(ty)),
            GenericArgument::Const(expr) => Some(self.expr(expr)),
            GenericArgument::AssocType(assoc) => {
                let (name, span) = self.ident(&assoc.ident);
                let target = self.add(ExprKind::Name(name), span);
                let value = self.ty(&assoc.ty);
                let span = Span {
                    start: span.start,
                    end: self.expr_span(value).end,
                };
                Some(self.add(ExprKind::Assign { target, value }, span))
            }
            GenericArgument::Constraint(constraint) => {
                // `Item: Trait` settles as much as `Item = impl Trait`.
                let (name, span) = self.ident(&constraint.ident);
                let target = self.add(ExprKind::Name(name), span);
                let value = self.bounded("impl", &constraint.bounds, span);
                Some(self.add(ExprKind::Assign { target, value }, span))
            }
            _ => None,
        }
    }

    /// A type.
    pub fn ty(&mut self, ty: &Type) -> ExprId {
        if !self.down(|me| me.type_span(ty)) {
            let span = self.type_span(ty);
            return self.unknown(span);
        }
        let id = self.ty_inner(ty);
        self.up();
        id
    }

    fn ty_inner(&mut self, ty: &Type) -> ExprId {
        match ty {
            Type::Path(path) => self.type_path(path.qself.as_ref(), &path.path),
            Type::Reference(reference) => self.same_type(reference.and_token.spans[0], &reference.elem),
            Type::Ptr(pointer) => self.same_type(pointer.star_token.spans[0], &pointer.elem),
            Type::Group(group) => self.ty(&group.elem),
            Type::Paren(paren) => {
                let inner = self.ty(&paren.elem);
                let span = self.span(paren.paren_token.span.join());
                self.add(ExprKind::Same(inner), span)
            }
            Type::Tuple(tuple) => {
                let span = self.span(tuple.paren_token.span.join());
                if tuple.elems.is_empty() {
                    return self.add(ExprKind::None, span);
                }
                let elements = tuple.elems.iter().map(|ty| self.ty(ty)).collect();
                self.add(ExprKind::Tuple(elements), span)
            }
            Type::Slice(slice) => self.list_type(&slice.elem, slice.bracket_token.span.join()),
            Type::Array(array) => self.list_type(&array.elem, array.bracket_token.span.join()),
            Type::ImplTrait(ty) => {
                let span = self.span(ty.impl_token.span);
                self.bounded("impl", &ty.bounds, span)
            }
            Type::TraitObject(ty) => {
                // `Box<Foo + Send>` of 2015 has no `dyn`.
                let first = ty.dyn_token.map(|token| token.span);
                let span = first.map_or_else(|| self.type_span(&Type::TraitObject(ty.clone())), |s| self.span(s));
                self.bounded("dyn", &ty.bounds, span)
            }
            _ => {
                let span = self.type_span(ty);
                self.unknown(span)
            }
        }
    }

    fn same_type(&mut self, first: proc_macro2::Span, inner: &Type) -> ExprId {
        let start = self.spans.start(first);
        let inner = self.ty(inner);
        let end = self.expr_span(inner).end;
        self.add(ExprKind::Same(inner), Span { start, end })
    }

    fn list_type(&mut self, element: &Type, span: proc_macro2::Span) -> ExprId {
        let element = self.ty(element);
        let span = self.span(span);
        self.add(ExprKind::List(vec![element]), span)
    }

    /// The span of a rare type, by way of its tokens.
    fn type_span(&self, ty: &Type) -> Span {
        self.span(syn::spanned::Spanned::span(ty))
    }

    /// `impl A + B`, `dyn A + B` as `impl[A, B]`.
    fn bounded<'b>(
        &mut self,
        keyword: &str,
        bounds: impl IntoIterator<Item = &'b TypeParamBound>,
        keyword_span: Span,
    ) -> ExprId {
        let base = self.name(keyword, keyword_span);
        let bounds = self.bounds(bounds);
        let end = bounds.last().map_or(keyword_span.end, |&last| self.expr_span(last).end);
        self.index(
            base,
            bounds,
            Span {
                start: keyword_span.start,
                end,
            },
        )
    }

    /// The traits among bounds; not lifetimes, not `?Sized`.
    pub fn bounds<'b>(&mut self, bounds: impl IntoIterator<Item = &'b TypeParamBound>) -> Vec<ExprId> {
        let mut out = Vec::new();
        for bound in bounds {
            if let TypeParamBound::Trait(bound) = bound
                && bound.maybe.is_none()
            {
                out.push(self.type_path(None, &bound.path));
            }
        }
        out
    }

    /// `impl[bounds]` of an associated type without a default.
    pub fn bounded_type<'b>(
        &mut self,
        bounds: impl IntoIterator<Item = &'b TypeParamBound>,
        span: Span,
    ) -> Option<ExprId> {
        let bounds = self.bounds(bounds);
        if bounds.is_empty() {
            return None;
        }
        let base = self.name("impl", span);
        Some(self.index(base, bounds, span))
    }

    /// Type parameters with the bounds of the `where` clause.
    pub fn generics(&mut self, generics: &Generics) -> Vec<Generic> {
        let mut out = Vec::new();
        for param in &generics.params {
            match param {
                GenericParam::Type(param) => {
                    let bounds = self.bounds(&param.bounds);
                    let default = param.default.as_ref().map(|(_, ty)| self.ty(ty));
                    out.push(Generic {
                        name: self.symbol(&param.ident),
                        bounds,
                        default,
                    });
                }
                GenericParam::Const(param) => {
                    out.push(Generic {
                        name: self.symbol(&param.ident),
                        bounds: Vec::new(),
                        default: None,
                    });
                }
                GenericParam::Lifetime(_) => {}
            }
        }
        let Some(clause) = &generics.where_clause else {
            return out;
        };
        for predicate in &clause.predicates {
            let WherePredicate::Type(predicate) = predicate else {
                continue;
            };
            // Only `T: Bound`; `Vec<T>: Bound` and `T::Error: Bound` settle no parameter.
            let Type::Path(path) = &predicate.bounded_ty else {
                continue;
            };
            let (None, Some(ident)) = (&path.qself, path.path.get_ident()) else {
                continue;
            };
            let name = self.symbol(ident);
            let bounds = self.bounds(&predicate.bounds);
            match out.iter_mut().find(|generic| generic.name == name) {
                Some(generic) => generic.bounds.extend(bounds),
                None => out.push(Generic {
                    name,
                    bounds,
                    default: None,
                }),
            }
        }
        out
    }

    /// A declared return type.
    pub fn returns(&mut self, output: &ReturnType) -> Option<ExprId> {
        match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }
}
