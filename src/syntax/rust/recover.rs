//! Files that do not parse as a whole: keep the items that do.
//!
//! syn gives up at the first error. Here each item is parsed on its own; where one fails, the members of a `mod`,
//! `impl` or `trait` are tried one by one, and the rest is skipped up to what looks like the next item.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, ImplItem, Item, TraitItem};

/// What was kept and what went wrong.
pub(super) struct Recovered {
    pub items: Vec<Item>,
    pub errors: Vec<Error>,
}

/// Parses as many items of a file as possible.
pub(super) fn items(tokens: TokenStream) -> Recovered {
    let mut errors = Vec::new();
    let items = members(tokens, &mut errors, mend);
    Recovered { items, errors }
}

/// Parses members one by one. `mend` gets the tokens of one that fails.
fn members<T: Parse>(
    tokens: TokenStream,
    errors: &mut Vec<Error>,
    mend: fn(TokenStream, &mut Vec<Error>) -> Option<T>,
) -> Vec<T> {
    let mut out = Vec::new();
    let mut failed = Vec::new();
    let parser = |input: ParseStream| {
        // `#![..]` at the start belongs to the file.
        while input.peek(syn::Token![#]) && input.peek2(syn::Token![!]) {
            for _ in 0..3 {
                input.parse::<TokenTree>()?;
            }
        }
        while !input.is_empty() {
            let fork = input.fork();
            match T::parse(&fork) {
                Ok(item) => {
                    input.advance_to(&fork);
                    out.push(item);
                }
                Err(error) => {
                    let skipped = skip(input)?;
                    match mend(skipped, &mut failed) {
                        Some(item) => out.push(item),
                        None => failed.push(error),
                    }
                }
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        failed.push(error);
    }
    errors.extend(failed);
    out
}

/// Takes the tokens of one item: up to a `;` or `{..}`, but not past a line that begins with the start of another
/// item, no further to the right than this one.
fn skip(input: ParseStream) -> syn::Result<TokenStream> {
    let column = input.span().start().column;
    let mut out = Vec::new();
    let mut line = input.span().start().line;
    let mut attributes_only = true;
    while !input.is_empty() {
        let start = input.span().start();
        let new_line = start.line > line;
        if !out.is_empty() && !attributes_only && new_line && start.column <= column && starts_item(input) {
            break;
        }
        let tree: TokenTree = input.parse()?;
        line = tree.span().end().line;
        let ends = match &tree {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        if !matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#')
            && !matches!(&tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
        {
            attributes_only = false;
        }
        out.push(tree);
        if ends {
            break;
        }
    }
    Ok(out.into_iter().collect())
}

/// Keywords that items start with.
pub(super) const STARTS: [&str; 17] = [
    "pub",
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "mod",
    "use",
    "const",
    "static",
    "type",
    "extern",
    "unsafe",
    "async",
    "macro_rules",
    "default",
];

fn starts_item(input: ParseStream) -> bool {
    match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Ident(ident)) => STARTS.iter().any(|start| ident == start),
        Ok(TokenTree::Punct(punct)) => punct.as_char() == '#',
        _ => false,
    }
}

/// A `mod`, `impl` or `trait` whose members do not all parse: what is left of it.
fn mend(tokens: TokenStream, errors: &mut Vec<Error>) -> Option<Item> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let Some(TokenTree::Group(group)) = tokens.pop() else {
        return None;
    };
    if group.delimiter() != Delimiter::Brace {
        return None;
    }
    let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
    empty.set_span(group.span());
    tokens.push(TokenTree::Group(empty));
    let mut item: Item = syn::parse2(tokens.into_iter().collect()).ok()?;
    match &mut item {
        Item::Mod(item) => {
            let found = members(group.stream(), errors, mend);
            item.content.as_mut()?.1 = found;
        }
        Item::Impl(item) => item.items = members::<ImplItem>(group.stream(), errors, |_, _| None),
        Item::Trait(item) => item.items = members::<TraitItem>(group.stream(), errors, |_, _| None),
        _ => return None,
    }
    Some(item)
}

/// Where syn says that something is wrong; `None` for the end of the input.
pub(super) fn place(error: &Error) -> Option<Span> {
    let span = error.span();
    (span.byte_range() != (0..0)).then_some(span)
}

/// Cuts a text that is no sequence of tokens (a bracket or quote is missing) at lines that begin with an item. The
/// attributes and doc comments above an item go with it.
pub(super) fn chunks(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut cuts = vec![0];
    let mut front = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let starts = STARTS.iter().any(|start| {
            line.strip_prefix(start)
                .is_some_and(|rest| !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric()))
        });
        if starts {
            cuts.push(front.take().unwrap_or(at));
        } else if line.starts_with('#') || line.starts_with("//") {
            front.get_or_insert(at);
        } else {
            front = None;
        }
        at += line.len();
    }
    cuts.dedup();
    let ends = cuts.iter().skip(1).copied().chain([text.len()]);
    cuts.iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .filter(|range| !range.is_empty())
        .collect()
}
