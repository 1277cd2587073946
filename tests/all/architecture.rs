//! ARCHITECTURE.md is true: modules use only what its table allows, and engine code names no library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use reconnect_lint::knowledge::{LIBRARIES, Role};
use syn::visit::Visit;

/// Folders that know no library by name.
const ENGINE: [&str; 5] = ["core", "syntax", "resolve", "flow", "lints"];

/// Names of libraries that are ordinary words: alone in a text they mean nothing.
const WORDS: [&str; 6] = ["again", "click", "environ", "log", "retry", "schedule"];

/// Names in engine code that cannot be data: file, name, reason.
const ALLOWED: &[(&str, &str, &str)] = &[(
    "src/lints/environment.rs",
    "mongodb",
    "RL401 is a rule about this store's environment variables",
)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(below)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("the sources can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The table of ARCHITECTURE.md: each module and those that it may use.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, rest) = text
        .split_once("<!-- dependencies:begin -->")
        .expect("ARCHITECTURE.md has the table");
    let (table, _) = rest
        .split_once("<!-- dependencies:end -->")
        .expect("the table has an end");
    let names = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|');
            let module = names(cells.next().unwrap_or_default())
                .pop()
                .expect("a row begins with a module");
            (module, names(cells.next().unwrap_or_default()).into_iter().collect())
        })
        .collect()
}

/// What each module of the crate uses, and the first file that does so.
fn used() -> BTreeMap<String, BTreeMap<String, String>> {
    let src = root().join("src");
    let mut used: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).expect("below src");
        let first = relative.iter().next().expect("a file has a name").to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let edges = used.entry(module.clone()).or_default();
        // Documentation may speak of what the code may not use.
        for line in read(&path).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for rest in line.split("crate::").skip(1) {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                if name != module && !name.is_empty() {
                    edges.entry(name).or_insert_with(|| relative.display().to_string());
                }
            }
        }
    }
    used
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let (allowed, used) = (allowed(), used());
    let mut wrong = Vec::new();
    for (module, edges) in &used {
        let Some(may) = allowed.get(module) else {
            wrong.push(format!("`{module}` is not in the table of ARCHITECTURE.md"));
            continue;
        };
        for (name, file) in edges {
            if !may.contains(name) {
                wrong.push(format!("`{module}` may not use `{name}`, but src/{file} does"));
            }
        }
        for name in may.iter().filter(|name| !edges.contains_key(*name)) {
            wrong.push(format!(
                "the table lets `{module}` use `{name}`, which it does not: take it out"
            ));
        }
    }
    wrong.extend(
        allowed
            .keys()
            .filter(|module| !used.contains_key(*module))
            .map(|module| format!("there is no module `{module}`")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The string literals of code that is no test.
#[derive(Default)]
struct Literals {
    found: Vec<String>,
}

impl Literals {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                        self.found.push(text.value());
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.found.push(literal.value());
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    /// Documentation.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item
            .attrs
            .iter()
            .any(|a| a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test")));
        if !is_test {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// Names of libraries, and whether they are those of a store's client: such a name is suspicious inside of any text, that of
/// a retry library or framework (`retry`, `click`) only where it stands alone or begins a path.
fn names() -> BTreeMap<String, bool> {
    let mut names = BTreeMap::new();
    for library in LIBRARIES.iter().filter(|l| l.role != "std") {
        let file = library.parse();
        let client = matches!(file.library.role, Role::Driver | Role::Layer);
        let all = [&file.library.name]
            .into_iter()
            .chain(&file.library.imports)
            .chain(&file.library.packages);
        let stores = file.library.store.iter();
        for name in all.chain(stores) {
            *names.entry(name.to_lowercase()).or_default() |= client;
        }
    }
    names
}

fn mentions(literal: &str, name: &str, client: bool) -> bool {
    let literal = literal.to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    literal.match_indices(name).any(|(at, _)| {
        let (before, after) = (&literal[..at], &literal[at + name.len()..]);
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        whole
            && (client
                || before.is_empty() && (after.is_empty() && !WORDS.contains(&name) || after.starts_with(['.', ':'])))
    })
}

#[test]
fn engine_code_names_no_library() {
    let names = names();
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for path in ENGINE
        .iter()
        .flat_map(|folder| sources(&root().join("src").join(folder)))
    {
        let shown = path
            .strip_prefix(root())
            .expect("below the root")
            .display()
            .to_string()
            .replace('\\', "/");
        if shown.contains("/tests/") {
            continue;
        }
        let file = syn::parse_file(&read(&path)).unwrap_or_else(|error| panic!("{shown}: {error}"));
        let mut literals = Literals::default();
        literals.visit_file(&file);
        for literal in &literals.found {
            for (name, _) in names.iter().filter(|(name, client)| mentions(literal, name, **client)) {
                match ALLOWED
                    .iter()
                    .position(|(file, allowed, _)| *file == shown && allowed == name)
                {
                    Some(index) => {
                        excused.insert(index);
                    }
                    None => wrong.push(format!("{shown}: {literal:?} names `{name}`")),
                }
            }
        }
    }
    for (index, (file, name, _)) in ALLOWED.iter().enumerate() {
        if !excused.contains(&index) {
            wrong.push(format!("{file}: `{name}` is allowed, but not there any more"));
        }
    }
    assert!(
        wrong.is_empty(),
        "what a library does belongs in rules/:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_name_is_found_in_paths_and_of_clients_in_texts_too() {
    assert!(mentions("pymongo.MongoClient", "pymongo", true));
    assert!(mentions("as pymongo does", "pymongo", true));
    assert!(!mentions("pymongoose", "pymongo", true));
    assert!(mentions("retry.api", "retry", false));
    assert!(!mentions("this retry waits", "retry", false));
    assert!(!mentions("again", "again", false));
    assert!(mentions("tenacity", "tenacity", false));
}
