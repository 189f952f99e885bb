//! The language of texts for people.

use clap::{Args, ValueEnum};

use crate::profile::Language;

/// Which language. Shared by every command that prints texts of profiles.
#[derive(Debug, Args)]
pub(super) struct LanguageArguments {
    /// Language of texts [default: that of LC_ALL, LC_MESSAGES or LANG, else English]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<LanguageArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageArgument {
    /// English
    En,
    /// Russian
    Ru,
}

impl LanguageArguments {
    /// What was asked for, else what the environment says.
    pub(super) fn language(&self) -> Language {
        match self.lang {
            Some(LanguageArgument::En) => Language::En,
            Some(LanguageArgument::Ru) => Language::Ru,
            None => of_environment(|name| std::env::var(name).ok()),
        }
    }
}

/// The first variable that is set and not empty decides, as POSIX has it.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match set.as_deref().map(|value| value.split(['_', '.', '@']).next().unwrap_or_default()) {
        Some("ru") => Language::Ru,
        _ => Language::En,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |list: &[(&str, &str)]| {
            of_environment(|name| list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("LANG", "ru_RU.UTF-8")]), Language::Ru);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "ru_RU.UTF-8")]), Language::En);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_MESSAGES", "ru")]), Language::Ru);
        assert_eq!(of(&[("LC_ALL", "rus")]), Language::En);
        assert_eq!(of(&[]), Language::En);
    }
}
