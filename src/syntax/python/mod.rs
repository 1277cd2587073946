//! The Python front-end: tree-sitter's tree to the core language.
//!
//! In: text. Out: [`core::Module`](crate::core::Module). May not know: drivers, rules, other files.

mod expr;
mod lower;
mod repair;
mod stmt;
mod strings;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::core::{Language, Module, Span, SyntaxError};

/// A file that takes longer than this to parse is given up.
const PARSE_LIMIT: Duration = Duration::from_secs(2);
/// Larger files are generated, and not worth their time.
const MAX_BYTES: usize = 20_000_000;

thread_local! {
    static PARSER: RefCell<Option<tree_sitter::Parser>> = const { RefCell::new(None) };
}

/// Lowers a file. What can't be parsed is recorded in [`Module::errors`] and left out; the rest is lowered.
pub fn parse(text: &str) -> Module {
    if text.len() > MAX_BYTES {
        return failed(text, "the file is larger than 20 MB");
    }
    let text = repair::line_ends(text);
    match tree(&text) {
        Some(tree) if tree.root_node().has_error() => {
            // What the grammar does not know is rewritten in place, if that helps.
            let rewritten = repair::rewrite(&text).and_then(|new| Some((tree_of(&new.text)?, new.names_restored())));
            match rewritten {
                Some((better, new)) => lower::module(&better, &new),
                None => lower::module(&tree, &text),
            }
        }
        Some(tree) => lower::module(&tree, &text),
        None => failed(&text, "parsing took too long"),
    }
}

/// The tree, if it is without errors.
fn tree_of(text: &str) -> Option<tree_sitter::Tree> {
    tree(text).filter(|t| !t.root_node().has_error())
}

fn tree(text: &str) -> Option<tree_sitter::Tree> {
    PARSER.with_borrow_mut(|slot| {
        let parser = slot.get_or_insert_with(|| {
            let mut parser = tree_sitter::Parser::new();
            let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
            parser
                .set_language(&language)
                .expect("the grammar fits the library that it is built with");
            parser
        });
        let start = Instant::now();
        let bytes = text.as_bytes();
        let mut progress = |_: &tree_sitter::ParseState| {
            if start.elapsed() > PARSE_LIMIT {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = tree_sitter::ParseOptions::new().progress_callback(&mut progress);
        let mut read = |offset: usize, _| bytes.get(offset..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        tree
    })
}

fn failed(text: &str, message: &str) -> Module {
    let mut module = Module::new(Language::Python);
    module.errors.push(SyntaxError {
        span: Span::new(0, text.len()),
        message: message.to_owned(),
    });
    module
}
