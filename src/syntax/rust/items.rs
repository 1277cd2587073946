//! Items: functions, types, traits, modules, constants. `use` and `impl` have files of their own.

use syn::{
    Attribute, Fields, FnArg, ForeignItem, Generics, Ident, Item, ItemMod, ItemTrait, ReceiverKind, Signature,
    TraitItem, Type, Visibility,
};

use super::attrs::{cfg_test, is_test, path_attribute};
use super::lower::Lower;
use crate::core::{
    Block, Class, ClassId, ClassKind, ExprId, Field, FuncId, Import, Param, ParamKind, Span, Stmt, StmtKind, Submodule,
    Symbol,
};

/// What the front of an item says.
pub(super) struct Head<'i> {
    pub attrs: &'i [Attribute],
    pub ident: &'i Ident,
    pub span: Span,
}

impl Lower<'_> {
    /// All items of a file or module.
    pub fn items(&mut self, items: &[Item]) -> Block {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            self.item(item, &mut out);
        }
        Block(out)
    }

    /// One item, as statements.
    pub fn item(&mut self, item: &Item, out: &mut Vec<Stmt>) {
        match item {
            Item::Fn(func) => {
                let first = signature_start(&func.sig, func.modifiers.defaultness.map(|t| t.span));
                let start = self.front(&func.attrs, &func.vis, &first);
                let span = Span {
                    start,
                    end: self.spans.end(func.block.brace_token.span.join()),
                };
                let public = is_public(&func.vis);
                let id = self.function(&func.attrs, public, &func.sig, Some(&func.block), span);
                out.push(Stmt {
                    kind: StmtKind::Func(id),
                    span,
                });
            }
            Item::Struct(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.struct_token.span)]);
                let end = match (&item.fields, &item.semi_token) {
                    (_, Some(semi)) => semi.spans[0],
                    (Fields::Named(fields), None) => fields.brace_token.span.join(),
                    _ => item.ident.span(),
                };
                let span = Span {
                    start,
                    end: self.spans.end(end),
                };
                let head = Head {
                    attrs: &item.attrs,
                    ident: &item.ident,
                    span,
                };
                self.record(&head, ClassKind::Struct, &item.generics, &item.fields, out);
            }
            Item::Union(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.union_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.fields.brace_token.span.join()),
                };
                let head = Head {
                    attrs: &item.attrs,
                    ident: &item.ident,
                    span,
                };
                let fields = Fields::Named(item.fields.clone());
                self.record(&head, ClassKind::Struct, &item.generics, &fields, out);
            }
            Item::Enum(item) => self.enumeration(item, out),
            Item::Trait(item) => self.trait_item(item, out),
            Item::TraitAlias(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.trait_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                let head = Head {
                    attrs: &item.attrs,
                    ident: &item.ident,
                    span,
                };
                let id = self.class(&head, ClassKind::Alias, &item.generics, out);
                let bases = self.bounds(&item.bounds);
                self.class_mut(id).bases = bases;
            }
            Item::Type(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.type_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                let head = Head {
                    attrs: &item.attrs,
                    ident: &item.ident,
                    span,
                };
                let id = self.class(&head, ClassKind::Alias, &item.generics, out);
                let base = self.ty(&item.ty);
                self.class_mut(id).bases = vec![base];
            }
            Item::Mod(item) => self.module_item(item, out),
            Item::Impl(item) => self.impl_item(item),
            Item::Use(item) => self.use_item(item, out),
            Item::ExternCrate(item) => self.extern_crate(item, out),
            Item::Const(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.const_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                out.push(self.constant(&item.ident, &item.ty, Some(&item.expr), span));
            }
            Item::Static(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.static_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                out.push(self.constant(&item.ident, &item.ty, Some(&item.expr), span));
            }
            Item::ForeignMod(block) => {
                for item in &block.items {
                    if let ForeignItem::Fn(func) = item {
                        let first = signature_start(&func.sig, func.modifiers.defaultness.map(|t| t.span));
                        let start = self.front(&func.attrs, &func.vis, &first);
                        let span = Span {
                            start,
                            end: self.spans.end(func.semi_token.spans[0]),
                        };
                        let id = self.function(&func.attrs, is_public(&func.vis), &func.sig, None, span);
                        out.push(Stmt {
                            kind: StmtKind::Func(id),
                            span,
                        });
                    }
                }
            }
            // `macro_rules! name { .. }` has a name; it defines, and does nothing.
            Item::Macro(item) if item.ident.is_none() => {
                let semi = item.semi_token.map_or(0, |semi| self.spans.end(semi.spans[0]));
                self.macro_item(&item.mac, semi, out);
            }
            _ => {}
        }
    }

    /// `const X: T = value;` as an assignment. A constant is no part of the function around it.
    pub fn constant(&mut self, ident: &Ident, ty: &Type, value: Option<&syn::Expr>, span: Span) -> Stmt {
        let (name, name_span) = self.ident(ident);
        let target = self.add(crate::core::ExprKind::Name(name), name_span);
        let annotation = Some(self.ty(ty));
        let value = value.map(|value| self.expr(value));
        Stmt {
            kind: StmtKind::Assign {
                targets: vec![target],
                value,
                annotation,
            },
            span,
        }
    }

    /// A function or method.
    pub fn function(
        &mut self,
        attrs: &[Attribute],
        public: bool,
        sig: &Signature,
        body: Option<&syn::Block>,
        span: Span,
    ) -> FuncId {
        let id = self.reserve_func(span);
        let decorators = self.decorators(attrs);
        let generics = self.generics(&sig.generics);
        let params = sig.inputs.iter().map(|input| self.parameter(input)).collect();
        let returns = self.returns(&sig.output);
        let (name, name_span) = self.ident(&sig.ident);
        let is_test = self.is_test || is_test(attrs);
        let func = self.func_mut(id);
        func.name = Some(name);
        func.name_span = name_span;
        func.decorators = decorators;
        func.generics = generics;
        func.params = params;
        func.returns = returns;
        func.is_async = sig.asyncness.is_some();
        func.public = public;
        func.is_test = is_test;
        func.declaration_only = body.is_none();
        if let Some(body) = body {
            let body = self.in_func(id, |me| me.block(body));
            self.func_mut(id).body = body;
        }
        id
    }

    fn parameter(&mut self, input: &FnArg) -> Param {
        match input {
            FnArg::Typed(typed) => {
                let mut param = self.param(&typed.pat);
                let annotation = self.ty(&typed.ty);
                param.span.end = self.expr_span(annotation).end;
                param.annotation = Some(annotation);
                param
            }
            FnArg::Receiver(receiver) => {
                let mut span = self.span(receiver.self_token.span);
                let mut first = vec![receiver.mutability.map(|t| t.span)];
                let mut annotation = None;
                match &receiver.kind {
                    ReceiverKind::Reference(and, ..) => first.push(Some(and.spans[0])),
                    ReceiverKind::Typed(_, ty) => annotation = Some(self.ty(ty)),
                    _ => {}
                }
                for token in first.into_iter().flatten() {
                    span.start = span.start.min(self.spans.start(token));
                }
                span.end = annotation.map_or(span.end, |id: ExprId| self.expr_span(id).end);
                let name = Symbol::new("self");
                Param {
                    name,
                    pattern: None,
                    annotation,
                    default: None,
                    kind: ParamKind::Normal,
                    span,
                }
            }
        }
    }

    pub fn class_mut(&mut self, id: ClassId) -> &mut Class {
        &mut self.module.classes[id.0 as usize]
    }

    /// Adds a class without fields and body, and its statement.
    fn class(&mut self, head: &Head, kind: ClassKind, generics: &Generics, out: &mut Vec<Stmt>) -> ClassId {
        let (name, name_span) = self.ident(head.ident);
        let decorators = self.decorators(head.attrs);
        let borrows = generics.lifetimes().next().is_some();
        let generics = self.generics(generics);
        let id = ClassId(self.module.classes.len() as u32);
        self.module.classes.push(Class {
            name,
            kind,
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators,
            body: Block::default(),
            fields: Vec::new(),
            generics,
            parent: self.func,
            outer: self.class,
            borrows,
            is_test: self.is_test || cfg_test(head.attrs),
            span: head.span,
            name_span,
        });
        out.push(Stmt {
            kind: StmtKind::Class(id),
            span: head.span,
        });
        id
    }

    fn record(&mut self, head: &Head, kind: ClassKind, generics: &Generics, fields: &Fields, out: &mut Vec<Stmt>) {
        let id = self.class(head, kind, generics, out);
        let fields = self.fields(fields);
        self.class_mut(id).fields = fields;
    }

    fn fields(&mut self, fields: &Fields) -> Vec<Field> {
        let mut out = Vec::with_capacity(fields.len());
        for (i, field) in fields.iter().enumerate() {
            let annotation = self.ty(&field.ty);
            let ty_span = self.expr_span(annotation);
            let name = match &field.ident {
                Some(ident) => self.symbol(ident),
                None => Symbol::new(&i.to_string()),
            };
            let start = self.front(&field.attrs, &field.vis, &[field.ident.as_ref().map(Ident::span)]);
            let start = start.min(ty_span.start);
            let decorators = self.decorators(&field.attrs);
            let span = Span {
                start,
                end: ty_span.end,
            };
            out.push(Field {
                name,
                annotation: Some(annotation),
                decorators,
                fields: Vec::new(),
                span,
            });
        }
        out
    }

    fn enumeration(&mut self, item: &syn::ItemEnum, out: &mut Vec<Stmt>) {
        let start = self.front(&item.attrs, &item.vis, &[Some(item.enum_token.span)]);
        let span = Span {
            start,
            end: self.spans.end(item.brace_token.span.join()),
        };
        let head = Head {
            attrs: &item.attrs,
            ident: &item.ident,
            span,
        };
        let id = self.class(&head, ClassKind::Enum, &item.generics, out);
        let mut variants = Vec::with_capacity(item.variants.len());
        for variant in &item.variants {
            let (name, name_span) = self.ident(&variant.ident);
            let start = self.front(&variant.attrs, &Visibility::Inherited, &[Some(variant.ident.span())]);
            let decorators = self.decorators(&variant.attrs);
            let fields = self.fields(&variant.fields);
            let group = match &variant.fields {
                Fields::Named(fields) => Some(self.span(fields.brace_token.span.join())),
                Fields::Unnamed(fields) => Some(self.span(fields.paren_token.span.join())),
                Fields::Unit => None,
            };
            let payload = fields.iter().filter_map(|field| field.annotation).collect();
            let annotation = group.map(|span| self.add(crate::core::ExprKind::Tuple(payload), span));
            let span = Span {
                start,
                end: group.map_or(name_span.end, |group| group.end),
            };
            variants.push(Field {
                name,
                annotation,
                decorators,
                fields,
                span,
            });
        }
        self.class_mut(id).fields = variants;
    }

    fn trait_item(&mut self, item: &ItemTrait, out: &mut Vec<Stmt>) {
        let first = [
            Some(item.trait_token.span),
            item.unsafety.map(|t| t.span),
            item.modifiers.auto_token.map(|t| t.span),
        ];
        let start = self.front(&item.attrs, &item.vis, &first);
        let span = Span {
            start,
            end: self.spans.end(item.brace_token.span.join()),
        };
        let head = Head {
            attrs: &item.attrs,
            ident: &item.ident,
            span,
        };
        let id = self.class(&head, ClassKind::Trait, &item.generics, out);
        let bases = self.bounds(&item.supertraits);
        self.class_mut(id).bases = bases;
        let body = self.in_class(id, |me| {
            let mut body = Vec::new();
            for item in &item.items {
                me.trait_member(item, &mut body);
            }
            Block(body)
        });
        self.class_mut(id).body = body;
    }

    fn trait_member(&mut self, item: &TraitItem, out: &mut Vec<Stmt>) {
        match item {
            TraitItem::Fn(func) => {
                let first = signature_start(&func.sig, func.modifiers.defaultness.map(|t| t.span));
                let start = self.front(&func.attrs, &Visibility::Inherited, &first);
                let end = match (&func.default, &func.semi_token) {
                    (Some(body), _) => self.spans.end(body.brace_token.span.join()),
                    (None, Some(semi)) => self.spans.end(semi.spans[0]),
                    (None, None) => self.spans.end(func.sig.ident.span()),
                };
                let span = Span { start, end };
                let id = self.function(&func.attrs, true, &func.sig, func.default.as_ref(), span);
                out.push(Stmt {
                    kind: StmtKind::Func(id),
                    span,
                });
            }
            TraitItem::Const(item) => {
                let start = self.front(&item.attrs, &Visibility::Inherited, &[Some(item.const_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                let value = item.default.as_ref().map(|(_, value)| value);
                out.push(self.constant(&item.ident, &item.ty, value, span));
            }
            TraitItem::Type(item) => {
                let start = self.front(&item.attrs, &Visibility::Inherited, &[Some(item.type_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                let head = Head {
                    attrs: &item.attrs,
                    ident: &item.ident,
                    span,
                };
                let id = self.class(&head, ClassKind::Alias, &item.generics, out);
                let base = match &item.default {
                    Some((_, ty)) => Some(self.ty(ty)),
                    None => self.bounded_type(&item.bounds, span),
                };
                self.class_mut(id).bases = base.into_iter().collect();
            }
            TraitItem::Macro(item) => self.macro_item(&item.mac, 0, out),
            _ => {}
        }
    }

    fn module_item(&mut self, item: &ItemMod, out: &mut Vec<Stmt>) {
        let start = self.front(
            &item.attrs,
            &item.vis,
            &[Some(item.mod_token.span), item.unsafety.map(|t| t.span)],
        );
        let Some((braces, items)) = &item.content else {
            let end = item.semi.map_or(item.ident.span(), |semi| semi.spans[0]);
            let span = Span {
                start,
                end: self.spans.end(end),
            };
            let name = self.symbol(&item.ident);
            let is_test = self.is_test || cfg_test(&item.attrs);
            let path = path_attribute(&item.attrs);
            self.module.submodules.push(Submodule {
                name,
                path,
                outer: self.class,
                is_test,
                span,
            });
            let import = Import {
                module: vec![Symbol::new("self")],
                level: 0,
                name: Some(name),
                glob: false,
                binding: name,
                renamed: false,
                span,
                public: is_public(&item.vis),
            };
            out.push(Stmt {
                kind: StmtKind::Import(vec![import]),
                span,
            });
            return;
        };
        let span = Span {
            start,
            end: self.spans.end(braces.span.join()),
        };
        let head = Head {
            attrs: &item.attrs,
            ident: &item.ident,
            span,
        };
        let id = self.class(&head, ClassKind::Module, &Generics::default(), out);
        if !self.down(|_| span) {
            return;
        }
        let body = self.in_class(id, |me| me.items(items));
        self.up();
        self.class_mut(id).body = body;
    }

    /// Lowers the body of a trait or module.
    fn in_class<R>(&mut self, id: ClassId, body: impl FnOnce(&mut Self) -> R) -> R {
        let is_test = self.module.classes[id.0 as usize].is_test;
        let class = self.class.replace(id);
        let imp = self.imp.take();
        let is_test = std::mem::replace(&mut self.is_test, is_test);
        let result = body(self);
        (self.class, self.imp, self.is_test) = (class, imp, is_test);
        result
    }
}

/// `pub`, `pub(crate)`, `pub(in path)`; `pub(self)` is private.
pub(super) fn is_public(vis: &Visibility) -> bool {
    match vis {
        Visibility::Public(_) => true,
        Visibility::Restricted(restricted) => !restricted.path.is_ident("self"),
        Visibility::Inherited => false,
    }
}

/// What may come before `fn`.
pub(super) fn signature_start(
    sig: &Signature,
    defaultness: Option<proc_macro2::Span>,
) -> [Option<proc_macro2::Span>; 6] {
    let safety = match &sig.safety {
        syn::Safety::Safe(token) => Some(token.span),
        syn::Safety::Unsafe(token) => Some(token.span),
        syn::Safety::Default => None,
    };
    [
        Some(sig.fn_token.span),
        sig.constness.map(|t| t.span),
        sig.asyncness.map(|t| t.span),
        safety,
        sig.abi.as_ref().map(|abi| abi.extern_token.span),
        defaultness,
    ]
}
