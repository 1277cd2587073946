//! Objects that Python's own library makes of what it is given: named tuples, namespaces, classes made by a call.
//!
//! In: the path of a function and its arguments. Out: a value. What a library does with a driver's objects is not known here.

use super::Interp;
use super::call::Args;
use crate::core::Symbol;
use crate::resolve::value::{ExprRef, Obj, ObjId, Value};

impl Interp<'_> {
    /// Objects and functions that the standard library makes of what it is given. `x()` stands for what a call of `x` gave.
    pub(super) fn made_object(&mut self, path: Symbol, args: &Args, at: ExprRef) -> Option<Value> {
        let first = args.pos.first().copied();
        let later = |this: &mut Self, call: &str| {
            let call = this.v.one(Obj::External(Symbol::new(call)));
            this.v.one(Obj::Partial(call, args.pos.clone(), args.kw.clone()))
        };
        Some(match path.as_str() {
            "types.SimpleNamespace" => self.object_with(&args.kw, at),
            "type" if args.pos.len() == 3 => {
                let body = self.v.list(args.pos[2]).into_iter().next()?;
                let entries: Vec<(Symbol, Value)> = self
                    .keys(body)
                    .into_iter()
                    .map(|key| {
                        let value = self.heap_get((body, Symbol::new(&format!("[{key}]"))));
                        (key, value.unwrap_or(Value::UNKNOWN))
                    })
                    .collect();
                let object = self.object_with(&[], at);
                let this = self.v.objs(object)[0];
                for (name, value) in entries {
                    let bound = self.bind_to(this, value);
                    self.heap_join((this, name), bound);
                }
                // The class: a function that gives its object.
                self.v.one(Obj::Partial(Value::UNKNOWN, vec![object], Vec::new()))
            }
            "types.MethodType" => {
                let this = self.v.list(*args.pos.get(1)?).into_iter().next()?;
                self.bind_to(this, first?)
            }
            "collections.namedtuple" => later(self, "collections.namedtuple()"),
            "collections.namedtuple()" => {
                let names = self.field_names(*args.pos.get(1)?)?;
                let given = args.pos.iter().skip(2).copied();
                let mut fields: Vec<(Symbol, Value)> = names.into_iter().zip(given).collect();
                fields.extend(args.kw.iter().copied());
                self.object_with(&fields, at)
            }
            "collections.defaultdict" => {
                let dict = self.new_dict(at);
                let value = match first {
                    Some(factory) => self.call(factory, &Args::default(), at),
                    None => Value::UNKNOWN,
                };
                self.heap_join((dict, Symbol::new("*")), value);
                self.v.single(dict)
            }
            // The object comes first, whatever else is given.
            "functools.partialmethod" => {
                let (&method, given) = args.pos.split_first()?;
                let given = self.v.one(Obj::Tuple(given.to_vec()));
                let call = self.v.one(Obj::External(Symbol::new("functools.partialmethod()")));
                self.v.one(Obj::Partial(call, vec![method, given], args.kw.clone()))
            }
            "functools.partialmethod()" => {
                let [method, given, this, ref more @ ..] = args.pos[..] else {
                    return None;
                };
                let Some(Obj::Tuple(given)) = self.v.only(given).cloned() else {
                    return None;
                };
                let mut pos = vec![this];
                pos.extend(given);
                pos.extend(more);
                let args = Args {
                    kw: args.kw.clone(),
                    ..Args::positional(pos)
                };
                self.call(method, &args, at)
            }
            "object.__new__" => {
                let class = self.v.list(first?).into_iter().find_map(|o| match self.v.get(o) {
                    Obj::Class(class) => Some(*class),
                    _ => None,
                })?;
                let made = self.made(at);
                self.v.one(Obj::Instance(class, Some(made)))
            }
            "operator.methodcaller" => later(self, "operator.methodcaller()"),
            "operator.methodcaller()" => {
                let (&object, given) = args.pos.split_last()?;
                let (&name, given) = given.split_first()?;
                let method = self.v.text(name).map(|name| self.attr(object, name, at))?;
                let args = Args {
                    kw: args.kw.clone(),
                    ..Args::positional(given.to_vec())
                };
                self.call(method, &args, at)
            }
            _ => return None,
        })
    }

    /// An object of no class of the program, with these attributes.
    fn object_with(&mut self, fields: &[(Symbol, Value)], at: ExprRef) -> Value {
        let object = self.new_dict(at);
        for (name, value) in fields {
            self.heap_join((object, *name), *value);
        }
        self.v.single(object)
    }

    fn bind_to(&mut self, this: ObjId, functions: Value) -> Value {
        let functions = self.v.list(functions).into_iter();
        let bound = functions.map(|f| match self.v.get(f) {
            Obj::Func(..) => self.v.obj(Obj::Bound(this, f)),
            _ => f,
        });
        let bound = bound.collect();
        self.v.set(bound)
    }

    /// `"a b"`, `"a, b"`, `["a", "b"]`.
    fn field_names(&mut self, names: Value) -> Option<Vec<Symbol>> {
        if let Some(text) = self.v.text(names) {
            let parts = text.as_str().split([',', ' ']).filter(|p| !p.is_empty());
            return Some(parts.map(Symbol::new).collect());
        }
        let obj = *self.v.objs(names).first()?;
        let items = match self.v.get(obj).clone() {
            Obj::Tuple(items) => items,
            Obj::List(_) => (0..self.keys(obj).len())
                .map(|index| self.heap_get((obj, Symbol::new(&format!("[{index}]")))))
                .collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        items.into_iter().map(|item| self.v.text(item)).collect()
    }
}
