//! Packages and permissions of a device.

use std::collections::BTreeMap;
use std::io;

use super::cut;
use super::words::{both, bounded, words};
use crate::inventory::{Fact, Inventory, Package, PackageCopy, Signer};
use crate::report::csv_permissions::Held;
use crate::report::markup::escape;
use crate::report::phrases::{self as say, Phrase};
use crate::report::wording;

/// Packages named for a permission; the rest is counted.
const NAMED: usize = 40;

/// Characters of a field where each package is a line.
const BRIEF: usize = 60;

/// Levels of protection that people tell apart, the gravest first.
const LEVELS: [&str; 7] =
    ["signature|privileged", "signature", "internal", "dangerous", "normal", "unresolved", "undeclared"];

/// Writes the packages and, where there is room for tables, who asks for which permission.
pub(super) fn write(out: &mut dyn io::Write, inventory: &Inventory, tables: bool) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", both(say::PACKAGES_TITLE))?;
    match &inventory.packages {
        Fact::Unknown(gap) => {
            return writeln!(out, "<p>{} {}</p>", both(say::PACKAGES_UNKNOWN), bounded(&gap.detail));
        }
        Fact::Known { value, .. } if tables => table(out, value)?,
        Fact::Known { value, .. } => lines(out, value)?,
    }
    let held = Held::all(inventory);
    if held.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>{}</h2>", both(say::PERMISSIONS_TITLE))?;
    matrix(out, inventory, &held)?;
    if tables { holders(out, inventory, &held) } else { Ok(()) }
}

fn head(out: &mut dyn io::Write, columns: &[(Phrase, bool)]) -> io::Result<()> {
    writeln!(out, "<thead><tr>")?;
    for (name, number) in columns {
        let class = if *number { r#" class="n""# } else { "" };
        writeln!(out, r#"<th scope="col"{class}>{}</th>"#, both(*name))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")
}

fn table(out: &mut dyn io::Write, packages: &[Package]) -> io::Result<()> {
    writeln!(out, "<div class=\"wide\"><table class=\"sortable packages\">")?;
    let columns = [
        (say::PACKAGE, false),
        (say::LABEL, false),
        (say::VERSION, false),
        (say::PARTITION, false),
        (say::PLACE, false),
        (say::REMOVABILITY, false),
        (say::ASKED, true),
        (say::SIGNER, false),
        (say::PATH, false),
    ];
    head(out, &columns)?;
    for package in packages {
        for copy in &package.copies {
            let asked = fact(&copy.requested_permissions, |asked| asked.len().to_string());
            writeln!(
                out,
                r#"<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class="n">{asked}</td><td>{}</td><td class="path">{}</td></tr>"#,
                bounded(&package.name),
                fact(&copy.label, |label| optional(label.as_deref())),
                version(copy),
                fact(&copy.partition, |name| bounded(name)),
                fact(&copy.placement, |placement| placement.as_str().to_owned()),
                fact(&package.removability, |answer| both(wording::removability(answer.grade))),
                fact(&copy.signers, |signers| signer_list(signers)),
                bounded(&copy.path)
            )?;
        }
    }
    writeln!(out, "</tbody></table></div>")
}

fn fact<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    fact.known().map_or_else(|| format!(r#"<span class="soft">{}</span>"#, both(say::UNKNOWN)), show)
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| format!(r#"<span class="soft">{}</span>"#, both(say::NONE)), bounded)
}

fn version(copy: &PackageCopy) -> String {
    let name = fact(&copy.version_name, |name| optional(name.as_deref()));
    let code = fact(&copy.version_code, |code| format!("<small>({code})</small>"));
    format!("{name} {code}")
}

/// The beginnings of digests: enough to tell signers apart by eye; CSV and JSON have them whole.
fn signer_list(signers: &[Signer]) -> String {
    if signers.is_empty() {
        return optional(None);
    }
    let one = |signer: &Signer| {
        let digest = match (&signer.sha256, &signer.linked) {
            (Some(sha256), _) => cut(sha256, 12),
            // Read of another file whose signer has the same number.
            (None, Some(link)) => format!("~{}", cut(&link.sha256, 12)),
            (None, None) => signer.hash_code.clone(),
        };
        let key = signer.published_key.as_ref().map(|key| format!(" <small>{}</small>", bounded(key)));
        format!("<code>{}</code>{}", escape(&digest), key.unwrap_or_default())
    };
    signers.iter().map(one).collect::<Vec<_>>().join("<br>")
}

/// A line of text for each package: what a large batch shows.
fn lines(out: &mut dyn io::Write, packages: &[Package]) -> io::Result<()> {
    writeln!(out, "<p class=\"soft\">{}</p>\n<pre>", both(say::PACKAGES_BRIEF))?;
    for package in packages {
        for copy in &package.copies {
            let version = copy.version_name.known().and_then(Option::as_deref).unwrap_or("?");
            let place = copy.placement.known().map_or("?", |placement| placement.as_str());
            writeln!(
                out,
                "{}  {}  {place}  {}",
                escape(&cut(&package.name, BRIEF)),
                escape(&cut(version, BRIEF)),
                escape(&cut(&copy.path, 2 * BRIEF))
            )?;
        }
    }
    writeln!(out, "</pre>")
}

/// The level of a permission: its base, and whether privileged packages may have it; `None` where declarations are unknown.
fn level(held: &Held<'_>, inventory: &Inventory) -> Option<&'static str> {
    inventory.permissions.known()?;
    let Some((protection, _)) = held.declaration(inventory) else { return Some("undeclared") };
    let Some(protection) = protection else { return Some("unresolved") };
    let mut words = protection.split('|');
    let base = words.next().unwrap_or_default();
    let privileged = base == "signatureOrSystem" || words.any(|word| matches!(word, "privileged" | "system"));
    match base {
        "signature" | "signatureOrSystem" if privileged => Some("signature|privileged"),
        "signature" => Some("signature"),
        "internal" => Some("internal"),
        "dangerous" => Some("dangerous"),
        "normal" => Some("normal"),
        _ => Some("unresolved"),
    }
}

/// How many permissions packages ask for, by level; empty where declarations are unknown.
pub(super) fn by_level(inventory: &Inventory) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for held in Held::all(inventory).iter().filter(|held| held.requested == Some(true)) {
        if let Some(level) = level(held, inventory) {
            *counts.entry(level).or_default() += 1;
        }
    }
    counts
}

/// Counts of one level: privileged and other packages, each with granted, not granted, unknown.
type Cells = [[u64; 3]; 2];

fn matrix(out: &mut dyn io::Write, inventory: &Inventory, held: &[Held<'_>]) -> io::Result<()> {
    let mut rows: BTreeMap<Option<&str>, Cells> = BTreeMap::new();
    for one in held {
        let cells = rows.entry(level(one, inventory)).or_default();
        // A package of which the place is unknown is not called privileged.
        let side = usize::from(one.privileged() != Some(true));
        let state = match one.granted() {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        };
        if let Some(count) = cells.get_mut(side).and_then(|states| states.get_mut(state)) {
            *count += 1;
        }
    }
    writeln!(out, "<div class=\"wide\"><table class=\"matrix\"><caption>{}</caption>", both(say::MATRIX_CAPTION))?;
    writeln!(
        out,
        r#"<thead><tr><td></td><th scope="colgroup" colspan="3">{}</th><th scope="colgroup" colspan="3">{}</th></tr>"#,
        both(say::PRIVILEGED_PACKAGES),
        both(say::OTHER_PACKAGES)
    )?;
    writeln!(out, r#"<tr><th scope="col">{}</th>"#, both(say::LEVEL))?;
    for _ in 0..2 {
        for state in [say::GRANTED, say::REFUSED_GRANT, say::UNKNOWN] {
            writeln!(out, r#"<th scope="col" class="n">{}</th>"#, both(state))?;
        }
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    let order = LEVELS.iter().map(|level| Some(*level)).chain([None]);
    for level in order.filter(|level| rows.contains_key(level)) {
        let name = level.map_or_else(|| both(say::UNKNOWN), |level| format!("<code>{level}</code>"));
        write!(out, r#"<tr><th scope="row">{name}</th>"#)?;
        for count in rows.get(&level).iter().flat_map(|cells| cells.iter().flatten()) {
            write!(out, r#"<td class="n">{count}</td>"#)?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// Which packages ask for a permission, for each that is more than normal.
fn holders(out: &mut dyn io::Write, inventory: &Inventory, held: &[Held<'_>]) -> io::Result<()> {
    let mut rows: BTreeMap<(usize, &str), Vec<&Held<'_>>> = BTreeMap::new();
    for one in held {
        let level = level(one, inventory).and_then(|level| LEVELS.iter().position(|known| *known == level));
        rows.entry((level.unwrap_or(LEVELS.len()), one.permission)).or_default().push(one);
    }
    writeln!(out, "<details><summary>{}</summary>", both(say::WHO_HOLDS))?;
    writeln!(out, "<div class=\"wide\"><table class=\"sortable\">")?;
    head(
        out,
        &[
            (say::PERMISSION, false),
            (say::LEVEL, false),
            (say::PACKAGES_TITLE, true),
            (say::GRANTED, true),
            (say::PACKAGE, false),
        ],
    )?;
    for ((level, permission), holders) in rows {
        let level = LEVELS.get(level).map_or_else(|| both(say::UNKNOWN), |level| format!("<code>{level}</code>"));
        let granted = holders.iter().filter(|one| one.granted() == Some(true)).count();
        let granted =
            if holders.iter().any(|one| one.granted().is_none()) { both(say::UNKNOWN) } else { granted.to_string() };
        let names: Vec<String> = holders.iter().take(NAMED).map(|one| bounded(&one.package.name)).collect();
        let more = holders.len().checked_sub(NAMED).filter(|more| *more > 0);
        let more = more.map(|more| format!("; {}", words(|lang| format!("{} {more}", say::AND_MORE.say(lang)))));
        writeln!(
            out,
            r#"<tr><td><code>{}</code></td><td>{level}</td><td class="n">{}</td><td class="n">{granted}</td><td>{}{}</td></tr>"#,
            bounded(permission),
            holders.len(),
            names.join(", "),
            more.unwrap_or_default()
        )?;
    }
    writeln!(out, "</tbody></table></div></details>")
}
