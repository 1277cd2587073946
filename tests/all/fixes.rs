//! Applying fixes changes what they say and nothing else.

use proptest::prelude::*;
use reconnect_lint::core::Span;
use reconnect_lint::findings::{Applicability, Edit, FileId, Fix, Location, Sources};
use reconnect_lint::fix::{self, write_text};

const FILE: FileId = FileId(0);

fn fix_of(applicability: Applicability, edits: &[(usize, usize, &str)]) -> Fix {
    let edit = |&(start, end, content): &(usize, usize, &str)| Edit {
        location: Location {
            file: FILE,
            span: Span::new(start, end),
        },
        content: content.to_owned(),
    };
    Fix {
        applicability,
        message: "message".to_owned(),
        edits: edits.iter().map(edit).collect(),
    }
}

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.add("a.py".into(), text.into());
    sources
}

/// The new text, with how many fixes were applied and postponed.
fn applied(text: &str, fixes: &[Fix], least: Applicability) -> (String, usize, usize) {
    let sources = sources(text);
    let plan = fix::plan(fixes, &sources, least);
    let new = plan
        .texts(&sources)
        .map(|(_, text)| text)
        .next()
        .unwrap_or_else(|| text.to_owned());
    (new, plan.applied, plan.postponed)
}

fn safe(text: &str, fixes: &[&[(usize, usize, &str)]]) -> (String, usize, usize) {
    let fixes: Vec<Fix> = fixes.iter().map(|edits| fix_of(Applicability::Safe, edits)).collect();
    applied(text, &fixes, Applicability::Safe)
}

#[test]
fn fixes_are_applied_as_a_whole_in_one_pass() {
    assert_eq!(
        safe("abcdef", &[&[(4, 5, "E")], &[(0, 1, "A"), (2, 2, "-")]]),
        ("Ab-cdEf".into(), 2, 0)
    );
    // The second one touches the first one's place, so none of its edits is applied.
    assert_eq!(
        safe("abcdef", &[&[(0, 3, "X")], &[(2, 4, "Y"), (5, 6, "Z")]]),
        ("Xdef".into(), 1, 1)
    );
    assert_eq!(safe("abcdef", &[&[(0, 3, "X")], &[(3, 4, "Y")]]), ("XYef".into(), 2, 0));
}

#[test]
fn two_insertions_at_one_place_conflict_unless_they_are_the_same() {
    assert_eq!(safe("ab", &[&[(1, 1, "x")], &[(1, 1, "y")]]), ("axb".into(), 1, 1));
    assert_eq!(
        safe("ab", &[&[(0, 0, "i;"), (1, 2, "B")], &[(0, 0, "i;"), (0, 1, "A")]]),
        ("i;AB".into(), 2, 0)
    );
}

#[test]
fn edits_that_do_not_fit_are_left_out() {
    assert_eq!(
        safe(
            "aé",
            &[&[(2, 3, "x")], &[(5, 9, "y")], &[(2, 1, "z")], &[], &[(0, 1, "b")]]
        ),
        ("bé".into(), 1, 0)
    );
    assert_eq!(safe("abc", &[&[(0, 2, "x"), (1, 3, "y")]]), ("abc".into(), 0, 0));
}

#[test]
fn only_what_is_applicable_enough_is_applied() {
    let fixes = [
        fix_of(Applicability::Safe, &[(0, 1, "S")]),
        fix_of(Applicability::Unsafe, &[(1, 2, "U")]),
        fix_of(Applicability::Display, &[(2, 3, "D")]),
    ];
    assert_eq!(applied("abc", &fixes, Applicability::Safe).0, "Sbc");
    assert_eq!(applied("abc", &fixes, Applicability::Unsafe).0, "SUc");
}

#[test]
fn line_endings_stay() {
    assert_eq!(safe("a\r\nb\r\n", &[&[(3, 4, "x\ny\r\nz")]]).0, "a\r\nx\r\ny\r\nz\r\n");
    assert_eq!(safe("a\nb\n", &[&[(2, 3, "x\ny")]]).0, "a\nx\ny\n");
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.py");
    std::fs::write(&path, "new\n").expect("it can be written");
    assert!(write_text(&path, "old\n", "fixed\n").is_err());
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "new\n");
    write_text(&path, "new\n", "fixed\n").expect("it can be written");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "fixed\n");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn permissions_and_symbolic_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, link) = (folder.path().join("a.py"), folder.path().join("link.py"));
    std::fs::write(&path, "old\n").expect("it can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    symlink(&path, &link).expect("links are known here");
    write_text(&link, "old\n", "new\n").expect("it can be written");
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "new\n");
    assert_eq!(
        std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777,
        0o755
    );
}

proptest! {
    /// Text that no applied edit covers is still there, in order, whatever the fixes are.
    #[test]
    fn unrelated_text_is_never_lost(
        text in "[a-zé€\r\n ]{0,40}",
        spans in prop::collection::vec(prop::collection::vec((0_usize..60, 0_usize..12, "[A-Z]{0,3}"), 1..4), 0..6),
    ) {
        let fixes: Vec<Fix> = spans
            .iter()
            .map(|edits| {
                let edits: Vec<(usize, usize, &str)> =
                    edits.iter().map(|(start, length, content)| (*start, start + length, content.as_str())).collect();
                fix_of(Applicability::Safe, &edits)
            })
            .collect();
        let (new, count, postponed) = applied(&text, &fixes, Applicability::Safe);
        prop_assert!(count + postponed <= fixes.len());
        // New text is in capital letters, which the old one has none of.
        let kept: String = new.chars().filter(|c| !c.is_ascii_uppercase()).collect();
        let mut rest = text.chars();
        prop_assert!(kept.chars().all(|c| rest.any(|other| other == c)), "{new:?} is not made of {text:?}");
        // What is missing was inside of an edit.
        let covered: usize = fixes.iter().flat_map(|fix| &fix.edits).map(|edit| (edit.location.span.end - edit.location.span.start) as usize).sum();
        prop_assert!(kept.len() + covered >= text.len());
        if count == 0 {
            prop_assert_eq!(&new, &text);
        }
    }

    /// Postponed fixes have their turn: as long as the spans still fit, every round gets further.
    #[test]
    fn the_first_of_conflicting_fixes_is_always_applied(starts in prop::collection::vec(0_usize..10, 1..8)) {
        let fixes: Vec<Fix> = starts.iter().map(|&start| fix_of(Applicability::Safe, &[(start, start + 3, "X")])).collect();
        let (_, count, postponed) = applied("0123456789abc", &fixes, Applicability::Safe);
        prop_assert!(count >= 1);
        prop_assert_eq!(count + postponed, fixes.len());
    }
}
