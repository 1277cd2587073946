//! What the front-end makes of Rust code: one line of code, one line of the core language.

mod exprs;
mod items;
mod macros;
mod print;
mod robust;
mod spans;

use super::parse;

/// Items and what they become; parsed without an error.
#[track_caller]
fn items(code: &str, expected: &str) {
    let module = parse(code);
    assert_eq!(module.errors, [], "in {code}");
    let trim = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
            .trim()
            .to_owned()
    };
    assert_eq!(trim(&print::print(&module)), trim(expected), "in {code}");
}

/// Statements of a function and what they become, one a line.
#[track_caller]
fn body(code: &str, expected: &str) {
    let module = parse(&format!("async fn f() {{ {code} }}"));
    assert_eq!(module.errors, [], "in {code}");
    let text = print::print(&module);
    let lines: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines, expected, "in {code}");
}

/// An expression and what it becomes.
#[track_caller]
fn expr(code: &str, expected: &str) {
    body(code, &format!("value {expected}"));
}
