//! System properties of an image, merged as `init` merges them (AOSP `init/property_service.cpp`, Android 14).

use sha2::{Digest, Sha256};

use super::reason;
use crate::bytes::read_vec_at;
use crate::firmware::Image;
use crate::inventory::{Evidence, Gap, Hides, Origin, OriginKind, Origins};
use crate::platform::identity::{Properties, Property};

/// The largest build.prop seen has 40 KB.
const FILE_BYTES: u64 = 1 << 20;
/// Files in the order of loading; of the names in one row the first that exists. A partition that has no volume stands in
/// another one.
const LOAD_ORDER: &[&[&str]] = &[
    &["/system/etc/ramdisk/build.prop"],
    &["/system/etc/prop.default", "/default.prop"],
    &["/system/build.prop"],
    &[
        "/system_ext/etc/build.prop",
        "/system/system_ext/etc/build.prop",
        "/system_ext/build.prop",
        "/system/system_ext/build.prop",
    ],
    &["/system_dlkm/etc/build.prop"],
    &["/vendor/default.prop", "/system/vendor/default.prop"],
    &["/vendor/build.prop", "/system/vendor/build.prop"],
    &["/vendor_dlkm/etc/build.prop"],
    &["/odm_dlkm/etc/build.prop"],
    &["/odm/etc/build.prop", "/vendor/odm/etc/build.prop", "/odm/build.prop", "/vendor/odm/build.prop"],
    &["/product/etc/build.prop", "/system/product/etc/build.prop", "/product/build.prop", "/system/product/build.prop"],
];
/// First version in which a later file overrides an earlier one for `ro.*`, too.
const RO_OVERRIDES_SINCE: u32 = 29;
/// `ro.product.property_source_order` where none is set.
const SOURCE_ORDER: &str = "product,odm,vendor,system_ext,system";
/// Derived from the first source that has them, where they are not set themselves.
const DERIVED: [&str; 5] = ["brand", "device", "manufacturer", "model", "name"];

/// All properties, and the files that could not be read.
pub(super) fn read(image: &Image, origins: &mut Origins) -> (Properties, Vec<Gap>) {
    let mut texts = Vec::new();
    let mut gaps = Vec::new();
    for path in paths(image) {
        let Some((mounted, file)) = image.file(&path) else {
            continue;
        };
        let content = mounted.filesystem.open(file.node);
        let content = content
            .and_then(|content| read_vec_at(content.as_ref(), 0, content.len(), "length of a build.prop", FILE_BYTES));
        match content {
            Ok(bytes) => {
                let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                let length = Some(bytes.len() as u64);
                let origin = Origin { kind: OriginKind::File, name: path, length, sha256: Some(sha256) };
                texts.push((String::from_utf8_lossy(&bytes).into_owned(), origins.evidence(origin)));
            }
            Err(error) => gaps.push(Gap::new(path, reason(&error), error.to_string()).hiding(Hides::Facts)),
        }
    }
    (merge(&texts), gaps)
}

/// What exists, in the order of loading; vendors' own partitions last, `my_manifest` behind them, since it names the device.
fn paths(image: &Image) -> Vec<String> {
    let exists = |path: &&&str| image.file(path).is_some();
    let mut paths: Vec<String> =
        LOAD_ORDER.iter().filter_map(|row| row.iter().find(exists).map(|path| (*path).to_owned())).collect();
    let mut others: Vec<&str> = image.partitions.iter().map(|mounted| mounted.mount_point.as_str()).collect();
    others.retain(|place| {
        *place != "/"
            && !LOAD_ORDER.iter().flat_map(|row| row.iter()).any(|path| path.starts_with(&format!("{place}/")))
    });
    others.sort_by_key(|place| (*place == "/my_manifest", *place));
    for place in others {
        let candidates = [format!("{place}/etc/build.prop"), format!("{place}/build.prop")];
        paths.extend(candidates.into_iter().find(|path| image.file(path).is_some()));
    }
    paths
}

fn merge(texts: &[(String, Evidence)]) -> Properties {
    let mut properties = Properties::new();
    for (text, evidence) in texts {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
                continue;
            };
            let (key, value) = (key.trim(), value.trim());
            let sdk = properties.get("ro.build.version.sdk").and_then(|sdk: &Property| sdk.value.parse::<u32>().ok());
            let set_once = sdk.is_some_and(|sdk| sdk < RO_OVERRIDES_SINCE) && key.starts_with("ro.");
            if set_once && properties.contains_key(key) {
                continue;
            }
            // An empty value is what a property that is not set reads as.
            if value.is_empty() {
                properties.remove(key);
            } else {
                let evidence = evidence.at(format!("line {}", index + 1));
                properties.insert(key.to_owned(), Property { value: value.to_owned(), evidence });
            }
        }
    }
    derive(&mut properties);
    properties
}

fn derive(properties: &mut Properties) {
    let order = properties.get("ro.product.property_source_order").map(|order| order.value.clone());
    let order = order.unwrap_or_else(|| SOURCE_ORDER.to_owned());
    for name in DERIVED {
        let key = format!("ro.product.{name}");
        if properties.contains_key(&key) {
            continue;
        }
        let mut sources = order.split(',').map(|source| format!("ro.product.{}.{name}", source.trim()));
        if let Some(found) = sources.find_map(|source| properties.get(&source).cloned()) {
            properties.insert(key, found);
        }
    }
    if properties.contains_key("ro.build.fingerprint") {
        return;
    }
    let value = |key: &str| properties.get(key).map(|property| property.value.as_str());
    let fingerprint = || {
        let version = value("ro.build.version.release_or_codename").or_else(|| value("ro.build.version.release"))?;
        Some(format!(
            "{}/{}/{}:{}/{}/{}:{}/{}",
            value("ro.product.brand")?,
            value("ro.product.name")?,
            value("ro.product.device")?,
            version,
            value("ro.build.id")?,
            value("ro.build.version.incremental")?,
            value("ro.build.type")?,
            value("ro.build.tags")?
        ))
    };
    // It is put together from several lines; the file of the build's id stands for them.
    if let Some((value, id)) = fingerprint().zip(properties.get("ro.build.id")) {
        let evidence = Evidence { source: id.evidence.source, at: None };
        properties.insert("ro.build.fingerprint".to_owned(), Property { value, evidence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::SourceId;

    fn merged(texts: &[&str]) -> Properties {
        let numbered = texts
            .iter()
            .zip(0..)
            .map(|(text, source)| ((*text).to_owned(), Evidence { source: SourceId(source), at: None }));
        merge(&numbered.collect::<Vec<_>>())
    }

    fn value<'a>(properties: &'a Properties, key: &str) -> Option<&'a str> {
        properties.get(key).map(|property| property.value.as_str())
    }

    #[test]
    fn a_later_file_overrides_an_earlier_one_and_says_where() {
        let properties = merged(&["ro.build.version.sdk=33\nro.a = 1\n# ro.b=2", "\n ro.a=2"]);
        assert_eq!(value(&properties, "ro.a"), Some("2"));
        let evidence = &properties["ro.a"].evidence;
        assert_eq!((evidence.source, evidence.at.as_deref()), (SourceId(1), Some("line 2")));
        assert_eq!(value(&properties, "ro.b"), None);
    }

    #[test]
    fn before_android_10_the_first_value_of_a_read_only_property_stays() {
        let properties = merged(&["ro.build.version.sdk=28\nro.a=1\nb=1", "ro.a=2\nb=2"]);
        assert_eq!((value(&properties, "ro.a"), value(&properties, "b")), (Some("1"), Some("2")));
    }

    #[test]
    fn product_properties_come_from_the_first_source_in_the_order_that_has_them() {
        let parts = "ro.product.system.model=S\nro.product.vendor.model=V\nro.product.product.model=P";
        assert_eq!(value(&merged(&[parts]), "ro.product.model"), Some("P"));
        let ordered = format!("{parts}\nro.product.property_source_order=odm,vendor,product");
        assert_eq!(value(&merged(&[&ordered]), "ro.product.model"), Some("V"));
        let explicit = format!("{parts}\nro.product.model=X");
        assert_eq!(value(&merged(&[&explicit]), "ro.product.model"), Some("X"));
    }

    #[test]
    fn a_fingerprint_is_derived_only_from_all_of_its_parts() {
        let parts = "ro.product.brand=B\nro.product.name=N\nro.product.device=D\nro.build.version.release=14\n\
            ro.build.id=I\nro.build.version.incremental=7\nro.build.type=user\nro.build.tags=release-keys";
        assert_eq!(value(&merged(&[parts]), "ro.build.fingerprint"), Some("B/N/D:14/I/7:user/release-keys"));
        assert_eq!(value(&merged(&[&parts.replace("ro.build.id=I", "")]), "ro.build.fingerprint"), None);
        let explicit = format!("{parts}\nro.build.fingerprint=F");
        assert_eq!(value(&merged(&[&explicit]), "ro.build.fingerprint"), Some("F"));
    }
}
