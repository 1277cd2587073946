//! The JSON Schema of the configuration, for editors. Checked in as `reconnect-lint.schema.json`.

use super::options::Options;

/// The schema, as it is checked in.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Options);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::options::{ENV_KEYS, KEYS};
    use super::schema;

    #[test]
    fn the_lists_of_known_keys_are_those_of_the_schema() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).expect("JSON");
        let keys = |value: &serde_json::Value| {
            value["properties"]
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            keys.sort();
            keys
        };
        let mut top = keys(&schema);
        top.sort();
        assert_eq!(top, sorted(KEYS));
        let mut env = keys(&schema["$defs"]["EnvOptions"]);
        env.sort();
        assert_eq!(env, sorted(ENV_KEYS));
    }

    #[test]
    fn the_checked_in_schema_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reconnect-lint.schema.json");
        let current = std::fs::read_to_string(path).unwrap_or_default();
        if current != schema() {
            std::fs::write(path, schema()).expect("the crate's folder can be written");
            panic!("reconnect-lint.schema.json was stale and has been written anew: commit it");
        }
    }
}
