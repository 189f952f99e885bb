//! Vendors' lists of pre-installed apps, as facts with lines. One kind of list, one function.
//!
//! | list | vendor | form | read by |
//! |---|---|---|---|
//! | `customized_applist`, `recommended_applist`, `ota_*` | Xiaomi | name of a package file a line | `MiuiBusinessPreinstallConfig` |
//! | `vanward_applist` | Xiaomi | name of a package file, locales | the same |
//! | `cust_apps_config` | Xiaomi | JSON: `data[].packageName`, `custConfig[].custVariants`, `enable` | `AdvancePreinstallService` |
//! | `del_apps_list.xml` | Xiaomi | `package name=` | `MiuiOperatorPreinstallConfig` |
//! | `pms_sysapp_removable_*_list.txt` | MediaTek | application id a line | `PmsExtImpl` |
//! | `removable_preload.txt` | Samsung | `name='ID'` among other properties of the package | Samsung's settings |
//! | `uninstall_preloadpkg.lst` | Samsung | application id a line, `#` comments | `PrePackageInstallerBase` |
//! | `APKInstallListEMUI5Release.txt`, `DelAPK...` | Huawei, Honor | path, then `sys`, `priv` or `nosys` | `HwPreAppManager` |

pub mod script;
pub mod xml;

use serde::Deserialize;

use super::At;

/// Lines that are no comment, trimmed: names of files or packages.
#[must_use]
pub fn names(text: &str) -> Vec<At<String>> {
    let lines = super::numbered(text).map(|(line, content)| (line, content.trim().trim_start_matches('\u{feff}')));
    let named = lines.filter(|(_, content)| !content.is_empty() && !content.starts_with('#'));
    named.map(|(line, content)| At { value: content.to_owned(), line }).collect()
}

/// Names of package files with the locales for which they are installed before set-up (`ru_RU,*`).
#[must_use]
pub fn vanward(text: &str) -> Vec<At<(String, String)>> {
    let row = |(line, content): (u32, &str)| {
        let mut words = content.split_whitespace();
        let value = (words.next()?.to_owned(), words.next()?.to_owned());
        // As on the device, a line of any other number of words says nothing.
        words.next().is_none().then_some(At { value, line })
    };
    super::numbered(text).filter_map(row).collect()
}

/// Application ids of Samsung's catalogue: the values of `name='...'`.
#[must_use]
pub fn catalogue(text: &str) -> Vec<At<String>> {
    let name = |(line, content): (u32, &str)| {
        let value = content.trim().strip_prefix("name='")?.strip_suffix('\'')?;
        (!value.is_empty()).then(|| At { value: value.to_owned(), line })
    };
    super::numbered(text).filter_map(name).collect()
}

/// Paths of Huawei's lists, whatever their scan mode; a line of another form says nothing.
#[must_use]
pub fn paths(text: &str) -> Vec<At<String>> {
    let path = |(line, content): (u32, &str)| {
        let mut words = content.split(',').map(str::trim);
        let path = words.next()?;
        let known = |word: &str| matches!(word, "sys" | "priv" | "nosys");
        let fits = path.starts_with('/') && words.next().is_none_or(known) && words.next().is_none();
        fits.then(|| At { value: path.to_owned(), line })
    };
    super::numbered(text).filter_map(path).collect()
}

/// An app of Xiaomi's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredApp {
    /// The application id.
    pub package: String,
    /// Index in `data`, from 0.
    pub index: usize,
    /// Variants for which it is enabled.
    pub variants: Vec<String>,
}

/// Xiaomi's `cust_apps_config`.
///
/// # Errors
/// Text that is no JSON of that form, in words.
pub fn configured(text: &str) -> Result<Vec<ConfiguredApp>, String> {
    #[derive(Deserialize)]
    struct Config {
        data: Vec<App>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct App {
        package_name: Option<String>,
        #[serde(default)]
        cust_config: Vec<Variant>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Variant {
        #[serde(default)]
        cust_variants: String,
        #[serde(default)]
        enable: bool,
    }
    let config: Config = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let app = |(index, app): (usize, App)| {
        let enabled = app.cust_config.into_iter().filter(|variant| variant.enable);
        let variants = enabled
            .flat_map(|variant| variant.cust_variants.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
            .filter(|name| !name.is_empty())
            .collect();
        Some(ConfiguredApp { package: app.package_name?, index, variants })
    };
    Ok(config.data.into_iter().enumerate().filter_map(app).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<T>(list: Vec<At<T>>) -> Vec<(u32, T)> {
        list.into_iter().map(|at| (at.line, at.value)).collect()
    }

    #[test]
    fn names_keep_their_lines_and_comments_are_none() {
        assert_eq!(
            values(names("\u{feff}com.a\r\n\n# com.b\n com.c \n")),
            [(1, "com.a".to_owned()), (4, "com.c".to_owned())]
        );
        assert_eq!(values(names("")), []);
    }

    #[test]
    fn a_line_of_the_early_list_has_a_name_and_locales_and_nothing_else() {
        let parsed = values(vanward("x.apk ru_RU,en_US\ny.apk\nz.apk * extra\n\tw.apk\t*\n"));
        assert_eq!(parsed, [(1, ("x.apk".into(), "ru_RU,en_US".into())), (4, ("w.apk".into(), "*".into()))]);
    }

    #[test]
    fn the_catalogue_tells_ids_among_labels() {
        let text =
            "[App]\nname='com.a'\nversionName='1'\napplication-label='name='\n  name='com.b'\nnames='com.c'\nname=''\n";
        assert_eq!(values(catalogue(text)), [(2, "com.a".to_owned()), (5, "com.b".to_owned())]);
    }

    #[test]
    fn huaweis_lists_name_paths_with_known_modes_only() {
        let text = "/system/delapp/A,nosys\n/hw_product/region_comm/russia/app/B/B.apk\n/x/C.apk,privv\nD.apk,sys\n/x/E,sys,1\n";
        let expected =
            [(1, "/system/delapp/A".to_owned()), (2, "/hw_product/region_comm/russia/app/B/B.apk".to_owned())];
        assert_eq!(values(paths(text)), expected);
    }

    #[test]
    fn the_configuration_tells_enabled_variants() {
        let text = r#"{"status":0,"data":[{"packageName":"com.a","custConfig":[{"custVariants":"cn","enable":true},
            {"custVariants":"ru, global","enable":true},{"custVariants":"eea","enable":false}]},{"packageId":"x"},
            {"packageName":"com.b"}]}"#;
        let apps = configured(text).unwrap();
        let apps: Vec<_> = apps.iter().map(|app| (app.package.as_str(), app.index, app.variants.join("+"))).collect();
        assert_eq!(apps, [("com.a", 0, "cn+ru+global".to_owned()), ("com.b", 2, String::new())]);
        assert!(configured("[]").is_err() && configured("").is_err());
        let deep = "[".repeat(100_000);
        assert!(configured(&deep).is_err());
    }
}
