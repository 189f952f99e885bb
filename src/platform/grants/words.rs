//! Chains of reasons in words.

use crate::inventory::{Reason, ReasonCode as Code};
use crate::platform::permissions::PLATFORM;

/// A reason as a sentence without its evidence.
#[must_use]
pub fn words(reason: &Reason) -> String {
    let about = reason.about.as_deref().unwrap_or("it");
    match reason.code {
        Code::Normal => "normal permissions are granted to every app at installation".to_owned(),
        Code::Undefined => "no package of the device declares it".to_owned(),
        Code::DeclarerUnknown => {
            "nobody who was read declares it, and the platform's own declarations were not read".to_owned()
        }
        Code::LevelUnknown => format!("the level that {about} gives it could not be resolved"),
        Code::SeveralDeclarers => format!("{about} declare it in one place, and which one counts changes the answer"),
        Code::VersionUnknown => "the device's API level is not known".to_owned(),
        Code::PlatformSigner => match about {
            PLATFORM => "signed with the platform's key".to_owned(),
            _ => format!("signed with the platform's key, which is that of {about} in android.uid.system"),
        },
        Code::DeclarerSigner => format!("signed with the key of {about}, which declares it"),
        Code::FormerSigner => format!("its signer and that of {about} are linked by a proof of rotation"),
        Code::OtherSigner => "signed with another key than the platform's and the declaring package's".to_owned(),
        Code::SignerUnknown => format!("the signers of {about} are not known"),
        Code::PrivilegedPlace => format!("a privileged app of {about}"),
        Code::NotPrivileged => "not a privileged app".to_owned(),
        Code::NotForVendor => format!("privileged in {about}, and the permission is not marked for vendors' apps"),
        Code::Allowlisted => "the partition's list of privileged permissions allows it".to_owned(),
        Code::DeniedByList => "the partition's list of privileged permissions refuses it".to_owned(),
        Code::NotAllowlisted => format!(
            "the list of privileged permissions of {about} does not have it, and lists are enforced: such a device does not start"
        ),
        Code::AllowlistedForVariant => format!("only the list for the hardware variant {about} has it"),
        Code::ListsNotEnforced => format!("lists of privileged permissions are not enforced: {about}"),
        Code::ListNotNeeded => format!("lists are for permissions of the platform, this one is declared by {about}"),
        Code::ListUnread => match &reason.about {
            Some(place) => format!("a list could not be read: {place}"),
            None => "the lists of privileged permissions were not read".to_owned(),
        },
        Code::ListedSinceStarted => {
            "a phone that enforces lists starts only when nothing is missing in them; they were not read".to_owned()
        }
        Code::VendorPartition => format!("the rules of the vendor's own partition {about} are not known"),
        Code::OemListed => "the list of /oem allows it".to_owned(),
        Code::OemDenied => "the list of /oem refuses it".to_owned(),
        Code::OemNotListed => "no list of /oem has it".to_owned(),
        Code::Preinstalled => "granted to every pre-installed app".to_owned(),
        Code::MadeBefore23 => format!("granted to apps made before Android 6, and this one targets {about}"),
        Code::KnownPackage => format!("it is the package for `{about}`"),
        Code::NotKnownPackage => format!("it is not the package for `{about}`"),
        Code::HolderUnknown => format!("which package is meant by `{about}` is not known"),
        Code::KnownCertificate => format!("the permission names its certificate {about}"),
        Code::OtherCertificate => "the permission names other certificates".to_owned(),
        Code::Module => format!("an app of the APEX {about}"),
        Code::RoleOnly => "granted to holders of a role, and which package holds it is not known".to_owned(),
        Code::RoleHolder => format!("comes with the role {about}, which it holds"),
        Code::RoleHolderUnknown => format!("comes with the role {about}, and whether it holds that can't be told"),
        Code::RoleNotHeld => format!("holders of roles get it ({about}), and it holds none of them"),
        Code::DeveloperOnly => "only a developer grants it, over ADB".to_owned(),
        Code::NoFlagFits => "only its flags grant it, and none of them fits".to_owned(),
        Code::SharedUser => format!("{about} gets it, with which it shares a user id"),
        Code::SystemComponent => format!("a component of the system by its user id ({about})"),
        Code::PersistentPlatformApp => "a persistent, privileged app with the platform's key".to_owned(),
        Code::PlatformApp => "a pre-installed app with the platform's key".to_owned(),
        Code::DefaultHandler => format!("Android's default for `{about}`"),
        Code::DefaultHandlerUnknown => format!("whether it is Android's default for `{about}` can't be told"),
        Code::DefaultGrant => "a file of default grants names it".to_owned(),
        Code::DefaultGrantOtherSigner => "a file of default grants names it, for another signer".to_owned(),
        Code::AsksUser => "the user is asked, unless code of the vendor grants it".to_owned(),
        Code::LegacyTarget => {
            format!("granted at installation to apps made before Android 6, and this one targets {about}")
        }
        Code::ComesWith => format!("comes with {about}, which is granted at installation"),
        Code::NotSystem => "not a part of the system".to_owned(),
        Code::NotLoaded => format!("Android loads nothing from {about}"),
        Code::SeveralCopies => format!("for the copy {about} the answer is another, and which one runs can't be told"),
        Code::RequestsUnknown => "what the package asks for is not known".to_owned(),
        Code::FactUnknown => format!("not known: {about}"),
    }
}
