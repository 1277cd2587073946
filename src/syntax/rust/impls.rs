//! `impl` blocks and `use` declarations.

use syn::{ImplItem, ItemExternCrate, ItemImpl, ItemUse, UseTree, Visibility};

use super::attrs::cfg_test;
use super::items::{is_public, signature_start};
use super::lower::Lower;
use crate::core::{Block, Impl, ImplId, Import, Span, Stmt, StmtKind, Symbol};

impl Lower<'_> {
    /// `impl Type { .. }`, `impl Trait for Type { .. }`.
    pub fn impl_item(&mut self, item: &ItemImpl) {
        let first = [
            Some(item.impl_token.span),
            item.unsafety.map(|t| t.span),
            item.modifiers.defaultness.map(|t| t.span),
        ];
        let start = self.front(&item.attrs, &Visibility::Inherited, &first);
        let span = Span {
            start,
            end: self.spans.end(item.brace_token.span.join()),
        };
        let generics = self.generics(&item.generics);
        let of_trait = item.trait_.as_ref().map(|(path, _)| self.type_path(None, path));
        let self_type = self.ty(&item.self_ty);
        let id = ImplId(self.module.impls.len() as u32);
        let is_test = self.is_test || cfg_test(&item.attrs);
        self.module.impls.push(Impl {
            generics,
            of_trait,
            self_type,
            funcs: Vec::new(),
            types: Vec::new(),
            consts: Block::default(),
            outer: self.class,
            parent: self.func,
            is_test,
            span,
        });
        let outer = (
            self.class.take(),
            self.imp.replace(id),
            std::mem::replace(&mut self.is_test, is_test),
        );
        for member in &item.items {
            self.impl_member(id, of_trait.is_some(), member);
        }
        (self.class, self.imp, self.is_test) = outer;
    }

    fn impl_member(&mut self, id: ImplId, of_trait: bool, item: &ImplItem) {
        match item {
            ImplItem::Fn(func) => {
                let first = signature_start(&func.sig, func.modifiers.defaultness.map(|t| t.span));
                let start = self.front(&func.attrs, &func.vis, &first);
                let span = Span {
                    start,
                    end: self.spans.end(func.block.brace_token.span.join()),
                };
                let public = of_trait || is_public(&func.vis);
                let func = self.function(&func.attrs, public, &func.sig, Some(&func.block), span);
                self.impl_mut(id).funcs.push(func);
            }
            ImplItem::Type(item) => {
                let name = self.symbol(&item.ident);
                let ty = self.ty(&item.ty);
                self.impl_mut(id).types.push((name, ty));
            }
            ImplItem::Const(item) => {
                let start = self.front(&item.attrs, &item.vis, &[Some(item.const_token.span)]);
                let span = Span {
                    start,
                    end: self.spans.end(item.semi_token.spans[0]),
                };
                let stmt = self.constant(&item.ident, &item.ty, Some(&item.expr), span);
                self.impl_mut(id).consts.0.push(stmt);
            }
            ImplItem::Macro(item) => {
                // `forward! { pub fn a(&self) { .. } }`: methods, if it reads as such.
                for member in super::macros::impl_members(&item.mac) {
                    self.impl_member(id, of_trait, &member);
                }
            }
            _ => {}
        }
    }

    fn impl_mut(&mut self, id: ImplId) -> &mut Impl {
        &mut self.module.impls[id.0 as usize]
    }

    /// `use a::{b, c as d, e::*};`.
    pub fn use_item(&mut self, item: &ItemUse, out: &mut Vec<Stmt>) {
        let start = self.front(&item.attrs, &item.vis, &[Some(item.use_token.span)]);
        let span = Span {
            start,
            end: self.spans.end(item.semi_token.spans[0]),
        };
        let mut imports = Vec::new();
        self.use_tree(&item.tree, &mut Vec::new(), is_public(&item.vis), &mut imports);
        out.push(Stmt {
            kind: StmtKind::Import(imports),
            span,
        });
    }

    fn use_tree(&mut self, mut tree: &UseTree, prefix: &mut Vec<Symbol>, public: bool, out: &mut Vec<Import>) {
        let depth = prefix.len();
        while let UseTree::Path(path) = tree {
            prefix.push(self.symbol(&path.ident));
            tree = &path.tree;
        }
        match tree {
            UseTree::Name(name) => {
                let (name, span) = self.ident(&name.ident);
                out.push(import(prefix, Some(name), None, span, public));
            }
            UseTree::Rename(rename) => {
                let (name, mut span) = self.ident(&rename.ident);
                let (binding, place) = self.ident(&rename.rename);
                span.end = place.end;
                out.push(import(prefix, Some(name), Some(binding), span, public));
            }
            UseTree::Glob(glob) => {
                let span = self.span(glob.star_token.spans[0]);
                out.push(import(prefix, None, None, span, public));
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, prefix, public, out);
                }
            }
            UseTree::Path(_) => {}
        }
        prefix.truncate(depth);
    }

    /// `extern crate a as b;`.
    pub fn extern_crate(&mut self, item: &ItemExternCrate, out: &mut Vec<Stmt>) {
        let start = self.front(&item.attrs, &item.vis, &[Some(item.extern_token.span)]);
        let span = Span {
            start,
            end: self.spans.end(item.semi_token.spans[0]),
        };
        let name = self.symbol(&item.ident);
        let rename = item.rename.as_ref().map(|(_, ident)| self.symbol(ident));
        let import = Import {
            module: vec![name],
            level: 0,
            name: None,
            glob: false,
            binding: rename.unwrap_or(name),
            renamed: rename.is_some(),
            span,
            public: is_public(&item.vis),
        };
        out.push(Stmt {
            kind: StmtKind::Import(vec![import]),
            span,
        });
    }
}

/// One name; without a name a glob. `a::{self as b}` is `a as b`.
fn import(prefix: &[Symbol], name: Option<Symbol>, rename: Option<Symbol>, span: Span, public: bool) -> Import {
    let (prefix, name) = match (prefix, name) {
        ([front @ .., last], Some(name)) if name.as_str() == "self" => (front, Some(*last)),
        pair => pair,
    };
    Import {
        module: prefix.to_vec(),
        level: 0,
        name,
        glob: name.is_none(),
        binding: rename.or(name).unwrap_or_else(|| Symbol::new("*")),
        renamed: rename.is_some(),
        span,
        public,
    }
}
