//! `concise`: one line per finding, `path:row:col: error[RL101] message`, as compilers and editors know it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::visible::Harmless;
use super::{Format, Report, Style, rule_url};
use crate::findings::{Finding, Severity};

/// One line per finding.
pub struct Concise;

impl Format for Concise {
    fn name(&self) -> &'static str {
        "concise"
    }

    fn about(&self) -> &'static str {
        "one line per finding"
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let harmless = Harmless::new(report);
        let report = &harmless
            .as_ref()
            .map_or_else(|| report.clone(), |harmless| harmless.report(report));
        for finding in report.findings {
            let (start, _) = report.range(finding.location);
            let place = format!("{}:{}:{}", report.path(finding.location), start.row, start.column);
            writeln!(
                out,
                "{place}: {} {}",
                head(finding, report.style),
                one_line(&finding.message)
            )?;
        }
        Ok(())
    }
}

/// A message that must not break a line.
pub(super) fn one_line(message: &str) -> String {
    message.replace(['\r', '\n'], " ")
}

/// `error[RL101]` in the severity's colour, the code as a link to the rule's text.
pub(super) fn head(finding: &Finding, style: Style) -> String {
    let code = linked_code(finding, style);
    if style.color {
        let ansi = severity_style(finding.severity);
        format!("{ansi}{}[{code}]{ansi:#}", finding.severity)
    } else {
        format!("{}[{code}]", finding.severity)
    }
}

/// The code; on a terminal that can, a link.
pub(super) fn linked_code(finding: &Finding, style: Style) -> String {
    if style.hyperlinks {
        format!("\x1b]8;;{}\x1b\\{}\x1b]8;;\x1b\\", rule_url(finding), finding.code)
    } else {
        finding.code.to_string()
    }
}

/// The colour of a severity, the same as in the full report.
pub(super) fn severity_style(severity: Severity) -> Ansi {
    let color = match severity {
        Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::BrightYellow,
        Severity::Note => AnsiColor::BrightGreen,
    };
    color.on_default().bold()
}
