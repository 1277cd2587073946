//! Places of nodes and comments.

use super::parse;
use crate::core::{ExprKind, Span};

/// The source of every expression of some kind.
fn sources(code: &str, wanted: fn(&ExprKind) -> bool) -> Vec<&str> {
    let module = parse(code);
    module
        .exprs
        .iter()
        .filter(|expr| wanted(&expr.kind))
        .map(|expr| &code[expr.span.range()])
        .collect()
}

fn texts(code: &str, spans: &[Span]) -> Vec<String> {
    spans.iter().map(|span| code[span.range()].to_owned()).collect()
}

#[test]
fn a_call_reaches_from_its_first_token_to_its_last() {
    let code = "fn f() { (a.b)\n  .c::<D>(1)? .e(); g(&mut x.y, m!(z)); }";
    let calls = sources(code, |kind| matches!(kind, ExprKind::Call { .. }));
    assert_eq!(
        calls,
        [
            "(a.b)\n  .c::<D>(1)",
            "(a.b)\n  .c::<D>(1)? .e()",
            "m!(z)",
            "g(&mut x.y, m!(z))"
        ]
    );
}

#[test]
fn offsets_are_bytes_of_the_whole_file() {
    let code = "\u{feff}#!/usr/bin/env x\r\n// c\u{e9}\r\nfn main() {\r\n    let \u{e9}t\u{e9} = \"\u{20ac}\u{1f600}\"; /* \u{e9} */ a.b(\u{e9});\r\n}\r\n";
    assert_eq!(
        sources(code, |kind| matches!(kind, ExprKind::Str(_))),
        ["\"\u{20ac}\u{1f600}\""]
    );
    assert_eq!(
        sources(code, |kind| matches!(kind, ExprKind::Call { .. })),
        ["a.b(\u{e9})"]
    );
    let module = parse(code);
    assert_eq!(texts(code, &module.comments), ["// c\u{e9}", "/* \u{e9} */"]);
    assert_eq!(
        texts(code, &[module.funcs[0].span, module.funcs[0].name_span])[1],
        "main"
    );
    // `#![..]` is no `#!` line.
    assert_eq!(parse("#![allow(x)]\nfn f() {}").funcs.len(), 1);
    assert_eq!(parse("#!/bin/x").errors, []);
}

#[test]
fn an_item_starts_at_its_attributes() {
    let code = "/// doc\n#[a]\n/// more\npub(crate) async fn f() {}\n  /** d */ pub struct S { /// x\n #[b] pub a: u8, c: u8 }";
    let module = parse(code);
    assert_eq!(
        texts(code, &[module.funcs[0].span]),
        ["#[a]\n/// more\npub(crate) async fn f() {}"]
    );
    assert!(code[module.classes[0].span.range()].starts_with("pub struct S"));
    let fields: Vec<Span> = module.classes[0].fields.iter().map(|field| field.span).collect();
    assert_eq!(texts(code, &fields), ["#[b] pub a: u8", "c: u8"]);
}

#[test]
fn statements_include_their_semicolon() {
    let code = "fn f() { let a = 1 ; b() ; m!{} return x; 'l: loop { break 'l } if a {} else { b } }";
    let module = parse(code);
    let spans: Vec<Span> = module.funcs[0].body.0.iter().map(|stmt| stmt.span).collect();
    let expected = [
        "let a = 1 ;",
        "b() ;",
        "m!{}",
        "return x;",
        "'l: loop { break 'l }",
        "if a {} else { b }",
    ];
    assert_eq!(texts(code, &spans), expected);
}

#[test]
fn captured_names_have_their_place_in_the_string() {
    let code = "fn f() { format!(\"a {name} b\"); format!(r#\"{x:?}\"#); format!(\"\\n{y}\") }";
    let names = sources(
        code,
        |kind| matches!(kind, ExprKind::Name(name) if !name.as_str().ends_with('!')),
    );
    assert_eq!(names, ["name", "x", "\"\\n{y}\""]);
}

#[test]
fn comments_are_told_from_strings_and_lifetimes() {
    let code = concat!(
        "//! inner\n/*! inner */ fn f<'a>(x: &'a str) { /* a /* nested */ b */ let s = \"// no\"; let r = r##\"/* \"# no\"##;\n",
        "let c = '\"'; let d = '\\''; let e = b'/'; let q = br\"\\\"; // yes\n}\n/// doc\n//// rule\n/** doc */\n/**/ fn g() {} /*** no */"
    );
    let module = parse(code);
    assert_eq!(module.errors, []);
    let comments = texts(code, &module.comments);
    let expected = [
        "//! inner",
        "/*! inner */",
        "/* a /* nested */ b */",
        "// yes",
        "/// doc",
        "//// rule",
        "/** doc */",
        "/**/",
        "/*** no */",
    ];
    assert_eq!(comments, expected);
    assert_eq!(
        texts(code, &module.docstrings),
        ["//! inner", "/*! inner */", "/// doc", "/** doc */"]
    );
}
