//! The keys that phones know this computer's user by: those of `adb`, read and never made.
//!
//! A phone that asks sends 20 random bytes; whoever holds a key that was once accepted on its screen answers with the
//! signature (RSA, PKCS#1 v1.5) of them, taken as a SHA-1 digest. `adb` would then offer its public key, which makes the
//! phone ask its owner and keep what is accepted; that is writing, and is not in here.
//!
//! | file | form |
//! |---|---|
//! | `~/.android/adbkey` | PKCS#8 in PEM (`PRIVATE KEY`), or PKCS#1 (`RSA PRIVATE KEY`) of old versions; 2048 bits |
//! | what `ADB_VENDOR_KEYS` names | the same; of a folder each `*.adb_key` |
//!
//! Source: AOSP `packages/modules/adb/client/auth.cpp` and `protocol.txt`.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, PrivateKey};
use zeroize::Zeroizing;

/// Bytes of a token: as many as a SHA-1 digest has.
pub(super) const TOKEN: usize = 20;

/// Bytes of the only size that phones take.
const MODULUS: usize = 256;

/// A key file has 1.7 KiB.
const FILE_LIMIT: u64 = 64 << 10;

/// Most keys that a phone is shown: each is a round trip.
const KEYS: usize = 64;

/// A user's keys, looked for when the first phone asks for one.
#[derive(Clone, Default)]
pub struct Keys {
    places: Vec<PathBuf>,
    read: Arc<OnceLock<Found>>,
}

#[derive(Default)]
struct Found {
    keys: Vec<Key>,
    /// What is there and no key, in words.
    unusable: Vec<String>,
}

/// One key.
pub(super) struct Key {
    private: PrivateKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys at these places: `vendor` is the value of `ADB_VENDOR_KEYS` (files and folders, separated as in `PATH`),
    /// `home` the user's folder. Nothing is read yet.
    #[must_use]
    pub fn at(vendor: Option<&OsStr>, home: Option<&Path>) -> Self {
        let own = home.map(|home| home.join(".android").join("adbkey"));
        let vendor = vendor.into_iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty());
        Self { places: own.into_iter().chain(vendor).collect(), read: Arc::default() }
    }

    /// The key of that number, in the order in which a phone is shown them.
    pub(super) fn get(&self, number: usize) -> Option<&Key> {
        self.found().keys.get(number)
    }

    /// Why a phone that asks for a key can't be answered, and what to do.
    pub(super) fn lack(&self) -> String {
        let found = self.found();
        let (places, many) = (self.places(), found.keys.len());
        let lack = match many {
            0 => format!("there is none at {places}"),
            1 => format!("does not know the one at {places}"),
            _ => format!("knows none of the {many} at {places}"),
        };
        let unusable = found.unusable.iter().map(|words| format!(" ({words})"));
        format!(
            "{lack}{}: connect it once with `adb` and accept the question on its screen, which makes the key known",
            unusable.collect::<String>()
        )
    }

    fn places(&self) -> String {
        let places: Vec<String> = self.places.iter().map(|path| path.display().to_string()).collect();
        if places.is_empty() { "~/.android/adbkey".to_owned() } else { places.join(", ") }
    }

    fn found(&self) -> &Found {
        self.read.get_or_init(|| {
            let mut found = Found::default();
            for path in self.places.iter().flat_map(|place| files(place)).take(KEYS) {
                match Key::read(&path) {
                    Ok(Some(key)) => found.keys.push(key),
                    Ok(None) => {}
                    Err(words) => found.unusable.push(format!("{}: {words}", path.display())),
                }
            }
            found
        })
    }
}

impl Key {
    /// `None` where there is no such file.
    fn read(path: &Path) -> Result<Option<Self>, String> {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err("not a file".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        }
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_LIMIT).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let text = text.trim();
        let private = PrivateKey::from_pkcs8_pem(text)
            .ok()
            .or_else(|| PrivateKey::from_pkcs1_pem(text).ok())
            .ok_or("not an RSA key in PEM as `adb keygen` writes it, or encrypted")?;
        if private.size() != MODULUS {
            return Err(format!("a key of {} bits, phones take 2048", private.size().saturating_mul(8)));
        }
        Ok(Some(Self { private }))
    }

    /// The signature of a phone's token; `None` where the computation fails.
    pub(super) fn sign(&self, token: &[u8; TOKEN]) -> Option<Vec<u8>> {
        // Blinded: whoever chooses the token and times the answer learns nothing of the key.
        self.private.sign_with_rng(&mut getrandom::SysRng, Pkcs1v15Sign::new::<sha1::Sha1>(), token).ok()
    }
}

/// The key files at a place.
fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = place.read_dir() else { return vec![place.to_owned()] };
    let mut files: Vec<PathBuf> = entries
        .take(KEYS * KEYS)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "adb_key"))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn keygen(path: &Path) {
        let made = Command::new("adb").arg("keygen").arg(path).output();
        let made = made.expect("this test needs the program `adb` (Debian package `adb`)");
        assert!(made.status.success(), "{made:?}");
    }

    #[test]
    fn what_a_key_of_adb_signs_openssl_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(home.join(".android")).unwrap();
        let path = home.join(".android/adbkey");
        keygen(&path);
        // The form of old versions, of another key.
        let other = folder.path().join("other.adb_key");
        keygen(&other);
        let old = folder.path().join("old.adb_key");
        let made =
            Command::new("openssl").args(["rsa", "-traditional", "-in"]).arg(&other).arg("-out").arg(&old).output();
        assert!(made.expect("this test needs the program `openssl` (Debian package `openssl`)").status.success());
        std::fs::remove_file(&other).unwrap();
        std::fs::write(folder.path().join("note.txt"), "not looked at").unwrap();
        let keys = Keys::at(Some(folder.path().as_os_str()), Some(&home));
        assert!(keys.get(2).is_none());
        for (number, path) in [path, old].into_iter().enumerate() {
            let token = *b"twenty random bytes!";
            let signature = keys.get(number).unwrap().sign(&token).unwrap();
            let (told, signed) = (folder.path().join("token"), folder.path().join("signature"));
            let verified = |token: &[u8]| {
                std::fs::write(&told, token).unwrap();
                std::fs::write(&signed, &signature).unwrap();
                let mut openssl = Command::new("openssl");
                openssl.args(["pkeyutl", "-verify", "-pkeyopt", "digest:sha1", "-inkey"]).arg(&path);
                openssl.arg("-in").arg(&told).arg("-sigfile").arg(&signed).output().unwrap().status.success()
            };
            assert!(verified(&token), "{}", path.display());
            assert!(!verified(b"twenty random bytes?"));
        }
        assert!(keys.lack().contains("knows none of the 2"), "{}", keys.lack());
    }

    #[test]
    fn what_is_no_key_is_named_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let none = Keys::at(None, Some(folder.path()));
        assert!(none.get(0).is_none() && none.lack().contains("there is none at"), "{}", none.lack());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        assert!(Keys::default().get(0).is_none());
        let small = folder.path().join("small");
        let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&small).arg("1024").output().unwrap();
        assert!(made.status.success());
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "").unwrap();
        let vendor = std::env::join_paths([&small, &empty, &folder.path().join("absent")]).unwrap();
        let keys = Keys::at(Some(&vendor), None);
        assert!(keys.get(0).is_none());
        let lack = keys.lack();
        assert!(lack.contains("small: a key of 1024 bits") && lack.contains("empty: not an RSA key"), "{lack}");
        assert!(!format!("{keys:?}").contains("PRIVATE"));
    }
}
