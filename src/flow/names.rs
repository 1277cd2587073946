//! Names: scopes, imports, modules.

use super::exec::import_path;
use super::{EnvKey, Frame, Interp};
use crate::core::{Import, Symbol};
use crate::resolve::value::{EnvId, Obj, UnitId, Value};

/// Names imported with `*` are looked up through this entry of a scope.
const STAR: &str = "*";

impl Interp<'_> {
    pub(super) fn set_var(&mut self, name: Symbol, value: Value) {
        let env = self.here().env;
        // A local variable is a place to keep a connection too: in a loop it may get a new one.
        if self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Handle(_)))
        {
            let scope = self.v.obj(Obj::Scope(env));
            self.note_store(scope, name, value);
        }
        if let Some(&other) = self.envs[env.0 as usize].elsewhere.get(&name) {
            let old = self.envs[other.0 as usize]
                .vars
                .get(&name)
                .copied()
                .unwrap_or(Value::NOTHING);
            let new = self.v.join(old, value);
            self.envs[other.0 as usize].vars.insert(name, new);
            // What functions assign to a global outlives the round, since others may run before them.
            let module = self.v.obj(Obj::Module(self.here().unit));
            self.note_store(module, name, value);
            self.heap_join((module, name), value);
            return;
        }
        self.envs[env.0 as usize].vars.insert(name, value);
    }

    /// The scope of a function's own variables.
    pub(super) fn is_function_scope(&self, env: EnvId) -> bool {
        let env = &self.envs[env.0 as usize];
        env.parent.is_some() && !env.is_class
    }

    pub(super) fn declare_global(&mut self, names: &[Symbol]) {
        let unit = self.here().unit;
        let (env, module) = (self.here().env, self.env(EnvKey::Module(unit), None));
        if env != module {
            for name in names {
                self.envs[env.0 as usize].elsewhere.insert(*name, module);
            }
        }
    }

    pub(super) fn declare_nonlocal(&mut self, names: &[Symbol]) {
        let env = self.here().env;
        for name in names {
            let mut current = self.envs[env.0 as usize].parent;
            while let Some(id) = current {
                if self.envs[id.0 as usize].vars.contains_key(name) && !self.envs[id.0 as usize].is_class {
                    self.envs[env.0 as usize].elsewhere.insert(*name, id);
                    break;
                }
                current = self.envs[id.0 as usize].parent;
            }
        }
    }

    /// The value of a name in the current scope.
    pub(super) fn name(&mut self, name: Symbol) -> Value {
        let start = self.here().env;
        let mut current = Some(start);
        while let Some(id) = current {
            let env = &self.envs[id.0 as usize];
            let parent = env.parent;
            if id == start || !env.is_class {
                if let Some(&value) = env.vars.get(&name) {
                    let value = if parent.is_none() {
                        self.with_global_writes(name, value)
                    } else {
                        value
                    };
                    return self.force(value);
                }
                if parent.is_none() {
                    if let Some(value) = self.star_lookup(id, name) {
                        return value;
                    }
                    let value = self.with_global_writes(name, Value::NOTHING);
                    if value != Value::NOTHING {
                        return self.force(value);
                    }
                }
            }
            current = parent;
        }
        self.external(name.as_str())
    }

    /// A global together with what functions assign to it.
    fn with_global_writes(&mut self, name: Symbol, value: Value) -> Value {
        let module = self.v.obj(Obj::Module(self.here().unit));
        match self.heap_get((module, name)) {
            Some(written) => self.v.join(value, written),
            None => value,
        }
    }

    fn star_lookup(&mut self, env: EnvId, name: Symbol) -> Option<Value> {
        let sources = *self.envs[env.0 as usize].vars.get(&Symbol::new(STAR))?;
        for obj in self.v.list(sources).into_iter().rev() {
            match self.v.get(obj).clone() {
                Obj::Module(unit) => {
                    if let Some(value) = self.module_attr(unit, name) {
                        return Some(value);
                    }
                }
                Obj::External(path) => {
                    let full = self.k.canonical(&format!("{path}.{name}"));
                    if self.k.item(full).is_some() {
                        return Some(self.v.one(Obj::External(full)));
                    }
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn import(&mut self, import: &Import) {
        let unit = self.here().unit;
        let known_library = import.level == 0
            && import
                .module
                .first()
                .is_some_and(|first| !self.k.imported(*first).is_empty());
        let units = if known_library {
            Vec::new()
        } else {
            self.world.resolve(unit, &import.module, import.level)
        };
        let path = import_path(import);
        if import.glob {
            let source = match units.first() {
                Some(&target) => {
                    self.ensure_module(target);
                    self.v.one(Obj::Module(target))
                }
                None => self.v.one(Obj::External(Symbol::new(&path))),
            };
            let env = self.here().env;
            let star = Symbol::new(STAR);
            let old = self.envs[env.0 as usize]
                .vars
                .get(&star)
                .copied()
                .unwrap_or(Value::NOTHING);
            let new = self.v.join(old, source);
            self.envs[env.0 as usize].vars.insert(star, new);
            return;
        }
        let value = match import.name {
            Some(name) => {
                if let Some(&target) = units.first() {
                    self.v.one(Obj::Imported(target, name))
                } else {
                    // `from package import module` where the package has no file of its own.
                    let mut full = import.module.clone();
                    full.push(name);
                    let inner = if known_library {
                        Vec::new()
                    } else {
                        self.world.resolve(unit, &full, import.level)
                    };
                    match inner.first() {
                        Some(&target) => self.v.one(Obj::Module(target)),
                        None if import.level > 0 => Value::UNKNOWN,
                        None => self.external(&format!("{path}.{name}")),
                    }
                }
            }
            None if import.renamed || import.module.len() == 1 => match units.first() {
                Some(&target) => self.v.one(Obj::Module(target)),
                None => self.external(&path),
            },
            None => {
                let first = import.module[..1].to_vec();
                let package = if known_library {
                    Vec::new()
                } else {
                    self.world.resolve(unit, &first, 0)
                };
                match package.first() {
                    Some(&target) => self.v.one(Obj::Module(target)),
                    None => self.external(first[0].as_str()),
                }
            }
        };
        self.set_var(import.binding, value);
    }

    /// Replaces names of files that were not read by what they denote.
    pub(super) fn force(&mut self, value: Value) -> Value {
        if !self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Imported(..)))
        {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Imported(unit, name) => self.imported(unit, name),
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    fn imported(&mut self, unit: UnitId, name: Symbol) -> Value {
        if let Some(value) = self.module_attr(unit, name) {
            return value;
        }
        match self.world.resolve(unit, &[name], 1).first() {
            Some(&target) if target != unit => self.v.one(Obj::Module(target)),
            _ => Value::UNKNOWN,
        }
    }

    /// An attribute of a module: its own name, what it imports, or a module below it.
    pub(super) fn module_attr(&mut self, unit: UnitId, name: Symbol) -> Option<Value> {
        // Modules that import from each other may lead in a circle.
        if !self.looked_up.insert((unit, name)) {
            return None;
        }
        let value = self.module_attr_once(unit, name);
        self.looked_up.remove(&(unit, name));
        value
    }

    fn module_attr_once(&mut self, unit: UnitId, name: Symbol) -> Option<Value> {
        self.ensure_module(unit);
        let env = self.env(EnvKey::Module(unit), None);
        let mut value = self.envs[env.0 as usize]
            .vars
            .get(&name)
            .copied()
            .unwrap_or(Value::NOTHING);
        let module = self.v.obj(Obj::Module(unit));
        if let Some(written) = self.heap_get((module, name)) {
            value = self.v.join(value, written);
        }
        if value != Value::NOTHING {
            return Some(self.force(value));
        }
        self.star_lookup(env, name)
    }

    /// Evaluates a module's own statements, once a round.
    pub(super) fn ensure_module(&mut self, unit: UnitId) {
        if self.modules_done.contains_key(&unit) {
            return;
        }
        self.modules_done.insert(unit, false);
        let Some(module) = self.world.module(unit) else { return };
        if !self.module_list.contains(&unit) {
            self.module_list.push(unit);
        }
        if self.frames.len() > super::MAX_DEPTH * 2 {
            return;
        }
        let env = self.env(EnvKey::Module(unit), None);
        let name = self.v.one(Obj::Str(None, None));
        self.envs[env.0 as usize].vars.insert(Symbol::new("__name__"), name);
        let frame = Frame::new(unit, module, env);
        let mark = self.log_mark();
        let mut frame = self.run_body(frame, |this, m| this.exec_block(m, &m.body));
        // What its statements set on objects (`app.state.db = ..`) stays there.
        for ((obj, name), value) in std::mem::take(&mut frame.fields) {
            self.heap_join((obj, name), value);
        }
        self.end_unit(mark);
        // What a module does on import is a unit of its own, whoever imports it first.
        self.log_rewind(mark);
        self.modules_done.insert(unit, true);
        let aside = self.world.is_aside(unit);
        for flight in frame.flights {
            if !aside {
                self.escape(flight, super::Entry::Module(unit));
            }
        }
    }
}
