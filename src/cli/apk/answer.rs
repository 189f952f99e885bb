//! What `preloaded apk` says of a file that was read, and which of it is asked for.

use std::rc::Rc;

use clap::ValueEnum;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Aids, Read, Signer, apex, native, verification};
use crate::apk;
use crate::platform::protection;

/// The answer with a field for each fact, written in their order, and an enumeration of their names. `=>`: what must hold of one
/// that is left out elsewhere. Behind `;`: what only text says.
macro_rules! answer {
    (
        $($(#[$about:meta])* $field:ident: $type:ty $(=> $when:expr)?,)*
        ; $($(#[$more:meta])* $silent:ident: $other:ty,)*
    ) => {
        /// The name of a fact.
        #[allow(non_camel_case_types, reason = "the names are those of the facts")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        #[value(rename_all = "snake_case")]
        pub(super) enum Field {
            $($field,)*
        }

        /// A file that was read.
        #[derive(Debug)]
        pub(super) struct Answer<'a> {
            $($(#[$about])* pub(super) $field: $type,)*
            $($(#[$more])* pub(super) $silent: $other,)*
            wanted: Fields,
        }

        impl Serialize for Answer<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(if self.wanted.has(Field::$field) $(&& $when(&self.$field))? {
                    map.serialize_entry(stringify!($field), &self.$field)?;
                })*
                map.end()
            }
        }
    };
}

answer! {
    file: &'a str,
    package: &'a str,
    version_code: u64,
    version_name: Option<&'a str>,
    min_sdk: u32,
    target_sdk: u32,
    split: Option<&'a str>,
    is_feature_split: bool,
    label: Option<&'a str>,
    labels: &'a [apk::Label],
    launcher: &'a [String],
    roles: Vec<apk::Role>,
    /// As written, doubles and all.
    permissions: Vec<&'a str>,
    implied_permissions: Vec<&'static str>,
    requested_permissions: &'a [apk::RequestedPermission],
    declared_permissions: Vec<Declared<'a>>,
    permission_groups: &'a [String],
    permission_trees: &'a [String],
    signers: Vec<Rc<Signer>>,
    verification: Option<verification::Verification> => Option::is_some,
    shared_user: Option<&'a str>,
    shared_user_max_sdk: Option<u32>,
    flags: &'a [String],
    has_code: bool,
    enabled: bool,
    allow_backup: bool,
    uses_cleartext_traffic: Option<bool>,
    network: Option<&'a apk::NetworkConfig>,
    install_location: Option<u32>,
    hooks: Vec<apk::Hook>,
    components: &'a [apk::Component],
    libraries: &'a [apk::Library],
    features: &'a [apk::Feature],
    compatible_screens: &'a [apk::Screen],
    instrumentations: &'a [apk::Instrumentation],
    uses_splits: &'a [String],
    queries: &'a apk::Queries,
    original_packages: &'a [String],
    overlay: Option<&'a apk::Overlay>,
    meta_data: &'a [apk::MetaData],
    /// Folders of `lib/` with libraries.
    abis: Vec<String>,
    code: Code<'a>,
    /// Why it is no full app; `null` for one that is.
    stub: Option<apk::Stub>,
    classes: Option<&'a apk::Dex> => Option::is_some,
    native_libraries: Option<Vec<native::Library<'a>>> => Option::is_some,
    /// Only for an APEX or CAPEX.
    apex: Option<apex::Apex<'a>> => Option::is_some,
    /// Paths on a device of the package files in an APEX's image.
    inner_packages: Option<&'a [String]> => Option::is_some,
    /// Values that are resources of a package that was not at hand; they are absent above.
    unresolved: &'a [apk::Unresolved],
    /// Parts of the file that could not be read, in words; facts that stand there are absent above.
    problems: Vec<String>,
    ;
    /// Whether there is a network configuration that can't be read.
    network_unread: bool,
}

/// The facts that are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields(u64);

impl Fields {
    /// What tells of which file the others are, and which of them could not be read, is always among them.
    const ALWAYS: [Field; 3] = [Field::file, Field::unresolved, Field::problems];

    /// All of them where none is named.
    pub(super) fn of(names: &[Field]) -> Self {
        if names.is_empty() {
            return Self(u64::MAX);
        }
        Self(names.iter().chain(&Self::ALWAYS).fold(0, |set, field| set | Self::bit(*field)))
    }

    pub(super) fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    const fn bit(field: Field) -> u64 {
        1 << field as u32
    }
}

/// A declared permission, its protection level also in words.
#[derive(Debug, serde::Serialize)]
pub(super) struct Declared<'a> {
    #[serde(flatten)]
    pub(super) permission: &'a apk::DeclaredPermission,
    /// As `signature|privileged`; `null` where the level was not resolved.
    pub(super) protection: Option<String>,
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Code<'a> {
    pub(super) dex_files: u32,
    pub(super) dex_bytes: u64,
    /// `null` where the header of one can't be read.
    pub(super) classes: Option<u64>,
    /// Whether there is native code, and none of it for 64 bits.
    pub(super) only_32_bit: bool,
    pub(super) native: Vec<Native<'a>>,
}

#[derive(Debug, serde::Serialize)]
pub(super) struct Native<'a> {
    abi: &'a str,
    library: &'a str,
    matches: bool,
    load_alignment: Option<u64>,
}

/// What was read of the file; a fact that is not asked for is not written.
pub(super) fn answer<'a>(file: &'a str, read: &'a Read, aids: &'a Aids, wanted: Fields) -> Answer<'a> {
    let Read { opened, network, signers, code, dex, native, apex, inner, verification } = read;
    let verified = verification.as_ref().map(verification::signers).unwrap_or_default();
    let said = if verified.is_empty() {
        signers.iter().flatten().flatten().map(|certificate| aids.signer(certificate, "claimed")).collect()
    } else {
        verified.iter().map(|certificate| aids.signer(certificate, "verified")).collect()
    };
    let manifest = &opened.manifest;
    let failed = [
        opened.resources.as_ref().err(),
        network.as_ref().and_then(|network| network.as_ref().err()),
        signers.as_ref().and_then(|signers| signers.as_ref().err()),
        dex.as_ref().and_then(|dex| dex.as_ref().err()),
        native.as_ref().and_then(|native| native.as_ref().err()),
        apex.as_ref().err(),
        inner.as_ref().and_then(|inner| inner.as_ref().err()),
    ];
    Answer {
        file,
        package: &manifest.package,
        version_code: manifest.version_code,
        version_name: manifest.version_name.as_deref(),
        min_sdk: manifest.min_sdk,
        target_sdk: manifest.target_sdk,
        split: manifest.split.as_deref(),
        is_feature_split: manifest.is_feature_split,
        label: manifest.label.as_deref(),
        labels: &manifest.labels,
        launcher: &manifest.launcher,
        roles: if wanted.has(Field::roles) { manifest.roles() } else { Vec::new() },
        permissions: manifest.requested_permissions.iter().map(|permission| permission.name.as_str()).collect(),
        implied_permissions: manifest.implied_permissions().iter().map(|permission| permission.name).collect(),
        requested_permissions: &manifest.requested_permissions,
        declared_permissions: manifest.declared_permissions.iter().map(declared).collect(),
        permission_groups: &manifest.permission_groups,
        permission_trees: &manifest.permission_trees,
        signers: said,
        verification: verification.as_ref().map(verification::Verification::from),
        shared_user: manifest.shared_user.as_deref(),
        shared_user_max_sdk: manifest.shared_user_max_sdk,
        flags: &manifest.flags,
        has_code: manifest.has_code,
        enabled: manifest.enabled,
        allow_backup: manifest.allow_backup,
        uses_cleartext_traffic: manifest.uses_cleartext_traffic,
        network: network.as_ref().and_then(|network| network.as_ref().ok()),
        install_location: manifest.install_location,
        hooks: if wanted.has(Field::hooks) { manifest.hooks() } else { Vec::new() },
        components: &manifest.components,
        libraries: &manifest.libraries,
        features: &manifest.features,
        compatible_screens: &manifest.compatible_screens,
        instrumentations: &manifest.instrumentations,
        uses_splits: &manifest.uses_splits,
        queries: &manifest.queries,
        original_packages: &manifest.original_packages,
        overlay: manifest.overlay.as_ref(),
        meta_data: &manifest.meta_data,
        abis: opened.abis(),
        code: code.as_ref().map(Code::from).unwrap_or_default(),
        stub: code.as_ref().and_then(|code| manifest.stub(code)),
        classes: dex.as_ref().and_then(|dex| dex.as_ref().ok()),
        native_libraries: native
            .as_ref()
            .and_then(|native| native.as_ref().ok())
            .map(|libraries| libraries.iter().map(native::Library::from).collect()),
        apex: apex.as_ref().ok().and_then(Option::as_ref).map(apex::Apex::from),
        inner_packages: inner.as_ref().and_then(|inner| inner.as_deref().ok()),
        unresolved: &manifest.unresolved,
        problems: failed.into_iter().flatten().map(ToString::to_string).collect(),
        network_unread: matches!(network, Some(Err(_))),
        wanted,
    }
}

fn declared(permission: &apk::DeclaredPermission) -> Declared<'_> {
    Declared { permission, protection: permission.protection_level.map(protection::words) }
}

impl<'a> From<&'a apk::Code> for Code<'a> {
    fn from(code: &'a apk::Code) -> Self {
        Self {
            dex_files: code.dex_files,
            dex_bytes: code.dex_bytes,
            classes: code.classes,
            only_32_bit: code.is_32_bit_only(),
            native: code.native.iter().map(Native::from).collect(),
        }
    }
}

impl<'a> From<&'a apk::NativeAbi> for Native<'a> {
    fn from(native: &'a apk::NativeAbi) -> Self {
        let apk::NativeAbi { abi, library, matches, load_alignment } = native;
        Self { abi, library, matches: *matches, load_alignment: *load_alignment }
    }
}
