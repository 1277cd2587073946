//! The one test binary.

mod rules_parse;
