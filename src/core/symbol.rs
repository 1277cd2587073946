//! Interned identifiers.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher};
use std::sync::{LazyLock, RwLock};

use rustc_hash::{FxBuildHasher, FxHashMap};

/// An interned string: cheap to copy, compare and hash. Strings live as long as the process, which is bounded by the
/// identifiers of the analysed code.
///
/// It hashes and sorts by its text, not by when it was interned: files are parsed in parallel, and what is found in them
/// must not depend on which came first.
#[derive(Clone, Copy)]
pub struct Symbol(&'static Entry);

struct Entry {
    text: Box<str>,
    hash: u64,
}

static INTERNER: LazyLock<RwLock<FxHashMap<&'static str, &'static Entry>>> = LazyLock::new(RwLock::default);

impl Symbol {
    /// Interns a string.
    pub fn new(text: &str) -> Self {
        {
            let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(&entry) = interner.get(text) {
                return Self(entry);
            }
        }
        let mut interner = INTERNER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(&entry) = interner.get(text) {
            return Self(entry);
        }
        let entry: &'static Entry = Box::leak(Box::new(Entry {
            text: text.into(),
            hash: FxBuildHasher.hash_one(text),
        }));
        interner.insert(&entry.text, entry);
        Self(entry)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        &self.0.text
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Symbol {}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_str())
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_interned_first_makes_no_difference() {
        let (late, early) = (Symbol::new("symbol-test-b"), Symbol::new("symbol-test-a"));
        assert!(early < late);
        assert_eq!(Symbol::new("symbol-test-a"), early);
        assert_eq!(
            FxBuildHasher.hash_one(early),
            FxBuildHasher.hash_one(Symbol::new("symbol-test-a"))
        );
    }
}
