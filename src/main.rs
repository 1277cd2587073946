//! The binary: everything is in the library.

fn main() -> std::process::ExitCode {
    reconnect_lint::cli::main()
}
