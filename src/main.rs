//! The binary: everything is in the library.

fn main() {
    let paths = std::env::args().skip(1).filter(|a| !a.starts_with('-') && a != "check" && a != "json").map(Into::into).collect();
    let request = reconnect_lint::analysis::Request { paths, ..Default::default() };
    let analysis = reconnect_lint::analysis::analyse(&request).expect("works");
    let mut out = Vec::new();
    for f in &analysis.findings {
        let s = analysis.sources.get(f.location.file);
        let p = s.start(f.location.span);
        out.push(serde_json::json!({"code": f.code.to_string(), "name": f.name, "severity": f.severity.as_str(), "confidence": f.confidence.as_str(), "message": f.message, "filename": s.path, "location": {"row": p.row, "column": p.column}, "related": f.related.iter().map(|r| { let s = analysis.sources.get(r.location.file); let p = s.start(r.location.span); serde_json::json!({"message": r.message, "filename": s.path, "location": {"row": p.row, "column": p.column}}) }).collect::<Vec<_>>()}));
    }
    println!("{}", serde_json::to_string_pretty(&out).unwrap());
}
