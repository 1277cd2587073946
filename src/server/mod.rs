//! A language server: what the command line says of a project, while somebody edits it.
//!
//! In: the Language Server Protocol on one stream. Out: the same on another one. May not know: the command line, and of
//! the engine only what [`crate::check`] and [`crate::analysis`] offer.
//!
//! The protocol is spoken by hand: it takes a dozen messages here, and nothing that a client sends may end the server.

mod actions;
mod client;
mod diagnostics;
mod documents;
mod hover;
mod position;
mod session;
mod snapshot;
mod transport;
mod uri;

pub use session::serve;

use crate::config::{Override, Selection};

/// What the command line sets for all projects.
#[derive(Clone, Default)]
pub struct Options {
    /// No configuration file is read.
    pub isolated: bool,
    /// `--config`.
    pub overrides: Vec<Override>,
    /// `--select` and its like.
    pub selection: Selection,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client said `shutdown`, then `exit`.
    Orderly,
    /// The client went away.
    Abrupt,
}
