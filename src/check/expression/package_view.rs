//! Fields of a package.

use std::sync::Arc;

use super::super::words::{Phrase, phrase};
use super::value::{Text, Value, Why};
use super::view::{
    Field, Kind, Of, Read, Reader, Record, Subject, World, granted, large, maybe, number, requested, text, texts, told,
    told_or,
};
use crate::inventory::{Code, CopyRole, Enabled, Fact, ManifestFacts, SignerDepth};

/// What a phone says of signers where files are not read.
const SIGNER_NUMBER: Phrase = phrase(
    "the device tells the signer's number, not the digest",
    "устройство сообщает номер подписавшего, а не отпечаток",
);

/// What is asked for.
const NOT_COUNTED: Phrase =
    phrase("classes were not counted (`--classes` counts them)", "классы не подсчитаны (их считает `--classes`)");

/// What a file that was not read does not tell.
const NOT_READ: Why<'static> = Why::Untold(phrase("the package file was not read", "файл пакета не прочитан"));

const fn of(
    name: &'static str,
    of: Of,
    meaning: &'static str,
    read: for<'a> fn(Subject<'a>, &World<'a>) -> Read<'a>,
) -> Field {
    Field { name, of, meaning, read: Reader::Package(read) }
}

fn manifest<'a>(subject: Subject<'a>, value: impl FnOnce(&'a ManifestFacts) -> Value<'a>) -> Read<'a> {
    told(&subject.copy.manifest, value)
}

fn flag(value: bool) -> Value<'static> {
    Value::Flag(value)
}

/// A number of the package file.
fn of_file<'a>(subject: Subject<'a>, value: impl FnOnce(&Code) -> Option<u64>) -> Read<'a> {
    told_or(&subject.copy.code, |code| value(code).map_or(Err(NOT_READ), large))
}

/// A flag of the network security configuration.
fn network<'a>(subject: Subject<'a>, value: impl FnOnce(&ManifestFacts) -> Option<bool>) -> Read<'a> {
    told_or(&subject.copy.manifest, |facts| {
        value(facts).map(flag).ok_or(Why::Untold(phrase(
            "it stands in a file that can't be read",
            "это стоит в файле, который не читается",
        )))
    })
}

pub(super) static FIELDS: &[Field] = &[
    of("name", Of::Text, "application id", |of, _| Read::Known(text(&of.package.name), None)),
    of("role", Of::Text, "`factory`, `updated` (an update of a factory copy) or `added`", |of, _| {
        let role = match of.copy.role {
            CopyRole::Factory => "factory",
            CopyRole::Updated => "updated",
            CopyRole::Added => "added",
        };
        Read::Known(text(role), None)
    }),
    of("path", Of::Text, "path of the package file", |of, _| Read::Known(text(&of.copy.path), None)),
    of("partition", Of::Text, "partition by Android's name", |of, _| told(&of.copy.partition, |name| text(name))),
    of("place", Of::Text, "kind of place, as in `placements` of selectors", |of, _| {
        told(&of.copy.placement, |place| text(place.as_str()))
    }),
    of("copies", Of::Records(Kind::Package), "every copy, the one that Android runs first", |of, _| {
        let package = of.package;
        let copies = package.copies.iter().map(|copy| Value::Record(Record::Package(Subject { package, copy })));
        Read::Known(Value::list(copies.collect()), None)
    }),
    of("version_code", Of::Number, "versionCode with its upper half", |of, _| {
        told_or(&of.copy.version_code, |version| large(*version))
    }),
    of("version_name", Of::Text, "versionName", |of, _| told(&of.copy.version_name, |name| maybe(name.as_ref()))),
    of("min_sdk", Of::Number, "minSdkVersion", |of, _| told(&of.copy.min_sdk, |sdk| number(*sdk))),
    of("target_sdk", Of::Number, "targetSdkVersion", |of, _| told(&of.copy.target_sdk, |sdk| number(*sdk))),
    of("label", Of::Text, "label in the default language", |of, _| told(&of.copy.label, |label| maybe(label.as_ref()))),
    of("flags", Of::Texts, "flags as the manifest or Android names them", |of, _| told(&of.copy.flags, texts)),
    of("permissions", Of::Texts, "permissions that the manifest asks for on this API level", requested),
    of(
        "granted",
        Of::Texts,
        "permissions that it holds; of an image those foretold for the first boot",
        |of, world| granted("granted", 0, of, world),
    ),
    of("granted_by_default", Of::Texts, "those of them that users would be asked for, and were not", |of, world| {
        granted("granted_by_default", 1, of, world)
    }),
    of("fixed", Of::Texts, "those of them that users can't take away", |of, world| granted("fixed", 2, of, world)),
    of("declares", Of::Records(Kind::Declared), "permissions that the manifest declares", |of, _| {
        let record = |permission| Value::Record(Record::Declared(permission));
        told(&of.copy.declared_permissions, |list| Value::list(list.iter().map(record).collect()))
    }),
    of(
        "signers",
        Of::Texts,
        "SHA-256 digests of the signers' certificates; unknown where a device tells numbers only",
        |of, _| {
            told_or(&of.copy.signers, |signers| {
                let digest = |signer: &crate::inventory::Signer| signer.sha256.clone();
                let digests: Option<Vec<String>> = signers.iter().map(digest).collect();
                let made = |digest: String| Value::Text(Text::Made(Arc::from(digest)));
                digests.map(|list| Value::list(list.into_iter().map(made).collect())).ok_or(Why::Untold(SIGNER_NUMBER))
            })
        },
    ),
    of(
        "verified",
        Of::Flag,
        "whether the signatures were verified, by the program or by the device that runs it",
        |of, _| {
            told(&of.copy.signers, |signers| flag(signers.iter().all(|signer| signer.depth != SignerDepth::Claimed)))
        },
    ),
    of(
        "published_keys",
        Of::Texts,
        "names of published keys that it is signed with; unknown where only a number tells",
        |of, _| {
            told_or(&of.copy.signers, |signers| {
                // A number links to a certificate, and proves neither that it is the signer's nor that it is not.
                let known =
                    |signer: &&crate::inventory::Signer| signer.sha256.is_some() || signer.published_key.is_some();
                if !signers.iter().all(|signer| known(&signer)) {
                    return Err(Why::Untold(SIGNER_NUMBER));
                }
                Ok(texts(signers.iter().filter_map(|signer| signer.published_key.as_ref())))
            })
        },
    ),
    of("shared_user", Of::Text, "name of the shared user id", |of, _| {
        told(&of.package.shared_user, |user| maybe(user.as_ref()))
    }),
    of("uid", Of::Number, "user id for the owner", |of, _| told(&of.package.uid, |uid| number(*uid))),
    of("installer", Of::Text, "package that installed it", |of, _| {
        told(&of.package.installer, |installer| maybe(installer.as_ref()))
    }),
    of(
        "enabled",
        Of::Flag,
        "installed for the owner, and neither disabled, suspended nor hidden; unknown of an image",
        |of, _| {
            told_or(&of.package.users, |states| {
                let owner = states
                    .iter()
                    .find(|state| state.user == 0)
                    .ok_or(Why::Untold(phrase("the owner's state is not told", "состояние у владельца не сообщено")))?;
                match owner.enabled {
                    Enabled::Unrecognised if owner.hindrances().is_empty() => {
                        Err(Why::Untold(phrase("a state of no known meaning", "состояние с неизвестным значением")))
                    }
                    _ => Ok(flag(owner.hindrances().is_empty())),
                }
            })
        },
    ),
    of("launcher", Of::Texts, "activities that a launcher shows; none: no icon", |of, _| {
        told(&of.copy.launcher, texts)
    }),
    of("launcher_place", Of::Text, "`hotseat`, `page`, `folder`, `all-apps` or `none`", |of, _| {
        told(&of.package.launcher_place, |place| text(place.kind.as_str()))
    }),
    of(
        "removability",
        Of::Text,
        "`user-removable`, `returns-after-reset`, `disable-only`, `stub-updates-itself` or `not-removable`",
        |of, _| told(&of.package.removability, |removability| text(removability.grade.as_str())),
    ),
    of("presence", Of::Text, "`full`, `first-boot`, `auto-install`, `stub`, `icon` or `absent`", |of, _| {
        told(&of.package.presence, |presence| text(presence.state.as_str()))
    }),
    of("has_code", Of::Flag, "whether it has code to run", |of, _| {
        told(&of.copy.code, |code| flag(code.present || !code.abis.is_empty()))
    }),
    of(
        "stub",
        Of::Text,
        "why it is no full app: `stub-folder`, `no-code`, `few-classes`, `no-components`; empty for one that is",
        |of, _| {
            told_or(&of.copy.code, |code| match (code.stub, code.file_bytes) {
                (Some(stub), _) => Ok(text(stub.as_str())),
                (None, Some(_)) => Ok(text("")),
                (None, None) => Err(NOT_READ),
            })
        },
    ),
    of("abis", Of::Texts, "ABIs of its native code", |of, _| told(&of.copy.code, |code| texts(&code.abis))),
    of("file_bytes", Of::Number, "length of the package file", |of, _| of_file(of, |code| code.file_bytes)),
    of("dex_bytes", Of::Number, "length of its DEX files", |of, _| of_file(of, |code| code.dex_bytes)),
    of(
        "sdks",
        Of::Records(Kind::Sdk),
        "known SDKs in its code; unknown where classes were not counted (`--classes`)",
        |of, _| {
            let counts = match &of.copy.code {
                Fact::Known { value, .. } => match &value.class_counts {
                    Some(counts) => counts,
                    None => return Read::Unknown(Why::Untold(NOT_COUNTED)),
                },
                Fact::Unknown(gap) => return Read::Unknown(Why::Gap(gap)),
            };
            let record = |sdk| Value::Record(Record::Sdk(sdk));
            told(counts, |counts| Value::list(counts.sdks.iter().map(record).collect()))
        },
    ),
    of("components", Of::Number, "number of components, disabled ones too", |of, _| {
        manifest(of, |facts| number(facts.components))
    }),
    of("exported", Of::Records(Kind::Component), "enabled components that other apps may use", |of, _| {
        let record = |component| Value::Record(Record::Component(component));
        manifest(of, |facts| Value::list(facts.exported.iter().map(record).collect()))
    }),
    of("hooks", Of::Records(Kind::Hook), "where the system calls it", |of, _| {
        manifest(of, |facts| Value::list(facts.hooks.iter().map(|hook| Value::Record(Record::Hook(hook))).collect()))
    }),
    of("roles", Of::Texts, "roles that it qualifies for: `home`, `browser`, `dialer` ...", |of, _| {
        manifest(of, |facts| texts(&facts.roles))
    }),
    of("cleartext", Of::Flag, "whether its traffic may be unencrypted", |of, _| network(of, |facts| facts.cleartext)),
    of("user_authorities", Of::Flag, "whether it trusts certificate authorities that the user added", |of, _| {
        network(of, |facts| facts.user_authorities)
    }),
    of("allow_backup", Of::Flag, "whether its data may be backed up", |of, _| {
        manifest(of, |facts| flag(facts.allow_backup))
    }),
    of("overlays", Of::Text, "package whose resources it changes; empty for what is no overlay", |of, _| {
        manifest(of, |facts| maybe(facts.overlay.as_ref().and_then(|overlay| overlay.target.as_ref())))
    }),
    of("libraries", Of::Records(Kind::Library), "libraries that it is, offers or wants", |of, _| {
        let record = |library| Value::Record(Record::Library(library));
        manifest(of, |facts| Value::list(facts.libraries.iter().map(record).collect()))
    }),
    of("features", Of::Texts, "features without which it does not run", |of, _| {
        manifest(of, |facts| texts(&facts.required_features))
    }),
    of("queries", Of::Texts, "packages that it wants to see", |of, _| {
        manifest(of, |facts| texts(&facts.queries.packages))
    }),
    of(
        "meta_data",
        Of::TextMap,
        "what the application says to others, by name; of a name that stands twice the last",
        |of, _| {
            manifest(of, |facts| {
                let mut pairs: Vec<(&str, Value<'_>)> =
                    facts.meta_data.iter().map(|item| (item.name.as_str(), maybe(item.value.as_ref()))).collect();
                pairs.reverse();
                pairs.sort_by_key(|(name, _)| *name);
                pairs.dedup_by_key(|(name, _)| *name);
                Value::Map(Arc::new(pairs.into_iter().map(|(name, value)| (text(name), value)).collect()))
            })
        },
    ),
];
