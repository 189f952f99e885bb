//! Permissions that a key, a place, a list or a flag grants: `signature` and `internal`
//! (AOSP `PermissionManagerService.grantSignaturePermission` at 10, `UidPermissionPolicy` at 14).

use super::answer::{Answer, reason};
use super::app::{App, Standing};
use super::device::{Chosen, Device, is_same, same};
use super::roles;
use crate::inventory::{Allowlist, Evidence, ReasonCode, Signer, TargetKind};
use crate::platform::permissions::{Definition, PLATFORM};
use crate::platform::protection as p;

/// First version with lists for each partition; before, one list holds for all.
const LISTS_BY_PARTITION_SINCE: u32 = 28;
/// First version with lists in APEXes.
const LISTS_IN_APEX_SINCE: u32 = 33;
/// First version that grants by the flag `module`.
const MODULE_SINCE: u32 = 33;

/// Whether members of an appId that ask for the permission get it.
pub(super) fn judge(
    device: &Device<'_>,
    members: &[App<'_>],
    name: &str,
    definition: &Definition<'_>,
    level: u32,
) -> Answer {
    let may = if level & p::PRIVILEGED == 0 {
        Answer::quiet_yes()
    } else {
        Answer::any(members.iter().map(|app| by_list(device, app, name, definition)))
    };
    let by_key = (level & 0xF == p::SIGNATURE).then(|| members.iter().map(|app| by_signer(device, app, definition)));
    let by_flag = members.iter().map(|app| by_flags(device, app, name, definition, level));
    let granted = Answer::any(by_key.into_iter().flatten().chain(by_flag));
    // A list that refuses is the whole story; one that allows is told behind what it allows.
    Answer::all([granted, may])
}

/// Whether the lists of privileged permissions leave it to the other rules.
fn by_list(device: &Device<'_>, app: &App<'_>, name: &str, definition: &Definition<'_>) -> Answer {
    if app.name() == PLATFORM || !app.is_privileged() {
        return Answer::quiet_yes();
    }
    if definition.package != PLATFORM {
        return Answer::yes(reason(ReasonCode::ListNotNeeded).on(definition.package));
    }
    let Some(controls) = device.controls else {
        return if device.kind == TargetKind::Phone {
            Answer::yes(reason(ReasonCode::ListedSinceStarted))
        } else {
            Answer::unknown(reason(ReasonCode::ListUnread))
        };
    };
    let Some(enforcement) = controls.enforcement.known() else {
        return Answer::unknown(reason(ReasonCode::ListUnread));
    };
    let setting = |word: &str| enforcement.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(word));
    let (enforces, logs) = (setting("enforce"), setting("log"));
    if !enforces && !logs {
        let words = enforcement.as_deref().unwrap_or("not set");
        return Answer::yes(reason(ReasonCode::ListsNotEnforced).on(words).at(controls.enforcement.evidence()));
    }
    let partitions = partitions(device.sdk, app);
    let concerns = |list: &&Allowlist| {
        list.package == app.name() && partitions.as_ref().is_none_or(|names| names.contains(&list.partition))
    };
    let (mut denied, mut variant) = (None, None);
    for list in controls.privileged.iter().filter(concerns) {
        for entry in list.permissions.iter().filter(|entry| entry.name == name) {
            let at = Evidence { source: list.evidence.source, at: Some(format!("line {}", entry.line)) };
            match (&list.sku, entry.denied) {
                (Some(sku), _) => {
                    variant = Some(reason(ReasonCode::AllowlistedForVariant).on(sku.clone()).at(Some(&at)))
                }
                (None, true) => denied = Some(reason(ReasonCode::DeniedByList).at(Some(&at))),
                (None, false) => return Answer::yes(reason(ReasonCode::Allowlisted).at(Some(&at))),
            }
        }
    }
    if let Some(denied) = denied {
        return Answer::no(denied);
    }
    if let Some(variant) = variant {
        return Answer::unknown(variant);
    }
    if let Some(gap) = controls.unread.first() {
        return Answer::unknown(reason(ReasonCode::ListUnread).on(gap.place.clone()));
    }
    if logs {
        return Answer::yes(reason(ReasonCode::ListsNotEnforced).on("log").at(controls.enforcement.evidence()));
    }
    let partition = app.partition().unwrap_or("system");
    if !is_known(partition) {
        return Answer::unknown(reason(ReasonCode::VendorPartition).on(partition));
    }
    Answer::no(reason(ReasonCode::NotAllowlisted).on(partition).at(controls.enforcement.evidence()))
}

/// Partitions whose lists count for an app; `None` for all of them.
fn partitions(sdk: u32, app: &App<'_>) -> Option<Vec<String>> {
    if sdk < LISTS_BY_PARTITION_SINCE {
        return None;
    }
    let names: &[&str] = match (app.partition()?, app.apex()) {
        (_, Some(apex)) if sdk >= LISTS_IN_APEX_SINCE => {
            return Some(vec![format!("apex/{apex}"), "system".to_owned()]);
        }
        ("vendor" | "odm", _) => &["vendor", "odm"],
        ("product", _) => &["product"],
        ("product_services" | "system_ext", _) => &["product_services", "system_ext"],
        (partition, None) if !is_known(partition) => {
            return Some(vec![partition.to_owned(), "system".to_owned(), "product".to_owned()]);
        }
        _ => &["system"],
    };
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Whether AOSP knows the partition.
fn is_known(partition: &str) -> bool {
    ["system", "vendor", "odm", "oem", "product", "product_services", "system_ext", "apex"].contains(&partition)
}

/// Whether the package's key is the platform's or the declaring package's.
fn by_signer(device: &Device<'_>, app: &App<'_>, definition: &Definition<'_>) -> Answer {
    if app.name() == PLATFORM || app.name() == definition.package {
        let code = if app.name() == PLATFORM { ReasonCode::PlatformSigner } else { ReasonCode::DeclarerSigner };
        return Answer::yes(reason(code).on(definition.package));
    }
    let Some(own) = app.signers(device.sdk) else {
        return Answer::unknown(reason(ReasonCode::SignerUnknown).on(app.name()));
    };
    let evidence = app.copy.signers.evidence();
    let against = |name: &str, code: ReasonCode| match device.signers_of(name) {
        None => Answer::unknown(reason(ReasonCode::SignerUnknown).on(name)),
        Some(theirs) if same(&own, &theirs) => {
            let by = if name == PLATFORM { device.platform_by } else { name };
            Answer::yes(reason(code).on(by).at(evidence))
        }
        Some(theirs) if is_former(&own, &theirs) => Answer::yes(reason(ReasonCode::FormerSigner).on(name).at(evidence)),
        Some(_) => Answer::no(reason(ReasonCode::OtherSigner).at(evidence)),
    };
    let platform = against(PLATFORM, ReasonCode::PlatformSigner);
    if definition.package == PLATFORM {
        return platform;
    }
    Answer::any([against(definition.package, ReasonCode::DeclarerSigner), platform])
}

/// Whether a proof of rotation links two signers, one of which replaced the other, and leaves permissions to the former one.
fn is_former(own: &[&Signer], theirs: &[&Signer]) -> bool {
    let ([own], [theirs]) = (own, theirs) else { return false };
    let sha256 = |signer: &Signer, past: &str| signer.sha256.as_deref() == Some(past);
    // The app's key replaced the other one; or it is a former one of theirs, which they still trust with permissions.
    own.past.iter().any(|past| sha256(theirs, &past.sha256))
        || theirs.past.iter().any(|past| past.permission && sha256(own, &past.sha256))
}

/// Whether a flag of the level grants it.
fn by_flags(device: &Device<'_>, app: &App<'_>, name: &str, definition: &Definition<'_>, level: u32) -> Answer {
    let mut answers = Vec::new();
    let mut add = |flag: u32, answer: &dyn Fn() -> Answer| {
        if level & flag != 0 {
            answers.push(answer());
        }
    };
    add(p::PRIVILEGED, &|| privileged(app, level));
    add(p::OEM, &|| oem(device, app, name));
    add(p::PRE23, &|| match app.target_sdk() {
        Some(target) if target < 23 => Answer::yes(reason(ReasonCode::MadeBefore23).on(target.to_string())),
        Some(_) => Answer::quiet_no(),
        None => Answer::unknown(reason(ReasonCode::FactUnknown).on("targetSdkVersion")),
    });
    add(p::INSTALLER, &|| {
        Answer::any([
            known(app, "install-package", device.only("install-package")),
            known(app, "manage-permissions", device.only("manage-permissions")),
        ])
    });
    add(p::VERIFIER, &|| known(app, "needs-verification", device.only("needs-verification")));
    add(p::PREINSTALLED, &|| match app.standing() {
        Standing::System => Answer::yes(reason(ReasonCode::Preinstalled).at(app.factory.placement.evidence())),
        Standing::Unknown => Answer::unknown(reason(ReasonCode::FactUnknown).on("place")),
        Standing::Added | Standing::NotLoaded => Answer::no(reason(ReasonCode::NotSystem)),
    });
    add(p::SETUP, &|| known(app, "setup-wizard", device.only("setup-wizard")));
    add(p::DOCUMENTER, &|| known(app, "open-document", device.activity("open-document")));
    add(p::KNOWN_SIGNER, &|| known_signer(device, app, definition));
    add(p::MODULE, &|| {
        if app.apex().is_some() && device.sdk >= MODULE_SINCE {
            Answer::yes(reason(ReasonCode::Module).on(app.apex().unwrap_or_default()))
        } else {
            Answer::quiet_no()
        }
    });
    for (flag, holder) in p::NAMED {
        add(flag, &|| named(app, holder));
    }
    add(p::ROLE, &|| match roles::judge(device, app, name, level) {
        _ if !app.is_system() => Answer::no(reason(ReasonCode::RoleOnly)),
        Some(answer) => answer,
        None => Answer::unknown(reason(ReasonCode::RoleOnly)),
    });
    add(p::DEVELOPMENT, &|| Answer::no(reason(ReasonCode::DeveloperOnly)));
    if answers.is_empty() && level & 0xF == p::INTERNAL {
        answers.push(Answer::no(reason(ReasonCode::NoFlagFits)));
    }
    Answer::any(answers)
}

fn privileged(app: &App<'_>, level: u32) -> Answer {
    match app.standing() {
        Standing::Unknown => return Answer::unknown(reason(ReasonCode::FactUnknown).on("place")),
        Standing::System => {}
        Standing::Added | Standing::NotLoaded => return Answer::no(reason(ReasonCode::NotPrivileged)),
    }
    if !app.is_privileged() {
        return Answer::no(reason(ReasonCode::NotPrivileged).at(app.factory.placement.evidence()));
    }
    let partition = app.partition().unwrap_or("system");
    let place = reason(ReasonCode::PrivilegedPlace).on(partition).at(app.factory.placement.evidence());
    if ["vendor", "odm"].contains(&partition) && level & p::VENDOR_PRIVILEGED == 0 {
        return Answer::no(reason(ReasonCode::NotForVendor).on(partition).at(app.factory.placement.evidence()));
    }
    Answer::yes(place)
}

fn oem(device: &Device<'_>, app: &App<'_>, name: &str) -> Answer {
    if app.partition() != Some("oem") || !app.is_system() {
        return Answer::quiet_no();
    }
    let Some(controls) = device.controls else { return Answer::unknown(reason(ReasonCode::ListUnread)) };
    for list in controls.oem.iter().filter(|list| list.package == app.name()) {
        if let Some(entry) = list.permissions.iter().find(|entry| entry.name == name) {
            let at = Evidence { source: list.evidence.source, at: Some(format!("line {}", entry.line)) };
            return match entry.denied {
                true => Answer::no(reason(ReasonCode::OemDenied).at(Some(&at))),
                false => Answer::yes(reason(ReasonCode::OemListed).at(Some(&at))),
            };
        }
    }
    match controls.unread.first() {
        Some(gap) => Answer::unknown(reason(ReasonCode::ListUnread).on(gap.place.clone())),
        None => Answer::no(reason(ReasonCode::OemNotListed)),
    }
}

/// Whether the app is the one that answers an intent of the system.
fn known(app: &App<'_>, code: &str, chosen: Chosen<'_>) -> Answer {
    if !app.is_system() {
        return Answer::no(reason(ReasonCode::NotKnownPackage).on(code));
    }
    match chosen {
        Chosen::One(name) if name == app.name() => Answer::yes(reason(ReasonCode::KnownPackage).on(code)),
        Chosen::Unclear(names) if names.contains(&app.name()) => {
            Answer::unknown(reason(ReasonCode::HolderUnknown).on(code))
        }
        Chosen::One(_) | Chosen::Nobody | Chosen::Unclear(_) => {
            Answer::no(reason(ReasonCode::NotKnownPackage).on(code))
        }
    }
}

/// Whether the app is the one that a string of the platform names. Those strings are not collected.
fn named(app: &App<'_>, holder: &str) -> Answer {
    if app.is_system() {
        Answer::unknown(reason(ReasonCode::HolderUnknown).on(holder))
    } else {
        Answer::no(reason(ReasonCode::NotKnownPackage).on(holder))
    }
}

fn known_signer(device: &Device<'_>, app: &App<'_>, definition: &Definition<'_>) -> Answer {
    let Some(own) = app.signers(device.sdk) else {
        return Answer::unknown(reason(ReasonCode::SignerUnknown).on(app.name()));
    };
    if definition.known_certificates.is_empty() {
        // A reference to a list in the declaring package's resources, which is not followed.
        return Answer::unknown(reason(ReasonCode::HolderUnknown).on("knownSigner"));
    }
    let names = |sha256: &str| definition.known_certificates.iter().any(|known| known == sha256);
    for signer in own {
        match &signer.sha256 {
            Some(sha256) if names(sha256) || signer.past.iter().any(|past| names(&past.sha256)) => {
                return Answer::yes(reason(ReasonCode::KnownCertificate).on(sha256.clone()));
            }
            Some(_) => {}
            None => return Answer::unknown(reason(ReasonCode::SignerUnknown).on(app.name())),
        }
    }
    Answer::no(reason(ReasonCode::OtherCertificate))
}

/// Whether one signer of an app is the certificate of a digest, for lists that name one.
pub(super) fn is_signed_by(device: &Device<'_>, app: &App<'_>, certificate: &str) -> Option<bool> {
    let own = app.signers(device.sdk)?;
    if certificate == "platform" {
        let platform = device.platform.as_ref()?;
        return Some(own.iter().any(|one| platform.iter().any(|other| is_same(one, other))));
    }
    let digests: Option<Vec<&str>> = own.iter().map(|signer| signer.sha256.as_deref()).collect();
    let past = own.iter().flat_map(|signer| &signer.past).any(|past| past.sha256 == certificate);
    Some(past || digests?.contains(&certificate))
}
