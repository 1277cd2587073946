//! Suppressions work where people put them, and say so where they do not.

use reconnect_lint::core::{Language, Span};
use reconnect_lint::findings::suppress::{self, Comments, Outcome};
use reconnect_lint::findings::{Applicability, Finding, Location, Sources};
use reconnect_lint::fix;
use reconnect_lint::lints::texts;

use crate::support::{comments, finding};

/// A sample whose findings are the calls `rl101(..)`, `rl102(..)`, ...: named by their rule, up to the closing `!`.
struct Sample {
    sources: Sources,
    comments: Vec<Comments>,
    findings: Vec<Finding>,
}

fn sample(language: Language, text: &str) -> Sample {
    let mut sources = Sources::default();
    let path = if language == Language::Python { "a.py" } else { "a.rs" };
    let file = sources.add(path.into(), text.into());
    let findings = text
        .match_indices("rl")
        .filter(|(i, _)| text[i + 2..].starts_with(|c: char| c.is_ascii_digit()))
        .map(|(start, _)| {
            let code = format!("RL{}", &text[start + 2..start + 5]);
            let end = text[start..].find('!').map_or(start + 5, |length| start + length);
            finding(
                &code,
                Location {
                    file,
                    span: Span::new(start, end),
                },
                "message",
            )
        })
        .collect();
    let comments = vec![Comments {
        file,
        language,
        spans: comments(text, language),
    }];
    Sample {
        sources,
        comments,
        findings,
    }
}

impl Sample {
    fn apply(&self) -> Outcome {
        suppress::apply(
            self.findings.clone(),
            &self.sources,
            &self.comments,
            &texts::known(),
            |_, _| true,
        )
    }

    /// What is left, as `row code`.
    fn left(&self) -> Vec<String> {
        let row = |finding: &Finding| self.sources.get(finding.location.file).start(finding.location.span).row;
        self.apply()
            .findings
            .iter()
            .map(|finding| format!("{} {}", row(finding), finding.code))
            .collect()
    }

    fn text(&self) -> String {
        self.sources.iter().map(|(_, source)| source.text.to_string()).collect()
    }
}

fn python(text: &str) -> Vec<String> {
    sample(Language::Python, text).left()
}

fn rust(text: &str) -> Vec<String> {
    sample(Language::Rust, text).left()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_comment_behind_the_statement_hides_the_finding() {
    assert_eq!(python("rl101!()  # reconnect-lint: ignore[RL101] because\n"), NOTHING);
    assert_eq!(
        python("rl101!()  # reconnect-lint: ignore[unhandled-connection-loss]\n"),
        NOTHING
    );
    assert_eq!(python("rl101!()  # reconnect-lint: ignore[rl101]\n"), NOTHING);
    assert_eq!(rust("rl107!();  // reconnect-lint: ignore[RL107]\n"), NOTHING);
    assert_eq!(
        python("rl101!()  # type: ignore # reconnect-lint: ignore[RL101]\n"),
        NOTHING
    );
}

#[test]
fn only_the_named_rules_are_hidden() {
    assert_eq!(
        python("rl101!() + rl102!()  # reconnect-lint: ignore[RL102]\n"),
        ["1 RL101"]
    );
    assert_eq!(
        python("rl101!() + rl102!()  # reconnect-lint: ignore[RL102, RL101]\n"),
        NOTHING
    );
    assert_eq!(
        python("rl101!()\nrl102!()  # reconnect-lint: ignore[RL102]\n"),
        ["1 RL101"]
    );
}

#[test]
fn a_comment_of_its_own_means_the_next_statement() {
    assert_eq!(
        python("# reconnect-lint: ignore[RL101]\nrl101!()\nrl101!()\n"),
        ["3 RL101"]
    );
    assert_eq!(
        python("# reconnect-lint: ignore[RL101]\n# more\n\nx = f(\n    rl101!(),\n)\n"),
        NOTHING
    );
    assert_eq!(
        python("# reconnect-lint: ignore[RL202]\n@retry\n@rl202!(\n  1)\ndef f():\n    rl202!()\n"),
        ["6 RL202"]
    );
    assert_eq!(
        python("# reconnect-lint: ignore[RL108]\n@retry\ndef rl108!():\n    pass\n"),
        NOTHING
    );
    assert_eq!(
        python("# reconnect-lint: ignore[RL108]\nfor x in rl108!:\n    rl108!()\n"),
        ["3 RL108"]
    );
    let text = "fn f() {\n  // reconnect-lint: ignore[RL107]\n  let x = users\n    .rl107!()\n    .unwrap();\n  rl107!();\n}\n";
    assert_eq!(rust(text), ["6 RL107"]);
}

#[test]
fn every_line_of_a_finding_takes_a_comment() {
    for row in 0..4 {
        let mut lines = ["x = rl101(", "    1,", "    2,", ")!.y"].map(str::to_owned);
        lines[row].push_str("  # reconnect-lint: ignore[RL101]");
        assert_eq!(python(&(lines.join("\n") + "\n")), NOTHING, "row {row}");
    }
    let text = "let x = users\n    // reconnect-lint: ignore[RL107]\n    .find()\n    .await.rl107!();\n";
    assert_eq!(rust(text), NOTHING);
}

#[test]
fn the_first_and_the_last_line_of_a_statement_stand_for_all_of_it() {
    assert_eq!(
        python("x = f(  # reconnect-lint: ignore[RL101]\n    rl101!(),\n)\n"),
        NOTHING
    );
    assert_eq!(
        python("x = f(\n    rl101!(),\n)  # reconnect-lint: ignore[RL101]\n"),
        NOTHING
    );
    // Among arguments only those on the line are meant.
    assert_eq!(
        python("x = f(\n    rl101!(),\n    1,  # reconnect-lint: ignore[RL101]\n)\n"),
        ["2 RL101", "3 RL902"]
    );
    assert_eq!(
        python("x = '''\n''' + rl101!()  # reconnect-lint: ignore[RL101]\n"),
        NOTHING
    );
}

#[test]
fn files_and_regions_can_be_left_out() {
    assert_eq!(
        python("rl101!()\nrl102!()\n# reconnect-lint: ignore-file[RL101]\n"),
        ["2 RL102"]
    );
    let text =
        "rl101!()\n# reconnect-lint: disable[RL101]\nrl101!()\nrl102!()\n# reconnect-lint: enable[RL101]\nrl101!()\n";
    assert_eq!(python(text), ["1 RL101", "4 RL102", "6 RL101"]);
    assert_eq!(python("# reconnect-lint: disable[RL101]\nrl101!()\n"), NOTHING);
}

#[test]
fn noqa_with_our_code_works_and_a_bare_one_is_for_others() {
    assert_eq!(python("rl101!()  # noqa: E501, RL101\n"), NOTHING);
    assert_eq!(python("rl101!()  # NOQA:RL101 reason\n"), NOTHING);
    assert_eq!(python("rl101!()  # noqa\n"), ["1 RL101"]);
    assert_eq!(python("rl101!()  # noqa: E501\n"), ["1 RL101"]);
    assert_eq!(python("x  # noqa: RL101\n"), ["1 RL902"]);
    assert_eq!(python("x  # noqa: RL999, E501\n"), NOTHING);
}

#[test]
fn prose_and_strings_hide_nothing() {
    assert_eq!(python("rl101!()  # see reconnect-lint: ignore[RL101]\n"), ["1 RL101"]);
    let mut sample = sample(Language::Python, "rl101!('# reconnect-lint: ignore[RL101]')\n");
    sample.comments[0].spans.clear();
    assert_eq!(sample.left(), ["1 RL101"]);
    assert_eq!(rust("/// reconnect-lint: ignore[RL107]\nrl107!();\n"), ["2 RL107"]);
}

#[test]
fn what_hides_nothing_is_a_finding() {
    let text = "\
rl101!()  # reconnect-lint: ignore[RL101, RL102]
x  # reconnect-lint: ignore[RL101]
# reconnect-lint: ignore-file[RL401]
# reconnect-lint: enable[RL401]
# reconnect-lint: ignore
# reconnect-lint: ignor[RL101]
# reconnect-lint: disable=RL101
# reconnect-lint: ignore[unguarded-curser, RL1]
# noqa: RL103
y  # reconnect-lint: ignore[RL101, RL902]
";
    let sample = sample(Language::Python, text);
    let shown: String = sample
        .apply()
        .findings
        .iter()
        .map(|finding| {
            let source = sample.sources.get(finding.location.file);
            let at = &source.text[finding.location.span.range()];
            let row = source.start(finding.location.span).row;
            format!(
                "{row} {} `{at}`\n  {}\n  help: {}\n",
                finding.code, finding.message, finding.help
            )
        })
        .collect::<Vec<_>>()
        .concat();
    insta::assert_snapshot!("useless_suppressions", shown);
}

#[test]
fn a_rule_that_is_switched_off_may_well_be_suppressed() {
    let sample = sample(Language::Python, "x  # reconnect-lint: ignore[RL101]\n");
    let outcome = suppress::apply(
        Vec::new(),
        &sample.sources,
        &sample.comments,
        &texts::known(),
        |_, _| false,
    );
    assert_eq!(outcome.findings, []);
}

/// The text after the fixes of all findings.
fn repaired(language: Language, text: &str) -> String {
    let sample = sample(language, text);
    let outcome = sample.apply();
    let fixes = outcome.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let plan = fix::plan(fixes, &sample.sources, Applicability::Safe);
    let changed = plan.texts(&sample.sources).map(|(_, text)| text).next();
    changed.unwrap_or_else(|| sample.text())
}

#[test]
fn removing_an_unused_suppression_leaves_the_rest_of_its_line() {
    let cases = [
        ("x = 1  # reconnect-lint: ignore[RL101]\ny\n", "x = 1\ny\n"),
        ("x = 1  # reconnect-lint: ignore[RL101]\r\ny\r\n", "x = 1\r\ny\r\n"),
        ("  # reconnect-lint: ignore[RL101] why\ny\n", "y\n"),
        (
            "x  # noqa: E501  # reconnect-lint: ignore[RL101]\n",
            "x  # noqa: E501\n",
        ),
        (
            "x  # reconnect-lint: ignore[RL101]  # noqa: E501\n",
            "x  # noqa: E501\n",
        ),
        ("x  # noqa: E501, RL101\n", "x  # noqa: E501\n"),
        ("x  # noqa: RL101, E501\n", "x  # noqa: E501\n"),
        ("x  # noqa: RL101, RL102\n", "x\n"),
        (
            "rl101!()  # reconnect-lint: ignore[RL101, RL102]\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\n",
        ),
        (
            "rl101!()  # reconnect-lint: ignore[RL102, RL101]\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\n",
        ),
        (
            "rl101!()  # reconnect-lint: ignore[RL102, RL101, RL103]\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\n",
        ),
        (
            "rl101!()  # reconnect-lint: ignore[RL102, RL103, RL101]\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\n",
        ),
        (
            "rl101!()  # reconnect-lint: ignore[RL101, RL102, RL103]\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\n",
        ),
        ("x  # reconnect-lint: ignore[RL101]", "x"),
    ];
    for (before, after) in cases {
        assert_eq!(repaired(Language::Python, before), after, "{before:?}");
    }
    assert_eq!(
        repaired(Language::Rust, "x();  // reconnect-lint: ignore[RL101]\n"),
        "x();\n"
    );
    assert_eq!(
        repaired(Language::Rust, "x();  // opens // reconnect-lint: ignore[RL101]\n"),
        "x();  // opens // reconnect-lint: ignore[RL101]\n"
    );
    assert_eq!(
        repaired(Language::Rust, "x();  // opens  // reconnect-lint: ignore[RL101]\n"),
        "x();  // opens\n"
    );
}

/// The text after all findings were suppressed where they are.
fn suppressed(language: Language, text: &str, reason: &str) -> String {
    let before = sample(language, text);
    let edits = suppress::add(&before.findings, &before.sources, &before.comments, reason);
    let fixes: Vec<_> = edits.into_iter().map(|edit| fix_of(vec![edit])).collect();
    let plan = fix::plan(&fixes, &before.sources, Applicability::Safe);
    let after = plan
        .texts(&before.sources)
        .map(|(_, text)| text)
        .next()
        .unwrap_or_else(|| before.text());
    assert_eq!(sample(language, &after).left(), NOTHING, "{after}");
    after
}

fn fix_of(edits: Vec<reconnect_lint::findings::Edit>) -> reconnect_lint::findings::Fix {
    reconnect_lint::findings::Fix {
        applicability: Applicability::Safe,
        message: String::new(),
        edits,
    }
}

#[test]
fn added_suppressions_hide_what_they_were_added_for() {
    let cases = [
        ("rl101!()\n", "rl101!()  # reconnect-lint: ignore[RL101]\n"),
        (
            "rl101!()\r\nx\r\n",
            "rl101!()  # reconnect-lint: ignore[RL101]\r\nx\r\n",
        ),
        ("rl101!()", "rl101!()  # reconnect-lint: ignore[RL101]"),
        (
            "rl101!() + rl102!()\n",
            "rl101!() + rl102!()  # reconnect-lint: ignore[RL101, RL102]\n",
        ),
        (
            "rl101!()  # why\n",
            "rl101!()  # why  # reconnect-lint: ignore[RL101]\n",
        ),
        (
            "rl101!() + rl102!()  # reconnect-lint: ignore[RL102] x\n",
            "rl101!() + rl102!()  # reconnect-lint: ignore[RL102, RL101] x\n",
        ),
        (
            "x = f(\n    rl101!(),\n)\n",
            "x = f(\n    rl101!(),  # reconnect-lint: ignore[RL101]\n)\n",
        ),
        (
            "    y = rl101!() + \\\n        1\n",
            "    # reconnect-lint: ignore[RL101]\n    y = rl101!() + \\\n        1\n",
        ),
        (
            "y = rl101!() + '''\n'''\n",
            "# reconnect-lint: ignore[RL101]\ny = rl101!() + '''\n'''\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(suppressed(Language::Python, before, ""), after, "{before:?}");
    }
    assert_eq!(
        suppressed(Language::Python, "rl101!()\n", "known"),
        "rl101!()  # reconnect-lint: ignore[RL101] known\n"
    );
    assert_eq!(
        suppressed(Language::Rust, "rl107!();\n", ""),
        "rl107!();  // reconnect-lint: ignore[RL107]\n"
    );
}
