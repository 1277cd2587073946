//! How clients are configured: options given, left out or wrong, and parts that are known not to work.

use super::Interp;
use super::call::Args;
use super::flight::Place;
use crate::core::Symbol;
use crate::knowledge::{ArgRef, Broken, LibId, Literal, OptionSpec, When, matches};
use crate::resolve::value::{ClassRef, ExprRef, Obj, Value};

/// Something to report about a constructor or another call that takes options.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The call.
    pub at: ExprRef,
    /// For a method: where its object was opened.
    pub origin: Option<ExprRef>,
    /// The rule's number.
    pub code: u16,
    /// Where it is reported: the option's own place, or the call's.
    pub place: Place,
    /// The option and its value, as written; empty for a part that does not work.
    pub option: String,
    /// The value, if one is given.
    pub value: Option<String>,
    /// The library.
    pub lib: LibId,
    /// Severity, if not the rule's own.
    pub severity: Option<String>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub help: String,
    /// Not true of the least version that the manifests allow, only of these.
    pub since: Option<String>,
    /// Only where the client outlives a unit of work.
    pub kept: bool,
    /// Only where nothing handles what the call raises.
    pub unless_guarded: bool,
    /// Calls elsewhere in the program that make it quiet.
    quiet_by: Vec<When>,
    /// Only where one of these libraries is inside.
    inside: Vec<String>,
}

impl Interp<'_> {
    /// A call that library files may have something to say about, by its keys.
    pub(super) fn configured(&mut self, keys: &[Symbol], args: &Args, class: Option<ClassRef>, at: ExprRef) {
        self.configured_on(keys, args, class, at, None);
    }

    /// The same, of a method of an object that was opened there.
    pub(super) fn configured_on(
        &mut self,
        keys: &[Symbol],
        args: &Args,
        class: Option<ClassRef>,
        at: ExprRef,
        origin: Option<ExprRef>,
    ) {
        let k = self.k;
        for key in keys {
            let calls = self.called_keys.entry(*key).or_default();
            if calls.len() < 16 {
                calls.push(args.clone());
            }
        }
        let options = k.options_of(keys);
        let broken = k.broken_of(keys);
        if options.is_empty() && broken.is_empty() {
            return;
        }
        let args = self.all_options(args);
        for (lib, option) in options {
            if !self.is_hooked(option, class)
                && let Some(found) = self.option(lib, option, &args, at)
            {
                self.add_configured(found);
            }
        }
        for (lib, part) in broken {
            if self.is_broken(lib, part, &args, class, at) {
                let place = self.place_of(at);
                self.add_configured(Configured {
                    at,
                    origin,
                    code: 303,
                    place,
                    option: String::new(),
                    value: None,
                    lib,
                    severity: None,
                    why: part.why.clone(),
                    help: part.help.clone(),
                    since: None,
                    kept: false,
                    unless_guarded: part.unless_guarded,
                    quiet_by: Vec::new(),
                    inside: Vec::new(),
                });
            }
        }
    }

    pub(super) fn add_configured(&mut self, found: Configured) {
        let same = |c: &Configured| {
            c.place == found.place && c.code == found.code && c.option == found.option && c.inside == found.inside
        };
        if !self.out.configured.iter().any(same) {
            self.out.configured.push(found);
        }
    }

    /// The arguments together with what a connection string among them says.
    fn all_options(&mut self, args: &Args) -> Args {
        let mut all = args.clone();
        all.kw = args
            .kw
            .iter()
            .map(|(n, v)| (Symbol::new(&n.as_str().to_ascii_lowercase()), *v))
            .collect();
        let texts: Vec<Value> = args
            .pos
            .iter()
            .copied()
            .chain(args.kw.iter().map(|(_, v)| *v))
            .collect();
        for value in texts {
            let Some(text) = self.v.text(value).map(Symbol::as_str) else {
                continue;
            };
            if !text.contains("://") {
                continue;
            }
            // What stands in an unknown part may be an option.
            let query = text.split_once('?').map(|(_, q)| q);
            all.open |= query.is_some_and(|q| q.contains('\u{fffd}'));
            for pair in query.unwrap_or_default().split('&') {
                let Some((name, value)) = pair.split_once('=') else {
                    continue;
                };
                let name = Symbol::new(&name.to_ascii_lowercase());
                if all.kw.iter().all(|(n, _)| *n != name) {
                    let known = (!value.contains('\u{fffd}')).then(|| Symbol::new(value));
                    let value = self.v.one(Obj::Str(known, None));
                    all.kw.push((name, value));
                }
            }
        }
        all
    }

    /// A method of the project's class sets the option on the way.
    pub(super) fn is_hooked(&mut self, option: &OptionSpec, class: Option<ClassRef>) -> bool {
        let Some(class) = class else { return false };
        let obj = self.v.obj(Obj::Class(class));
        option.hooks.iter().any(|hook| {
            let Some(method) = self.class_attr(class, obj, Symbol::new(hook)) else {
                return false;
            };
            let func = self.v.list(method).into_iter().find_map(|o| self.function_of(o));
            let span = func.and_then(|f| self.with_func(f, |d| d.span).map(|span| (f.unit, span)));
            span.is_some_and(|(unit, span)| {
                let text = self.world.text(unit);
                text.get(span.range()).is_some_and(|t| t.contains(option.name.as_str()))
            })
        })
    }

    pub(super) fn option(&mut self, lib: LibId, option: &OptionSpec, args: &Args, at: ExprRef) -> Option<Configured> {
        let known = self.assumed(at.unit, lib);
        if option.pools {
            let mut any = |list: &[When]| list.iter().any(|w| self.holds(&lower(w), lib, None, args, at));
            if any(&option.only) && !any(&option.unless) {
                self.out.pooled_ambient.insert(self.k.library(lib).driver);
            }
            return None;
        }
        let code: u16 = option.code.as_ref()?.strip_prefix("RL")?.parse().ok()?;
        // An open range installs the newest: that has the option.
        let of_least = matches(option.versions.as_deref(), known.release);
        if !of_least && !matches(option.versions.as_deref(), known.newest) {
            return None;
        }
        let names: Vec<String> = std::iter::once(&option.name)
            .chain(&option.spellings)
            .map(|n| n.to_ascii_lowercase())
            .collect();
        let given = args.kw.iter().position(|(n, _)| names.iter().any(|m| m == n.as_str()));
        let value = given.map(|i| args.kw[i].1);
        let text = value.and_then(|v| self.value_text(v));
        if option.missing {
            // A connection string that is not known at all seldom carries the option; other open ends may.
            if given.is_some() || args.open {
                return None;
            }
        } else if !option.values.is_empty() {
            let text = text.as_ref()?;
            if !option.values.iter().any(|v| same(v, text)) {
                return None;
            }
        } else if option.only.is_empty() {
            return None;
        }
        let (only, unless) = (option.only.clone(), option.unless.clone());
        let mut shown = given;
        if !only.is_empty() {
            let found = only.iter().find(|w| self.holds(&lower(w), lib, None, args, at))?;
            if let Some(reference) = found.arg.as_ref().filter(|_| given.is_none()) {
                shown = Self::position(args, &lower_arg(reference));
            }
        }
        let (called, others): (Vec<When>, Vec<When>) = unless.into_iter().partition(|w| w.called.is_some());
        if others.iter().any(|w| self.holds(&lower(w), lib, None, args, at)) {
            return None;
        }
        let by_argument = given.is_some() || !only.is_empty();
        let shown = shown.filter(|_| by_argument);
        let elsewhere = shown.and_then(|i| args.elsewhere.iter().find(|(n, _)| *n == args.kw[i].0));
        let place = match shown.and_then(|i| args.places.get(args.pos.len() + i)) {
            _ if elsewhere.is_some() => self.place_of(elsewhere.map_or(at, |(_, at)| *at)),
            Some(&place) => self.place_of(ExprRef {
                unit: at.unit,
                expr: place,
            }),
            None => self.place_of(at),
        };
        Some(Configured {
            at,
            origin: None,
            code,
            place,
            option: option.name.clone(),
            value: text,
            lib,
            severity: option.severity.clone(),
            why: option.why.clone(),
            help: option.help.clone(),
            since: option.versions.clone().filter(|_| !of_least),
            kept: option.kept,
            unless_guarded: false,
            quiet_by: called,
            inside: option.inside.clone(),
        })
    }

    fn position(args: &Args, reference: &ArgRef) -> Option<usize> {
        let name = match reference {
            ArgRef::Name(name) | ArgRef::Either(_, name) => name,
            ArgRef::Position(_) => return None,
        };
        args.kw.iter().position(|(n, _)| n.as_str().eq_ignore_ascii_case(name))
    }

    /// A literal as text.
    pub(super) fn value_text(&self, value: Value) -> Option<String> {
        match self.v.only(value)? {
            Obj::Str(Some(text), _) => Some(text.as_str().to_owned()),
            Obj::Bool(Some(b)) => Some(b.to_string()),
            Obj::Int(i) => Some(i.to_string()),
            Obj::None => Some("none".into()),
            _ => None,
        }
    }

    fn is_broken(&mut self, lib: LibId, part: &Broken, args: &Args, class: Option<ClassRef>, at: ExprRef) -> bool {
        let driver = self.k.library(lib).driver;
        let own = self.assumed(at.unit, lib).release;
        let driver = self.assumed(at.unit, driver).release;
        if !matches(part.versions.as_deref(), own) || !matches(part.driver_versions.as_deref(), driver) {
            return false;
        }
        if args.open && !part.unless.is_empty() || part.unless.iter().any(|r| Self::arg(args, &lower_arg(r)).is_some())
        {
            return false;
        }
        if !part.only.is_empty() && !part.only.iter().any(|w| self.holds(&lower(w), lib, None, args, at)) {
            return false;
        }
        if !part.together.is_empty() {
            let Some(info) = class.and_then(|c| self.classes.get(&c)) else {
                return false;
            };
            let outside: Vec<Symbol> = info.outside.iter().map(|p| self.k.canonical(p.as_str())).collect();
            if !part.together.iter().any(|t| outside.contains(&self.k.canonical(t))) {
                return false;
            }
        }
        if !part.unless_defines.is_empty()
            && let Some(class) = class
        {
            let obj = self.v.obj(Obj::Class(class));
            let defines = part
                .unless_defines
                .iter()
                .any(|n| self.class_attr(class, obj, Symbol::new(n)).is_some());
            if defines {
                return false;
            }
        }
        true
    }

    /// At the end of a round: what other calls of the program make quiet.
    pub(super) fn conclude_configured(&mut self) {
        let found = std::mem::take(&mut self.out.configured);
        for one in found {
            let quiet = one.quiet_by.clone();
            let inside = one.inside.is_empty() || self.rust_is_inside(one.place, &one.inside);
            if inside && !quiet.iter().any(|w| self.is_called(w, one.lib)) {
                self.out.configured.push(one);
            }
        }
    }

    /// The project makes such a call somewhere.
    fn is_called(&mut self, when: &When, lib: LibId) -> bool {
        let Some(on) = &when.called else { return false };
        let library = &self.k.library(lib).file.library.name;
        let keys = [self.k.canonical(on), Symbol::new(&format!("{library}#{on}"))];
        let calls: Vec<Args> = keys
            .iter()
            .filter_map(|k| self.called_keys.get(k))
            .flatten()
            .cloned()
            .collect();
        let bare = When {
            called: None,
            ..when.clone()
        };
        let unconditional = bare.arg.is_none();
        let Some(unit) = self.module_list.first().copied() else {
            return false;
        };
        let at = ExprRef {
            unit,
            expr: crate::core::ExprId(0),
        };
        calls
            .iter()
            .any(|args| unconditional || self.holds(&bare, lib, None, args, at))
    }
}

/// Names of arguments in lower case, as connection strings and keywords are compared.
fn lower(when: &When) -> When {
    When {
        arg: when.arg.as_ref().map(lower_arg),
        ..when.clone()
    }
}

fn lower_arg(reference: &ArgRef) -> ArgRef {
    match reference {
        ArgRef::Name(name) => ArgRef::Name(name.to_ascii_lowercase()),
        ArgRef::Either(index, name) => ArgRef::Either(*index, name.to_ascii_lowercase()),
        ArgRef::Position(index) => ArgRef::Position(*index),
    }
}

fn same(literal: &Literal, text: &str) -> bool {
    match literal {
        Literal::Bool(b) => text.eq_ignore_ascii_case(&b.to_string()),
        Literal::Int(i) => text == i.to_string(),
        Literal::Text(t) => text.eq_ignore_ascii_case(t),
    }
}
