//! What is known of the CI server that runs us, if one does.

use std::path::{Path, PathBuf};

use crate::analysis::{Request, project_root};
use crate::report::Place;

/// A CI server.
pub struct Ci {
    format: Option<&'static str>,
    /// The repository's folder.
    root: Option<PathBuf>,
    job_summary: Option<PathBuf>,
}

impl Ci {
    /// From the environment.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).is_some_and(|value| value == "true");
        let path = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (format, root) = if set("GITHUB_ACTIONS") {
            (Some("github"), path("GITHUB_WORKSPACE"))
        } else if set("GITLAB_CI") {
            (Some("gitlab"), path("CI_PROJECT_DIR"))
        } else {
            (None, None)
        };
        Self {
            format,
            root,
            job_summary: path("GITHUB_STEP_SUMMARY"),
        }
    }

    /// The format that its users expect, unless they say otherwise. Annotations are of no use in a file.
    pub fn format(&self, to_file: bool) -> Option<&'static str> {
        self.format.filter(|format| *format != "github" || !to_file)
    }

    /// Where the run takes place.
    pub fn place(&self, cwd: &Path, request: &Request) -> Place {
        let first = request
            .paths
            .first()
            .map_or_else(|| cwd.join("-"), |path| cwd.join(path).join("-"));
        let inside = |root: &PathBuf| cwd.starts_with(root);
        let root = self
            .root
            .clone()
            .filter(inside)
            .or_else(|| project_root(&first))
            .unwrap_or(cwd.to_path_buf());
        Place {
            cwd: cwd.to_path_buf(),
            root,
            job_summary: self.job_summary.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ci;

    #[test]
    fn ci_servers_get_their_own_format() {
        let with = |name: &'static str| Ci::detect(move |asked| (asked == name).then(|| "true".to_owned()));
        assert_eq!(with("GITHUB_ACTIONS").format(false), Some("github"));
        assert_eq!(with("GITHUB_ACTIONS").format(true), None);
        assert_eq!(with("GITLAB_CI").format(false), Some("gitlab"));
        assert_eq!(with("GITLAB_CI").format(true), Some("gitlab"));
        assert_eq!(with("OTHER").format(false), None);
    }
}
