//! The Rust programs in `tests/rust`: what is found in them is what their marks say.

use crate::programs;

fn check(category: &str) {
    let score = programs::score(&programs::RUST, category);
    assert!(score.complaints.is_empty(), "{}", score.complaints.join("\n"));
}

#[test]
fn errors_that_escape() {
    check("escape");
}

#[test]
fn handlers_of_some_errors() {
    check("handler");
}

#[test]
fn lazy_objects() {
    check("cursor");
}

#[test]
fn panics() {
    check("panic");
}

#[test]
fn retries() {
    check("retry");
}

#[test]
fn kept_connections() {
    check("reuse");
}

#[test]
fn options_and_versions() {
    check("options");
}

#[test]
fn twins() {
    check("twins");
}

#[test]
fn environment() {
    check("env");
}
