//! Expressions.

use tree_sitter::Node;

use super::lower::{Lower, fields, has_token, named};
use super::strings;
use crate::core::{Arg, ArgKind, Clause, CompKind, ExprId, ExprKind, Stmt, StmtKind, StrLit, Symbol};

impl Lower<'_> {
    pub(super) fn expr(&mut self, node: Node<'_>) -> ExprId {
        let kind = if node.is_error() || node.is_missing() {
            None
        } else {
            self.deeper(|this| this.expr_kind(node))
        };
        match kind {
            Some(Ok(kind)) => self.add(node, kind),
            Some(Err(id)) => id,
            None => self.add(node, ExprKind::Unknown(Vec::new())),
        }
    }

    /// The kind of a node, or the expression that stands for it.
    fn expr_kind(&mut self, node: Node<'_>) -> Result<ExprKind, ExprId> {
        Ok(match node.kind() {
            "identifier" => ExprKind::Name(Symbol::new(self.source(node))),
            // A print statement's name, keywords used as names in old code.
            "print" | "exec" | "keyword_identifier" => ExprKind::Name(Symbol::new(self.source(node))),
            "attribute" | "call" | "subscript" => return Err(self.chain(node)),
            "string" => ExprKind::Str(self.string(node)),
            "concatenated_string" => {
                let mut lit = StrLit::default();
                for part in named(node) {
                    let next = self.string(part);
                    join(&mut lit, next);
                }
                ExprKind::Str(lit)
            }
            "integer" => self
                .source(node)
                .replace('_', "")
                .parse()
                .map_or(ExprKind::Literal, ExprKind::Int),
            "float" | "ellipsis" => ExprKind::Literal,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "none" => ExprKind::None,
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => ExprKind::Tuple(self.items(node)),
            "list" | "list_pattern" => ExprKind::List(self.items(node)),
            "set" => ExprKind::Set(self.items(node)),
            "dictionary" => self.dictionary(node),
            "list_comprehension" => self.comprehension(node, CompKind::List),
            "set_comprehension" => self.comprehension(node, CompKind::Set),
            "dictionary_comprehension" => self.comprehension(node, CompKind::Dict),
            "generator_expression" => self.comprehension(node, CompKind::Generator),
            "lambda" => self.lambda(node),
            "await" => match named(node).first() {
                Some(inner) => ExprKind::Await(self.expr(*inner)),
                None => ExprKind::Unknown(Vec::new()),
            },
            "yield" => {
                if let Some(generator) = self.generators.last_mut() {
                    *generator = true;
                }
                let inner = named(node).first().map(|n| self.expr(*n));
                match inner {
                    Some(inner) if has_token(node, "from") => ExprKind::YieldFrom(inner),
                    inner => ExprKind::Yield(inner),
                }
            }
            "list_splat" | "list_splat_pattern" | "dictionary_splat" | "parenthesized_list_splat" => {
                match named(node).first() {
                    Some(inner) => ExprKind::Star(self.expr(*inner)),
                    None => ExprKind::Unknown(Vec::new()),
                }
            }
            "parenthesized_expression" => match named(node)[..] {
                [inner] => return Err(self.expr(inner)),
                _ => ExprKind::Unknown(self.items(node)),
            },
            "conditional_expression" => match named(node)[..] {
                [then, test, otherwise] => {
                    let test = self.expr(test);
                    ExprKind::Cond {
                        test,
                        then: self.expr(then),
                        otherwise: self.expr(otherwise),
                    }
                }
                _ => ExprKind::Unknown(self.items(node)),
            },
            "boolean_operator" | "binary_operator" => return Err(self.operators(node)),
            "not_operator" => ExprKind::Not(self.field_or_unknown(node, "argument")),
            "unary_operator" => {
                let op = node.child_by_field_name("operator").map_or("-", |o| self.source(o));
                let op = Symbol::new(op);
                ExprKind::Op {
                    op,
                    operands: vec![self.field_or_unknown(node, "argument")],
                }
            }
            "comparison_operator" => {
                let op = fields_text(self, node);
                ExprKind::Op {
                    op,
                    operands: self.items(node),
                }
            }
            "named_expression" => {
                let target = self.field_or_unknown(node, "name");
                let value = self.field_or_unknown(node, "value");
                ExprKind::Assign { target, value }
            }
            "slice" => ExprKind::Slice(self.items(node)),
            "type" => match named(node).first() {
                Some(inner) => return Err(self.annotation(*inner)),
                None => ExprKind::Unknown(Vec::new()),
            },
            "as_pattern_target" => match named(node).first() {
                Some(inner) => return Err(self.expr(*inner)),
                None => ExprKind::Unknown(Vec::new()),
            },
            "assignment" => {
                let target = self.field_or_unknown(node, "left");
                let value = self.field_or_unknown(node, "right");
                ExprKind::Assign { target, value }
            }
            "keyword_argument" => return Err(self.field_or_unknown(node, "value")),
            "generic_type" | "union_type" | "member_type" | "splat_type" | "constrained_type" => {
                return Err(self.annotation(node));
            }
            _ => ExprKind::Unknown(self.items(node)),
        })
    }

    pub(super) fn items(&mut self, node: Node<'_>) -> Vec<ExprId> {
        named(node).into_iter().map(|n| self.expr(n)).collect()
    }

    /// `a.b(c)[d].e`: built from the inside out, so that long chains need no recursion.
    fn chain(&mut self, node: Node<'_>) -> ExprId {
        let mut links = vec![node];
        let mut current = node;
        loop {
            let field = match current.kind() {
                "attribute" => "object",
                "call" => "function",
                "subscript" => "value",
                _ => break,
            };
            match current.child_by_field_name(field) {
                Some(inner) if matches!(inner.kind(), "attribute" | "call" | "subscript") => {
                    links.push(inner);
                    current = inner;
                }
                Some(inner) => {
                    current = inner;
                    break;
                }
                None => break,
            }
        }
        let mut value = self.expr(current);
        for link in links.into_iter().rev() {
            let kind = match link.kind() {
                "attribute" => match link.child_by_field_name("attribute") {
                    Some(name) => ExprKind::Attr {
                        base: value,
                        name: Symbol::new(self.source(name)),
                        name_span: self.span(name),
                        path: false,
                    },
                    None => ExprKind::Unknown(vec![value]),
                },
                "call" => {
                    let args = link
                        .child_by_field_name("arguments")
                        .map(|n| self.args(n))
                        .unwrap_or_default();
                    ExprKind::Call { callee: value, args }
                }
                _ => {
                    let keys: Vec<ExprId> = fields(link, "subscript").into_iter().map(|n| self.expr(n)).collect();
                    let index = match keys[..] {
                        [one] => one,
                        _ => self.add(link, ExprKind::Tuple(keys)),
                    };
                    ExprKind::Index { base: value, index }
                }
            };
            value = self.add(link, kind);
        }
        value
    }

    /// `a + b + c`, `a and b and c`: left-leaning chains without recursion.
    fn operators(&mut self, node: Node<'_>) -> ExprId {
        let mut links = vec![node];
        let mut current = node;
        while let Some(left) = current.child_by_field_name("left") {
            if !matches!(left.kind(), "boolean_operator" | "binary_operator") {
                current = left;
                break;
            }
            links.push(left);
            current = left;
        }
        let mut value = self.expr(current);
        for link in links.into_iter().rev() {
            let right = self.field_or_unknown(link, "right");
            let op = link.child_by_field_name("operator").map_or("", |o| self.source(o));
            let kind = match op {
                "and" | "or" => {
                    // Flat: `a and b and c` is one node of three parts.
                    let mut parts = match (&self.m.expr(value).kind, op) {
                        (ExprKind::And(parts), "and") | (ExprKind::Or(parts), "or") if parts.len() < 64 => {
                            parts.clone()
                        }
                        _ => vec![value],
                    };
                    parts.push(right);
                    if op == "and" {
                        ExprKind::And(parts)
                    } else {
                        ExprKind::Or(parts)
                    }
                }
                _ => ExprKind::Op {
                    op: Symbol::new(op),
                    operands: vec![value, right],
                },
            };
            value = self.add(link, kind);
        }
        value
    }

    pub(super) fn plain_arg(&mut self, node: Node<'_>) -> Arg {
        Arg {
            kind: ArgKind::Positional,
            value: self.expr(node),
        }
    }

    fn args(&mut self, node: Node<'_>) -> Vec<Arg> {
        if node.kind() == "generator_expression" {
            return vec![self.plain_arg(node)];
        }
        named(node)
            .into_iter()
            .map(|child| match child.kind() {
                "keyword_argument" => {
                    let value = self.field_or_unknown(child, "value");
                    let name = child.child_by_field_name("name").map_or("", |n| self.source(n));
                    Arg {
                        kind: ArgKind::Keyword(Symbol::new(name)),
                        value,
                    }
                }
                "list_splat" => match named(child).first() {
                    Some(inner) => Arg {
                        kind: ArgKind::Star,
                        value: self.expr(*inner),
                    },
                    None => self.plain_arg(child),
                },
                "dictionary_splat" => match named(child).first() {
                    Some(inner) => Arg {
                        kind: ArgKind::DoubleStar,
                        value: self.expr(*inner),
                    },
                    None => self.plain_arg(child),
                },
                _ => self.plain_arg(child),
            })
            .collect()
    }

    fn dictionary(&mut self, node: Node<'_>) -> ExprKind {
        let mut entries = Vec::new();
        for child in named(node) {
            match child.kind() {
                "pair" => {
                    let key = self.field_or_unknown(child, "key");
                    let value = self.field_or_unknown(child, "value");
                    entries.push((Some(key), value));
                }
                "dictionary_splat" => {
                    if let Some(inner) = named(child).first() {
                        let value = self.expr(*inner);
                        entries.push((None, value));
                    }
                }
                _ => {}
            }
        }
        ExprKind::Dict(entries)
    }

    fn comprehension(&mut self, node: Node<'_>, kind: CompKind) -> ExprKind {
        let body = node.child_by_field_name("body");
        let mut clauses: Vec<Clause> = Vec::new();
        for child in named(node) {
            match child.kind() {
                "for_in_clause" => {
                    let iters = fields(child, "right");
                    let iter = if let [one] = iters[..] {
                        self.expr(one)
                    } else {
                        let items = iters.iter().map(|n| self.expr(*n)).collect();
                        self.add(child, ExprKind::Tuple(items))
                    };
                    let target = match child.child_by_field_name("left") {
                        Some(left) => self.target(left),
                        None => continue,
                    };
                    clauses.push(Clause {
                        target,
                        iter,
                        conditions: Vec::new(),
                        is_async: has_token(child, "async"),
                    });
                }
                "if_clause" => {
                    if let (Some(last), Some(test)) = (clauses.len().checked_sub(1), named(child).first()) {
                        let test = self.expr(*test);
                        clauses[last].conditions.push(test);
                    }
                }
                _ => {}
            }
        }
        let element = match body {
            Some(pair) if pair.kind() == "pair" => {
                vec![self.field_or_unknown(pair, "key"), self.field_or_unknown(pair, "value")]
            }
            Some(one) => vec![self.expr(one)],
            None => Vec::new(),
        };
        ExprKind::Comp { kind, clauses, element }
    }

    fn lambda(&mut self, node: Node<'_>) -> ExprKind {
        let span = self.span(node);
        let params = node
            .child_by_field_name("parameters")
            .map(|n| self.params(n))
            .unwrap_or_default();
        let id = self.new_func(span, span);
        let outer = (self.func.replace(id), self.class.take());
        self.generators.push(false);
        let body = node.child_by_field_name("body");
        let value = body.map(|n| self.expr(n));
        let is_generator = self.generators.pop().unwrap_or(false);
        (self.func, self.class) = outer;
        let span = body.map_or(span, |n| self.span(n));
        let func = &mut self.m.funcs[id.0 as usize];
        func.params = params;
        func.is_generator = is_generator;
        func.body.0.push(Stmt {
            kind: StmtKind::Return(value),
            span,
        });
        ExprKind::Lambda(id)
    }

    fn string(&mut self, node: Node<'_>) -> StrLit {
        let mut lit = StrLit::default();
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
        let raw = children.first().is_some_and(|n| strings::is_raw(self.source(*n)));
        for child in children {
            match child.kind() {
                "string_content" => {
                    let text = strings::decode(self.source(child), raw);
                    push_text(&mut lit, text);
                }
                "interpolation" => {
                    if let Some(inner) = child.child_by_field_name("expression") {
                        let value = self.expr(inner);
                        lit.values.push(value);
                    }
                    lit.parts.push(None);
                }
                _ => {}
            }
        }
        if lit.parts.is_empty() {
            lit.parts.push(Some(String::new()));
        }
        lit
    }

    /// A declared type. One in quotes is parsed.
    pub(super) fn annotation(&mut self, node: Node<'_>) -> ExprId {
        match node.kind() {
            "type" => match named(node).first() {
                Some(inner) => self.annotation(*inner),
                None => self.add(node, ExprKind::Unknown(Vec::new())),
            },
            "string" => self.quoted(node),
            "generic_type" => {
                let children = named(node);
                let Some(base) = children.first() else {
                    return self.add(node, ExprKind::Unknown(Vec::new()));
                };
                let base = self.expr(*base);
                let args: Vec<ExprId> = children
                    .iter()
                    .skip(1)
                    .flat_map(|n| {
                        if n.kind() == "type_parameter" {
                            named(*n)
                        } else {
                            vec![*n]
                        }
                    })
                    .map(|n| self.annotation(n))
                    .collect();
                let index = match args[..] {
                    [one] => one,
                    _ => self.add(node, ExprKind::Tuple(args)),
                };
                self.add(node, ExprKind::Index { base, index })
            }
            "union_type" => {
                let operands = named(node).into_iter().map(|n| self.annotation(n)).collect();
                self.add(
                    node,
                    ExprKind::Op {
                        op: Symbol::new("|"),
                        operands,
                    },
                )
            }
            "member_type" => {
                let children = named(node);
                match children[..] {
                    [base, name] => {
                        let base = self.annotation(base);
                        let (name, name_span) = (Symbol::new(self.source(name)), self.span(name));
                        self.add(
                            node,
                            ExprKind::Attr {
                                base,
                                name,
                                name_span,
                                path: false,
                            },
                        )
                    }
                    _ => self.add(node, ExprKind::Unknown(Vec::new())),
                }
            }
            "subscript" => {
                let Some(base) = node.child_by_field_name("value") else {
                    return self.add(node, ExprKind::Unknown(Vec::new()));
                };
                let base = self.expr(base);
                let args: Vec<ExprId> = fields(node, "subscript")
                    .into_iter()
                    .map(|n| self.annotation(n))
                    .collect();
                let index = match args[..] {
                    [one] => one,
                    _ => self.add(node, ExprKind::Tuple(args)),
                };
                self.add(node, ExprKind::Index { base, index })
            }
            _ => self.expr(node),
        }
    }

    fn quoted(&mut self, node: Node<'_>) -> ExprId {
        let content = named(node).into_iter().find(|n| n.kind() == "string_content");
        let Some(content) = content else { return self.expr(node) };
        let text = self.source(content);
        if text.len() > 200 || self.depth > 100 {
            return self.expr(node);
        }
        let Some(tree) = super::tree(text) else {
            return self.expr(node);
        };
        let root = tree.root_node();
        if root.has_error() {
            return self.expr(node);
        }
        let Some(inner) = named(root).first().and_then(|s| named(*s).first().copied()) else {
            return self.expr(node);
        };
        let mut nested = Lower {
            text,
            m: std::mem::replace(&mut self.m, crate::core::Module::new(crate::core::Language::Python)),
            depth: self.depth + 1,
            func: self.func,
            class: self.class,
            generators: Vec::new(),
            shift: self.shift + content.start_byte(),
        };
        let id = nested.annotation(inner);
        self.m = nested.m;
        id
    }
}

/// The operators of a comparison, joined: `<`, `not in`, `is not`.
fn fields_text(lower: &Lower<'_>, node: Node<'_>) -> Symbol {
    let words: Vec<&str> = fields_any(node).into_iter().map(|n| lower.source(n)).collect();
    let joined = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    Symbol::new(&joined)
}

fn fields_any(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children_by_field_name("operators", &mut cursor).collect()
}

fn push_text(lit: &mut StrLit, text: String) {
    match lit.parts.last_mut() {
        Some(Some(last)) => last.push_str(&text),
        _ => lit.parts.push(Some(text)),
    }
}

fn join(into: &mut StrLit, next: StrLit) {
    for part in next.parts {
        match part {
            Some(text) => push_text(into, text),
            None => into.parts.push(None),
        }
    }
    into.values.extend(next.values);
}
