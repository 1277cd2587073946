//! A compact rendering of a module for the tests: the kind of every node, and nothing of spans.

use std::fmt::Write;

use crate::core::{
    Arg, ArgKind, Block, Class, ExprId, ExprKind, Field, Func, FuncId, Generic, Import, Module, Pattern, PatternKind,
    Stmt, StmtKind,
};

/// All statements of a module, one a line, then its `impl` blocks.
pub fn print(module: &Module) -> String {
    let printer = Printer { module };
    let mut out = printer.block_lines(&module.body, 0);
    for imp in &module.impls {
        out.push_str("impl");
        out.push_str(&printer.generics(&imp.generics));
        if let Some(of_trait) = imp.of_trait {
            write!(out, " {} for", printer.expr(of_trait)).unwrap();
        }
        writeln!(out, " {}", printer.expr(imp.self_type)).unwrap();
        for (name, ty) in &imp.types {
            writeln!(out, "  type {name} = {}", printer.expr(*ty)).unwrap();
        }
        out.push_str(&printer.block_lines(&imp.consts, 1));
        for &func in &imp.funcs {
            out.push_str(&printer.func(func, 1));
        }
    }
    out
}

struct Printer<'a> {
    module: &'a Module,
}

impl Printer<'_> {
    fn block_lines(&self, block: &Block, depth: usize) -> String {
        block.0.iter().map(|stmt| self.line(stmt, depth)).collect()
    }

    fn line(&self, stmt: &Stmt, depth: usize) -> String {
        match &stmt.kind {
            StmtKind::Func(id) => self.func(*id, depth),
            StmtKind::Class(id) => self.class(self.module.class(*id), depth),
            _ => format!("{}{}\n", "  ".repeat(depth), self.stmt(stmt)),
        }
    }

    fn func(&self, id: FuncId, depth: usize) -> String {
        let func = self.module.func(id);
        let indent = "  ".repeat(depth);
        let mut out = String::new();
        for &decorator in &func.decorators {
            writeln!(out, "{indent}@{}", self.expr(decorator)).unwrap();
        }
        let flags = [
            (func.public, "pub "),
            (func.is_test, "test "),
            (func.is_async, "async "),
        ];
        let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        writeln!(out, "{indent}{flags}fn {}{}", func.name.unwrap(), self.signature(func)).unwrap();
        out + &self.block_lines(&func.body, depth + 1)
    }

    fn signature(&self, func: &Func) -> String {
        let params: Vec<String> = func
            .params
            .iter()
            .map(|param| {
                let mut out = match &param.pattern {
                    Some(pattern) => self.pattern(pattern),
                    None => param.name.to_string(),
                };
                if let Some(annotation) = param.annotation {
                    write!(out, ": {}", self.expr(annotation)).unwrap();
                }
                out
            })
            .collect();
        let returns = func
            .returns
            .map_or(String::new(), |id| format!(" -> {}", self.expr(id)));
        let missing = if func.declaration_only { ";" } else { "" };
        format!(
            "{}({}){returns}{missing}",
            self.generics(&func.generics),
            params.join(", ")
        )
    }

    fn generics(&self, generics: &[Generic]) -> String {
        if generics.is_empty() {
            return String::new();
        }
        let parts: Vec<String> = generics
            .iter()
            .map(|generic| {
                let bounds: Vec<String> = generic.bounds.iter().map(|&id| self.expr(id)).collect();
                let default = generic
                    .default
                    .map_or(String::new(), |id| format!(" = {}", self.expr(id)));
                let colon = if bounds.is_empty() { "" } else { ": " };
                format!("{}{colon}{}{default}", generic.name, bounds.join(" + "))
            })
            .collect();
        format!("<{}>", parts.join(", "))
    }

    fn class(&self, class: &Class, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut out = String::new();
        for &decorator in &class.decorators {
            writeln!(out, "{indent}@{}", self.expr(decorator)).unwrap();
        }
        let test = if class.is_test { "test " } else { "" };
        write!(
            out,
            "{indent}{test}{:?} {}{}",
            class.kind,
            class.name,
            self.generics(&class.generics)
        )
        .unwrap();
        if !class.bases.is_empty() {
            write!(out, ": {}", self.list(&class.bases)).unwrap();
        }
        out.push('\n');
        self.fields(&class.fields, depth + 1, &mut out);
        out + &self.block_lines(&class.body, depth + 1)
    }

    fn fields(&self, fields: &[Field], depth: usize, out: &mut String) {
        for field in fields {
            write!(out, "{}.{}", "  ".repeat(depth), field.name).unwrap();
            if let Some(annotation) = field.annotation {
                write!(out, ": {}", self.expr(annotation)).unwrap();
            }
            for &decorator in &field.decorators {
                write!(out, " @{}", self.expr(decorator)).unwrap();
            }
            out.push('\n');
            self.fields(&field.fields, depth + 1, out);
        }
    }

    fn block(&self, block: &Block) -> String {
        let parts: Vec<String> = block.0.iter().map(|stmt| self.stmt(stmt)).collect();
        format!("{{{}}}", parts.join("; "))
    }

    fn otherwise(&self, block: &Block) -> String {
        if block.0.is_empty() {
            String::new()
        } else {
            format!(" else {}", self.block(block))
        }
    }

    fn stmt(&self, stmt: &Stmt) -> String {
        let optional = |id: &Option<ExprId>| id.map_or(String::new(), |id| format!(" {}", self.expr(id)));
        match &stmt.kind {
            StmtKind::Expr(id) => format!("do {}", self.expr(*id)),
            StmtKind::Value(id) => format!("value {}", self.expr(*id)),
            StmtKind::Assign {
                targets,
                value,
                annotation,
            } => {
                let annotation = annotation.map_or(String::new(), |id| format!(": {}", self.expr(id)));
                let value = value.map_or(String::new(), |id| format!(" = {}", self.expr(id)));
                format!("set {}{annotation}{value}", self.list(targets))
            }
            StmtKind::AugAssign { target, value } => format!("change {} by {}", self.expr(*target), self.expr(*value)),
            StmtKind::Let {
                pattern,
                annotation,
                value,
                otherwise,
            } => {
                let annotation = annotation.map_or(String::new(), |id| format!(": {}", self.expr(id)));
                let value = value.map_or(String::new(), |id| format!(" = {}", self.expr(id)));
                let otherwise = otherwise.as_ref().map_or(String::new(), |block| self.otherwise(block));
                format!("let {}{annotation}{value}{otherwise}", self.pattern(pattern))
            }
            StmtKind::If { test, then, otherwise } => {
                format!(
                    "if {} {}{}",
                    self.expr(*test),
                    self.block(then),
                    self.otherwise(otherwise)
                )
            }
            StmtKind::While { test: None, body, .. } => format!("loop {}", self.block(body)),
            StmtKind::While { test, body, .. } => format!("while{} {}", optional(test), self.block(body)),
            StmtKind::For { target, iter, body, .. } => {
                format!(
                    "for {} in {} {}",
                    self.pattern(target),
                    self.expr(*iter),
                    self.block(body)
                )
            }
            StmtKind::Match { subject, arms } => {
                let arms: Vec<String> = arms
                    .iter()
                    .map(|arm| {
                        let guard = arm.guard.map_or(String::new(), |id| format!(" if {}", self.expr(id)));
                        format!("{}{guard} => {}", self.pattern(&arm.pattern), self.block(&arm.body))
                    })
                    .collect();
                format!("match {} {{{}}}", self.expr(*subject), arms.join(", "))
            }
            StmtKind::Block(block) => self.block(block),
            StmtKind::Labelled(block) => format!("labelled {}", self.block(block)),
            StmtKind::Return(value) => format!("return{}", optional(value)),
            StmtKind::Break { depth, value } => format!("break^{depth}{}", optional(value)),
            StmtKind::Continue { depth } => format!("continue^{depth}"),
            StmtKind::Func(id) => self.func(*id, 0).trim_end().replace('\n', " / "),
            StmtKind::Class(id) => self.class(self.module.class(*id), 0).trim_end().replace('\n', " / "),
            StmtKind::Import(imports) => imports.iter().map(import).collect::<Vec<_>>().join("; "),
            StmtKind::Unknown(children) => format!("unknown[{}]", self.list(children)),
            other => format!("{other:?}"),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        let list = |parts: &[Pattern], between: &str| {
            parts
                .iter()
                .map(|part| self.pattern(part))
                .collect::<Vec<_>>()
                .join(between)
        };
        match &pattern.kind {
            PatternKind::Wild => "_".to_owned(),
            PatternKind::Literal(id) => format!("={}", self.expr(*id)),
            PatternKind::Bind(name, None) => name.to_string(),
            PatternKind::Bind(name, Some(sub)) => format!("{name} @ {}", self.pattern(sub)),
            PatternKind::Target(id) => format!("target {}", self.expr(*id)),
            PatternKind::Path(id) => format!("={}", self.expr(*id)),
            PatternKind::TupleStruct(id, parts) => format!("{}({})", self.expr(*id), list(parts, ", ")),
            PatternKind::Struct(id, fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, part)| format!("{name}: {}", self.pattern(part)))
                    .collect();
                format!("{}{{{}}}", self.expr(*id), fields.join(", "))
            }
            PatternKind::Tuple(parts) => format!("({})", list(parts, ", ")),
            PatternKind::Or(parts) => list(parts, " | "),
            PatternKind::Star(name) => format!("*{}", name.map_or("", |name| name.as_str())),
        }
    }

    fn list(&self, ids: &[ExprId]) -> String {
        ids.iter().map(|&id| self.expr(id)).collect::<Vec<_>>().join(", ")
    }

    fn args(&self, args: &[Arg]) -> String {
        let parts: Vec<String> = args
            .iter()
            .map(|arg| match arg.kind {
                ArgKind::Keyword(name) => format!("{name}={}", self.expr(arg.value)),
                _ => self.expr(arg.value),
            })
            .collect();
        parts.join(", ")
    }

    fn expr(&self, id: ExprId) -> String {
        match &self.module.expr(id).kind {
            ExprKind::Name(name) => name.to_string(),
            ExprKind::Attr {
                base, name, path: true, ..
            } => format!("{}::{name}", self.expr(*base)),
            ExprKind::Attr { base, name, .. } => format!("{}.{name}", self.expr(*base)),
            ExprKind::Call { callee, args } => format!("{}({})", self.expr(*callee), self.args(args)),
            ExprKind::Index { base, index } => format!("{}[{}]", self.expr(*base), self.expr(*index)),
            ExprKind::Slice(ends) => format!("slice({})", self.list(ends)),
            ExprKind::Str(text) => {
                let parts: String = text.parts.iter().map(|part| part.as_deref().unwrap_or("{}")).collect();
                let values = if text.values.is_empty() {
                    String::new()
                } else {
                    format!("%({})", self.list(&text.values))
                };
                format!("{parts:?}{values}")
            }
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Literal => "lit".to_owned(),
            ExprKind::Bool(value) => value.to_string(),
            ExprKind::None => "()".to_owned(),
            ExprKind::Tuple(parts) => format!("({},)", self.list(parts)),
            ExprKind::List(parts) => format!("[{}]", self.list(parts)),
            ExprKind::Dict(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self.expr(key.unwrap()), self.expr(*value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            ExprKind::Lambda(id) => {
                let func = self.module.func(*id);
                let flags = [(func.is_async, "async "), (func.is_generator, "gen ")];
                let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
                format!("{flags}\\{}{}", self.signature(func), self.block(&func.body))
            }
            ExprKind::Await(inner) => format!("await({})", self.expr(*inner)),
            ExprKind::Yield(inner) => format!("yield({})", inner.map_or(String::new(), |id| self.expr(id))),
            ExprKind::And(parts) => format!("and({})", self.list(parts)),
            ExprKind::Or(parts) => format!("or({})", self.list(parts)),
            ExprKind::Not(inner) => format!("not({})", self.expr(*inner)),
            ExprKind::Op { op, operands } => format!("op{op}({})", self.list(operands)),
            ExprKind::Assign { target, value } => format!("{}:={}", self.expr(*target), self.expr(*value)),
            ExprKind::Propagate(inner) => format!("{}?", self.expr(*inner)),
            ExprKind::LetCond { pattern, value } => format!("let({} = {})", self.pattern(pattern), self.expr(*value)),
            ExprKind::New { class, fields, rest } => {
                let mut fields: Vec<String> = fields
                    .iter()
                    .map(|(name, id)| format!("{name}: {}", self.expr(*id)))
                    .collect();
                fields.extend(rest.map(|id| format!("..{}", self.expr(id))));
                format!("new {}{{{}}}", self.expr(*class), fields.join(", "))
            }
            ExprKind::Control(stmt) => format!("<{}>", self.stmt(stmt)),
            ExprKind::Select(arms) => {
                let arms: Vec<String> = arms
                    .iter()
                    .map(|arm| {
                        let future = arm.future.map_or("else".to_owned(), |id| self.expr(id));
                        let guard = arm.guard.map_or(String::new(), |id| format!(" if {}", self.expr(id)));
                        format!(
                            "{} = {future}{guard} => {}",
                            self.pattern(&arm.pattern),
                            self.block(&arm.body)
                        )
                    })
                    .collect();
                format!("select{{{}}}", arms.join(", "))
            }
            ExprKind::Same(inner) => format!("&{}", self.expr(*inner)),
            ExprKind::Unknown(children) => format!("unknown[{}]", self.list(children)),
            other => format!("{other:?}"),
        }
    }
}

fn import(import: &Import) -> String {
    let path: Vec<&str> = import.module.iter().map(|part| part.as_str()).collect();
    let public = if import.public { "pub " } else { "" };
    let name = match (import.name, import.glob) {
        (Some(name), _) => name.to_string(),
        (None, true) => "*".to_owned(),
        (None, false) => "-".to_owned(),
    };
    let rename = if import.renamed {
        format!(" as {}", import.binding)
    } else {
        String::new()
    };
    format!("{public}use [{}] {name}{rename}", path.join("::"))
}
