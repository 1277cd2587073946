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

/// The help and notes below each finding of one file.
fn told(dependencies: &str, text: &str) -> Vec<(String, String)> {
    use reconnect_lint::analysis::{Request, analyse};
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let manifest = format!("[package]\nname = \"case\"\n[dependencies]\n{dependencies}");
    std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("the file can be written");
    std::fs::write(folder.path().join("lib.rs"), text).expect("the file can be written");
    let request = Request {
        paths: vec![folder.path().to_path_buf()],
        no_cache: true,
        ..Request::default()
    };
    let analysis = analyse(&request).expect("the embedded rules are right");
    let findings = analysis.findings.iter();
    findings.map(|f| (f.help.clone(), f.notes.join("\n"))).collect()
}

#[test]
fn the_help_for_a_blocking_connection_has_nothing_to_await() {
    let text = "use redis::Commands;\npub struct Store { conn: redis::Connection }\nimpl Store {\n\
        pub fn open() -> redis::RedisResult<Self> { Ok(Self { conn: redis::Client::open(\"u\")?.get_connection()? }) }\n\
        pub fn get(&mut self) -> redis::RedisResult<String> { self.conn.get(\"a\") }\n}\n";
    let told = told("redis = \"1.0\"", text);
    let [(help, _)] = &told[..] else { panic!("{told:?}") };
    assert!(help.contains("get_connection()?") && !help.contains("await"), "{help}");
}

#[test]
fn a_connection_that_is_not_known_is_not_called_a_command() {
    let text = "pub fn f(conn: &mut elsewhere::Conn) { let _: () = redis::cmd(\"GET\").query(conn).unwrap(); }\n\
        pub fn g(conn: &mut redis::Connection) -> Option<()> { redis::cmd(\"GET\").query(conn).unwrap() }\n";
    let told = told("redis = \"1.0\"", text);
    let (help, notes) = &told[0];
    assert!(notes.contains("`conn`, to which a redis Cmd is sent"), "{notes}");
    assert!(!help.contains('?'), "{help}");
}
