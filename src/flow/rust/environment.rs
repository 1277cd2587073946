//! Environment variables read by attributes: the fields of command lines and of settings.

use super::super::{EnvRead, Interp};
use super::paths::Holder;
use crate::core::{ArgKind, Class, ClassKind, ExprId, ExprKind, Field, Module, Span, Symbol};
use crate::knowledge::{ArgRef, Item};
use crate::resolve::value::{Obj, UnitId};
use super::super::flight::Place;

impl Interp<'_> {
    /// Looks at the attributes of all structs of a file.
    pub(super) fn rust_attributes(&mut self, unit: UnitId) {
        let Some(m) = self.world.module(unit) else { return };
        for (index, class) in m.classes.iter().enumerate() {
            if matches!(class.kind, ClassKind::Struct | ClassKind::Enum) && !class.is_test {
                let holder = Holder::Class(crate::core::ClassId(index as u32));
                self.rust_within(unit, holder, |this, m| this.rust_class_attributes(m, class));
            }
        }
    }

    fn rust_class_attributes(&mut self, m: &Module, class: &Class) {
        let crates = self.rust_derives(m, class);
        for field in class.fields.iter().flat_map(|f| std::iter::once(f).chain(&f.fields)) {
            for &attribute in &field.decorators {
                self.rust_field_attribute(m, field, attribute, &crates);
            }
        }
    }

    /// The crates whose derives the class has.
    fn rust_derives(&mut self, m: &Module, class: &Class) -> Vec<Symbol> {
        let mut crates = Vec::new();
        for &attribute in &class.decorators {
            let ExprKind::Call { callee, args } = &m.expr(attribute).kind else { continue };
            if !matches!(m.expr(*callee).kind, ExprKind::Name(name) if name.as_str() == "derive") {
                continue;
            }
            for arg in args {
                let head = self.rust_type_head(m, arg.value);
                if let Some(Obj::External(path)) = self.v.only(head) {
                    let first = Symbol::new(path.as_str().split('.').next().unwrap_or_default());
                    if !crates.contains(&first) {
                        crates.push(first);
                    }
                }
            }
        }
        crates
    }

    /// `#[arg(long, env = "X")]`, `#[arg(env)]`.
    fn rust_field_attribute(&mut self, m: &Module, field: &Field, attribute: ExprId, crates: &[Symbol]) {
        let ExprKind::Call { callee, args } = &m.expr(attribute).kind else { return };
        let ExprKind::Name(name) = m.expr(*callee).kind else { return };
        let spec = crates.iter().find_map(|first| match self.k.item(self.k.canonical(&format!("{first}.{name}"))) {
            Some(Item::Function(spec)) => Some(spec),
            _ => None,
        });
        let Some(spec) = spec else { return };
        let Some(ArgRef::Name(keyword)) = &self.k.call(spec).call.reads_env else { return };
        let keyword = keyword.clone();
        for arg in args {
            let variable = match (arg.kind, &m.expr(arg.value).kind) {
                (ArgKind::Keyword(name), _) if name.as_str() == keyword => {
                    let value = self.eval(m, arg.value);
                    self.v.text(value).map(|t| t.as_str().to_owned())
                }
                (ArgKind::Positional, ExprKind::Name(name)) if name.as_str() == keyword => {
                    Some(field.name.as_str().to_ascii_uppercase())
                }
                _ => None,
            };
            if let Some(variable) = variable {
                let span = Span { start: m.expr(attribute).span.start, end: m.expr(attribute).span.end };
                self.rust_env_read(Place { unit: self.here().unit, span }, variable);
            }
        }
    }

    fn rust_env_read(&mut self, place: Place, name: String) {
        let known = self.out.env_reads.iter().any(|r| r.place == place && r.name == name);
        if !known {
            self.out.env_reads.push(EnvRead { place, name, certain: true });
        }
    }

    /// A function that fills a struct from the environment: each field is a variable, perhaps with a prefix.
    pub(super) fn rust_settings(&mut self, class: crate::resolve::value::ClassRef, prefix: &str) {
        let Some(m) = self.world.module(class.unit) else { return };
        for field in &m.class(class.class).fields {
            let name = format!("{prefix}{}", field.name).to_ascii_uppercase();
            self.rust_env_read(Place { unit: class.unit, span: field.span }, name);
        }
    }
}
