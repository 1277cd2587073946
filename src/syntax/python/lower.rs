//! The state of lowering one file: arena, depth, the functions and classes around the current place.

use tree_sitter::{Node, Tree};

use crate::core::{
    Block, Class, ClassId, ClassKind, ExprId, ExprKind, Func, FuncId, Language, Module, Span, StmtKind, SyntaxError,
};

/// Nesting deeper than this is left out.
pub(super) const MAX_DEPTH: u32 = 180;
/// More syntax errors than this are not listed one by one.
const MAX_ERRORS: usize = 50;

/// Lowers a tree.
pub(super) fn module(tree: &Tree, text: &str) -> Module {
    let mut this = Lower {
        text,
        m: Module::new(Language::Python),
        depth: 0,
        func: None,
        class: None,
        generators: Vec::new(),
        shift: 0,
    };
    let root = tree.root_node();
    this.scan(root);
    let body = this.block(root);
    this.docstring(&body);
    this.m.body = body;
    this.m
}

pub(super) struct Lower<'t> {
    pub text: &'t str,
    pub m: Module,
    pub depth: u32,
    pub func: Option<FuncId>,
    pub class: Option<ClassId>,
    /// For each function being lowered: whether a `yield` was seen.
    pub generators: Vec<bool>,
    /// Added to offsets: where a parsed piece of a string stands in the file.
    pub shift: usize,
}

impl<'t> Lower<'t> {
    pub(super) fn span(&self, node: Node<'_>) -> Span {
        Span::new(node.start_byte() + self.shift, node.end_byte() + self.shift)
    }

    pub(super) fn source(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    pub(super) fn add(&mut self, node: Node<'_>, kind: ExprKind) -> ExprId {
        let span = self.span(node);
        self.m.add(kind, span)
    }

    /// Comments and errors, in one walk over the tree without recursion.
    fn scan(&mut self, root: Node<'_>) {
        let mut cursor = root.walk();
        let has_errors = root.has_error();
        loop {
            let node = cursor.node();
            let mut descend = true;
            if node.is_error() || node.is_missing() {
                self.error(node);
                descend = false;
            } else if node.kind() == "comment" {
                let span = self.span(node);
                self.m.comments.push(span);
            } else if matches!(node.kind(), "string" | "identifier" | "attribute" | "integer") && !has_errors {
                descend = false;
            }
            if descend && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    fn error(&mut self, node: Node<'_>) {
        let span = self.span(node);
        if let Some(last) = self.m.errors.last_mut()
            && span.start <= last.span.end + 1
        {
            last.span.end = last.span.end.max(span.end);
            return;
        }
        if self.m.errors.len() < MAX_ERRORS {
            let message = if node.is_missing() {
                format!("`{}` is missing", node.kind())
            } else {
                "invalid syntax".to_owned()
            };
            self.m.errors.push(SyntaxError { span, message });
        }
    }

    /// Remembers a leading string as documentation.
    pub(super) fn docstring(&mut self, body: &Block) {
        if let Some(first) = body.0.first()
            && let StmtKind::Expr(expr) = first.kind
            && matches!(self.m.expr(expr).kind, ExprKind::Str(_))
        {
            self.m.docstrings.push(first.span);
        }
    }

    pub(super) fn new_func(&mut self, span: Span, name_span: Span) -> FuncId {
        let id = FuncId(self.m.funcs.len() as u32);
        self.m.funcs.push(Func {
            name: None,
            params: Vec::new(),
            generics: Vec::new(),
            returns: None,
            decorators: Vec::new(),
            body: Block::default(),
            is_async: false,
            is_generator: false,
            class: None,
            parent: self.func,
            imp: None,
            public: true,
            is_test: false,
            declaration_only: false,
            span,
            name_span,
        });
        id
    }

    pub(super) fn new_class(&mut self, name: crate::core::Symbol, span: Span, name_span: Span) -> ClassId {
        let id = ClassId(self.m.classes.len() as u32);
        self.m.classes.push(Class {
            name,
            kind: ClassKind::Class,
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators: Vec::new(),
            body: Block::default(),
            fields: Vec::new(),
            generics: Vec::new(),
            parent: self.func,
            outer: self.class,
            borrows: false,
            is_test: false,
            span,
            name_span,
        });
        id
    }

    /// Runs the body one level deeper; too deep gives `None`.
    pub(super) fn deeper<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        Some(result)
    }
}

/// The named children, comments left out.
pub(super) fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|c| !matches!(c.kind(), "comment" | "line_continuation"))
        .collect()
}

/// All children with this field name.
pub(super) fn fields<'n>(node: Node<'n>, name: &str) -> Vec<Node<'n>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor)
        .filter(|c| c.is_named() && c.kind() != "comment")
        .collect()
}

/// True if a token of this text is among the children.
pub(super) fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|c| !c.is_named() && c.kind() == token)
}
