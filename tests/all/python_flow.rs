//! The Python programs in `tests/python`, one file for each way in which a handle or an error gets from one place to another.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::programs::{self, Score};

/// The score of each category. Computed once: the README's test prints it, the one below judges it.
pub fn scores() -> &'static BTreeMap<String, Score> {
    static SCORES: OnceLock<BTreeMap<String, Score>> = OnceLock::new();
    SCORES.get_or_init(|| {
        programs::categories(&programs::PYTHON)
            .into_iter()
            .map(|category| {
                let score = programs::score(&programs::PYTHON, &category);
                (category, score)
            })
            .collect()
    })
}

#[test]
fn every_program_is_judged_as_its_marks_say() {
    let complaints: Vec<String> = scores()
        .iter()
        .flat_map(|(category, score)| score.complaints.iter().map(move |c| format!("{category}: {c}")))
        .collect();
    let right: usize = scores().values().map(|s| s.right).sum();
    let all: usize = scores().values().map(|s| s.all).sum();
    assert!(
        complaints.is_empty(),
        "{right} of {all} are right\n{}",
        complaints.join("\n")
    );
}
