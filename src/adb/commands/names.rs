//! What may stand in a command's place for a name: text that came from a phone, of characters that mean nothing to a shell.

/// Longest name of a package or permission. Android's own limit for packages is 223; permissions have none.
pub(super) const NAME_LIMIT: usize = 255;

/// Longest path of a file that is read.
const PATH_LIMIT: usize = 1024;

/// Whether a package's name may be sent: Android's characters (letters, digits, `_`, parts joined by `.`, each begun by
/// a letter or `_`), at least two parts or `android`. A single word could be one of `dumpsys package`'s own.
#[must_use]
pub fn is_package_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    name.len() <= NAME_LIMIT && (name == "android" || name.contains('.')) && name.split('.').all(part)
}

/// Whether a permission's name may be sent: letters, digits, `_`, `.`, `-`, begun by a letter or `_`. Android checks
/// nothing here, so a phone may hold names that are refused.
#[must_use]
pub fn is_permission_name(name: &str) -> bool {
    name.len() <= NAME_LIMIT
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// Whether a file may be read: a package file by its absolute path, of characters that mean nothing to a shell, without
/// `..`. Others stay unread, and are named.
#[must_use]
pub fn is_package_file(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=~@,:".contains(c);
    path.len() <= PATH_LIMIT
        && path.starts_with('/')
        && [".apk", ".apex", ".capex"].iter().any(|end| path.ends_with(end))
        && path.chars().all(plain)
        && path.split('/').all(|part| part != "..")
}

pub(super) fn is_number(word: &str) -> bool {
    word.parse::<u64>().is_ok_and(|number| number.to_string() == word)
}

pub(super) fn is_user_id(word: &str) -> bool {
    word.parse::<u32>().is_ok_and(|id| id.to_string() == word)
}
