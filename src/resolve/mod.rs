//! What an expression denotes: abstract values and the program they belong to.
//!
//! In: lowered modules, knowledge. Out: values for `flow`.
//! May not know: syntax trees, any library by name, rules.

pub mod program;
pub mod value;
