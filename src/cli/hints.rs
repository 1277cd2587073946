//! What a first run should know: why nothing was there to check, and how long everything took.

use super::ui::Ui;
use crate::analysis::{Request, Stats};
use crate::report::counted;

/// Says what was done, and why it may be less than expected.
pub fn after(request: &Request, stats: &Stats, for_people: bool, ui: &Ui) {
    ui.detail(format_args!(
        "{} seen, {} parsed, {} bytes read, {:.3} s",
        counted(stats.files_seen as usize, "file"),
        stats.files_parsed,
        stats.bytes,
        stats.duration.as_secs_f64()
    ));
    if !stats.drivers.is_empty() {
        ui.detail(format_args!("drivers: {}", stats.drivers.join(", ")));
    }
    if stats.truncated {
        ui.warn("the program is too large to be followed to its end: findings may be missing");
        ui.hint("`exclude` generated and vendored folders, or check parts of the tree one by one");
    }
    if stats.files_seen == 0 {
        let paths: Vec<String> = request
            .paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        ui.warn(format_args!(
            "no Python or Rust files were found in {}",
            paths.join(", ")
        ));
        ui.hint("files that `.gitignore` or `exclude` leaves out are not read; `--show-files` lists those that are");
    } else if for_people && stats.drivers.is_empty() {
        ui.hint(format_args!(
            "{} imported no database driver that is known here; `rules` in the configuration can add one",
            if stats.files_seen == 1 {
                "the file".to_owned()
            } else {
                format!("the {} files", stats.files_seen)
            }
        ));
    }
}
