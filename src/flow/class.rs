//! Classes: bases, method resolution order, attributes.

use super::{EnvKey, Frame, Interp};
use crate::core::{ExprKind, Module, StmtKind, Symbol};
use crate::knowledge::{Item, TypeId};
use crate::resolve::value::{ClassRef, EnvId, ExprRef, FuncRef, Obj, ObjId, Value};

/// What is known of a class of the program.
#[derive(Clone, Debug)]
pub(super) struct ClassInfo {
    /// Its body's scope.
    pub env: EnvId,
    /// The linearised bases: itself first.
    pub mro: Vec<ClassRef>,
    /// Bases outside of the program, by path, nearest first.
    pub outside: Vec<Symbol>,
    /// Fields that are declared in the body with an annotation, in order, and their declared values.
    pub fields: Vec<(Symbol, Value)>,
}

/// A method's name that more classes have says nothing about the object.
const MAX_NAMESAKES: usize = 3;

impl Interp<'_> {
    /// Evaluates a class body and gives the class.
    pub(super) fn make_class(&mut self, m: &Module, class: ClassRef) -> Value {
        let definition = m.class(class.class);
        let bases: Vec<Value> = definition
            .bases
            .iter()
            .map(|b| {
                let value = self.eval(m, *b);
                self.force(value)
            })
            .collect();
        for (_, value) in &definition.keywords {
            self.eval(m, *value);
        }
        let parent = self.here().env;
        let env = self.env(EnvKey::Class(class), Some(parent));
        let mut frame = Frame::new(class.unit, self.module(), env);
        frame.owner = Some(class);
        frame.func = self.here().func;
        let value = self.v.one(Obj::Class(class));
        if !self.classes.contains_key(&class) {
            self.class_list.push(class);
        }
        let (mro, outside) = self.linearise(class, &bases);
        for &ancestor in &mro[1..] {
            let known = self.subclasses.entry(ancestor).or_default();
            if !known.contains(&class) {
                known.push(class);
            }
        }
        self.classes.insert(
            class,
            ClassInfo {
                env,
                mro,
                outside,
                fields: Vec::new(),
            },
        );
        for stmt in &definition.body.0 {
            if let StmtKind::Func(id) = stmt.kind {
                let func = FuncRef {
                    unit: class.unit,
                    func: id,
                };
                self.func_class.insert(func, class);
                if let Some(name) = m.func(id).name {
                    let known = self.methods_by_name.entry(name).or_default();
                    if !known.contains(&func) {
                        known.push(func);
                    }
                }
            }
        }
        let frame = self.run_body(frame, |this, m| this.exec_block(m, &m.class(class.class).body));
        for flight in frame.flights {
            self.emit(flight);
        }
        self.name_descriptors(class, env);
        let mut fields = Vec::new();
        for stmt in &definition.body.0 {
            if let StmtKind::Assign {
                targets,
                annotation: Some(annotation),
                ..
            } = &stmt.kind
                && let [target] = targets[..]
                && let ExprKind::Name(name) = m.expr(target).kind
            {
                let declared = self.annotation(m, *annotation);
                fields.push((name, declared));
            }
        }
        if let Some(info) = self.classes.get_mut(&class) {
            info.fields = fields;
        }
        self.note_settings_class(m, class);
        value
    }

    /// `__set_name__` tells objects in a class body the name that they have there.
    fn name_descriptors(&mut self, class: ClassRef, env: EnvId) {
        let setter = Symbol::new("__set_name__");
        let vars = self.envs[env.0 as usize].vars.iter();
        let mut vars: Vec<(Symbol, Value)> = vars.map(|(n, v)| (*n, *v)).collect();
        vars.sort_unstable_by_key(|(n, _)| n.as_str());
        for (name, value) in vars {
            for obj in self.v.list(value) {
                let Obj::Instance(own, Some(made)) = *self.v.get(obj) else {
                    continue;
                };
                if let Some(setter) = self.class_attr(own, obj, setter) {
                    let owner = self.v.one(Obj::Class(class));
                    let name = self.v.one(Obj::Str(Some(name), None));
                    self.call(setter, &super::call::Args::positional(vec![owner, name]), made.at);
                }
            }
        }
    }

    /// The order in which bases are searched (C3; where it has no solution, depth first), and the outside ones.
    fn linearise(&mut self, class: ClassRef, bases: &[Value]) -> (Vec<ClassRef>, Vec<Symbol>) {
        let mut lists: Vec<Vec<ClassRef>> = Vec::new();
        let mut direct = Vec::new();
        let mut outside = Vec::new();
        for &base in bases {
            for obj in self.v.list(base) {
                match self.v.get(obj).clone() {
                    Obj::Class(base) if base != class => {
                        if let Some(info) = self.classes.get(&base) {
                            lists.push(info.mro.clone());
                            direct.push(base);
                            for path in &info.outside {
                                if !outside.contains(path) {
                                    outside.push(*path);
                                }
                            }
                        }
                        break;
                    }
                    Obj::External(path) => {
                        if !outside.contains(&path) {
                            outside.push(path);
                        }
                        break;
                    }
                    // `db.Document`: a class of a library reached through an object.
                    Obj::Handle(handle) => {
                        if let Some(path) = self.k.ty(handle.ty).spec.paths.first() {
                            outside.push(Symbol::new(path));
                        }
                        break;
                    }
                    _ => {}
                }
            }
        }
        lists.push(direct);
        let mut order = vec![class];
        loop {
            lists.retain(|l| !l.is_empty());
            if lists.is_empty() {
                break;
            }
            let next = lists
                .iter()
                .map(|l| l[0])
                .find(|candidate| !lists.iter().any(|l| l[1..].contains(candidate)))
                .unwrap_or(lists[0][0]);
            for list in &mut lists {
                list.retain(|c| *c != next);
            }
            if !order.contains(&next) {
                order.push(next);
            }
        }
        (order, outside)
    }

    /// The types of libraries that a class extends.
    pub(super) fn outside_types(&self, class: ClassRef) -> Vec<TypeId> {
        let Some(info) = self.classes.get(&class) else {
            return Vec::new();
        };
        let paths = info.outside.clone();
        paths
            .iter()
            .filter_map(|p| match self.k.item(self.k.canonical(p.as_str())) {
                Some(Item::Type(ty)) => Some(ty),
                _ => None,
            })
            .collect()
    }

    /// A class of the program that inherits from a driver's.
    pub(super) fn is_below(&self, class: ClassRef, ty: TypeId) -> bool {
        let lineage = &self.k.ty(ty).lineage;
        self.outside_types(class).iter().any(|above| lineage.contains(above))
    }

    /// Looks a name up in the classes of an object's order, and binds it to the object.
    pub(super) fn class_attr(&mut self, class: ClassRef, obj: ObjId, name: Symbol) -> Option<Value> {
        let mro = self.classes.get(&class)?.mro.clone();
        self.search(&mro, obj, name)
    }

    /// As `class_attr`, after a class in the order of another one (`super()`).
    pub(super) fn super_attr(&mut self, after: ClassRef, obj: ObjId, name: Symbol) -> Option<Value> {
        let class = match self.v.get(obj) {
            Obj::Instance(class, _) | Obj::Class(class) => *class,
            _ => after,
        };
        let mro = self.classes.get(&class)?.mro.clone();
        let start = mro.iter().position(|c| *c == after).map_or(0, |i| i + 1);
        self.search(&mro[start..], obj, name)
    }

    fn search(&mut self, order: &[ClassRef], obj: ObjId, name: Symbol) -> Option<Value> {
        for class in order {
            let Some(info) = self.classes.get(class) else { continue };
            let env = info.env;
            let mut value = self.envs[env.0 as usize]
                .vars
                .get(&name)
                .copied()
                .unwrap_or(Value::NOTHING);
            let class_obj = self.v.obj(Obj::Class(*class));
            if let Some(&wrapper) = self.wrapped.get(&(*class, name)) {
                value = wrapper;
            } else if let Some(written) = self.heap_get((class_obj, name)) {
                value = self.v.join(value, written);
            }
            if value != Value::NOTHING {
                let value = self.force(value);
                return Some(self.bind(value, obj));
            }
        }
        None
    }

    /// What the body of a class defines, by name: `vars(cls)`, `cls.__dict__`. Of objects nothing is told.
    pub(super) fn namespace(&mut self, value: Value) -> Value {
        let Some(Obj::Class(class)) = self.v.only(value) else {
            return Value::UNKNOWN;
        };
        let Some(env) = self.classes.get(class).map(|i| i.env) else {
            return Value::UNKNOWN;
        };
        let vars = self.envs[env.0 as usize].vars.iter();
        let mut fields: Vec<(Symbol, Value)> = vars.map(|(n, v)| (*n, *v)).collect();
        fields.sort_unstable_by_key(|(n, _)| n.as_str());
        self.v.one(Obj::Record(fields, false))
    }

    /// The methods of an object of the program, those inherited from a driver's class included, in the order of names.
    pub(super) fn methods_of(&mut self, value: Value, at: ExprRef) -> Option<Vec<(Symbol, Value)>> {
        let &[obj] = self.v.objs(value) else {
            return None;
        };
        let Obj::Instance(class, _) = *self.v.get(obj) else {
            return None;
        };
        let mro = self.classes.get(&class)?.mro.clone();
        let mut names: Vec<Symbol> = Vec::new();
        for above in mro {
            let Some(env) = self.classes.get(&above).map(|i| i.env) else {
                continue;
            };
            let vars = self.envs[env.0 as usize].vars.iter();
            let functions = vars.filter(|(_, v)| self.v.objs(**v).iter().any(|&o| self.function_of(o).is_some()));
            names.extend(functions.map(|(n, _)| *n));
        }
        for ty in self.outside_types(class) {
            names.extend(self.k.ty(ty).methods.keys());
        }
        names.retain(|n| !n.as_str().starts_with("__"));
        names.sort_unstable();
        names.dedup();
        let mut found = Vec::new();
        for name in names {
            let method = self.attr(value, name, at);
            // The driver's version may not have it.
            if self.is_callable(method) {
                found.push((name, method));
            }
        }
        Some(found)
    }

    /// Functions found in a class become methods of the object.
    fn bind(&mut self, value: Value, obj: ObjId) -> Value {
        let on_class = matches!(self.v.get(obj), Obj::Class(_));
        let mut result = Value::NOTHING;
        for item in self.v.list(value) {
            let bound = match self.v.get(item).clone() {
                Obj::Func(..) | Obj::Guarded(..) | Obj::Within(..) | Obj::Partial(..) | Obj::Managed(_)
                    if !on_class =>
                {
                    self.v.one(Obj::Bound(obj, item))
                }
                Obj::Descriptor(crate::resolve::value::Descriptor::Class, inner) => {
                    let class = match self.v.get(obj) {
                        Obj::Instance(class, _) => self.v.obj(Obj::Class(*class)),
                        _ => obj,
                    };
                    self.v.one(Obj::Bound(class, inner))
                }
                Obj::Descriptor(crate::resolve::value::Descriptor::Static, inner) => self.v.single(inner),
                Obj::Descriptor(crate::resolve::value::Descriptor::Property, inner) if !on_class => {
                    // The reader of the attribute calls it; see `attr`.
                    self.v
                        .one(Obj::Descriptor(crate::resolve::value::Descriptor::Property, inner))
                }
                _ => self.v.single(item),
            };
            result = self.v.join(result, bound);
        }
        result
    }

    /// A method that only says that classes below have to define it: what they define, for an object of which no more is known
    /// than the class. One that is known to be of the very class (`exact`) was given another one since, if its method only
    /// raises.
    pub(super) fn or_overrides(&mut self, class: ClassRef, name: Symbol, value: Value, exact: bool) -> Value {
        let abstract_ = self.v.list(value).into_iter().all(|o| {
            let func = self.function_of(o);
            func.is_some_and(|f| {
                let module = self.world.module(f.unit);
                module.is_some_and(|m| is_abstract(&m, f) && (!exact || only_raises(&m, f)))
            })
        });
        if !abstract_ {
            return value;
        }
        let mut below = self.classes_below(class);
        if below.is_empty() {
            // A class that is loaded by its name, or mixed in while the program runs.
            let namesakes = self.methods_named(name);
            below = namesakes
                .iter()
                .filter_map(|f| self.func_class.get(f))
                .copied()
                .collect();
        }
        let own = self.attr_of_any(below.into_iter().take(4), name);
        self.v.join(value, own)
    }

    pub(super) fn classes_below(&self, class: ClassRef) -> Vec<ClassRef> {
        let below = self.subclasses.get(&class).into_iter().flatten();
        below.copied().filter(|c| *c != class).collect()
    }

    /// An attribute of objects of which no more is known than that they are of one of these classes.
    pub(super) fn attr_of_any(&mut self, classes: impl Iterator<Item = ClassRef>, name: Symbol) -> Value {
        let mut found = Value::NOTHING;
        for class in classes {
            let obj = self.v.obj(Obj::Instance(class, None));
            if let Some(own) = self.class_attr(class, obj, name) {
                found = self.v.join(found, own);
            }
        }
        found
    }

    /// The methods that a call on an unknown object may mean: those of this name that do something, if they are few.
    pub(super) fn methods_named(&mut self, name: Symbol) -> Vec<FuncRef> {
        if super::eval::is_common(name.as_str()) {
            return Vec::new();
        }
        let mut found = self.methods_by_name.get(&name).cloned().unwrap_or_default();
        found.retain(|f| self.world.module(f.unit).is_some_and(|m| !is_abstract(&m, *f)));
        if found.len() > MAX_NAMESAKES {
            found.clear();
        }
        found
    }

    /// The instances of a class and of those below it that the program makes; a general one if there are none.
    pub(super) fn instances_of(&mut self, class: ClassRef) -> Value {
        let mut classes = vec![class];
        classes.extend(self.subclasses.get(&class).cloned().unwrap_or_default());
        let mut objs = Vec::new();
        for class in classes {
            objs.extend(self.instances.get(&class).cloned().unwrap_or_default());
        }
        objs.truncate(12);
        if objs.is_empty() {
            let general = self.v.obj(Obj::Instance(class, None));
            objs.push(general);
        }
        self.v.set(objs)
    }

    /// The class named at an exception object, or the class itself.
    pub(super) fn is_subclass_obj(&mut self, class: ObjId, ancestor: ObjId) -> bool {
        if class == ancestor {
            return true;
        }
        match (self.v.get(class).clone(), self.v.get(ancestor).clone()) {
            (Obj::External(class), Obj::External(ancestor)) => {
                let broad = matches!(ancestor.as_str(), "Exception" | "BaseException");
                // Exceptions that no file describes still are exceptions.
                self.k.is_subclass(class, ancestor) || broad && self.k.error_class(class).is_none()
            }
            (Obj::Class(class), Obj::Class(ancestor)) => {
                self.classes.get(&class).is_some_and(|i| i.mro.contains(&ancestor))
            }
            (Obj::Class(class), Obj::External(ancestor)) => {
                let Some(info) = self.classes.get(&class) else {
                    return false;
                };
                let outside = info.outside.clone();
                outside
                    .iter()
                    .any(|p| self.k.is_subclass(self.k.canonical(p.as_str()), ancestor))
                    || matches!(ancestor.as_str(), "BaseException" | "Exception")
            }
            (Obj::Exception(class), _) => self.is_subclass_obj(class, ancestor),
            _ => false,
        }
    }

    /// True if raising this class answers whoever asked (an HTTP error, `SystemExit`).
    pub(super) fn is_answer(&mut self, class: ObjId) -> bool {
        let mut paths = Vec::new();
        match self.v.get(class) {
            Obj::External(path) => paths.push(*path),
            Obj::Class(class) => {
                if let Some(info) = self.classes.get(class) {
                    paths.extend(info.outside.iter().copied());
                }
            }
            _ => {}
        }
        paths.iter().any(|p| {
            let mut todo = vec![self.k.canonical(p.as_str())];
            let mut steps = 0;
            while let Some(path) = todo.pop() {
                steps += 1;
                if let Some(Item::Function(spec)) = self.k.item(path)
                    && self.k.call(spec).call.answers
                {
                    return true;
                }
                if steps < 16
                    && let Some((_, class)) = self.k.error_class(path)
                {
                    todo.extend(class.bases.iter().map(|b| self.k.canonical(b)));
                }
            }
            false
        })
    }
}

fn only_raises(m: &Module, func: FuncRef) -> bool {
    let body = &m.func(func.func).body.0;
    body.iter().any(|s| matches!(s.kind, StmtKind::Raise { .. }))
}

/// Nothing but a docstring, `pass`, `...` or `raise NotImplementedError`.
fn is_abstract(m: &Module, func: FuncRef) -> bool {
    m.func(func.func).body.0.iter().all(|s| match &s.kind {
        StmtKind::Raise { .. } => true,
        StmtKind::Expr(expr) => matches!(m.expr(*expr).kind, ExprKind::Str(_) | ExprKind::Literal),
        StmtKind::Unknown(parts) => parts.is_empty(),
        _ => false,
    })
}
