//! The Rust front-end: syn's tree to the core language.
//!
//! In: the text of a file. Out: a [`Module`]. May not know: drivers, rules, other files.
//!
//! - `lexer` and `levels`: comments, and how deep the parser would recurse;
//! - `recover`: what can be kept of a file with errors;
//! - `items`, `impls`, `attrs`, `types`, `patterns`, `exprs`, `stmts`: one kind of syntax each;
//! - `macros`: the tokens of macro calls, by their shape.

mod attrs;
mod exprs;
mod impls;
mod items;
mod levels;
mod lexer;
mod lower;
mod macros;
mod patterns;
mod recover;
mod spans;
mod stmts;
#[cfg(test)]
mod tests;
mod types;

use std::borrow::Cow;
use std::str::FromStr;

use proc_macro2::TokenStream;

use crate::core::{Language, Module, Span, SyntaxError};
use lower::Lower;
use spans::Spans;

/// Brackets nested deeper than this are not code that anybody wrote.
const MAX_BRACKETS: u32 = 200;

/// The nesting, as estimated by `levels`, up to which the stack of any thread (2 MB) is enough. One file in a
/// thousand is above.
const COST_IN_PLACE: u32 = 250;

/// The stack that a unit of the estimate needs: 5 kB measured for the worst form, nested types, without optimisation.
const STACK_PER_COST: usize = 8 << 10;

/// Refused above this, which would be a stack of 240 MB. The most in the sources of 200 crates is 430.
const MAX_COST: u32 = 30_000;

/// So many errors of one file are kept: a file of another language has one per line.
const MAX_ERRORS: usize = 50;

/// Parses a file and lowers it. Whatever the input is, there is a result; what could not be parsed is in
/// [`Module::errors`].
pub fn parse(text: &str) -> Module {
    let start = code_start(text);
    let scan = lexer::scan(text, start);
    let mut module = Module::new(Language::Rust);
    if scan.depth > MAX_BRACKETS || scan.cost > MAX_COST {
        let at = scan.deepest;
        module.errors.push(SyntaxError {
            span: Span::new(at, at),
            message: "too deeply nested".to_owned(),
        });
    } else {
        let code = without_comments(text, &scan.comments);
        if scan.cost <= COST_IN_PLACE {
            parse_here(&code, start, &mut module);
        } else {
            module = parse_on_large_stack(&code, start, scan.cost);
        }
    }
    module.comments = scan.comments;
    module.docstrings = scan.docs;
    module
}

/// The text with blanks for comments, so every offset stays. syn would keep each doc comment as an attribute with a
/// string, at a third of its time, and refuse one that documents nothing.
fn without_comments<'a>(text: &'a str, comments: &[Span]) -> Cow<'a, str> {
    if comments.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for comment in comments {
        for byte in &mut bytes[comment.range()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Parses in a thread of its own. The memory of a stack is used only as far as the recursion goes.
fn parse_on_large_stack(text: &str, start: usize, cost: u32) -> Module {
    let stack = (2 << 20) + cost as usize * STACK_PER_COST;
    let done = std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, || {
            let mut module = Module::new(Language::Rust);
            parse_here(text, start, &mut module);
            module
        });
        parser.ok().and_then(|thread| thread.join().ok())
    });
    done.unwrap_or_else(|| {
        let mut module = Module::new(Language::Rust);
        let message = "too deeply nested for the memory at hand".to_owned();
        module.errors.push(SyntaxError {
            span: Span::new(start, start),
            message,
        });
        module
    })
}

fn parse_here(text: &str, start: usize, module: &mut Module) {
    if let Err(error) = parse_part(text, start..text.len(), module) {
        module.errors.push(error);
        for range in recover::chunks(&text[start..]) {
            // What is no sequence of tokens by itself either is covered by the error above.
            let _ = parse_part(text, start + range.start..start + range.end, module);
        }
    }
    // Otherwise the thread keeps the text of every file that it has parsed.
    proc_macro2::extra::invalidate_current_thread_spans();
}

/// Parses a part of a file into the module. The error is that it is no sequence of tokens.
fn parse_part(text: &str, part: std::ops::Range<usize>, module: &mut Module) -> Result<(), SyntaxError> {
    let code = &text[part.clone()];
    let spans = Spans::new(code, part.start);
    let tokens = |spans: &Spans| {
        TokenStream::from_str(code).map_err(|error| SyntaxError {
            span: spans.get(error.span()),
            message: "a bracket or quote is missing or too many".to_owned(),
        })
    };
    let (items, attrs) = match syn::parse2::<syn::File>(tokens(&spans)?) {
        Ok(file) => (file.items, file.attrs),
        Err(first) => {
            let recovered = recover::items(tokens(&spans)?);
            let errors = if recovered.errors.is_empty() {
                vec![first]
            } else {
                recovered.errors
            };
            for error in errors.iter().take(MAX_ERRORS) {
                let span = recover::place(error).map_or(spans.eof(), |span| spans.get(span));
                module.errors.push(SyntaxError {
                    span,
                    message: message(error),
                });
            }
            (recovered.items, Vec::new())
        }
    };
    let mut lower = Lower::new(module, text, spans);
    lower.is_test = attrs::cfg_test(&attrs);
    let body = lower.items(&items);
    module.body.0.extend(body.0);
    Ok(())
}

/// What syn says, unless it is a list of everything that it could have been.
fn message(error: &syn::Error) -> String {
    let message = error.to_string();
    if message.len() > 60 && message.starts_with("expected one of") {
        "unexpected token".to_owned()
    } else {
        message
    }
}

/// The first byte after a byte order mark and a `#!` line.
fn code_start(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let code = &text[mark..];
    // `#![..]` is an attribute.
    let shebang = code
        .strip_prefix("#!")
        .is_some_and(|rest| !rest.trim_start().starts_with('['));
    if shebang {
        mark + code.find('\n').unwrap_or(code.len())
    } else {
        mark
    }
}
