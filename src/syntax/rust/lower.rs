//! The state of lowering one file, and what all its parts need.

use proc_macro2::Ident;

use super::spans::Spans;
use crate::core::{ClassId, ExprId, ExprKind, Func, FuncId, ImplId, MAX_DEPTH, Module, Span, Symbol, SyntaxError};

/// Lowers syn's tree of one text (a file, or a part of one that does not parse as a whole) into a [`Module`].
pub(super) struct Lower<'a> {
    pub module: &'a mut Module,
    /// The whole file.
    pub text: &'a str,
    pub spans: Spans,
    /// The function whose body is being lowered.
    pub func: Option<FuncId>,
    /// The trait or inline module whose body is being lowered.
    pub class: Option<ClassId>,
    /// The `impl` block whose body is being lowered.
    pub imp: Option<ImplId>,
    /// Inside of `#[cfg(test)]` or a test function.
    pub is_test: bool,
    /// The loops and labelled blocks around, innermost last.
    pub loops: Vec<Loop>,
    /// The current function contains a `yield`.
    pub yields: bool,
    /// How deep the recursion is.
    pub depth: u32,
    /// Something was too deep.
    cut: bool,
}

/// What `break` and `continue` may leave.
pub(super) struct Loop {
    pub label: Option<Symbol>,
    /// A labelled block, which is left only by its label.
    pub block: bool,
}

impl<'a> Lower<'a> {
    pub fn new(module: &'a mut Module, text: &'a str, spans: Spans) -> Self {
        Self {
            module,
            text,
            spans,
            func: None,
            class: None,
            imp: None,
            is_test: false,
            loops: Vec::new(),
            yields: false,
            depth: 0,
            cut: false,
        }
    }

    /// Goes one level deeper, or records that the tree ends here. Pair with [`Self::up`] if it says true.
    pub fn down(&mut self, span: impl FnOnce(&Self) -> Span) -> bool {
        if self.depth >= MAX_DEPTH {
            let span = span(self);
            self.too_deep(span);
            return false;
        }
        self.depth += 1;
        true
    }

    /// The end of what [`Self::down`] began.
    pub fn up(&mut self) {
        self.depth -= 1;
    }

    /// Records, once per file, that something is left out.
    pub fn too_deep(&mut self, span: Span) {
        if !self.cut {
            self.cut = true;
            self.module.errors.push(SyntaxError {
                span,
                message: "too deeply nested".to_owned(),
            });
        }
    }

    /// The bytes of a token.
    pub fn span(&self, span: proc_macro2::Span) -> Span {
        self.spans.get(span)
    }

    /// The bytes from one token to another.
    pub fn range(&self, first: proc_macro2::Span, last: proc_macro2::Span) -> Span {
        Span {
            start: self.spans.start(first),
            end: self.spans.end(last),
        }
    }

    /// An identifier's name, without `r#`, and place.
    pub fn ident(&self, ident: &Ident) -> (Symbol, Span) {
        let span = self.span(ident.span());
        // The source is at hand, which saves a `String` per identifier.
        let text = self.text.get(span.range()).unwrap_or_default();
        let name = text.strip_prefix("r#").unwrap_or(text);
        (Symbol::new(name), span)
    }

    pub fn symbol(&self, ident: &Ident) -> Symbol {
        self.ident(ident).0
    }

    pub fn add(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.module.add(kind, span)
    }

    pub fn name(&mut self, name: &str, span: Span) -> ExprId {
        self.add(ExprKind::Name(Symbol::new(name)), span)
    }

    pub fn unknown(&mut self, span: Span) -> ExprId {
        self.add(ExprKind::Unknown(Vec::new()), span)
    }

    pub fn expr_span(&self, id: ExprId) -> Span {
        self.module.expr(id).span
    }

    /// Adds a function of which only the surroundings are known, so that what is inside can refer to it.
    pub fn reserve_func(&mut self, span: Span) -> FuncId {
        let id = FuncId(self.module.funcs.len() as u32);
        self.module.funcs.push(Func {
            name: None,
            params: Vec::new(),
            returns: None,
            decorators: Vec::new(),
            generics: Vec::new(),
            body: crate::core::Block::default(),
            is_async: false,
            is_generator: false,
            class: self.class,
            imp: self.imp,
            parent: self.func,
            public: false,
            is_test: self.is_test,
            declaration_only: false,
            span,
            name_span: Span {
                start: span.start,
                end: span.start,
            },
        });
        id
    }

    pub fn func_mut(&mut self, id: FuncId) -> &mut Func {
        &mut self.module.funcs[id.0 as usize]
    }

    /// Lowers the body of a function, with the surroundings that it has: no loop, class or `impl` reaches inside.
    pub fn in_func<R>(&mut self, id: FuncId, body: impl FnOnce(&mut Self) -> R) -> R {
        let func = self.func.replace(id);
        let class = self.class.take();
        let imp = self.imp.take();
        let loops = std::mem::take(&mut self.loops);
        let yields = std::mem::take(&mut self.yields);
        let is_test = std::mem::replace(&mut self.is_test, self.module.funcs[id.0 as usize].is_test);
        let result = body(self);
        let generator = self.yields;
        self.func_mut(id).is_generator = generator;
        (self.func, self.class, self.imp, self.loops, self.yields, self.is_test) =
            (func, class, imp, loops, yields, is_test);
        result
    }
}
