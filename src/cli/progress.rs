//! A progress bar, for runs that take longer than a second on a terminal.

use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::ui::Ui;
use crate::analysis::Progress;

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The bar of one run; it disappears when it is dropped.
pub struct Bar {
    /// Made when the run has lasted long enough.
    lazy: Arc<OnceLock<ProgressBar>>,
    start: Instant,
    shown: bool,
}

impl Bar {
    /// A bar that is not shown yet, and never without a terminal.
    pub fn new(ui: &Ui) -> Self {
        Self {
            lazy: Arc::default(),
            start: Instant::now(),
            shown: !ui.quiet && io::stderr().is_terminal(),
        }
    }

    /// What the engine calls.
    pub fn progress(&self) -> Option<Progress> {
        let (bar, start) = (Arc::clone(&self.lazy), self.start);
        self.shown.then(|| -> Progress {
            Arc::new(move |done, total| {
                if start.elapsed() < PATIENCE {
                    return;
                }
                let bar = bar.get_or_init(|| {
                    let style = ProgressStyle::with_template("checking {bar:30} {pos}/{len} files")
                        .unwrap_or_else(|_| ProgressStyle::default_bar());
                    ProgressBar::new(total).with_style(style)
                });
                bar.set_length(total);
                bar.set_position(done);
            })
        })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.lazy.get() {
            bar.finish_and_clear();
        }
    }
}
