//! Environment variables read by attributes: the fields of command lines and of settings.

use super::super::flight::Place;
use super::super::{EnvRead, Interp};
use super::paths::Holder;
use crate::core::{ArgKind, Class, ClassKind, ExprId, ExprKind, Field, Module, Span, Symbol};
use crate::knowledge::{ArgRef, Item};
use crate::resolve::value::{ClassRef, ExprRef, Obj, ObjId, UnitId, Value};

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
            let ExprKind::Call { callee, args } = &m.expr(attribute).kind else {
                continue;
            };
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
        let ExprKind::Call { callee, args } = &m.expr(attribute).kind else {
            return;
        };
        let ExprKind::Name(name) = m.expr(*callee).kind else {
            return;
        };
        let spec = crates.iter().find_map(
            |first| match self.k.item(self.k.canonical(&format!("{first}.{name}"))) {
                Some(Item::Function(spec)) => Some(spec),
                _ => None,
            },
        );
        let Some(spec) = spec else { return };
        let Some(ArgRef::Name(keyword)) = &self.k.call(spec).call.reads_env else {
            return;
        };
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
                let span = Span {
                    start: m.expr(attribute).span.start,
                    end: m.expr(attribute).span.end,
                };
                self.rust_env_read(
                    Place {
                        unit: self.here().unit,
                        span,
                    },
                    variable,
                );
            }
        }
    }

    fn rust_env_read(&mut self, place: Place, name: String) {
        let known = self.out.env_reads.iter().any(|r| r.place == place && r.name == name);
        if !known {
            self.out.env_reads.push(EnvRead {
                place,
                name,
                certain: true,
            });
        }
    }

    /// A function that fills a struct from the environment: each field is a variable, perhaps with a prefix. Which struct
    /// it is says the call (`from_env::<Settings>()`), or the type that is declared for the result.
    pub(super) fn rust_settings_of(&mut self, recv: Option<ObjId>, at: ExprRef) -> Value {
        let prefix = recv.and_then(|r| self.heap_get((r, Symbol::new(super::library::STATEMENT))));
        let prefix = prefix.and_then(|p| self.v.text(p)).map_or("", Symbol::as_str);
        if let Some(name) = self.rust_written_argument(at) {
            let class = self.rust_item_named(Symbol::new(&name));
            let class = self.rust_resolved(class);
            for obj in self.v.list(class) {
                if let Obj::Class(class) = *self.v.get(obj) {
                    self.rust_settings(class, prefix);
                    return self.rust_instances(class);
                }
            }
        }
        self.v.one(Obj::External(Symbol::new(&format!("{SETTINGS}{prefix}"))))
    }

    /// The last type argument that a call is written with: `f::<Settings>()`.
    fn rust_written_argument(&mut self, at: ExprRef) -> Option<String> {
        let place = self.place_of(at);
        let text = self.world.text(place.unit);
        let text = text.get(place.span.range())?;
        let (_, rest) = text.rsplit_once("::<")?;
        let name = rest.split('>').next()?.trim();
        let name = name.rsplit("::").next()?;
        name.chars()
            .all(|c| c.is_alphanumeric() || c == '_')
            .then(|| name.to_owned())
    }

    /// Settings meet the type that is declared for them.
    pub(super) fn rust_settings_meet(&mut self, value: Value, declared: Value) -> bool {
        let prefixes: Vec<Symbol> = self
            .v
            .objs(value)
            .iter()
            .filter_map(|&o| match self.v.get(o) {
                Obj::External(path) => path.as_str().strip_prefix(SETTINGS).map(Symbol::new),
                _ => None,
            })
            .collect();
        for &prefix in &prefixes {
            for obj in self.v.list(declared) {
                if let Obj::Instance(class, _) = *self.v.get(obj) {
                    self.rust_settings(class, prefix.as_str());
                }
            }
        }
        !prefixes.is_empty()
    }

    /// The fields of a struct as variables.
    fn rust_settings(&mut self, class: ClassRef, prefix: &str) {
        let Some(m) = self.world.module(class.unit) else { return };
        for field in &m.class(class.class).fields {
            let name = format!("{prefix}{}", field.name).to_ascii_uppercase();
            self.rust_env_read(
                Place {
                    unit: class.unit,
                    span: field.span,
                },
                name,
            );
        }
    }
}

/// Marks a value that is read from the environment, followed by the prefix.
const SETTINGS: &str = "<settings>";
