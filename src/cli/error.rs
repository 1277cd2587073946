//! How the command line explains its own errors: what is wrong, what that means, what to do.

use std::io;

use crate::diagnostics::Problems;

/// Why a command could not do its work.
#[derive(Debug)]
pub enum CliError {
    /// Bad usage.
    Usage(Explained),
    /// Mistakes in configuration or driver files, with carets.
    Config(Vec<Problems>),
    /// The output could not be written.
    Output(io::Error),
}

/// An error in three parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// What is wrong; lower case, no full stop.
    pub title: String,
    /// What it means.
    pub description: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Explained {
    /// An error by its title.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Says what it means.
    #[must_use]
    pub fn because(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Says what to do, if that is known.
    #[must_use]
    pub fn help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into).or(self.help);
        self
    }
}

impl From<Explained> for CliError {
    fn from(error: Explained) -> Self {
        Self::Usage(error)
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Problems> for CliError {
    fn from(problems: Problems) -> Self {
        Self::Config(vec![problems])
    }
}

impl From<crate::analysis::AnalysisError> for CliError {
    fn from(error: crate::analysis::AnalysisError) -> Self {
        match error {
            crate::analysis::AnalysisError::Rules(problems) => Self::Config(problems),
        }
    }
}
