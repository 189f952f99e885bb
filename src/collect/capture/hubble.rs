//! Result files of Hubble, the observer of Google's Uraniborg: JSON in `.txt`, one kind of thing each.
//!
//! ```text
//! packages.txt           {"version": "2.2.0", "totalPackages": 2, "packages": [...]}
//! build.txt              {"version": ..., "buildInfo": [{"apiLevel": 35, "fingerprint": ...}]}
//! hardware.txt           {"version": ..., "hwInfo": [{"brand": ..., "modelName": ..., "oem": ...}]}
//! device_properties.txt  {"version": ..., "b64EncodedDeviceProps": [{"encodedDevProps": "W3..."}]}
//! ```
//!
//! The total is held against the list. What its words mean is as its source says (`PackageMetadata.java`, `MainActivity.java`):
//! `isHidden` is that Android does not count it as installed for the user, `versionCode` the lower 32 bits, also negative, and
//! `certIds` the history of one signer or all of several. Other sources: `Results.md` and `hubble_parser.py` of Uraniborg.

use serde_json::Value;

use super::document::{self, Document, number, package, text, texts, untold};
use super::texts::Texts;
use crate::collect::{Request, SourceError};
use crate::dump::getprop;
use crate::inventory::{
    Code, CopyRole, DeclaredPermission, Enabled, Evidence, Fact, Gap, GapReason, Grant, GrantKind, Hides, Inventory,
    Origin, OriginKind, Origins, Package, RequestedPermission, SignerDepth, Split, Target, UserState,
};
use crate::platform::identity::{self, Properties, Property};

/// Keys that hold the lists.
pub(super) const KEYS: [&str; 5] = ["packages", "preinstalledPackages", "buildInfo", "hwInfo", "b64EncodedDeviceProps"];

pub(super) fn read(
    documents: &[Document],
    given: &Texts,
    target: &Target,
    request: &Request,
) -> Result<Option<Inventory>, SourceError> {
    let with = |key: &'static str| {
        documents
            .iter()
            .filter(|document| text(&document.value, "version").is_some())
            .find_map(move |document| Some((document, document.list(key)?)))
    };
    let Some((document, list)) = with("packages").or_else(|| with("preinstalledPackages")) else { return Ok(None) };
    let gap = untold(&document.name);
    let mut origins = Origins::default();
    let whole = origins.evidence(document.origin());
    let mut inventory = Inventory::unknown(target.clone(), &gap);
    let total = ["totalPackages", "totalPreinstalledPackages"].iter().find_map(|key| number(&document.value, key));
    if total != u64::try_from(list.len()).ok() {
        let words = format!("the file announces {total:?} packages and has {}", list.len());
        inventory.gaps.push(Gap::new(&document.name, GapReason::Truncated, words).hiding(Hides::Packages));
    }
    let mut packages = Vec::new();
    let mut omitted = 0;
    for (position, value) in list.iter().enumerate() {
        let at = whole.at(format!("package {position}"));
        let place = text(value, "name").zip(text(value, "installLocation"));
        let Some((name, path)) = place else {
            let words = format!("package {position} has no name or place");
            inventory.gaps.push(Gap::new(&document.name, GapReason::Damaged, words).hiding(Hides::Packages));
            continue;
        };
        let flag = |key: &str| value.get(key).and_then(Value::as_bool);
        let in_data = path.starts_with("/data/");
        let own = flag("isPreinstalled").unwrap_or(!in_data);
        if !own && !request.also.contains(name) {
            omitted += 1;
            continue;
        }
        let role = match (own, in_data) {
            (true, true) => CopyRole::Updated,
            (true, false) => CopyRole::Factory,
            (false, _) => CopyRole::Added,
        };
        packages.push(build(value, package(name, path, role, &at, &gap), &at));
    }
    inventory.packages = Fact::new(packages, &whole);
    inventory.omitted_packages = Fact::new(omitted, &whole);
    properties(&mut inventory, with("b64EncodedDeviceProps"), given, &mut origins);
    hardware(&mut inventory, with("hwInfo"), with("buildInfo"), &mut origins);
    inventory.sources = origins.into_list();
    inventory.normalize();
    crate::platform::conclusions::complete(&mut inventory);
    Ok(Some(inventory))
}

fn build(value: &Value, mut package: Package, at: &Evidence) -> Package {
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    if value.get("sharedUserId").is_some() {
        package.shared_user = Fact::new(text(value, "sharedUserId").map(str::to_owned), at);
    }
    if let (Some(enabled), Some(hidden)) = (flag("isEnabled"), flag("isHidden")) {
        let state = UserState {
            user: 0,
            installed: !hidden,
            hidden: false,
            suspended: flag("isSuspended").unwrap_or(false),
            stopped: false,
            enabled: if enabled { Enabled::Enabled } else { Enabled::Disabled },
            last_disabled_caller: None,
        };
        package.users = Fact::new(vec![state], at);
    }
    let granted = texts(value, "permissionsGranted");
    let refused = texts(value, "permissionsNotGranted");
    if let (Some(granted), Some(refused)) = (&granted, &refused) {
        // Hubble asks as an app does, which is not told how a permission is granted.
        let grant = |name: &String, granted| Grant {
            user: Some(0),
            permission: name.clone(),
            kind: GrantKind::Untold,
            granted,
            flags: Vec::new(),
        };
        let all = granted.iter().map(|name| grant(name, true)).chain(refused.iter().map(|name| grant(name, false)));
        package.grants = Fact::new(all.collect(), at);
    }
    let name = package.name.clone();
    let Some(copy) = package.copies.first_mut() else { return package };
    if let (Some(granted), Some(refused)) = (granted, refused) {
        let plain = |name: String| RequestedPermission { name, max_sdk: None, sdk_23: false };
        copy.requested_permissions = Fact::new(granted.into_iter().chain(refused).map(plain).collect(), at);
    }
    if let Some(code) = value.get("versionCode").and_then(Value::as_i64) {
        // What Android prints as a number without sign.
        let low = u32::try_from(code & i64::from(u32::MAX)).unwrap_or_default();
        let place = at.at.as_deref().unwrap_or_default();
        copy.version_code = Fact::new(low.into(), &at.at(format!("{place}, lower 32 bits")));
    }
    if let Some(list) = value.get("permissionsDeclared").and_then(Value::as_array) {
        let declared = |value: &Value| {
            Some(DeclaredPermission {
                name: text(value, "name")?.to_owned(),
                package: name.clone(),
                protection: text(value, "protLevel").map(str::to_owned),
                group: None,
                known_certificates: Vec::new(),
            })
        };
        if let Some(all) = list.iter().map(declared).collect() {
            copy.declared_permissions = Fact::new(all, at);
        }
    }
    if value.get("versionName").is_some() {
        copy.version_name = Fact::new(text(value, "versionName").map(str::to_owned), at);
    }
    if let Some(label) = text(value, "label") {
        copy.label = Fact::new(Some(label.to_owned()), at);
    }
    let active = value.get("signingInfo").and_then(|info| texts(info, "apkContentsSigners"));
    // Without that list, several certificates may be signers at once or one signer's past.
    let certificates = active.or_else(|| texts(value, "certIds").filter(|list| list.len() == 1));
    if let Some(certificates) = certificates {
        let signers: Option<Vec<_>> =
            certificates.iter().map(|sha256| document::signer(sha256, SignerDepth::Device)).collect();
        if let Some(signers) = signers.filter(|signers| !signers.is_empty()) {
            copy.signers = Fact::new(signers, at);
        }
    }
    if let Some(present) = flag("hasCode") {
        copy.code = Fact::new(
            Code {
                present,
                dex_files: None,
                dex_bytes: None,
                classes: None,
                abis: Vec::new(),
                file_bytes: None,
                stub: None,
                class_counts: None,
                libraries: None,
            },
            at,
        );
    }
    // Android names no list where there is none.
    let none = value.get("splitNames").is_some_and(Value::is_null).then(Vec::new);
    if let Some(names) = texts(value, "splitNames").or(none) {
        let unread = untold("split APKs");
        let split = |name| Split { name, path: None, file: Fact::Unknown(unread.clone()) };
        copy.splits = Fact::new(names.into_iter().map(split).collect(), at);
    }
    package
}

type List<'d> = Option<(&'d Document, &'d [Value])>;

/// Identity and state by the properties, where Hubble wrote them, or they lie beside as a text.
fn properties(inventory: &mut Inventory, encoded: List<'_>, given: &Texts, origins: &mut Origins) {
    let decoded = encoded.and_then(|(document, list)| {
        let bytes = base64(text(list.first()?, "encodedDevProps")?)?;
        Some((String::from_utf8_lossy(&bytes).into_owned(), document.origin()))
    });
    let beside = given.properties().map(|(text, place)| {
        let origin = Origin {
            kind: OriginKind::File,
            name: place.to_owned(),
            length: u64::try_from(text.len()).ok(),
            sha256: None,
        };
        (text.to_owned(), origin)
    });
    let Some((text, origin)) = decoded.or(beside) else { return };
    let parsed = getprop::parse(&text);
    if parsed.entries.is_empty() {
        return;
    }
    let whole = origins.evidence(origin);
    let mut properties = Properties::new();
    for entry in parsed.entries.iter().filter(|entry| !entry.value.value.is_empty()) {
        let evidence = whole.at(format!("line {}", entry.line));
        properties.entry(entry.value.name.clone()).or_insert(Property { value: entry.value.value.clone(), evidence });
    }
    inventory.device = identity::device(&properties, &whole);
    *inventory.state = identity::boot_state(&properties, &whole);
}

/// What properties did not tell.
fn hardware(inventory: &mut Inventory, hardware: List<'_>, build: List<'_>, origins: &mut Origins) {
    let first = |list: List<'_>, origins: &mut Origins| {
        list.and_then(|(document, list)| Some((list.first()?.clone(), origins.evidence(document.origin()))))
    };
    let device = &mut inventory.device;
    if let Some((value, at)) = first(hardware, origins) {
        for (fact, key) in [
            (&mut device.brand, "brand"),
            (&mut device.manufacturer, "oem"),
            (&mut device.model, "modelName"),
            (&mut device.device, "deviceName"),
            (&mut device.product, "productName"),
        ] {
            if let (None, Some(told)) = (fact.known(), text(&value, key)) {
                *fact = Fact::new(told.to_owned(), &at);
            }
        }
    }
    if let Some((value, at)) = first(build, origins) {
        for (fact, key) in
            [(&mut device.fingerprint, "fingerprint"), (&mut device.security_patch, "securityPatchLevel")]
        {
            if let (None, Some(told)) = (fact.known(), text(&value, key)) {
                *fact = Fact::new(told.to_owned(), &at);
            }
        }
        if let (None, Some(level)) =
            (device.sdk.known(), number(&value, "apiLevel").and_then(|level| u32::try_from(level).ok()))
        {
            device.sdk = Fact::new(level, &at);
        }
    }
}

/// Base64 of RFC 4648 with or without padding; `None` for any other character.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'\n' | b'\r' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_as_rfc_4648_says() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(base64("Zm9v!"), None);
    }
}
