//! Templates of notices: TOML, with placeholders in the texts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::PLACEHOLDERS;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Texts in the order in which they are printed.
    pub texts: Vec<Body>,
    /// What a buyer reads for a rule, by the rule's id.
    pub names: BTreeMap<String, String>,
    /// Ends that are cut from a rule's title where `names` has none for it.
    pub cut: Vec<String>,
}

/// One text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What `--text` calls it.
    pub name: String,
    /// Its heading.
    pub title: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Value(String),
    /// Kept where the value is not empty.
    If(String, Vec<Piece>),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML of that form.
    #[error("not a template: {0}")]
    Form(String),
    /// A placeholder is wrong.
    #[error("text {text}: {what}")]
    Placeholder {
        /// The text's name.
        text: String,
        /// What is wrong with it.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    text: Vec<FileText>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    cut: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    name: String,
    title: String,
    body: String,
}

impl Template {
    /// The template that a file holds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let file: File = toml::from_str(text).map_err(|error| TemplateError::Form(error.to_string()))?;
        if file.text.is_empty() {
            return Err(TemplateError::Form("it has no [[text]]".to_owned()));
        }
        let texts = file.text.into_iter().map(|text| {
            let pieces =
                pieces(&text.body).map_err(|what| TemplateError::Placeholder { text: text.name.clone(), what })?;
            Ok(Body { name: text.name, title: text.title, pieces })
        });
        Ok(Self { texts: texts.collect::<Result<_, _>>()?, names: file.names, cut: file.cut })
    }
}

impl Body {
    /// The text with its values.
    #[must_use]
    pub(super) fn fill(&self, value: &dyn Fn(&str) -> String) -> String {
        let mut out = String::new();
        fill(&self.pieces, value, &mut out);
        out.trim_end().to_owned()
    }
}

fn fill(pieces: &[Piece], value: &dyn Fn(&str) -> String, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(words) => out.push_str(words),
            Piece::Value(name) => out.push_str(&value(name)),
            Piece::If(name, inner) if !value(name).is_empty() => fill(inner, value, out),
            Piece::If(..) => {}
        }
    }
}

/// `{{name}}` is a value, `{{?name}}...{{/name}}` is kept where the value is not empty. Conditions do not nest.
fn pieces(body: &str) -> Result<Vec<Piece>, String> {
    let mut whole = Vec::new();
    let mut condition: Option<(String, Vec<Piece>)> = None;
    let mut rest = body;
    loop {
        let open = condition.as_mut().map_or(&mut whole, |(_, inner)| inner);
        let Some((words, later)) = rest.split_once("{{") else {
            open.push(Piece::Words(rest.to_owned()));
            break;
        };
        open.push(Piece::Words(words.to_owned()));
        let (name, later) = later.split_once("}}").ok_or("`{{` without `}}`")?;
        rest = later;
        let name = name.trim();
        let known = |name: &str| match PLACEHOLDERS.contains(&name) {
            true => Ok(name.to_owned()),
            false => Err(format!("there is no placeholder `{name}`; there are {}", PLACEHOLDERS.join(", "))),
        };
        if let Some(name) = name.strip_prefix('?') {
            if condition.is_some() {
                return Err(format!("`?{name}` within another condition"));
            }
            condition = Some((known(name)?, Vec::new()));
        } else if let Some(name) = name.strip_prefix('/') {
            match condition.take() {
                Some((opened, inner)) if opened == name => whole.push(Piece::If(opened, inner)),
                _ => return Err(format!("`/{name}` ends no condition")),
            }
        } else {
            open.push(Piece::Value(known(name)?));
        }
    }
    match condition {
        Some((name, _)) => Err(format!("`?{name}` is not ended by `/{name}`")),
        None => Ok(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(body: &str) -> Result<String, String> {
        let text = format!("[[text]]\nname = \"a\"\ntitle = \"A\"\nbody = '''{body}'''\n");
        let template = Template::parse(&text).map_err(|error| error.to_string())?;
        let value = |name: &str| if name == "missing" { "X, Y".to_owned() } else { String::new() };
        Ok(template.texts[0].fill(&value))
    }

    #[test]
    fn placeholders_are_filled_and_empty_conditions_left_out() {
        assert_eq!(filled("a {{missing}}.").unwrap(), "a X, Y.");
        assert_eq!(filled("a{{?missing}} b {{missing}}{{/missing}} c").unwrap(), "a b X, Y c");
        assert_eq!(filled("a{{?other}} b {{other}}{{/other}} c").unwrap(), "a c");
    }

    #[test]
    fn wrong_placeholders_are_named() {
        for (body, words) in [
            ("{{missin}}", "text a: there is no placeholder `missin`; there are device,"),
            ("{{missing", "text a: `{{` without `}}`"),
            ("{{?missing}}", "text a: `?missing` is not ended by `/missing`"),
            ("{{/missing}}", "text a: `/missing` ends no condition"),
            ("{{?missing}}{{?other}}{{/other}}{{/missing}}", "text a: `?other` within another condition"),
        ] {
            assert!(filled(body).unwrap_err().starts_with(words), "{body}: {:?}", filled(body));
        }
        assert!(Template::parse("").unwrap_err().to_string().contains("missing field `text`"));
    }
}
