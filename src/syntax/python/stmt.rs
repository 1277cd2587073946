//! Statements.

use tree_sitter::Node;

use super::lower::{Lower, fields, has_token, named};
use crate::core::{
    Arm, Block, ExprId, ExprKind, Handler, Import, Param, ParamKind, Pattern, PatternKind, Span, Stmt, StmtKind, Symbol,
};

impl Lower<'_> {
    /// The statements below a node.
    pub(super) fn block(&mut self, node: Node<'_>) -> Block {
        let mut stmts = Vec::new();
        let children = self.deeper(|_| named(node)).unwrap_or_default();
        for child in children {
            if let Some(Some(stmt)) = self.deeper(|this| this.stmt(child)) {
                stmts.push(stmt);
            }
        }
        Block(stmts)
    }

    fn field_block(&mut self, node: Node<'_>, field: &str) -> Block {
        node.child_by_field_name(field)
            .map(|n| self.block(n))
            .unwrap_or_default()
    }

    fn stmt(&mut self, node: Node<'_>) -> Option<Stmt> {
        if node.is_error() || node.is_missing() {
            return None;
        }
        let span = self.span(node);
        let compound = matches!(
            node.kind(),
            "if_statement"
                | "while_statement"
                | "for_statement"
                | "try_statement"
                | "with_statement"
                | "function_definition"
                | "class_definition"
                | "decorated_definition"
                | "match_statement"
                | "block"
        );
        if !compound && node.has_error() {
            // Recovery may have put a call or a name into a place where it does not belong.
            return None;
        }
        let kind = match node.kind() {
            "expression_statement" => return self.expression_statement(node),
            "if_statement" => self.if_statement(node),
            "while_statement" => {
                let test = self.field(node, "condition");
                StmtKind::While {
                    test,
                    body: self.field_block(node, "body"),
                    otherwise: self.alternative(node),
                }
            }
            "for_statement" => {
                let target = match node.child_by_field_name("left") {
                    Some(left) => self.target(left),
                    None => Pattern {
                        kind: PatternKind::Wild,
                        span,
                    },
                };
                let iter = self.field_or_unknown(node, "right");
                StmtKind::For {
                    target,
                    iter,
                    body: self.field_block(node, "body"),
                    otherwise: self.alternative(node),
                    is_async: has_token(node, "async"),
                }
            }
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "function_definition" => return self.function(node, &[], span),
            "class_definition" => return self.class_definition(node, &[], span),
            "decorated_definition" => return self.decorated(node),
            "return_statement" => {
                let value = named(node).first().map(|n| self.expr(*n));
                StmtKind::Return(value)
            }
            "raise_statement" => self.raise_statement(node),
            "break_statement" => StmtKind::Break { depth: 0, value: None },
            "continue_statement" => StmtKind::Continue { depth: 0 },
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                StmtKind::Import(self.imports(node))
            }
            "global_statement" => StmtKind::Global(self.names(node)),
            "nonlocal_statement" => StmtKind::Nonlocal(self.names(node)),
            "delete_statement" => StmtKind::Delete(self.exprs(node)),
            "assert_statement" => StmtKind::Assert(self.exprs(node)),
            "pass_statement" => StmtKind::Unknown(Vec::new()),
            "print_statement" => {
                let args = named(node).into_iter().map(|n| self.plain_arg(n)).collect();
                let callee = self.add(node, ExprKind::Name(Symbol::new("print")));
                let call = self.add(node, ExprKind::Call { callee, args });
                StmtKind::Expr(call)
            }
            "match_statement" => self.match_statement(node),
            "block" => StmtKind::Block(self.block(node)),
            "comment" => return None,
            _ => StmtKind::Unknown(self.exprs(node)),
        };
        Some(Stmt { kind, span })
    }

    fn exprs(&mut self, node: Node<'_>) -> Vec<ExprId> {
        named(node).into_iter().map(|n| self.expr(n)).collect()
    }

    fn names(&self, node: Node<'_>) -> Vec<Symbol> {
        named(node).into_iter().map(|n| Symbol::new(self.source(n))).collect()
    }

    pub(super) fn field(&mut self, node: Node<'_>, name: &str) -> Option<ExprId> {
        node.child_by_field_name(name).map(|n| self.expr(n))
    }

    pub(super) fn field_or_unknown(&mut self, node: Node<'_>, name: &str) -> ExprId {
        match self.field(node, name) {
            Some(id) => id,
            None => self.add(node, ExprKind::Unknown(Vec::new())),
        }
    }

    fn expression_statement(&mut self, node: Node<'_>) -> Option<Stmt> {
        let span = self.span(node);
        let children = named(node);
        let kind = match children[..] {
            [] => return None,
            [one] => match one.kind() {
                "assignment" => self.assignment(one),
                "augmented_assignment" => {
                    let target = self.field_or_unknown(one, "left");
                    let value = self.field_or_unknown(one, "right");
                    StmtKind::AugAssign { target, value }
                }
                _ => StmtKind::Expr(self.expr(one)),
            },
            _ => {
                let items = children.iter().map(|n| self.expr(*n)).collect();
                StmtKind::Expr(self.add(node, ExprKind::Tuple(items)))
            }
        };
        Some(Stmt { kind, span })
    }

    /// `a = b = c`: the right side of an assignment may be one itself.
    fn assignment(&mut self, node: Node<'_>) -> StmtKind {
        let mut targets = Vec::new();
        let mut current = node;
        let annotation = node.child_by_field_name("type").map(|n| self.annotation(n));
        loop {
            if let Some(left) = current.child_by_field_name("left") {
                targets.push(self.expr(left));
            }
            match current.child_by_field_name("right") {
                Some(right) if right.kind() == "assignment" => current = right,
                Some(right) => {
                    let value = self.expr(right);
                    return StmtKind::Assign {
                        targets,
                        value: Some(value),
                        annotation,
                    };
                }
                None => {
                    return StmtKind::Assign {
                        targets,
                        value: None,
                        annotation,
                    };
                }
            }
        }
    }

    fn alternative(&mut self, node: Node<'_>) -> Block {
        match node.child_by_field_name("alternative") {
            Some(clause) => self.field_block(clause, "body"),
            None => Block::default(),
        }
    }

    /// An `elif` nests in the `else` part; built from the last one backwards, so that long chains need no recursion.
    fn if_statement(&mut self, node: Node<'_>) -> StmtKind {
        let clauses = fields(node, "alternative");
        let test = self.field_or_unknown(node, "condition");
        let then = self.field_block(node, "consequence");
        let mut parts = Vec::new();
        let mut last = Block::default();
        for clause in clauses {
            let span = self.span(clause);
            if clause.kind() == "elif_clause" {
                let test = self.field_or_unknown(clause, "condition");
                let then = self.field_block(clause, "consequence");
                // Beyond this, the chain is flattened: nested drops and walks must stay shallow.
                if parts.len() < 120 {
                    parts.push((test, then, span));
                } else {
                    last.0.push(Stmt {
                        kind: StmtKind::If {
                            test,
                            then,
                            otherwise: Block::default(),
                        },
                        span,
                    });
                }
            } else {
                last.0.extend(self.field_block(clause, "body").0);
            }
        }
        for (test, then, span) in parts.into_iter().rev() {
            last = Block(vec![Stmt {
                kind: StmtKind::If {
                    test,
                    then,
                    otherwise: last,
                },
                span,
            }]);
        }
        StmtKind::If {
            test,
            then,
            otherwise: last,
        }
    }

    fn try_statement(&mut self, node: Node<'_>) -> StmtKind {
        let body = self.field_block(node, "body");
        let (mut handlers, mut otherwise, mut finally) = (Vec::new(), Block::default(), Block::default());
        for clause in named(node) {
            match clause.kind() {
                "except_clause" | "except_group_clause" => {
                    let handler = self.handler(clause);
                    handlers.push(handler);
                }
                "else_clause" => otherwise = self.field_block(clause, "body"),
                "finally_clause" => {
                    if let Some(block) = named(clause).into_iter().find(|n| n.kind() == "block") {
                        finally = self.block(block);
                    }
                }
                _ => {}
            }
        }
        StmtKind::Try {
            body,
            handlers,
            otherwise,
            finally,
        }
    }

    /// `except A as e`, `except (A, B), e` of Python 2, `except A, B` of Python 3.14.
    fn handler(&mut self, node: Node<'_>) -> Handler {
        let children = named(node);
        let block = children.iter().copied().find(|n| n.kind() == "block");
        let heads: Vec<Node<'_>> = children.into_iter().filter(|n| n.kind() != "block").collect();
        let mut classes = Vec::new();
        let mut name = None;
        for (index, head) in heads.iter().enumerate() {
            if head.kind() == "as_pattern" {
                let parts = named(*head);
                if let Some(first) = parts.first() {
                    classes.push(*first);
                }
                name = parts.get(1).map(|n| Symbol::new(self.source(*n)));
            } else if index > 0 && head.kind() == "identifier" && starts_lower(self.source(*head)) {
                name = Some(Symbol::new(self.source(*head)));
            } else {
                classes.push(*head);
            }
        }
        // The grammar takes the star as a part of the class.
        let group = self
            .source(node)
            .strip_prefix("except")
            .is_some_and(|rest| rest.trim_start().starts_with('*'));
        for class in &mut classes {
            if class.kind() == "list_splat" {
                *class = named(*class).first().copied().unwrap_or(*class);
            }
        }
        let class = match classes[..] {
            [] => None,
            [one] => Some(self.expr(one)),
            _ => {
                let items = classes.iter().map(|n| self.expr(*n)).collect();
                Some(self.add(classes[0], ExprKind::Tuple(items)))
            }
        };
        let end = heads.last().map_or(node.start_byte() + "except".len(), Node::end_byte);
        let span = Span::new(node.start_byte() + self.shift, end + self.shift);
        let body = block.map(|b| self.block(b)).unwrap_or_default();
        Handler {
            class,
            name,
            body,
            span,
            group,
        }
    }

    fn with_statement(&mut self, node: Node<'_>) -> StmtKind {
        let mut items = Vec::new();
        for clause in named(node).into_iter().filter(|n| n.kind() == "with_clause") {
            for item in named(clause) {
                self.with_item(item, &mut items);
            }
        }
        StmtKind::With {
            items,
            body: self.field_block(node, "body"),
            is_async: has_token(node, "async"),
        }
    }

    fn with_item(&mut self, item: Node<'_>, items: &mut Vec<(ExprId, Option<ExprId>)>) {
        let value = item.child_by_field_name("value").unwrap_or(item);
        match value.kind() {
            "as_pattern" => {
                let parts = named(value);
                if let Some(first) = parts.first() {
                    let manager = self.expr(*first);
                    let target = parts.get(1).map(|n| {
                        let inner = named(*n).first().copied().unwrap_or(*n);
                        self.expr(inner)
                    });
                    items.push((manager, target));
                }
            }
            // `with (a as b, c as d):` may be read as a tuple.
            "tuple" if named(value).iter().any(|n| n.kind() == "as_pattern") => {
                for part in named(value) {
                    self.with_item(part, items);
                }
            }
            _ => {
                let manager = self.expr(value);
                items.push((manager, None));
            }
        }
    }

    fn raise_statement(&mut self, node: Node<'_>) -> StmtKind {
        let cause_node = node.child_by_field_name("cause");
        let cause = cause_node.map(|n| self.expr(n));
        let heads: Vec<Node<'_>> = named(node).into_iter().filter(|n| Some(*n) != cause_node).collect();
        let exc = heads.first().map(|n| {
            // `raise E, "text"` of Python 2 is read as a list.
            if n.kind() == "expression_list" {
                let parts: Vec<ExprId> = named(*n).into_iter().map(|p| self.expr(p)).collect();
                parts
                    .first()
                    .copied()
                    .unwrap_or_else(|| self.add(*n, ExprKind::Unknown(Vec::new())))
            } else {
                self.expr(*n)
            }
        });
        StmtKind::Raise { exc, cause }
    }

    fn match_statement(&mut self, node: Node<'_>) -> StmtKind {
        let subjects = fields(node, "subject");
        let subject = if let [one] = subjects[..] {
            self.expr(one)
        } else {
            let items = subjects.iter().map(|n| self.expr(*n)).collect();
            self.add(node, ExprKind::Tuple(items))
        };
        let mut arms = Vec::new();
        let body = node.child_by_field_name("body").unwrap_or(node);
        for case in named(body).into_iter().filter(|n| n.kind() == "case_clause") {
            let patterns: Vec<Pattern> = named(case)
                .into_iter()
                .filter(|n| n.kind() == "case_pattern")
                .map(|n| self.case_pattern(n))
                .collect();
            let span = self.span(case);
            let pattern = if patterns.len() == 1 {
                patterns.into_iter().next().expect("one was counted")
            } else {
                Pattern {
                    kind: PatternKind::Tuple(patterns),
                    span,
                }
            };
            let guard = case
                .child_by_field_name("guard")
                .and_then(|g| named(g).first().copied())
                .map(|n| self.expr(n));
            arms.push(Arm {
                pattern,
                guard,
                body: self.field_block(case, "consequence"),
                span,
            });
        }
        StmtKind::Match { subject, arms }
    }

    fn case_pattern(&mut self, node: Node<'_>) -> Pattern {
        let span = self.span(node);
        let wild = Pattern {
            kind: PatternKind::Wild,
            span,
        };
        let lowered = self.deeper(|this| {
            let inner = if node.kind() == "case_pattern" {
                named(node).first().copied()
            } else {
                Some(node)
            };
            let Some(inner) = inner else { return PatternKind::Wild };
            match inner.kind() {
                "dotted_name" | "identifier" => {
                    let text = this.source(inner);
                    if text.contains('.') {
                        PatternKind::Wild
                    } else {
                        PatternKind::Bind(Symbol::new(text), None)
                    }
                }
                "as_pattern" => {
                    let parts = named(inner);
                    match (parts.first(), parts.last()) {
                        (Some(first), Some(last)) => {
                            let pattern = this.case_pattern(*first);
                            PatternKind::Bind(Symbol::new(this.source(*last)), Some(Box::new(pattern)))
                        }
                        _ => PatternKind::Wild,
                    }
                }
                "tuple_pattern" | "list_pattern" => {
                    PatternKind::Tuple(named(inner).into_iter().map(|n| this.case_pattern(n)).collect())
                }
                "union_pattern" => PatternKind::Or(named(inner).into_iter().map(|n| this.case_pattern(n)).collect()),
                "class_pattern" => {
                    let mut parts = named(inner).into_iter();
                    let Some(class) = parts.next() else {
                        return PatternKind::Wild;
                    };
                    let class = this.class_name(class);
                    PatternKind::TupleStruct(class, parts.map(|n| this.case_pattern(n)).collect())
                }
                "splat_pattern" => PatternKind::Star(named(inner).first().map(|n| Symbol::new(this.source(*n)))),
                _ => PatternKind::Wild,
            }
        });
        lowered.map_or(wild, |kind| Pattern { kind, span })
    }

    /// `a.b.c` where the grammar has no expression.
    fn class_name(&mut self, node: Node<'_>) -> ExprId {
        let mut names = named(node).into_iter();
        let Some(first) = names.next().filter(|_| node.kind() == "dotted_name") else {
            return self.expr(node);
        };
        let mut value = self.expr(first);
        for part in names {
            let attr = ExprKind::Attr {
                base: value,
                name: Symbol::new(self.source(part)),
                name_span: self.span(part),
                path: false,
            };
            value = self.add(node, attr);
        }
        value
    }

    /// The target of a `for`.
    pub(super) fn target(&mut self, node: Node<'_>) -> Pattern {
        let span = self.span(node);
        let kind = match node.kind() {
            "identifier" => PatternKind::Bind(Symbol::new(self.source(node)), None),
            "pattern_list" | "tuple_pattern" | "list_pattern" | "expression_list" | "tuple" | "list" => {
                PatternKind::Tuple(named(node).into_iter().map(|n| self.target(n)).collect())
            }
            "list_splat_pattern" => PatternKind::Star(named(node).first().map(|n| Symbol::new(self.source(*n)))),
            _ => PatternKind::Target(self.expr(node)),
        };
        Pattern { kind, span }
    }

    fn decorated(&mut self, node: Node<'_>) -> Option<Stmt> {
        let span = self.span(node);
        let decorators: Vec<Node<'_>> = named(node).into_iter().filter(|n| n.kind() == "decorator").collect();
        let definition = node.child_by_field_name("definition")?;
        match definition.kind() {
            "function_definition" => self.function(definition, &decorators, span),
            "class_definition" => self.class_definition(definition, &decorators, span),
            _ => None,
        }
    }

    fn decorators(&mut self, nodes: &[Node<'_>]) -> Vec<ExprId> {
        nodes
            .iter()
            .filter(|n| !n.has_error())
            .filter_map(|n| named(*n).first().copied())
            .map(|n| self.expr(n))
            .collect()
    }

    fn function(&mut self, node: Node<'_>, decorators: &[Node<'_>], span: Span) -> Option<Stmt> {
        let name = node.child_by_field_name("name")?;
        let name_span = self.span(name);
        let decorators = self.decorators(decorators);
        let params = node
            .child_by_field_name("parameters")
            .map(|n| self.params(n))
            .unwrap_or_default();
        let returns = node.child_by_field_name("return_type").map(|n| self.annotation(n));
        let id = self.new_func(span, name_span);
        let class = self.class;
        let outer = (self.func.replace(id), self.class.take());
        self.generators.push(false);
        let body = self.field_block(node, "body");
        let is_generator = self.generators.pop().unwrap_or(false);
        (self.func, self.class) = outer;
        self.docstring(&body);
        let is_async = has_token(node, "async");
        let text = Symbol::new(self.source(name));
        let func = &mut self.m.funcs[id.0 as usize];
        func.name = Some(text);
        func.params = params;
        func.returns = returns;
        func.decorators = decorators;
        func.body = body;
        func.is_async = is_async;
        func.is_generator = is_generator;
        func.class = class;
        Some(Stmt {
            kind: StmtKind::Func(id),
            span,
        })
    }

    fn class_definition(&mut self, node: Node<'_>, decorators: &[Node<'_>], span: Span) -> Option<Stmt> {
        let name = node.child_by_field_name("name")?;
        let name_span = self.span(name);
        let decorators = self.decorators(decorators);
        let (mut bases, mut keywords) = (Vec::new(), Vec::new());
        if let Some(list) = node.child_by_field_name("superclasses") {
            for item in named(list) {
                match item.kind() {
                    "keyword_argument" => {
                        let value = self.field_or_unknown(item, "value");
                        if let Some(key) = item.child_by_field_name("name") {
                            keywords.push((Symbol::new(self.source(key)), value));
                        }
                    }
                    "list_splat" | "dictionary_splat" => {}
                    _ => bases.push(self.expr(item)),
                }
            }
        }
        let id = self.new_class(Symbol::new(self.source(name)), span, name_span);
        let outer = self.class.replace(id);
        let body = self.field_block(node, "body");
        self.class = outer;
        self.docstring(&body);
        let class = &mut self.m.classes[id.0 as usize];
        class.bases = bases;
        class.keywords = keywords;
        class.decorators = decorators;
        class.body = body;
        Some(Stmt {
            kind: StmtKind::Class(id),
            span,
        })
    }

    pub(super) fn params(&mut self, node: Node<'_>) -> Vec<Param> {
        let mut params = Vec::new();
        let mut kind = ParamKind::Normal;
        for child in named(node) {
            let span = self.span(child);
            let (name, annotation, default, own) = match child.kind() {
                "identifier" => (Some(child), None, None, kind),
                "typed_parameter" => {
                    let inner = named(child).first().copied();
                    let annotation = child.child_by_field_name("type").map(|n| self.annotation(n));
                    match inner.map(|n| n.kind()) {
                        Some("list_splat_pattern") => {
                            kind = ParamKind::KeywordOnly;
                            (
                                inner.and_then(|n| named(n).first().copied()),
                                annotation,
                                None,
                                ParamKind::Star,
                            )
                        }
                        Some("dictionary_splat_pattern") => (
                            inner.and_then(|n| named(n).first().copied()),
                            annotation,
                            None,
                            ParamKind::DoubleStar,
                        ),
                        _ => (inner, annotation, None, kind),
                    }
                }
                "default_parameter" | "typed_default_parameter" => {
                    let annotation = child.child_by_field_name("type").map(|n| self.annotation(n));
                    let default = self.field(child, "value");
                    (child.child_by_field_name("name"), annotation, default, kind)
                }
                "list_splat_pattern" => {
                    kind = ParamKind::KeywordOnly;
                    (named(child).first().copied(), None, None, ParamKind::Star)
                }
                "dictionary_splat_pattern" => (named(child).first().copied(), None, None, ParamKind::DoubleStar),
                "keyword_separator" => {
                    kind = ParamKind::KeywordOnly;
                    continue;
                }
                "positional_separator" => {
                    for param in &mut params {
                        let param: &mut Param = param;
                        if param.kind == ParamKind::Normal {
                            param.kind = ParamKind::PositionalOnly;
                        }
                    }
                    continue;
                }
                // Python 2: `def f(a, (b, c)):`
                "tuple_pattern" => {
                    let pattern = self.target(child);
                    params.push(Param {
                        name: Symbol::new("(tuple)"),
                        pattern: Some(pattern),
                        annotation: None,
                        default: None,
                        kind,
                        span,
                    });
                    continue;
                }
                _ => continue,
            };
            let Some(name) = name else { continue };
            let name = Symbol::new(self.source(name));
            params.push(Param {
                name,
                pattern: None,
                annotation,
                default,
                kind: own,
                span,
            });
        }
        params
    }

    fn imports(&mut self, node: Node<'_>) -> Vec<Import> {
        let span = self.span(node);
        if node.kind() == "import_statement" {
            return named(node)
                .into_iter()
                .filter_map(|n| self.plain_import(n, span))
                .collect();
        }
        let (mut module, mut level) = (Vec::new(), 0);
        let source = node.child_by_field_name("module_name");
        if node.kind() == "future_import_statement" {
            module = vec![Symbol::new("__future__")];
        }
        if let Some(source) = source {
            if source.kind() == "relative_import" {
                for part in named(source) {
                    match part.kind() {
                        "import_prefix" => level = self.source(part).bytes().filter(|b| *b == b'.').count() as u32,
                        _ => module = self.dotted(part),
                    }
                }
            } else {
                module = self.dotted(source);
            }
        }
        let mut found = Vec::new();
        for child in named(node).into_iter().filter(|n| Some(*n) != source) {
            let (name, alias) = match child.kind() {
                "wildcard_import" => {
                    found.push(Import {
                        module: module.clone(),
                        level,
                        name: None,
                        glob: true,
                        binding: Symbol::new("*"),
                        renamed: false,
                        span,
                        public: true,
                    });
                    continue;
                }
                "aliased_import" => (child.child_by_field_name("name"), child.child_by_field_name("alias")),
                _ => (Some(child), None),
            };
            let Some(name) = name else { continue };
            let name = Symbol::new(self.source(name));
            let binding = alias.map_or(name, |a| Symbol::new(self.source(a)));
            found.push(Import {
                module: module.clone(),
                level,
                name: Some(name),
                glob: false,
                binding,
                renamed: alias.is_some(),
                span,
                public: true,
            });
        }
        found
    }

    fn plain_import(&mut self, node: Node<'_>, span: Span) -> Option<Import> {
        let (path, alias) = match node.kind() {
            "aliased_import" => (node.child_by_field_name("name")?, node.child_by_field_name("alias")),
            _ => (node, None),
        };
        let module = self.dotted(path);
        let first = *module.first()?;
        Some(Import {
            binding: alias.map_or(first, |a| Symbol::new(self.source(a))),
            module,
            level: 0,
            name: None,
            glob: false,
            renamed: alias.is_some(),
            span,
            public: true,
        })
    }

    fn dotted(&self, node: Node<'_>) -> Vec<Symbol> {
        self.source(node)
            .split('.')
            .map(|s| Symbol::new(s.trim()))
            .filter(|s| !s.as_str().is_empty())
            .collect()
    }
}

fn starts_lower(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_lowercase() || c == '_')
}
