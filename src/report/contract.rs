//! The JSON form of findings that other tools build on; see `--output-format json`.

use serde::Serialize;

use super::{Report, rule_url};
use crate::core::Position;
use crate::findings::{Finding, Fix, Location};

/// One finding; the order of the fields is that of the output.
#[derive(Serialize)]
pub struct JsonFinding<'a> {
    code: String,
    name: &'a str,
    severity: &'a str,
    confidence: &'a str,
    message: &'a str,
    filename: &'a str,
    location: JsonPosition,
    end_location: JsonPosition,
    fix: Option<JsonFix<'a>>,
    related: Vec<JsonRelated<'a>>,
    url: String,
}

/// Row and column, from 1, the column in characters.
#[derive(Serialize)]
pub struct JsonPosition {
    row: u32,
    column: u32,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    applicability: &'a str,
    message: &'a str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    /// Only where the edit is in another file than the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    location: JsonPosition,
    end_location: JsonPosition,
    content: &'a str,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    filename: &'a str,
    location: JsonPosition,
    end_location: JsonPosition,
}

impl From<Position> for JsonPosition {
    fn from(position: Position) -> Self {
        Self {
            row: position.row,
            column: position.column,
        }
    }
}

impl<'a> JsonFinding<'a> {
    /// The JSON form of a finding of this report.
    pub fn new(report: &'a Report<'_>, finding: &'a Finding) -> Self {
        let (location, end_location) = range(report, finding.location);
        Self {
            code: finding.code.to_string(),
            name: finding.name,
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
            message: &finding.message,
            filename: report.path(finding.location),
            location,
            end_location,
            fix: finding.fix.as_ref().map(|fix| json_fix(report, finding, fix)),
            related: finding
                .related
                .iter()
                .map(|related| {
                    let (location, end_location) = range(report, related.location);
                    JsonRelated {
                        message: &related.message,
                        filename: report.path(related.location),
                        location,
                        end_location,
                    }
                })
                .collect(),
            url: rule_url(finding),
        }
    }
}

fn json_fix<'a>(report: &'a Report<'_>, finding: &Finding, fix: &'a Fix) -> JsonFix<'a> {
    let edits = fix
        .edits
        .iter()
        .map(|edit| {
            let (location, end_location) = range(report, edit.location);
            let elsewhere = edit.location.file != finding.location.file;
            let filename = elsewhere.then(|| report.path(edit.location));
            JsonEdit {
                filename,
                location,
                end_location,
                content: &edit.content,
            }
        })
        .collect();
    JsonFix {
        applicability: fix.applicability.as_str(),
        message: &fix.message,
        edits,
    }
}

fn range(report: &Report<'_>, location: Location) -> (JsonPosition, JsonPosition) {
    let (start, end) = report.range(location);
    (start.into(), end.into())
}
