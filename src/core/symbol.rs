//! Interned identifiers.

use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// An interned string: cheap to copy, compare and hash. Strings live as long as the process, which is bounded by the
/// identifiers of the analysed code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

#[derive(Default)]
struct Interner {
    ids: FxHashMap<&'static str, u32>,
    names: Vec<&'static str>,
}

static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(RwLock::default);

impl Symbol {
    /// Interns a string.
    pub fn new(text: &str) -> Self {
        {
            let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(&id) = interner.ids.get(text) {
                return Self(id);
            }
        }
        let mut interner = INTERNER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(&id) = interner.ids.get(text) {
            return Self(id);
        }
        let id = u32::try_from(interner.names.len()).expect("fewer than 2^32 distinct identifiers");
        let name: &'static str = Box::leak(text.into());
        interner.names.push(name);
        interner.ids.insert(name, id);
        Self(id)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        let interner = INTERNER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        interner.names[self.0 as usize]
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
