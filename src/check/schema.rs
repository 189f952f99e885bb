//! JSON Schema of profiles, waivers and attestations, for editors. Built from the same tables that the readers use.

use serde_json::{Map, Value, json};

use super::KINDS;
use crate::inventory::{DeviceKind, OsFlavour};
use crate::profile::keys;

/// A profile.
#[must_use]
pub fn profile() -> Value {
    let rule = rule();
    let defaults = object(keys::DEFAULTS.iter().map(|key| ((*key).to_owned(), rule_key(key))).collect(), &[]);
    let tailored = |extra: &[&str]| {
        let mut properties = Map::new();
        properties.insert("rule".to_owned(), id());
        properties.insert("reason".to_owned(), text());
        for key in extra {
            properties.insert((*key).to_owned(), rule_key(key));
        }
        list(object(properties, &["rule", "reason"]))
    };
    let mut properties = Map::new();
    for (key, schema) in [
        ("schema", json!({ "const": 1 })),
        ("id", json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)*$" })),
        ("version", text()),
        ("title", wording()),
        ("description", wording()),
        ("extends", json!({ "anyOf": [text(), list(text())] })),
        ("deselect", tailored(&[])),
        ("select", tailored(&[])),
        ("refine", tailored(keys::REFINABLE)),
        ("sources", json!({ "type": "object", "additionalProperties": text() })),
        ("defaults", defaults),
        ("rule", list(rule)),
    ] {
        properties.insert(key.to_owned(), schema);
    }
    let mut schema = object(properties, &["schema", "id", "version", "title"]);
    describe(&mut schema, "A profile of preloaded: rules that firmware and phones are judged by.");
    schema
}

/// A file of waivers.
#[must_use]
pub fn waivers() -> Value {
    let scope = object(
        ["model", "fingerprint", "package"]
            .into_iter()
            .map(|key| (key.to_owned(), text()))
            .chain([digest("signer")])
            .collect(),
        &[],
    );
    let mut properties: Map<String, Value> = keys::WAIVER.iter().map(|key| ((*key).to_owned(), text())).collect();
    properties.insert("rule".to_owned(), id());
    properties.insert("scope".to_owned(), scope);
    for key in ["created", "expires"] {
        properties.insert(key.to_owned(), day());
    }
    properties.extend([digest("evidence-sha256")]);
    let waiver = object(properties, &["id", "rule", "scope", "reason", "owner", "approved-by", "created", "expires"]);
    file("waiver", waiver, "Failures that somebody accepts for a time.")
}

/// A file of attestations.
#[must_use]
pub fn attestations() -> Value {
    let scope =
        object(["model", "fingerprint", "target"].map(|key| (key.to_owned(), text())).into_iter().collect(), &[]);
    let mut properties: Map<String, Value> = Map::new();
    for (key, schema) in [
        ("rule", id()),
        ("profile", text()),
        ("answer", json!({ "enum": ["met", "not-met"] })),
        ("operator", text()),
        ("on", day()),
        ("expires", day()),
        ("scope", scope),
        ("note", text()),
    ] {
        properties.insert(key.to_owned(), schema);
    }
    properties.extend([digest("photo-sha256")]);
    let required = ["rule", "profile", "answer", "operator", "on", "expires", "scope"];
    file("attestation", object(properties, &required), "What a person saw where no machine can.")
}

fn file(key: &str, item: Value, description: &str) -> Value {
    let mut properties = Map::new();
    properties.insert("schema".to_owned(), json!({ "const": 1 }));
    properties.insert(key.to_owned(), list(item));
    let mut schema = object(properties, &["schema"]);
    describe(&mut schema, description);
    schema
}

fn describe(schema: &mut Value, description: &str) {
    if let Value::Object(fields) = schema {
        fields.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("description".to_owned(), json!(description));
    }
}

fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

fn list(item: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": item })
}

fn text() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

fn id() -> Value {
    json!({ "type": "string", "pattern": "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$" })
}

/// TOML dates are of a type of their own, which editors hold for text.
fn day() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn digest(key: &str) -> (String, Value) {
    (key.to_owned(), json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" }))
}

fn wording() -> Value {
    let languages = [("en".to_owned(), text()), ("ru".to_owned(), text())].into_iter().collect();
    json!({ "anyOf": [text(), object(languages, &["en"])] })
}

/// A rule: what its kind of check takes decides what `settings` may hold.
fn rule() -> Value {
    let properties: Map<String, Value> = keys::RULE.iter().map(|key| ((*key).to_owned(), rule_key(key))).collect();
    let mut rule = object(properties, &["id", "title", "check"]);
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            json!({
                "if": { "properties": { "check": { "const": kind.name() } } },
                "then": { "properties": { "settings": kind.about().schema() } },
            })
        })
        .collect();
    if let Value::Object(fields) = &mut rule {
        fields.insert("allOf".to_owned(), json!(kinds));
    }
    rule
}

/// What may stand at a key of a rule.
fn rule_key(key: &str) -> Value {
    let names =
        |list: Vec<&str>| json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": { "enum": list } });
    let number = json!({ "type": "integer", "minimum": 0 });
    match key {
        "id" | "superseded-by" => id(),
        "title" | "remedy" => wording(),
        "check" => json!({ "enum": KINDS.iter().map(|kind| kind.name()).collect::<Vec<_>>() }),
        "settings" => json!({ "type": "object" }),
        "selected" => json!({ "type": "boolean" }),
        "status" => json!({ "enum": ["mandatory", "contractual", "policy", "advisory"] }),
        "device-kinds" => names(DeviceKind::ALL.map(DeviceKind::as_str).to_vec()),
        "os-flavours" => names(OsFlavour::ALL.map(OsFlavour::as_str).to_vec()),
        "markets" => json!({ "type": "array", "minItems": 1, "items": { "type": "string", "pattern": "^[A-Z]{2}$" } }),
        "sdk" => object([("from".to_owned(), number.clone()), ("until".to_owned(), number)].into_iter().collect(), &[]),
        "made-from" => day(),
        "effective" => {
            let properties = [
                ("basis", json!({ "enum": ["made", "sold", "as-of"] })),
                ("from", day()),
                ("until", day()),
                ("held-by", text()),
            ];
            list(object(properties.map(|(key, schema)| (key.to_owned(), schema)).into_iter().collect(), &["basis"]))
        }
        "legal" => {
            let properties = keys::LEGAL.iter().map(|key| {
                let schema = match *key {
                    "sources" => list(text()),
                    "confidence" => json!({ "enum": ["A", "B"] }),
                    _ => wording(),
                };
                ((*key).to_owned(), schema)
            });
            object(properties.collect(), &[])
        }
        "caveats" => {
            let properties = [
                ("text", wording()),
                ("confidence", json!({ "enum": ["A", "B"] })),
                ("os-flavours", names(OsFlavour::ALL.map(OsFlavour::as_str).to_vec())),
                ("from", day()),
                ("until", day()),
            ];
            list(object(properties.map(|(key, schema)| (key.to_owned(), schema)).into_iter().collect(), &["text"]))
        }
        "history" => {
            let properties = [("date".to_owned(), day()), ("text".to_owned(), wording())];
            list(object(properties.into_iter().collect(), &["date", "text"]))
        }
        "examples" => {
            let verdicts = ["pass", "fail", "inconclusive", "error", "not_checked", "informational", "not_applicable"];
            let mut properties: Map<String, Value> = Map::new();
            for key in ["as-of", "made", "sold"] {
                properties.insert(key.to_owned(), day());
            }
            for key in ["reason", "market", "inventory", "hidden"] {
                properties.insert(key.to_owned(), text());
            }
            properties.insert("verdict".to_owned(), json!({ "enum": verdicts }));
            properties.insert("governing".to_owned(), json!({ "enum": ["made", "sold"] }));
            properties.insert("any-method".to_owned(), json!({ "type": "boolean" }));
            properties.insert("device".to_owned(), object(device(), &[]));
            properties.insert("unknown".to_owned(), list(json!({ "enum": ["packages"] })));
            let package = json!({ "anyOf": [text(), object(package(), &["id"])] });
            properties.insert("packages".to_owned(), json!({ "type": "array", "items": package }));
            list(object(properties, &["verdict"]))
        }
        _ => json!({}),
    }
}

/// Keys of an example's device.
fn device() -> Map<String, Value> {
    let key = |key: &str| {
        let schema = match key {
            "source" => json!({ "enum": ["firmware", "phone"] }),
            "kind" => json!({ "enum": DeviceKind::ALL.map(DeviceKind::as_str) }),
            "os" => json!({ "enum": OsFlavour::ALL.map(OsFlavour::as_str) }),
            "sdk" => json!({ "type": "integer", "minimum": 0 }),
            "security-patch" | "build-date" => day(),
            "holders" => json!({ "type": "object", "additionalProperties": text() }),
            "unknown" => list(json!({ "enum": keys::DEVICE_FACTS })),
            _ => text(),
        };
        (key.to_owned(), schema)
    };
    keys::DEVICE_FACTS.iter().chain(&keys::DEVICE_MORE).map(|name| key(name)).collect()
}

/// Keys of a package of an example.
fn package() -> Map<String, Value> {
    let key = |key: &str| {
        let schema = match key {
            "version" | "min-sdk" | "target-sdk" | "dex-bytes" => json!({ "type": "integer", "minimum": 0 }),
            "code" | "launcher" | "enabled" | "installed" | "hidden" | "claimed" | "cleartext" | "user-authorities"
            | "allow-backup" => json!({ "type": "boolean" }),
            "id" | "role" | "place" | "path" | "partition" | "signer" | "published-key" | "label" | "stub"
            | "shared-user" | "installer" | "overlays" | "removability" | "presence" | "launcher-place" => text(),
            "unknown" => list(json!({ "enum": keys::PACKAGE_FACTS })),
            _ => list(text()),
        };
        (key.to_owned(), schema)
    };
    keys::PACKAGE.iter().map(|name| key(name)).collect()
}
