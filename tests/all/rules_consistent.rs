//! Library files lead somewhere: every name in them exists, every version requirement parses, every driver has samples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use reconnect_lint::core::Language;
use reconnect_lint::findings::Code;
use reconnect_lint::knowledge::{
    CallSpec, GuardSpec, Knowledge, LanguageName, LibraryFile, Requirement, Role, TypeSpec,
};

struct Loaded {
    path: PathBuf,
    file: LibraryFile,
}

fn load() -> Vec<Loaded> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let path = entry.expect("the rules folder can be read").into_path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(&path).expect("a rules file can be read");
            let file = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push(Loaded { path, file });
        }
    }
    found
}

/// Collects complaints, so that one run shows all of them.
struct Check<'a> {
    files: BTreeMap<&'a str, &'a LibraryFile>,
    errors: BTreeSet<&'a str>,
    this: &'a Loaded,
    complaints: Vec<String>,
}

impl Check<'_> {
    fn complain(&mut self, place: &str, text: &str) {
        let file = self
            .this
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.complaints.push(format!("{file}: {place}: {text}"));
    }

    fn versions(&mut self, place: &str, requirement: Option<&String>) {
        if let Some(text) = requirement
            && let Err(error) = text.parse::<Requirement>()
        {
            self.complain(place, &error);
        }
    }

    /// The file that a reference without `library:` may mean besides this one.
    fn driver(&self) -> Option<&LibraryFile> {
        self.this
            .file
            .library
            .driver
            .as_deref()
            .and_then(|d| self.files.get(d).copied())
    }

    fn behaviour(&mut self, place: &str, name: Option<&String>) {
        let Some(name) = name.filter(|n| *n != "none") else {
            return;
        };
        let found = match name.split_once(':') {
            Some((library, rest)) => self.files.get(library).is_some_and(|f| f.behaviours.contains_key(rest)),
            None => {
                self.this.file.behaviours.contains_key(name)
                    || self.driver().is_some_and(|f| f.behaviours.contains_key(name))
            }
        };
        if !found {
            self.complain(place, &format!("no behaviour `{name}`"));
        }
    }

    fn ty(&mut self, place: &str, name: Option<&String>) {
        let Some(name) = name else { return };
        if let Some(parts) = name.strip_prefix("tuple:") {
            for part in parts.split(',') {
                self.ty(place, Some(&part.trim().to_owned()));
            }
            return;
        }
        let name = name
            .strip_prefix("list:")
            .or_else(|| name.strip_prefix("class:"))
            .unwrap_or(name);
        if matches!(
            name,
            "self" | "inner" | "argument" | "unknown" | "none" | "list" | "dict"
        ) {
            return;
        }
        let found = match name.split_once(':') {
            Some((library, rest)) => self.files.get(library).is_some_and(|f| f.types.contains_key(rest)),
            None => {
                self.this.file.types.contains_key(name) || self.driver().is_some_and(|f| f.types.contains_key(name))
            }
        };
        if !found {
            self.complain(place, &format!("no type `{name}`"));
        }
    }

    fn class(&mut self, place: &str, path: &str) {
        if !self.errors.contains(path) {
            self.complain(place, &format!("no exception class `{path}`"));
        }
    }

    fn guard(&mut self, place: &str, guard: &GuardSpec) {
        self.versions(place, guard.versions.as_ref());
        self.versions(place, guard.driver_versions.as_ref());
        for class in &guard.default {
            self.class(place, class);
        }
    }

    fn call(&mut self, place: &str, call: &CallSpec) {
        self.versions(place, call.versions.as_ref());
        self.behaviour(place, call.trip.as_ref());
        self.ty(place, call.gives.as_ref());
        if let Some(class) = &call.raises {
            self.class(place, class);
        }
        if let Some(guard) = &call.guard {
            self.guard(place, guard);
        }
        for when in &call.when {
            self.versions(place, when.versions.as_ref());
            self.behaviour(place, when.trip.as_ref());
            self.ty(place, when.gives.as_ref());
        }
    }

    fn of_type(&mut self, key: &str, ty: &TypeSpec) {
        self.versions(key, ty.versions.as_ref());
        self.ty(key, ty.base.as_ref());
        self.ty(key, ty.attribute.as_ref());
        self.ty(key, ty.element.as_ref());
        self.ty(key, ty.enter.as_ref());
        self.behaviour(key, ty.truth.as_ref());
        if let Some(iterate) = &ty.iterate {
            self.behaviour(key, Some(&iterate.first));
            self.behaviour(key, iterate.rest.as_ref());
        }
        if let Some(guard) = &ty.guards {
            self.guard(key, guard);
        }
        for (name, target) in ty.attributes.iter().chain(&ty.class_attributes) {
            self.ty(&format!("{key}.{name}"), Some(target));
        }
        let single = [
            &ty.constructor,
            &ty.index,
            &ty.slice,
            &ty.call,
            &ty.on_await,
            &ty.on_enter,
            &ty.on_exit,
        ];
        for call in single.into_iter().flatten() {
            self.call(key, call);
        }
        for (name, call) in ty.methods.iter().chain(&ty.class_methods).chain(&ty.properties) {
            self.call(&format!("{key}.{name}"), call);
        }
    }
}

#[test]
fn every_name_in_a_library_file_exists() {
    let loaded = load();
    let mut complaints = Vec::new();
    for this in &loaded {
        let language = this.file.library.language;
        let same = || loaded.iter().filter(move |l| l.file.library.language == language);
        let mut check = Check {
            files: same().map(|l| (l.file.library.name.as_str(), &l.file)).collect(),
            errors: same()
                .flat_map(|l| l.file.errors.classes.keys().map(String::as_str))
                .collect(),
            this,
            complaints: Vec::new(),
        };
        let file = &this.file;
        if let Some(driver) = file
            .library
            .driver
            .as_ref()
            .filter(|d| !check.files.contains_key(d.as_str()))
        {
            check.complain("library", &format!("no library `{driver}`"));
        }
        if matches!(file.library.role, Role::Driver | Role::Layer) != file.library.store.is_some() {
            check.complain("library", "drivers and layers, and no others, name a store");
        }
        for implied in &file.library.implies {
            check.versions("library.implies", implied.versions.as_ref());
            check.versions("library.implies", Some(&format!("=={}", implied.driver)));
        }
        if let Some(oldest) = &file.library.oldest {
            check.versions("library.oldest", Some(&format!("=={oldest}")));
        }
        for (from, to) in &file.aliases {
            if from.ends_with(".*") != to.ends_with(".*") || from == to {
                check.complain(from, "an alias of a prefix needs `.*` on both sides");
            }
        }
        for loss in &file.errors.loss {
            check.versions("errors.loss", loss.versions.as_ref());
            for class in &loss.classes {
                if matches!(language, LanguageName::Python) {
                    check.class("errors.loss", class);
                }
            }
        }
        for (path, class) in &file.errors.classes {
            check.versions(path, class.versions.as_ref());
            for base in &class.bases {
                check.class(path, base);
            }
        }
        for (name, gates) in &file.behaviours {
            if gates.is_empty() {
                check.complain(name, "a behaviour needs a gate");
            }
            for gate in gates {
                check.versions(name, gate.versions.as_ref());
                for option in gate
                    .with
                    .keys()
                    .chain(gate.without.keys())
                    .flat_map(|names| names.split('+'))
                {
                    if !file.options.iter().any(|o| o.name == option) && !file.sets(option) {
                        check.complain(name, &format!("no option `{option}`"));
                    }
                }
            }
        }
        for (key, ty) in &file.types {
            check.of_type(key, ty);
        }
        for (path, call) in &file.functions {
            check.call(path, call);
        }
        for option in &file.options {
            check.versions(&option.name, option.versions.as_ref());
            for ty in option.on.iter().filter(|on| !on.contains('.')) {
                check.ty(&option.name, Some(ty));
            }
            if let Some(code) = &option.code
                && code.parse::<Code>().is_err()
            {
                check.complain(&option.name, &format!("`{code}` is no code"));
            }
        }
        for ty in file.conventions.keys() {
            check.ty("conventions", Some(ty));
        }
        for broken in &file.broken {
            check.versions(&broken.path, broken.versions.as_ref());
            check.versions(&broken.path, broken.driver_versions.as_ref());
        }
        complaints.append(&mut check.complaints);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_index_over_all_files_has_no_defects() {
    for language in [Language::Python, Language::Rust] {
        let files = load()
            .into_iter()
            .map(|l| l.file)
            .filter(|f| Language::from(f.library.language) == language);
        let (_, errors) = Knowledge::new(files.collect());
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}

#[test]
fn every_driver_has_a_firing_and_a_quiet_sample() {
    for Loaded { path, file } in load() {
        let marker = |code: &str| code.contains("#! RL") || code.contains("//~ RL");
        if matches!(file.library.role, Role::Driver | Role::Layer) {
            assert!(
                file.samples.iter().any(|s| marker(&s.code)),
                "{}: no sample that fires",
                path.display()
            );
            assert!(
                file.samples.iter().any(|s| !marker(&s.code)),
                "{}: no quiet sample",
                path.display()
            );
        }
    }
}

#[test]
fn samples_expect_codes_that_exist() {
    for Loaded { path, file } in load() {
        for sample in &file.samples {
            for line in sample.code.lines() {
                let Some((_, codes)) = line.split_once("#! ").or_else(|| line.split_once("//~ ")) else {
                    continue;
                };
                for code in codes.split(['|', ',', ' ']).filter(|c| !c.is_empty()) {
                    let known = code
                        .parse::<Code>()
                        .is_ok_and(|c| reconnect_lint::lints::texts::find(&c.to_string()).is_some());
                    assert!(known, "{}: sample `{}`: no rule `{code}`", path.display(), sample.name);
                }
            }
        }
    }
}
