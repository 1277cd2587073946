//! The front-ends: source text to the core language.
//!
//! In: the text of one file. Out: a [`crate::core::Module`].
//! May not know: drivers, rules, other files. Nothing above this folder sees the types of a parser.

pub mod python;
pub mod rust;
