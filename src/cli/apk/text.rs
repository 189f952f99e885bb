//! `preloaded apk --format text`: what people ask first, a line per fact, lists a line per entry.

use std::io::{self, Write};

use super::answer::Answer;
use super::{Signer, apex, native, verification};
use crate::apk::{Component, ComponentKind, RequestedPermission, Stub};
use crate::report::printable;

/// Prefixes of classes that are shown.
const MAX_PREFIXES: usize = 20;

struct Lines<'a> {
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    /// A fact; nothing for an empty one.
    fn line(&mut self, name: &str, value: &str) -> io::Result<()> {
        if value.is_empty() { Ok(()) } else { writeln!(self.out, "  {name:<12} {}", printable(value)) }
    }

    /// A list, its name before the first entry alone.
    fn list(&mut self, name: &str, entries: impl IntoIterator<Item = String>) -> io::Result<()> {
        let mut name = name;
        for entry in entries {
            self.line(name, &entry)?;
            name = "";
        }
        Ok(())
    }
}

/// Writes the answer.
pub(super) fn write(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable(answer.file))?;
    let mut lines = Lines { out };
    identity(answer, &mut lines)?;
    let mut shown: Vec<&str> = Vec::new();
    for signer in &answer.signers {
        // The same certificate stands in each scheme that it signed by, as a rule.
        if !shown.contains(&signer.sha256.as_str()) {
            let schemes = answer.signers.iter().filter(|other| other.sha256 == signer.sha256).map(|other| other.scheme);
            write_signer(signer, &schemes.collect::<Vec<_>>().join(" "), &mut lines)?;
            shown.push(&signer.sha256);
        }
    }
    for (name, value) in answer.verification.iter().flat_map(verification::Verification::lines) {
        lines.line(name, &value)?;
    }
    permissions(answer, &mut lines)?;
    components(answer, &mut lines)?;
    code(answer, &mut lines)?;
    if let Some(apex) = &answer.apex {
        apex::write_text(apex, lines.out)?;
    }
    lines.list("holds", answer.inner_packages.into_iter().flatten().cloned())?;
    native::write_text(answer.native_libraries.as_deref().unwrap_or_default(), lines.out)?;
    let unresolved = answer.unresolved.iter().map(|found| {
        let name = found.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!(
            "{} of {}{name} is {}, of a framework: see --framework",
            found.attribute, found.element, found.reference
        )
    });
    lines.list("unresolved", unresolved)?;
    lines.list("unread", answer.problems.iter().cloned())
}

fn identity(answer: &Answer<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    lines.line("package", answer.package)?;
    let name = answer.version_name.map(|name| format!("{name} ")).unwrap_or_default();
    lines.line("version", &format!("{name}({})", answer.version_code))?;
    lines.line("SDK", &format!("{} to target {}", answer.min_sdk, answer.target_sdk))?;
    if let Some(split) = answer.split {
        lines.line("split", &format!("{split}{}", if answer.is_feature_split { ", a feature" } else { "" }))?;
    }
    lines.line("label", answer.label.unwrap_or_default())?;
    for label in answer.labels.iter().filter(|label| Some(label.text.as_str()) != answer.label) {
        lines.line(&format!("label {}", label.locale), &label.text)?;
    }
    let stub = match answer.stub {
        None => "",
        Some(Stub::NoCode) => "no code, although its components need some",
        Some(Stub::FewClasses) => "more components than classes",
        Some(Stub::NoComponents) => "code, and nothing that could be started",
    };
    lines.line("placeholder", stub)?;
    lines.line("launcher", &answer.launcher.join(", "))?;
    lines.line("was", &answer.original_packages.join(", "))?;
    let until = answer.shared_user_max_sdk.map(|sdk| format!(", to SDK {sdk}")).unwrap_or_default();
    lines.line("shared user", &answer.shared_user.map(|user| format!("{user}{until}")).unwrap_or_default())?;
    lines.line("flags", &answer.flags.join(", "))?;
    let roles: Vec<_> = answer.roles.iter().map(|role| role.as_str()).collect();
    lines.line("may become", &roles.join(", "))?;
    if let Some(overlay) = answer.overlay {
        let target = overlay.target.as_deref().unwrap_or("nothing");
        let always = if overlay.is_static { ", always on" } else { "" };
        lines.line("overlays", &format!("{target}, priority {}{always}", overlay.priority))?;
    }
    lines.list(
        "library",
        answer.libraries.iter().map(|library| {
            let version = library.version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{} {}{version}", library.kind.as_str(), library.name)
        }),
    )
}

fn write_signer(signer: &Signer, schemes: &str, lines: &mut Lines<'_>) -> io::Result<()> {
    let subject = signer.subject.as_deref().unwrap_or("not an X.509 certificate");
    lines.line("signer", &format!("{} {subject}", signer.sha256))?;
    lines.line("", &format!("{} by {schemes}", signer.depth))?;
    if let Some(algorithm) = &signer.key_algorithm {
        let bits = signer.key_bits.map(|bits| format!(" {bits} bits")).unwrap_or_default();
        lines.line("", &format!("{algorithm}{bits}, {} to {}", day(&signer.not_before), day(&signer.not_after)))?;
    }
    match &signer.known {
        Some(known) => {
            lines.line("", &format!("its private key is public: {} ({}), {}", known.name, known.kind, known.source))
        }
        None => Ok(()),
    }
}

fn day(time: &Option<String>) -> &str {
    time.as_deref().and_then(|time| time.split('T').next()).unwrap_or("?")
}

fn permissions(answer: &Answer<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    let requested = |permission: &RequestedPermission| {
        let mut text = permission.name.clone();
        let last = permission.max_sdk.map(|sdk| format!(" to SDK {sdk}"));
        let first = permission.sdk_23.then(|| " from SDK 23".to_owned());
        let placeless = permission.never_for_location.then(|| " never for location".to_owned());
        [first, last, placeless].into_iter().flatten().for_each(|note| text += &note);
        text
    };
    lines.list("asks for", answer.requested_permissions.iter().map(requested))?;
    lines.list("and thereby", answer.implied_permissions.iter().map(|&name| name.to_owned()))?;
    lines.list(
        "declares",
        answer.declared_permissions.iter().map(|declared| {
            format!(
                "{} {}",
                declared.permission.name,
                declared.protection.as_deref().unwrap_or("of a level not resolved")
            )
        }),
    )
}

fn components(answer: &Answer<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    for hook in &answer.hooks {
        lines.line(hook.kind, &hook.component)?;
    }
    let kinds = [
        (ComponentKind::Activity, "activities"),
        (ComponentKind::ActivityAlias, "aliases"),
        (ComponentKind::Service, "services"),
        (ComponentKind::Receiver, "receivers"),
        (ComponentKind::Provider, "providers"),
    ];
    let of = |kind| answer.components.iter().filter(|component| component.kind == kind).count();
    let counts = kinds.iter().map(|&(kind, name)| (of(kind), name)).filter(|(count, _)| *count > 0);
    lines.line("components", &counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", "))?;
    let open = answer.components.iter().filter(|component| component.exported && component.enabled);
    lines.list("open to apps", open.map(opened))?;
    if answer.network_unread {
        return lines.line("network", "unknown: its configuration can't be read");
    }
    let clear = match (answer.network, answer.uses_cleartext_traffic) {
        (Some(config), _) => config.cleartext_permitted(answer.target_sdk),
        (None, said) => said.unwrap_or(answer.target_sdk < 28),
    };
    let user =
        answer.network.map_or(answer.target_sdk < 24, |config| config.trusts_user_authorities(answer.target_sdk));
    let words = [(clear, "unencrypted traffic permitted"), (user, "certificate authorities of the user trusted")];
    let words: Vec<_> = words.iter().filter(|word| word.0).map(|word| word.1).collect();
    lines.line("network", &words.join(", "))
}

fn opened(component: &Component) -> String {
    let mut text = format!("{} {}", component.kind.as_str(), component.name);
    if component.kind == ComponentKind::Provider {
        let guard = |permission: &Option<String>| permission.clone().unwrap_or_else(|| "nothing".to_owned());
        text += &format!(" ({})", component.authorities.join(", "));
        text += &format!(
            ", to read: {}, to write: {}",
            guard(&component.read_permission),
            guard(&component.write_permission)
        );
    } else if let Some(permission) = &component.permission {
        text += &format!(", with {permission}");
    }
    text
}

fn code(answer: &Answer<'_>, lines: &mut Lines<'_>) -> io::Result<()> {
    let code = &answer.code;
    let classes = match code.classes {
        Some(classes) => format!("{classes} classes"),
        None => "classes unknown".to_owned(),
    };
    let files = if code.dex_files == 1 { "DEX file" } else { "DEX files" };
    lines.line("code", &format!("{} {files} of {} bytes, {classes}", code.dex_files, code.dex_bytes))?;
    let only = if code.only_32_bit { ", none for 64 bits" } else { "" };
    lines.line(
        "native",
        &if answer.abis.is_empty() { String::new() } else { format!("{}{only}", answer.abis.join(", ")) },
    )?;
    let Some(dex) = answer.classes else { return Ok(()) };
    lines.list("SDK", dex.sdks.iter().map(|sdk| format!("{} ({}): {} classes", sdk.name, sdk.kind, sdk.classes)))?;
    let prefix = |found: &crate::apk::Prefix| {
        let name = if found.prefix.is_empty() { "(no package)" } else { &found.prefix };
        format!("{} {name}", found.classes)
    };
    lines.list("classes", dex.prefixes.iter().take(MAX_PREFIXES).map(prefix))
}
