//! What kind of place a path is, by Android's scan rules and vendors' habits.
//!
//! Android scans `overlay`, `framework`, `priv-app` and `app` of its system partitions, one folder deep
//! (`InitAppsHelper`); vendors add partitions and places for apps that a user may remove, which their own services
//! install at first boot. A place that is in no table is [`Placement::Unknown`]: packages there are listed all the same.

use crate::inventory::Placement;

/// Partitions that AOSP or a vendor's Android scans like `/system`. A trailing `*` stands for any end.
const SCANNED: &[&str] = &[
    "system",
    "vendor",
    "odm",
    "oem",
    "product",
    "system_ext", // AOSP
    "my_*",
    "india",
    "reserve",
    "oppo_product",
    "opproduct",
    "systemex", // OPlus
    "mi_ext",   // Xiaomi
    "tr_*",     // Transsion
    "hw_product",
    "product_h", // Huawei, Honor
    "prism",
    "optics", // Samsung
];

/// Partitions that hold nothing but apps which the user may remove.
const REMOVABLE_PARTITIONS: &[&str] =
    &["cust", "preload", "preload_common", "special_preload", "hidden", "preas", "preavs", "tr_preload"];

/// Folders of partitions with apps that the user may remove, or that are copied to `/data` at first boot.
/// `*` stands for any partition or end.
const REMOVABLE_FOLDERS: &[(&str, &str)] = &[
    ("*", "data-app"),                   // Xiaomi
    ("*", "del-app"),                    // OPlus
    ("*", "del-app-pre"),                // OPlus
    ("*", "delapp"),                     // Huawei
    ("*", "region_comm"),                // Huawei
    ("*", "app_backup"),                 // Lenovo
    ("*", "bundled_uninstall_back-app"), // Rockchip
    ("*", "bundled_uninstall_gone-app"), // Rockchip
    ("*", "preinstall*"),                // Allwinner, Amlogic, Rockchip
    ("system", "preload"),               // Samsung
    ("system", "hidden"),                // Samsung
    ("prism", "preload"),                // Samsung
    ("system", "custom/app"),            // vivo
    ("product", "operator/app"),         // Transsion
    ("product", "preloads"),             // Pixel
    ("product", "opcust"),               // Xiaomi
    ("system_other", "preloads"),        // Pixel
];

/// Folders that are scanned, at the depth of one package folder.
const SCANNED_FOLDERS: &[(&str, Placement)] = &[
    ("priv-app", Placement::Privileged),
    ("app", Placement::System),
    ("overlay", Placement::Overlay),
    ("bundled_persist-app", Placement::System), // Rockchip
    ("non_overlay/app", Placement::System),     // OPlus
];

/// Folders of one partition that are scanned like those above: OPlus's overlays of regions.
const SCANNED_FOLDERS_OF: &[(&str, &str, Placement)] = &[("my_product", "cust/*/overlay", Placement::Overlay)];

/// Partitions that may stand as a folder of another one when they have no volume of their own.
const NESTED: &[(&str, &str)] =
    &[("system", "product"), ("system", "system_ext"), ("system", "vendor"), ("system", "odm"), ("vendor", "odm")];

/// The partition and kind of place of a package's path, as Android sees it on the running device
/// (`/system/priv-app/X/X.apk`, `/product/app/X`, `/data/app/...`).
///
/// A path below `/system/product` is the product partition's: a device without a volume for it has `/product` as a link
/// to there, and Android reports the folder behind the link.
#[must_use]
pub fn classify(path: &str) -> (String, Placement) {
    let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    while let [outer, inner, ..] = names[..]
        && NESTED.contains(&(outer, inner))
    {
        names.remove(0);
    }
    let Some((partition, rest)) = names.split_first() else {
        return ("system".to_owned(), Placement::Unknown);
    };
    (String::from(*partition), place(partition, rest))
}

fn place(partition: &str, mut rest: &[&str]) -> Placement {
    match partition {
        "data" => return Placement::Data,
        "apex" => return Placement::Apex,
        // Its folders are laid over the partitions that they are named after.
        "mi_ext" => {
            if let Some((_, inner)) = rest.split_first().filter(|(name, _)| SCANNED.contains(name)) {
                rest = inner;
            }
        }
        // HyperOS lays it over /system.
        "product" => {
            if let Some(inner) = below("pangu/system", rest).filter(|inner| !inner.is_empty()) {
                rest = inner;
            }
        }
        _ => {}
    }
    let removable = REMOVABLE_FOLDERS
        .iter()
        .any(|(on, folder)| matches(on, partition) && below(folder, rest).is_some_and(|inner| !inner.is_empty()));
    if removable || (REMOVABLE_PARTITIONS.contains(&partition) && !rest.is_empty()) {
        return Placement::RemovablePreload;
    }
    if !SCANNED.iter().any(|pattern| matches(pattern, partition)) {
        return Placement::Unknown;
    }
    let framework = (partition == "system").then_some(("framework", Placement::Framework));
    let own = SCANNED_FOLDERS_OF.iter().filter(|(on, ..)| *on == partition).map(|(_, folder, place)| (*folder, *place));
    let scanned = SCANNED_FOLDERS.iter().copied().chain(framework).chain(own);
    for (folder, placement) in scanned {
        match below(folder, rest) {
            // `X.apk`, the folder `X`, or a file in it; what lies deeper (`oat`, `lib`, modules) is not scanned.
            Some([_]) => return placement,
            Some([_, file]) if file.ends_with(".apk") => return placement,
            _ => {}
        }
    }
    Placement::Unknown
}

/// Folder whose apps a factory reset does not bring back (Rockchip).
const GONE_FOR_GOOD: &str = "bundled_uninstall_gone-app";
/// Folder whose apps the user may not remove (Rockchip).
const FIXED: &str = "bundled_persist-app";

/// Whether an app that the user removed from that place stays away, whatever is reset.
#[must_use]
pub fn is_gone_for_good(path: &str) -> bool {
    path.split('/').any(|name| name == GONE_FOR_GOOD)
}

/// Whether the vendor keeps apps there that the user may not remove.
#[must_use]
pub fn is_fixed(path: &str) -> bool {
    path.split('/').any(|name| name == FIXED)
}

/// What follows `folder` (names with `/` between) in `names`.
fn below<'a, 'b>(folder: &str, names: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let mut rest = names;
    for pattern in folder.split('/') {
        let (name, inner) = rest.split_first()?;
        if !matches(pattern, name) {
            return None;
        }
        rest = inner;
    }
    Some(rest)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, partition: &str, placement: Placement) {
        assert_eq!(classify(path), (partition.to_owned(), placement), "{path}");
    }

    #[test]
    fn scanned_folders_of_android() {
        check("/system/priv-app/Settings/Settings.apk", "system", Placement::Privileged);
        check("/system/priv-app/Settings", "system", Placement::Privileged);
        check("/system/app/Calculator.apk", "system", Placement::System);
        check("/system_ext/app/X/split_config.ru.apk", "system_ext", Placement::System);
        check("/vendor/overlay/res.apk", "vendor", Placement::Overlay);
        check("/system/framework/framework-res.apk", "system", Placement::Framework);
        check("/system/framework/mediatek-res/mediatek-res.apk", "system", Placement::Framework);
        check("/my_stock/priv-app/X/X.apk", "my_stock", Placement::Privileged);
        check("/mi_ext/product/app/X/X.apk", "mi_ext", Placement::System);
        check("/product/pangu/system/priv-app/X/X.apk", "product", Placement::Privileged);
        check("/my_product/cust/IN/overlay/X/X.apk", "my_product", Placement::Overlay);
    }

    #[test]
    fn partitions_that_stand_in_another_one() {
        check("/system/product/app/X/X.apk", "product", Placement::System);
        check("/system/system_ext/priv-app/X/X.apk", "system_ext", Placement::Privileged);
        check("/system/vendor/overlay/X.apk", "vendor", Placement::Overlay);
        check("/vendor/odm/app/X/X.apk", "odm", Placement::System);
        check("/system/vendor/odm/app/X/X.apk", "odm", Placement::System);
    }

    #[test]
    fn places_of_vendors_for_apps_that_go() {
        for path in [
            "/product/data-app/X/X.apk",
            "/my_product/del-app/X/X.apk",
            "/my_stock/del-app-pre/X/X.apk",
            "/system/preload/Facebook/Facebook.apk",
            "/prism/preload/Common_app/X/X.apk",
            "/system/delapp/X/X.apk",
            "/hw_product/region_comm/russia/app/X.apk",
            "/system/app_backup/X/X.apk",
            "/oem/bundled_uninstall_gone-app/X/X.apk",
            "/system/preinstall_del/X.apk",
            "/cust/app/customized/partner-x/x.apk",
            "/product/operator/app/X/X.apk",
            "/system/custom/app/X/X.apk",
        ] {
            assert_eq!(classify(path).1, Placement::RemovablePreload, "{path}");
        }
        check("/data/app/x-1/base.apk", "data", Placement::Data);
        check("/apex/com.android.wifi/app/X/X.apk", "apex", Placement::Apex);
    }

    #[test]
    fn one_letter_off_is_unknown() {
        for path in [
            "/system/priv-apps/X/X.apk",
            "/system/priv_app/X/X.apk",
            "/System/app/X/X.apk",
            "/system/apps/X/X.apk",
            "/systems/app/X/X.apk",
            "/vendor/overlays/X.apk",
            "/system/etc/app/X/X.apk",
            "/system/app/GmsCore/m/module.apk",
            "/product/framework/res.apk",
            "/product/data-apps/X/X.apk",
            "/my_product/delapps/X/X.apk",
            "/vendor/preload/X/X.apk",
            "/system/customs/app/X/X.apk",
            "/prisms/app/X/X.apk",
            "/mi_ext/products/app/X/X.apk",
            "/product/pangus/system/app/X/X.apk",
            "/my_stock/cust/IN/overlay/X/X.apk",
            "/my_product/cust/overlay/X/X.apk",
            "/customs/app/X.apk",
            "/",
            "",
        ] {
            assert_eq!(classify(path).1, Placement::Unknown, "{path}");
        }
        check("/database/app/X/X.apk", "database", Placement::Unknown);
        check("/system/products/app/X.apk", "system", Placement::Unknown);
    }
}
