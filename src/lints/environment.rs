//! RL401: parts of a MongoDB URL read from the environment.

use super::context::Context;
use super::one_url::{self, Part};
use crate::analysis::EnvNames;

/// The parts of a URL that a platform also gives one by one.
const PARTS: [&str; 7] = ["HOST", "PORT", "LOGIN", "PASSWORD", "USER", "USERNAME", "PASS"];

/// The store whose parts are meant.
const STORE: &str = "MONGODB";

/// Reports every read of such a name.
pub fn check(ctx: &mut Context<'_>, names: &EnvNames) {
    let out = ctx.out;
    let parts: Vec<Part> = out
        .env_reads
        .iter()
        .filter_map(|read| {
            Some(Part {
                place: read.place,
                name: read.name.clone(),
                url: url_for(&read.name, read.certain, names)?,
            })
        })
        .collect();
    let fixes = one_url::fixes(ctx, &parts);
    for (Part { place, name, url }, fix) in parts.into_iter().zip(fixes) {
        let message = format!(
            "`{name}` names one member of the replica set, which cannot follow an election: read `{url}` in its place"
        );
        let Some(mut finding) = ctx.finding(401, place, message) else {
            continue;
        };
        finding.label = "a part of the URL".into();
        finding.help = format!("read `{url}`, which lists all members, and give it to the client unchanged");
        finding.fix = fix;
        ctx.add(finding);
    }
}

/// The name of the URL that should be read in place of this one. `None` for names that are no part of a URL. A name
/// without prefix counts only where the environment is known to be read.
pub fn url_for(name: &str, certain: bool, names: &EnvNames) -> Option<String> {
    if names.names.iter().any(|n| n == name) {
        return Some(
            name.rsplit_once('_')
                .map_or_else(|| "the URL".to_owned(), |(head, _)| format!("{head}_URL")),
        );
    }
    let (head, part) = name.rsplit_once('_')?;
    if !PARTS.contains(&part) {
        return None;
    }
    let prefix = head.strip_suffix(STORE)?;
    let prefixed = !prefix.is_empty();
    if prefixed && !prefix.ends_with('_') || !prefixed && !certain {
        return None;
    }
    if !names.prefixes.is_empty() && !names.prefixes.iter().any(|p| prefix.starts_with(p.as_str())) {
        return None;
    }
    Some(format!("{head}_URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_the_store_count() {
        let none = EnvNames::default();
        assert_eq!(
            url_for("SHOP_MONGODB_HOST", false, &none).as_deref(),
            Some("SHOP_MONGODB_URL")
        );
        assert_eq!(url_for("MONGODB_PORT", true, &none).as_deref(), Some("MONGODB_URL"));
        assert_eq!(url_for("MONGODB_PORT", false, &none), None);
        assert_eq!(url_for("SHOP_MONGODB_URL", true, &none), None);
        assert_eq!(url_for("SHOP_MYSQL_HOST", true, &none), None);
        assert_eq!(url_for("XMONGODB_HOST", true, &none), None);
    }
}
