//! Broken, deep and senseless input: a result for everything.

use proptest::prelude::*;

use super::{parse, print::print};
use crate::core::{ExprKind, Module};

const SAMPLE: &str = r#"
use a::{b, c as d};
#[derive(Parser)]
struct Args { #[arg(long, env = "X")] host: String }
/// Doc.
impl<C: Conn> Store for W<C> {
    async fn get(&self, key: &str) -> Result<String> {
        let Some(x) = self.0.get(key).await? else { return Err(b"\"".into()) };
        tokio::select! { r = f(x) => g(r), _ = sleep('a', r"\") => {} }
        match doc! { "a": [1, { "é": n }] } { Ok(_) if x > 1 => 'l: loop { break 'l }, e => |y| e.z::<u8>()(y)[1..] }
    }
}
mod m { /* c */ fn g() {} // end
}
"#;

/// What must hold for any module.
fn check(module: &Module, text: &str) {
    let inside = |span: crate::core::Span| {
        assert!(
            span.start <= span.end && text.get(span.range()).is_some(),
            "{span:?} in {text}"
        );
    };
    module.exprs.iter().for_each(|expr| inside(expr.span));
    module.funcs.iter().for_each(|func| inside(func.span));
    module.classes.iter().for_each(|class| inside(class.span));
    module.errors.iter().for_each(|error| inside(error.span));
    module.comments.iter().for_each(|&comment| inside(comment));
    print(module);
}

fn names(module: &Module) -> Vec<&'static str> {
    module
        .funcs
        .iter()
        .filter_map(|func| func.name)
        .map(crate::core::Symbol::as_str)
        .collect()
}

#[test]
fn a_file_cut_anywhere_gives_a_result() {
    assert_eq!(parse(SAMPLE).errors, []);
    for (end, _) in SAMPLE.char_indices() {
        let text = &SAMPLE[..end];
        check(&parse(text), text);
    }
}

#[test]
fn a_file_without_some_byte_gives_a_result() {
    for (start, c) in SAMPLE.char_indices() {
        let text = format!("{}{}", &SAMPLE[..start], &SAMPLE[start + c.len_utf8()..]);
        check(&parse(&text), &text);
    }
}

#[test]
fn items_around_a_broken_one_are_kept() {
    let module = parse(
        "use a::b;\nuse c::{d, e}\n#[x]\nfn ok() { a.b(); }\nfn broken() { let x = ; }\n\
         impl S {\n  pub fn one() {}\n  fn two() { let = 1; }\n  fn three() {}\n}\n\
         mod m { fn four() {} fn bad() { , } fn five() {} }\npub fn last() {}\n",
    );
    assert_eq!(names(&module), ["ok", "one", "three", "four", "five", "last"]);
    assert_eq!(module.errors.len(), 4, "{:?}", module.errors);
}

#[test]
fn a_missing_bracket_costs_one_item() {
    let code = "fn a() {}\n/// doc\n#[test]\nfn b() { if x { }\n\n/// doc\n#[test]\nfn c() {}\nfn d() { \"; }\nfn e() {}\"\nstruct S;\nfn f() { x }\n";
    let module = parse(code);
    assert_eq!(names(&module), ["a", "c", "f"]);
    assert!(module.funcs[1].is_test);
    assert!(!module.errors.is_empty());
    assert_eq!(&code[module.funcs[1].name_span.range()], "c");
}

#[test]
fn conflict_markers_are_errors_and_no_more() {
    let module = parse("fn a() {}\n<<<<<<< HEAD\nfn b() {}\n=======\nfn c() {}\n>>>>>>> x\nfn d() {}\n");
    assert_eq!(names(&module), ["a", "b", "c", "d"]);
    assert!(!module.errors.is_empty());
}

#[test]
fn brackets_nested_beyond_reason_are_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("m!(", ")"),
        ("if a {", "}"),
        ("|| {", "}"),
    ] {
        for depth in [10, 150, 190, 300, 100_000] {
            let code = format!("fn f() {{ {}1{} }}", open.repeat(depth), close.repeat(depth));
            let module = parse(&code);
            assert_eq!(module.errors.is_empty(), depth < 200, "{open} {depth}");
            let code = format!("fn f() {{ {}", open.repeat(depth));
            assert!(!parse(&code).errors.is_empty());
        }
    }
}

#[test]
fn long_prefixes_and_chains_do_not_overflow() {
    let forms = [
        "!",
        "-",
        "&",
        "*",
        "a = ",
        "|| ",
        "|a, b| ",
        "return ",
        "break ",
        "if ",
        "a + ",
        "a.b().",
        "a.await?.",
        "a::",
        "x as ",
        "A<",
        "A<B, ",
        "&mut ",
        "let a = ",
        "async move |x| ",
        "a < ",
        "..",
        "box ",
        "1 - ",
        "a && b || ",
    ];
    for form in forms {
        for count in [400, 5_000, 50_000] {
            for (before, after) in [
                ("fn f() { let x = ", "a; }"),
                ("fn f(x: ", "a) {}"),
                ("fn f() { let ", "a = x; }"),
                ("m!{ ", "a }"),
            ] {
                let code = format!("{before}{}{after}", form.repeat(count));
                let module = parse(&code);
                assert!(module.exprs.len() < 4 * count + 10);
            }
        }
    }
    for code in ["else if a {} ", "else if a { 1 } "] {
        let code = format!("fn f() {{ if a {{}} {} }}", code.repeat(3_000));
        assert!(!parse(&code).errors.is_empty());
    }
}

#[test]
fn a_chain_that_is_too_long_keeps_its_arguments() {
    let calls: Vec<String> = (0..1_000).map(|i| format!(".route(\"/{i}\", get(h{i}))")).collect();
    let calls = calls.concat();
    let module = parse(&format!("fn f() {{ Router::new(){calls}; }}"));
    assert_eq!(module.errors.len(), 1);
    let handlers = module
        .exprs
        .iter()
        .filter(|expr| matches!(expr.kind, ExprKind::Name(n) if n.as_str().starts_with('h')));
    assert_eq!(handlers.count(), 1_000);
    // One operator does not count by its operands.
    let sum = format!("fn f() {{ a{} }}", " + b".repeat(5_000));
    assert_eq!(parse(&sum).errors, []);
}

#[test]
fn other_languages_give_a_bounded_number_of_errors() {
    let text = "def f(x):\n    return x['a'] if x else \"b\"\n".repeat(200);
    assert!(parse(&text).errors.len() <= 50);
    let text = "fn a() -> b { c } }{\n".repeat(200);
    check(&parse(&text), &text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_result(text in ".{0,200}") {
        check(&parse(&text), &text);
    }

    #[test]
    fn any_sequence_of_tokens_gives_a_result(tokens in proptest::collection::vec(proptest::sample::select(TOKENS), 0..60)) {
        let text = tokens.join(" ");
        check(&parse(&text), &text);
        let text = format!("fn f() {{ {text} }} fn g() {{ m!{{ {text} }} }}");
        check(&parse(&text), &text);
    }
}

const TOKENS: &[&str] = &[
    "a", "self", "1", "1.5", "\"s\"", "'c'", "'a", "+", "-", "*", "&", "&&", "|", "||", "!", "=", "==", "<", ">", ">>",
    ".", "..", "..=", ",", ";", ":", "::", "->", "=>", "#", "$", "?", "@", "_", "(", ")", "[", "]", "{", "}", "(a)",
    "[a]", "{a}", "()", "{}", "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "fn", "for",
    "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "return", "static", "struct", "trait",
    "type", "unsafe", "use", "where", "while", "yield", "m!", "doc!{", "select!{", "json!(", "\"k\":", "#[a]", "r#x",
    "/*", "*/", "//", "\n", "é",
];
