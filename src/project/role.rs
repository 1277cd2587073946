//! What a file is for, by its path below the root of the walk.

use std::path::Path;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Code that runs in production.
    Normal,
    /// A test or its support.
    Test,
    /// An example, a sample, documentation.
    Example,
    /// A benchmark.
    Bench,
    /// A build script or packaging.
    Build,
    /// A schema migration.
    Migration,
    /// Somebody else's code.
    Vendored,
}

impl Role {
    /// Left out of RL1xx and RL2xx unless tests are included.
    pub fn is_aside(self) -> bool {
        self != Self::Normal
    }
}

/// The role of a file. Only folders below the root count, so that a project living in a folder called `tests` is checked
/// like any other, and only whole names: `migrate_db.py` and `mysql_migrations.rs` are no migrations.
pub fn role(relative: &Path) -> Role {
    let parts: Vec<String> = relative.iter().map(|p| p.to_string_lossy().to_lowercase()).collect();
    let (folders, name) = match parts.split_last() {
        Some((name, folders)) => (folders, name.as_str()),
        None => return Role::Normal,
    };
    let is_rust = name.ends_with(".rs");
    for (index, folder) in folders.iter().enumerate() {
        let role = match folder.as_str() {
            "tests" | "test" | "testing" | "unittests" | "unit_tests" | "functional_tests" | "integration_tests"
            | "e2e" => Role::Test,
            "examples" | "example" | "samples" | "doc" | "docs" | "tutorials" | "tutorial" => Role::Example,
            folder if is_rust && (folder.ends_with("_examples") || folder.ends_with("-examples")) => Role::Example,
            "benches" | "benchmarks" | "benchmark" => Role::Bench,
            "migrations" | "migration" => Role::Migration,
            folder if is_rust && is_migration(folder) => Role::Migration,
            folder if is_rust && is_test_help(folder) => Role::Test,
            "versions" if index > 0 && folders[index - 1].contains("alembic") => Role::Migration,
            "vendor" | "vendored" | "_vendor" | "third_party" | "third-party" | "thirdparty" | "external"
            | "externals" | "extern" | "site-packages" => Role::Vendored,
            _ => continue,
        };
        return role;
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if name == "conftest.py"
        || name.ends_with(".py")
            && (stem.starts_with("test_") || stem.ends_with("_test") || stem == "tests" || stem == "test")
    {
        return Role::Test;
    }
    if name.ends_with(".rs")
        && (stem == "tests"
            || stem == "test"
            || stem.ends_with("_test")
            || stem.ends_with("_tests")
            || is_test_help(stem))
    {
        return Role::Test;
    }
    if is_rust && is_migration(stem) {
        return Role::Migration;
    }
    if name == "build.rs" || name == "setup.py" {
        return Role::Build;
    }
    // `003_move_users.py`: nothing can import it; it is run once, in its turn.
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    if digits >= 3 && stem.as_bytes().get(digits) == Some(&b'_') {
        return Role::Migration;
    }
    Role::Normal
}

/// `migration`, `postgres_migrations`, `db-migrations`: what changes a schema.
pub(super) fn is_migration(name: &str) -> bool {
    let last = name.rsplit(['_', '-']).next();
    matches!(last, Some("migration" | "migrations"))
}

/// `test_utils`, `testutils`, `test-helpers`: what only tests use.
fn is_test_help(name: &str) -> bool {
    let help = name
        .strip_prefix("test")
        .map(|rest| rest.trim_start_matches(['_', '-']));
    matches!(
        help,
        Some("util" | "utils" | "helper" | "helpers" | "support" | "fixtures")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_folder_names_count() {
        for (path, expected) in [
            ("shop/db.py", Role::Normal),
            ("tests/test_db.py", Role::Test),
            ("shop/test_db.py", Role::Test),
            ("shop/latest/db.py", Role::Normal),
            ("db/mysql_migrations.rs", Role::Migration),
            ("db-migrations/src/main.rs", Role::Migration),
            ("db/immigration.rs", Role::Normal),
            ("db/test_utils.rs", Role::Test),
            ("db/contest_utils.rs", Role::Normal),
            ("shop/migrations/0001_initial.py", Role::Migration),
            ("alembic/versions/1a.py", Role::Migration),
            ("scripts/db/2025.2/000_move_users.py", Role::Migration),
            ("shop/1_db.py", Role::Normal),
            ("vendor/redis/client.py", Role::Vendored),
            ("build.rs", Role::Build),
        ] {
            assert_eq!(role(Path::new(path)), expected, "{path}");
        }
    }
}
