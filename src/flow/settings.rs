//! Clients that are configured by variables and keys instead of constructors: a settings module, a configuration class,
//! `app.config[..]`. And classes whose fields are environment variables.

use super::call::Args;
use super::{EnvRead, Interp};
use crate::core::{ExprId, ExprKind, Module, StmtKind, Symbol};
use crate::knowledge::{Item, SettingSpec, TypeId, matches};
use crate::resolve::value::{ClassRef, ExprRef, Obj, ObjId, Value};

impl Interp<'_> {
    /// `NAME = value` in a module or class, `config["NAME"] = value`, `NAME["a"]["b"] = value`.
    pub(super) fn note_setting(&mut self, m: &Module, targets: &[ExprId], value: ExprId, result: Value) {
        for target in targets {
            let name = match &m.expr(*target).kind {
                ExprKind::Name(name) if self.here().func.is_none() => {
                    self.offer_as_setting(*name, result);
                    *name
                }
                ExprKind::Attr { name, .. } => *name,
                ExprKind::Index { index, .. } => match &m.expr(*index).kind {
                    ExprKind::Str(lit) => Symbol::new(&lit.known().unwrap_or_default()),
                    _ => continue,
                },
                _ => continue,
            };
            self.note_listed(name, result);
            if self.k.is_setting(name) {
                let at = self.expr_ref(value);
                self.settings.push((name, result, at));
            }
        }
    }

    /// `MONGO = MongoClient(..)[..]` in a settings module: others read it as `settings.MONGO`.
    fn offer_as_setting(&mut self, name: Symbol, value: Value) {
        let held = |o: &ObjId| matches!(self.v.get(*o), Obj::Handle(_) | Obj::Instance(..));
        if !self.v.objs(value).iter().any(held) {
            return;
        }
        let unit = self.here().unit;
        let objects = self.k.settings_objects(|part| self.world.bears(unit, part));
        for path in objects {
            let holder = self.external(&path);
            for obj in self.v.list(holder) {
                self.write_field(obj, name, value, false);
            }
        }
    }

    /// `MIDDLEWARE = ["shop.middleware.Shield"]`: the framework calls what the texts name.
    fn note_listed(&mut self, name: Symbol, value: Value) {
        let k = self.k;
        let unit = self.here().unit;
        for (lib, inner, registers) in k.listed(name) {
            let mut values = vec![value];
            if !inner.is_empty() {
                let key = self.v.one(Obj::Str(Some(Symbol::new(inner)), None));
                let at = ExprRef { unit, expr: ExprId(0) };
                values = vec![self.item(value, key, at, false)];
            }
            let mut depth = 0;
            while let Some(value) = values.pop() {
                depth += 1;
                for obj in self.v.list(value) {
                    match self.v.get(obj).clone() {
                        Obj::Str(Some(path), _) => self.listed.push(super::Listed {
                            path,
                            unit,
                            lib,
                            registers,
                        }),
                        Obj::Tuple(items) if depth < MAX_LISTED => values.extend(items),
                        Obj::List(_) if depth < MAX_LISTED => values.push(self.entries(obj)),
                        _ => {}
                    }
                }
            }
        }
    }

    /// `config.update(NAME=value)`, `config.from_mapping(NAME=value)`.
    pub(super) fn note_settings_of_call(&mut self, m: &Module, callee: ExprId, args: &Args) {
        if args.kw.is_empty() || !matches!(m.expr(callee).kind, ExprKind::Attr { .. }) {
            return;
        }
        for (index, (name, value)) in args.kw.iter().enumerate() {
            if self.k.is_setting(*name)
                && let Some(place) = args.places.get(args.pos.len() + index)
            {
                let at = self.expr_ref(*place);
                self.settings.push((*name, *value, at));
            }
        }
    }

    /// True for a type whose constructor takes its options from settings.
    pub(super) fn has_settings(&self, ty: TypeId) -> bool {
        let entry = self.k.ty(ty);
        let settings = &self.k.library(entry.lib).file.settings;
        settings.iter().any(|s| !s.client && s.on == entry.key.as_str())
    }

    /// At the end of a round: settings are options.
    pub(super) fn conclude_settings(&mut self) {
        let k = self.k;
        let specs: Vec<_> = k
            .libraries()
            .flat_map(|(lib, l)| l.file.settings.iter().map(move |s| (lib, s)))
            .collect();
        for (lib, spec) in &specs {
            if spec.client {
                for (value, at) in self.set_to(spec) {
                    let (mut args, place) = self.entries_as_args(value, at);
                    // Further settings inside of the same client: `DATABASES.*.OPTIONS.pool`.
                    for (_, inner) in &specs {
                        let rest = inner
                            .name
                            .strip_prefix(spec.name.as_str())
                            .and_then(|r| r.strip_prefix('.'));
                        let (Some(rest), Some(option)) = (rest, &inner.option) else {
                            continue;
                        };
                        for (value, at) in self.step_into(vec![(value, at)], rest) {
                            args.kw.push((Symbol::new(&option.to_ascii_lowercase()), value));
                            if args.places.len() + 1 == args.kw.len() {
                                args.places.push(at.expr);
                            }
                        }
                    }
                    self.options_of_setting(*lib, spec, &args, None, place);
                }
            }
        }
        let awaiting = std::mem::take(&mut self.awaiting);
        for (keys, args, class, at) in &awaiting {
            // What other settings say of this type, as arguments.
            let mut given = args.clone();
            let mut dictionaries = Vec::new();
            for (lib, spec) in specs.iter().filter(|(_, s)| !s.client) {
                let of_it = Symbol::new(&format!("{}#{}", k.library(*lib).file.library.name, spec.on));
                let known = self.assumed(at.unit, *lib);
                if !keys.contains(&of_it) || !matches(spec.versions.as_deref(), known.release) {
                    continue;
                }
                for (value, place) in self.set_to(spec) {
                    match &spec.option {
                        Some(option) => given.kw.push((Symbol::new(&option.to_ascii_lowercase()), value)),
                        None => dictionaries.push((*lib, *spec, value, place)),
                    }
                }
            }
            let inner = args.named("engine_options").is_some();
            if let Some(value) = args.named("engine_options") {
                let (more, _) = self.entries_as_args(value, *at);
                given.open |= more.open;
                given.kw.extend(more.kw);
                given.places.clear();
            }
            if dictionaries.is_empty() || inner {
                self.configured(keys, &given, *class, *at);
                continue;
            }
            for (lib, spec, value, place) in dictionaries {
                let (mut own, place) = self.entries_as_args(value, place);
                own.kw.extend(
                    given
                        .kw
                        .iter()
                        .filter(|(n, _)| spec.option.as_deref() != Some(n.as_str()))
                        .copied(),
                );
                self.options_of_setting(lib, spec, &own, *class, place);
            }
        }
    }

    fn options_of_setting(
        &mut self,
        lib: crate::knowledge::LibId,
        spec: &SettingSpec,
        args: &Args,
        class: Option<ClassRef>,
        at: ExprRef,
    ) {
        let known = self.assumed(at.unit, lib);
        if !matches(spec.versions.as_deref(), known.release) {
            return;
        }
        let key = Symbol::new(&format!("{}#{}", self.k.library(lib).file.library.name, spec.on));
        for (owner, option) in self.k.options_of(&[key]) {
            if !self.is_hooked(option, class)
                && let Some(found) = self.option(owner, option, args, at)
            {
                self.add_configured(found);
            }
        }
    }

    /// The values that a setting has, and where each stands. `*` steps into every entry.
    fn set_to(&mut self, spec: &SettingSpec) -> Vec<(Value, ExprRef)> {
        let mut parts = spec.name.split('.');
        let first = Symbol::new(parts.next().unwrap_or_default());
        let found: Vec<(Value, ExprRef)> = self
            .settings
            .iter()
            .filter(|(n, ..)| *n == first)
            .map(|(_, v, at)| (*v, *at))
            .collect();
        let rest = parts.collect::<Vec<_>>().join(".");
        self.step_into(found, &rest)
    }

    /// What dictionaries hold at a path of keys.
    fn step_into(&mut self, mut found: Vec<(Value, ExprRef)>, path: &str) -> Vec<(Value, ExprRef)> {
        for part in path.split('.').filter(|p| !p.is_empty()) {
            let mut next = Vec::new();
            for (value, at) in found {
                for (name, value, place) in self.dict_entries(value, at) {
                    if part == "*" || part == name.as_str() {
                        next.push((value, place));
                    }
                }
            }
            found = next;
        }
        found
    }

    /// The entries of a dictionary display: key, value, and the value's expression.
    fn dict_entries(&mut self, value: Value, at: ExprRef) -> Vec<(Symbol, Value, ExprRef)> {
        let mut found = Vec::new();
        for obj in self.v.list(value) {
            let Obj::Dict(made) = *self.v.get(obj) else { continue };
            let literal = made.at;
            let Some(module) = self.world.module(literal.unit) else {
                continue;
            };
            let places: Vec<(Symbol, ExprId)> = match &module.expr(literal.expr).kind {
                ExprKind::Dict(entries) => entries
                    .iter()
                    .filter_map(|(key, value)| match &module.expr((*key)?).kind {
                        ExprKind::Str(lit) => Some((Symbol::new(&lit.known()?), *value)),
                        _ => None,
                    })
                    .collect(),
                ExprKind::Call { args, .. } => args
                    .iter()
                    .filter_map(|a| match a.kind {
                        crate::core::ArgKind::Keyword(name) => Some((name, a.value)),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            };
            for key in self.keys(obj) {
                let value = self
                    .heap_get((obj, Symbol::new(&format!("[{key}]"))))
                    .unwrap_or(Value::UNKNOWN);
                let shown = places.iter().find(|(n, _)| *n == key).map(|(_, e)| *e);
                let later = self.entry_places.get(&(obj, key)).copied();
                // `"CONN_MAX_AGE": 0`, and another value by `update` elsewhere: that one counts.
                let is_off = |e: ExprId| {
                    matches!(
                        module.expr(e).kind,
                        ExprKind::Int(0) | ExprKind::Bool(false) | ExprKind::None
                    )
                };
                let shown = shown.filter(|e| later.is_none() || !is_off(*e)).map(|expr| ExprRef {
                    unit: literal.unit,
                    expr,
                });
                let place = shown.or(later);
                found.push((key, value, place.unwrap_or(at)));
            }
        }
        found
    }

    /// A dictionary as the arguments of a constructor, and where it stands. One that is not known may hold anything.
    fn entries_as_args(&mut self, value: Value, at: ExprRef) -> (Args, ExprRef) {
        let entries = self.dict_entries(value, at);
        let any = Symbol::new("*");
        let mut open = false;
        for obj in self.v.list(value) {
            open |= match self.v.get(obj) {
                Obj::Dict(_) => self.heap_get((obj, any)).is_some(),
                _ => true,
            };
        }
        // Keys that are not known are given a value by the project somewhere: `update(..)`.
        let mut args = Args {
            open,
            ..Args::default()
        };
        for (name, value, place) in entries {
            let name = Symbol::new(&name.as_str().to_ascii_lowercase());
            args.kw.push((name, value));
            if place.unit == at.unit {
                args.places.push(place.expr);
            } else {
                args.places.push(at.expr);
                args.elsewhere.push((name, place));
            }
        }
        if args.places.len() != args.kw.len() {
            args.places.clear();
        }
        (args, at)
    }

    /// Fields of a settings class are environment variables, named in capitals.
    pub(super) fn note_settings_class(&mut self, m: &Module, class: ClassRef) {
        let Some(info) = self.classes.get(&class) else { return };
        let outside = info.outside.clone();
        let reads = outside
            .iter()
            .any(|path| match self.k.item(self.k.canonical(path.as_str())) {
                Some(Item::Type(ty)) => self.k.ty(ty).constructor.is_some_and(|c| self.k.call(c).call.settings),
                Some(Item::Function(spec)) => self.k.call(spec).call.settings,
                _ => false,
            });
        if !reads {
            return;
        }
        let prefix = settings_prefix(m, class).to_ascii_uppercase();
        for stmt in &m.class(class.class).body.0 {
            let StmtKind::Assign {
                targets,
                value,
                annotation: Some(_),
            } = &stmt.kind
            else {
                continue;
            };
            let [target] = targets[..] else { continue };
            let ExprKind::Name(name) = m.expr(target).kind else {
                continue;
            };
            let own = value.and_then(|v| named_in_field(m, v));
            let names = own.unwrap_or_else(|| vec![format!("{prefix}{}", name.as_str().to_ascii_uppercase())]);
            for name in names {
                let place = self.place(stmt.span);
                let read = EnvRead {
                    place,
                    name: name.to_ascii_uppercase(),
                    certain: true,
                };
                if !self.out.env_reads.contains(&read) {
                    self.out.env_reads.push(read);
                }
            }
        }
    }
}

/// `env_prefix` of `model_config = SettingsConfigDict(env_prefix="X_")` or of `class Config`.
fn settings_prefix(m: &Module, class: ClassRef) -> String {
    let span = m.class(class.class).span;
    for expr in m.exprs.iter().filter(|e| span.contains(e.span)) {
        if let ExprKind::Call { args, .. } = &expr.kind {
            for arg in args {
                if matches!(arg.kind, crate::core::ArgKind::Keyword(n) if n.as_str() == "env_prefix")
                    && let ExprKind::Str(lit) = &m.expr(arg.value).kind
                {
                    return lit.known().unwrap_or_default();
                }
            }
        }
    }
    for inner in m.classes.iter().filter(|c| c.outer == Some(class.class)) {
        for stmt in &inner.body.0 {
            if let StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } = &stmt.kind
            {
                let is_prefix = targets
                    .iter()
                    .any(|t| matches!(&m.expr(*t).kind, ExprKind::Name(n) if n.as_str() == "env_prefix"));
                if let (true, ExprKind::Str(lit)) = (is_prefix, &m.expr(*value).kind) {
                    return lit.known().unwrap_or_default();
                }
            }
        }
    }
    String::new()
}

/// Names given in `Field(env="X")`, `Field(alias="X")`, `Field(validation_alias=AliasChoices("X", "Y"))`.
fn named_in_field(m: &Module, value: ExprId) -> Option<Vec<String>> {
    let ExprKind::Call { args, .. } = &m.expr(value).kind else {
        return None;
    };
    let arg = args.iter().find(|a| {
        matches!(a.kind, crate::core::ArgKind::Keyword(n) if matches!(n.as_str(), "env" | "alias" | "validation_alias"))
    })?;
    let span = m.expr(arg.value).span;
    let names: Vec<String> = m
        .exprs
        .iter()
        .filter(|e| span.contains(e.span))
        .filter_map(|e| match &e.kind {
            ExprKind::Str(lit) => lit.known(),
            _ => None,
        })
        .collect();
    (!names.is_empty()).then_some(names)
}

/// Of one setting so many lists and tuples are looked into.
const MAX_LISTED: usize = 64;
