//! The files of the SQL and Redis libraries name only what exists, and each has a sample that fires and one that does not.

use std::collections::BTreeSet;
use std::path::Path;

use reconnect_lint::knowledge::{CallSpec, LibraryFile, Loss, Requirement, Role, When};

const STORES: [&str; 4] = ["redis", "mysql", "postgresql", "sql"];

fn files() -> Vec<(String, LibraryFile)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/python/drivers")) {
        let entry = entry.expect("the rules folder can be read");
        if entry.path().extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(entry.path()).expect("a rules file can be read");
            let file: LibraryFile =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
            if file
                .library
                .store
                .as_deref()
                .is_some_and(|store| STORES.contains(&store))
            {
                found.push((entry.file_name().to_string_lossy().into_owned(), file));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Collects what a file gets wrong.
struct Check<'a> {
    file: &'a LibraryFile,
    /// Every library, for `library:type`.
    all: &'a [(String, LibraryFile)],
    wrong: Vec<String>,
}

impl Check<'_> {
    fn gives(&mut self, at: &str, name: &str) {
        if matches!(name, "self" | "argument" | "list" | "dict" | "") {
            return;
        }
        let name = name.strip_prefix("class:").unwrap_or(name);
        let known = match name.split_once(':') {
            Some((library, ty)) => self
                .all
                .iter()
                .any(|(_, f)| f.library.name == library && f.types.contains_key(ty)),
            None => self.file.types.contains_key(name),
        };
        if !known {
            self.wrong.push(format!("{at}: no type `{name}`"));
        }
    }

    fn behaviour(&mut self, at: &str, name: &str) {
        if name != "none" && !self.file.behaviours.contains_key(name) {
            self.wrong.push(format!("{at}: no behaviour `{name}`"));
        }
    }

    fn versions(&mut self, at: &str, text: Option<&String>) {
        if let Some(Err(error)) = text.map(|t| t.parse::<Requirement>()) {
            self.wrong.push(format!("{at}: {error}"));
        }
    }

    fn error(&mut self, at: &str, class: &str) {
        let builtin = !class.contains('.');
        if !builtin && !self.all.iter().any(|(_, f)| f.errors.classes.contains_key(class)) {
            self.wrong.push(format!("{at}: no error class `{class}`"));
        }
    }

    fn loss(&mut self, at: &str, loss: &[Loss]) {
        for line in loss {
            self.versions(at, line.versions.as_ref());
            for class in line.classes.iter().chain(&line.then) {
                self.error(at, class);
            }
        }
    }

    fn path(&mut self, at: &str, path: &str) {
        let f = self.file;
        let known = f.types.contains_key(path)
            || f.functions.contains_key(path)
            || f.types.values().any(|t| t.paths.iter().any(|p| p == path))
            || path
                .split_once('.')
                .and_then(|(ty, method)| Some((self.resolve(ty)?, method)))
                .is_some_and(|(chain, m)| {
                    chain.iter().any(|t| {
                        let t = &f.types[*t];
                        t.methods.contains_key(m)
                            || t.class_methods.contains_key(m)
                            || t.groups.iter().any(|g| g.names.iter().any(|n| n == m))
                    })
                });
        if !known {
            self.wrong
                .push(format!("{at}: no type, constructor, function or method `{path}`"));
        }
    }

    /// The type and its bases within the file.
    fn resolve(&self, name: &str) -> Option<Vec<&str>> {
        let mut chain = Vec::new();
        let mut next = self.file.types.get_key_value(name);
        while let Some((name, ty)) = next {
            if chain.contains(&name.as_str()) {
                break;
            }
            chain.push(name.as_str());
            next = ty.base.as_ref().and_then(|base| self.file.types.get_key_value(base));
        }
        (!chain.is_empty()).then_some(chain)
    }

    fn when(&mut self, at: &str, when: &When) {
        self.versions(at, when.versions.as_ref());
        if let Some(trip) = &when.trip {
            self.behaviour(at, trip);
        }
        if let Some(gives) = &when.gives {
            self.gives(at, gives);
        }
        for path in when.called.iter().chain(&when.holds) {
            let foreign = self.file.types.keys().all(|t| path.split('.').next() != Some(t));
            if !foreign || self.file.functions.contains_key(path) {
                self.path(at, path);
            }
        }
    }

    fn call(&mut self, at: &str, call: &CallSpec) {
        self.versions(at, call.versions.as_ref());
        if let Some(trip) = &call.trip {
            self.behaviour(at, trip);
        }
        if let Some(gives) = &call.gives {
            self.gives(at, gives);
        }
        if let Some(class) = &call.raises {
            self.error(at, class);
        }
        for when in &call.when {
            self.when(at, when);
        }
    }
}

#[test]
fn sql_and_redis_files_name_only_what_exists() {
    let all = files();
    let mut wrong = Vec::new();
    for (name, file) in &all {
        let mut check = Check {
            file,
            all: &all,
            wrong: Vec::new(),
        };
        check.versions("oldest", None);
        check.loss("errors.loss", &file.errors.loss);
        for (class, spec) in &file.errors.classes {
            check.versions(class, spec.versions.as_ref());
            for base in &spec.bases {
                check.error(class, base);
            }
        }
        for (behaviour, gates) in &file.behaviours {
            for gate in gates {
                check.versions(behaviour, gate.versions.as_ref());
            }
            if gates.last().is_none_or(|gate| gate.versions.is_some()) {
                check
                    .wrong
                    .push(format!("behaviours.{behaviour}: some versions match no gate"));
            }
        }
        for (ty, spec) in &file.types {
            check.versions(ty, spec.versions.as_ref());
            check.loss(ty, &spec.loss);
            if let Some(base) = &spec.base {
                check.gives(ty, base);
            }
            for to in spec.attributes.values().chain(spec.class_attributes.values()) {
                check.gives(ty, to);
            }
            for to in [&spec.attribute, &spec.element, &spec.enter].into_iter().flatten() {
                check.gives(ty, to);
            }
            for trip in spec
                .truth
                .iter()
                .chain(spec.iterate.iter().flat_map(|i| i.rest.iter().chain([&i.first])))
            {
                check.behaviour(ty, trip);
            }
            let calls = [
                &spec.constructor,
                &spec.index,
                &spec.call,
                &spec.on_await,
                &spec.on_enter,
                &spec.on_exit,
            ];
            for call in calls.into_iter().flatten() {
                check.call(ty, call);
            }
            for (method, call) in spec.methods.iter().chain(&spec.class_methods).chain(&spec.properties) {
                check.call(&format!("{ty}.{method}"), call);
            }
            let mut seen = BTreeSet::new();
            for group in &spec.groups {
                check.call(&format!("{ty}.groups"), &group.does);
                for method in &group.names {
                    if !seen.insert(method) {
                        check.wrong.push(format!("{ty}.{method} is described twice"));
                    }
                }
            }
        }
        for (function, call) in &file.functions {
            check.call(function, call);
        }
        for ty in file.objects.values().chain(file.conventions.keys()) {
            check.gives("objects and conventions", ty);
        }
        for setting in &file.settings {
            check.versions(&setting.name, setting.versions.as_ref());
            check.path(&setting.name, &setting.on);
        }
        for option in &file.options {
            let at = format!("option {}", option.name);
            check.versions(&at, option.versions.as_ref());
            for on in &option.on {
                check.path(&at, on);
            }
            for when in option.only.iter().chain(&option.unless) {
                check.when(&at, when);
            }
            if option.code.is_some() && (option.why.is_empty() || option.help.is_empty()) {
                check.wrong.push(format!("{at}: reported without a reason or a help"));
            }
        }
        for broken in &file.broken {
            check.versions(&broken.path, broken.versions.as_ref());
            check.path(&broken.path, &broken.path);
            for when in &broken.only {
                check.when(&broken.path, when);
            }
        }
        wrong.extend(check.wrong.into_iter().map(|w| format!("{name}: {w}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_and_redis_files_have_samples_that_fire_and_that_do_not() {
    for (name, file) in files() {
        if !matches!(file.library.role, Role::Driver | Role::Layer) {
            continue;
        }
        let fires = |code: &str| code.contains("#! RL");
        assert!(file.samples.iter().any(|s| fires(&s.code)), "{name}: no sample fires");
        assert!(
            file.samples.iter().any(|s| !fires(&s.code)),
            "{name}: no sample is quiet"
        );
        let mut names = BTreeSet::new();
        for sample in &file.samples {
            assert!(
                names.insert(sample.name.clone()),
                "{name}: two samples are called `{}`",
                sample.name
            );
            for line in sample.code.lines() {
                if let Some((_, codes)) = line.split_once("#!").or_else(|| line.split_once("#?")) {
                    let known = codes.trim().split('|').all(|c| c.len() == 5 && c.starts_with("RL"));
                    assert!(known, "{name}: `{}` is no marker", line.trim());
                }
            }
        }
        assert!(file.library.oldest.is_some(), "{name}: no oldest version");
        assert!(file.help.contains_key("default"), "{name}: no default help");
    }
}
