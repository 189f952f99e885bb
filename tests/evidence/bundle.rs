//! Signed evidence: what verifies, and what does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use preloaded::evidence::archive::{self, Files};
use preloaded::evidence::key::PrivateKey;
use preloaded::evidence::trust::Trust;
use preloaded::evidence::verification::{StepResult, Verification, verify};
use serde_json::Value;

use super::{FIRMWARE, PHONE, Said, command, finish, run, tool};

/// A folder with a key, its list entry, and a bundle of the firmware sample.
struct Made {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
    trust: Trust,
}

impl Made {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn check(target: &str, key: &Path, bundle: &Path) -> Said {
    let arguments = ["check", target, "--profile", "ru/smartphone", "--as-of", "2026-06-01", "--bundle"];
    finish(command().args(arguments).arg(bundle).arg("--sign-key").arg(key))
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (key, bundle) = (folder.path().join("station.key"), folder.path().join("b.preloaded.zip"));
        let said = run(["key", "new", key.to_str().unwrap(), "--name", "station \"3\"", "--until", "2999-12-31"]);
        assert_eq!(said.code, 0, "{}", said.err);
        fs::write(folder.path().join("keys.toml"), &said.out).unwrap();
        let checked = check(FIRMWARE, &key, &bundle);
        assert_eq!(checked.code, 1, "{}", checked.err);
        let trust = Trust::parse(&said.out).unwrap();
        Made { bytes: fs::read(bundle).unwrap(), folder, trust }
    })
}

/// Name of the first step that is wrong, and its words.
fn wrong(verification: &Verification) -> Option<(&'static str, &str)> {
    let step = verification.steps.iter().find(|step| step.result == StepResult::Wrong)?;
    Some((step.what, &step.words))
}

fn with(change: impl FnOnce(&mut Files)) -> Verification {
    let mut files = archive::read(&made().bytes).unwrap();
    change(&mut files);
    verify(&archive::write(&files).unwrap(), Some(&made().trust), &[])
}

#[test]
fn a_bundle_verifies_and_its_verdict_is_reproduced() {
    let made = made();
    let bundle = made.path("b.preloaded.zip");
    let said = run(["verify", bundle.to_str().unwrap(), "--key", made.path("keys.toml").to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.contains("not_compliant is reproduced, every finding of it"), "{}", said.out);
    assert!(said.out.contains("station \"3\", signed at"), "{}", said.out);
    assert!(said.out.contains("does not prove"), "{}", said.out);
    // Manifests and property files of the image are in it, word for word.
    let files = archive::read(&made.bytes).unwrap();
    let raw: Value = serde_json::from_slice(&files["targets/0001/raw.json"]).unwrap();
    let kept: BTreeMap<&str, Option<&str>> =
        raw["pieces"].as_array().unwrap().iter().map(|p| (p["origin"].as_str().unwrap(), p["part"].as_str())).collect();
    assert_eq!(kept.get("/product/app/Unlock/Unlock.apk"), Some(&Some("AndroidManifest.xml")), "{kept:?}");
    assert_eq!(kept.get("/system/build.prop"), Some(&None), "{kept:?}");
}

#[test]
fn without_a_list_of_keys_the_signer_is_open_and_not_trusted() {
    let said = run(["verify", made().path("b.preloaded.zip").to_str().unwrap(), "--format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, json["result"].as_str()), (3, Some("open")));
}

#[test]
fn two_hundred_changed_bytes_are_all_caught() {
    let Made { bytes, trust, .. } = made();
    assert_eq!(verify(bytes, Some(trust), &[]).result(), StepResult::Holds);
    // xorshift64 of a fixed seed: the same places in every run. The ends of the file are among them.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut places: Vec<usize> = (0..200).map(|_| next(bytes.len())).collect();
    // Directory, end record and the first header are short, and easily missed by chance.
    places.extend(0..40);
    places.extend(bytes.len() - 160..bytes.len());
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << next(8);
        let verification = verify(&changed, Some(trust), &[]);
        assert_eq!(verification.result(), StepResult::Wrong, "byte {at}");
        assert!(!wrong(&verification).unwrap().1.is_empty());
    }
}

#[test]
fn what_was_changed_removed_or_added_is_named() {
    let swapped = with(|files| {
        let profile = files.get_mut("profile.toml").unwrap();
        let text = String::from_utf8(profile.clone()).unwrap().replace("ru.oneme.app", "ru.oneme.pap");
        *profile = text.into_bytes();
    });
    assert_eq!(wrong(&swapped), Some(("files", "profile.toml was changed")));
    let removed = with(|files| assert!(files.remove("targets/0001/raw/00002").is_some()));
    assert_eq!(wrong(&removed), Some(("files", "targets/0001/raw/00002 was removed")));
    let added = with(|files| assert!(files.insert("notes.txt".to_owned(), Vec::new()).is_none()));
    assert_eq!(wrong(&added), Some(("files", "notes.txt was added")));
    let headless = with(|files| assert!(files.remove("statement.dsse.json").is_some()));
    assert_eq!(wrong(&headless), Some(("signature", "statement.dsse.json is missing")));
}

#[test]
fn a_foreign_an_expired_and_a_revoked_key_are_told_apart() {
    let made = made();
    let (stranger, _) = PrivateKey::generate().unwrap();
    let foreign = Trust::parse(&stranger.public().to_pem()).unwrap();
    let verification = verify(&made.bytes, Some(&foreign), &[]);
    assert!(wrong(&verification).is_some_and(|(what, words)| what == "signer" && words.contains("a foreign key")));
    let list = fs::read_to_string(made.path("keys.toml")).unwrap();
    for (old, new, word) in [
        ("2999-12-31", "2020-01-01", "expired after 2020-01-01"),
        ("until = \"2999", "revoked = \"2020", "was revoked on 2020-12-31"),
        ("until", "from", "before the key's first day, 2999-12-31"),
    ] {
        let trust = Trust::parse(&list.replace(old, new)).unwrap();
        let verification = verify(&made.bytes, Some(&trust), &[]);
        assert!(wrong(&verification).is_some_and(|(what, words)| what == "signer" && words.contains(word)), "{word}");
    }
    // A stranger who signs everything anew is still a stranger.
    let key = made.path("stranger.key");
    assert_eq!(run(["key", "new", key.to_str().unwrap(), "--name", "x"]).code, 0);
    let bundle = made.path("stranger.zip");
    check(FIRMWARE, &key, &bundle);
    let said = run(["verify", bundle.to_str().unwrap(), "--key", made.path("keys.toml").to_str().unwrap()]);
    assert_eq!(said.code, 5, "{}", said.out);
    assert!(said.out.contains("WRONG  signer        a foreign key"), "{}", said.out);
}

#[test]
fn a_signed_verdict_that_judging_does_not_come_to_is_not_reproduced() {
    let made = made();
    // The trusted signer signs a report in which MAX is called present.
    let folder = tempfile::tempdir().unwrap();
    let inventory = folder.path().join("phone.json");
    let text = fs::read_to_string(PHONE).unwrap();
    fs::write(&inventory, &text).unwrap();
    let bundle = folder.path().join("b.zip");
    check(inventory.to_str().unwrap(), &made.path("station.key"), &bundle);
    let mut files = archive::read(&fs::read(&bundle).unwrap()).unwrap();
    let report = files.get_mut("report.json").unwrap();
    *report =
        String::from_utf8(report.clone()).unwrap().replace(r#""verdict": "fail""#, r#""verdict": "pass""#).into_bytes();
    let verification = verify(&signed_anew(&mut files, 1, "not_compliant"), Some(&made.trust), &[]);
    let (what, words) = wrong(&verification).unwrap();
    assert_eq!(what, "verdict");
    assert!(words.contains("NOT reproduced") && words.contains("RU-MAX"), "{words}");
}

/// Puts the files under the signature of the bundle's own key, as a signer who lies would.
fn signed_anew(files: &mut Files, exit_code: u8, verdict: &str) -> Vec<u8> {
    use preloaded::evidence::bundle::sha256;
    use preloaded::evidence::statement::{Digest, Envelope, Statement, Subject};
    let key = PrivateKey::from_pem(&fs::read_to_string(made().path("station.key")).unwrap()).unwrap();
    let envelope: Value = serde_json::from_slice(&files.remove("statement.dsse.json").unwrap()).unwrap();
    let payload = base64(&["-d"], envelope["payload"].as_str().unwrap().as_bytes());
    let mut statement: Statement = serde_json::from_slice(&payload).unwrap();
    let subject =
        |(name, bytes): (&String, &Vec<u8>)| Subject { name: name.clone(), digest: Digest { sha256: sha256(bytes) } };
    statement.subject = files.iter().map(subject).collect();
    statement.predicate.exit_code = exit_code;
    for target in &mut statement.predicate.verdicts {
        target.verdict = verdict.to_owned();
    }
    files.insert("statement.dsse.json".to_owned(), Envelope::sign(&statement, &key).unwrap());
    archive::write(files).unwrap()
}

const WAIVER: &str = "schema = 1\n[[waiver]]\nid = \"W-1\"\nrule = \"RU-MAX\"\nscope = { model = \"Orion*\" }\n\
                      reason = \"agreed\"\nowner = \"a.ivanova\"\napproved-by = \"legal\"\ncreated = 2026-05-01\n\
                      expires = 2026-06-30\n";

#[test]
fn a_tailored_profile_and_waivers_ride_along_and_are_laid_over_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("house")).unwrap();
    let base = "schema = 1\nid = \"shop/base\"\nversion = \"1\"\ntitle = \"Base\"\nextends = [\"ru/smartphone\"]\n\
                [[deselect]]\nrule = \"RU-RUSTORE-PLACE\"\nreason = \"looked at by hand\"\n";
    fs::write(path("house/base.toml"), base).unwrap();
    let own = "schema = 1\nid = \"shop/own\"\nversion = \"1\"\ntitle = \"Own\"\nextends = [\"house/base.toml@1\"]\n";
    fs::write(path("own.toml"), own).unwrap();
    fs::write(path("waivers.toml"), WAIVER).unwrap();
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let key = made().path("station.key");
    let judged = |more: &[&str]| {
        let mut command = command();
        command.args(["check", PHONE, "--as-of", "2026-06-01", "--profile", &text("own.toml"), "--sign-key"]).arg(&key);
        finish(command.args(["--bundle", &text("b.zip")]).args(more))
    };
    let verified = |bytes: &[u8]| verify(bytes, Some(&made().trust), &[]);

    let waived = judged(&["--waivers", &text("waivers.toml")]);
    assert_eq!(waived.code, 0, "{}{}", waived.out, waived.err);
    let bytes = fs::read(path("b.zip")).unwrap();
    let verification = verified(&bytes);
    assert_eq!(verification.result(), StepResult::Holds, "{:#?}", verification.steps);
    let words: Vec<&str> = verification.steps.iter().map(|step| step.words.as_str()).collect();
    assert!(words.iter().any(|words| words.contains("laid over it again")), "{words:#?}");
    let files = archive::read(&bytes).unwrap();
    let bases: Value = serde_json::from_slice(&files["bases.json"]).unwrap();
    assert_eq!(bases.as_array().unwrap().len(), 2, "{bases}");
    // A waiver that the signer takes out afterwards no longer covers anything.
    let mut without = files.clone();
    without.remove("waivers.toml");
    let verification = verified(&signed_anew(&mut without, 0, "compliant"));
    let (what, words) = wrong(&verification).unwrap();
    assert!(what == "verdict" && words.contains("stated compliant of the whole, found not_compliant"), "{words}");
    // Neither is a base that was exchanged for a milder one.
    let mut milder = files;
    let (name, text) = milder.iter().find(|(_, text)| text.as_slice() == base.as_bytes()).unwrap();
    let (name, text) = (name.clone(), String::from_utf8(text.clone()).unwrap());
    let text = text + "[[deselect]]\nrule = \"RU-MAX\"\nreason = \"no\"\n";
    milder.insert(name, text.into_bytes());
    let verification = verified(&signed_anew(&mut milder, 0, "compliant"));
    assert_eq!(wrong(&verification).unwrap().0, "verdict", "{:#?}", verification.steps);
}

#[test]
fn the_signature_of_the_profile_itself_is_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let text = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let own = "schema = 1\nid = \"shop/own\"\nversion = \"1\"\ntitle = \"Own\"\nextends = [\"ru/smartphone\"]\n";
    fs::write(root.join("own.toml"), own).unwrap();
    for (public, secret) in [("lawyer.pub", "lawyer.sec"), ("other.pub", "other.sec")] {
        assert_eq!(tool("minisign", &["-G", "-W", "-f", "-p", public, "-s", secret], root).code, 0);
    }
    let sign = ["-S", "-s", "lawyer.sec", "-m", "own.toml", "-t", "read by a lawyer"];
    assert_eq!(tool("minisign", &sign, root).code, 0);
    let made = made();
    let (key, list) = (made.path("station.key"), made.path("keys.toml"));
    let check = |bundle: &str, more: &[&str]| {
        let mut command = command();
        command.args(["check", PHONE, "--as-of", "2026-06-01", "--profile", &text("own.toml"), "--sign-key"]).arg(&key);
        finish(command.args(["--bundle", &text(bundle)]).args(more))
    };
    let said = check("signed.zip", &["--require-signed-profile", "--profile-key", &text("lawyer.pub")]);
    assert_eq!(said.code, 1, "{}", said.err);
    check("unsigned.zip", &[]);
    let ask = |bundle: &str, keys: &[&str]| {
        let keys = keys.iter().flat_map(|key| ["--profile-key".to_owned(), text(key)]);
        let mut verify = command();
        finish(verify.args(["verify", &text(bundle), "--key"]).arg(&list).args(keys))
    };
    for (bundle, keys, code, words) in [
        ("signed.zip", &[][..], 0, "(read by a lawyer), as the report says"),
        ("signed.zip", &["other.pub", "lawyer.pub"], 0, "one of those that may sign profiles"),
        ("signed.zip", &["other.pub"], 5, "which is none of those of --profile-key"),
        ("unsigned.zip", &[], 0, ""),
        ("unsigned.zip", &["lawyer.pub"], 5, "WRONG  profile key   not signed"),
    ] {
        let said = ask(bundle, keys);
        assert_eq!(said.code, code, "{bundle} {keys:?}: {}", said.out);
        assert!(said.out.contains(words), "{bundle} {keys:?}: {}", said.out);
    }
    fs::copy(made.path("b.preloaded.zip"), root.join("built-in.zip")).unwrap();
    let said = ask("built-in.zip", &["lawyer.pub"]);
    assert!(said.code == 0 && said.out.contains("comes with this version of the program"), "{}", said.out);

    // Whoever signs bundles can change a file and sign anew; the lawyer's signature they can't make.
    let files = archive::read(&fs::read(root.join("signed.zip")).unwrap()).unwrap();
    let anew = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        let bytes = signed_anew(&mut files, 1, "not_compliant");
        let verification = verify(&bytes, Some(&made.trust), &[]);
        let step = verification.steps.iter().find(|step| step.what == "profile key").cloned();
        let step = step.unwrap_or_else(|| panic!("{:#?}", verification.steps));
        assert_eq!(step.result, StepResult::Wrong, "{step:?}");
        step.words
    };
    let signature = "profile.toml.minisig";
    let replace = |files: &mut Files, name: &str, from: &str, to: &str| {
        let before = String::from_utf8(files[name].clone()).unwrap();
        let after = before.replace(from, to);
        assert_ne!(before, after);
        files.insert(name.to_owned(), after.into_bytes());
    };
    assert!(anew(&|files| drop(files.remove(signature))).contains("is missing"));
    assert!(anew(&|files| replace(files, signature, "read by a lawyer", "read by nobody")).contains("trusted comment"));
    assert!(
        anew(&|files| replace(files, "report.json", "read by a lawyer", "read by nobody")).contains("another comment")
    );
    let public: Value = serde_json::from_slice(&files["report.json"]).unwrap();
    let public = &public["targets"][0]["result"]["assessment"]["profile"]["signature"]["public_key"];
    let public = public.as_str().unwrap();
    let other = format!("{}{}", &public[2..], &public[..2]);
    assert!(anew(&|files| replace(files, "report.json", public, &other)).contains("does not fit"));
    assert!(anew(&|files| replace(files, "report.json", public, "x")).contains("names no key"));
}

#[test]
fn an_older_report_as_the_baseline_is_compared_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let day = ["--profile", "ru/smartphone", "--as-of", "2026-06-01"];
    let old = run([&["check", PHONE, "--format", "json"], day.as_slice()].concat());
    fs::write(path("old.json"), old.out).unwrap();
    let (key, bundle, old) = (made().path("station.key"), path("b.zip"), path("old.json"));
    let more =
        ["--baseline", old.as_str(), "--only-new", "--bundle", bundle.as_str(), "--sign-key", key.to_str().unwrap()];
    let said = run([&["check", PHONE], day.as_slice(), more.as_slice()].concat());
    assert!(said.code == 0 || said.code == 3, "{}{}", said.out, said.err);
    let verification = verify(&fs::read(&bundle).unwrap(), Some(&made().trust), &[]);
    assert_eq!(verification.result(), StepResult::Holds, "{:#?}", verification.steps);
}

#[test]
fn a_report_about_another_device_than_the_inventory_is_not_reproduced() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("b.zip");
    check(PHONE, &made().path("station.key"), &bundle);
    let mut files = archive::read(&fs::read(&bundle).unwrap()).unwrap();
    let report = String::from_utf8(files["report.json"].clone()).unwrap();
    assert!(report.contains("Orion P1"));
    files.insert("report.json".to_owned(), report.replace("Orion P1", "Orion P2").into_bytes());
    let verification = verify(&signed_anew(&mut files, 1, "not_compliant"), Some(&made().trust), &[]);
    let (what, words) = wrong(&verification).unwrap();
    assert!(what == "verdict" && words.contains("another target than the inventory"), "{words}");
}

#[test]
fn a_bundle_that_can_t_be_written_or_signed_is_said_before_anything_is_read() {
    let key = made().path("station.key");
    let said = check("no-such-image.zip", &key, Path::new("/nowhere/b.zip"));
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("/nowhere/b.zip"), "{}", said.err);
    let unsigned = run(["check", PHONE, "--profile", "ru/smartphone", "--bundle", "b.zip"]);
    assert!(unsigned.code == 2 && unsigned.err.contains("--sign-key"), "{}", unsigned.err);
}

/// `base64` of coreutils.
fn base64(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("base64")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("base64 is needed by this test");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output.stdout
}

#[test]
fn openssl_and_python_find_the_signature_and_the_digests_right() {
    let made = made();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("b.zip"), &made.bytes).unwrap();
    // Python's own ZIP reader, DSSE's encoding written down once more, and OpenSSL's ed25519.
    let script = r#"
import base64, hashlib, json, zipfile
z = zipfile.ZipFile('b.zip')
assert z.testzip() is None
e = json.loads(z.read('statement.dsse.json'))
payload = base64.b64decode(e['payload'], validate=True)
s = json.loads(payload)
assert s['_type'] == 'https://in-toto.io/Statement/v1', s['_type']
names = set(z.namelist()) - {'statement.dsse.json'}
assert names == {f['name'] for f in s['subject']}
for f in s['subject']:
    assert hashlib.sha256(z.read(f['name'])).hexdigest() == f['digest']['sha256'], f['name']
t = e['payloadType'].encode()
open('message', 'wb').write(b'DSSEv1 %d %s %d %s' % (len(t), t, len(payload), payload))
open('signature', 'wb').write(base64.b64decode(e['signatures'][0]['sig']))
open('signer.pem', 'wb').write(z.read('signer.pem'))
assert s['predicate']['profile']['sha256'] == hashlib.sha256(z.read('profile.toml')).hexdigest()
print(e['signatures'][0]['keyid'])
"#;
    let python = tool("python3", &["-c", script], root);
    assert_eq!((python.code, python.err.as_str()), (0, ""));
    let verify =
        ["pkeyutl", "-verify", "-pubin", "-inkey", "signer.pem", "-rawin", "-in", "message", "-sigfile", "signature"];
    let openssl = tool("openssl", &verify, root);
    assert_eq!(openssl.code, 0, "{}{}", openssl.out, openssl.err);
    let id = tool("sh", &["-c", "openssl pkey -pubin -in signer.pem -outform DER | sha256sum | cut -d' ' -f1"], root);
    assert_eq!(id.out, python.out);
    fs::write(root.join("message"), b"another").unwrap();
    assert_ne!(tool("openssl", &verify, root).code, 0);
}

#[test]
fn keys_are_openssls_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let path = |name: &str| root.join(name).to_str().unwrap().to_owned();
    assert_eq!(run(["key", "new", &path("a.key"), "--name", "a"]).code, 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("a.key"), 0o600);
    }
    let again = run(["key", "new", &path("a.key"), "--name", "a"]);
    assert_eq!(again.code, 4, "an existing key must not be overwritten: {}", again.err);
    let ours = run(["key", "public", &path("a.key")]);
    let theirs = tool("openssl", &["pkey", "-in", "a.key", "-pubout"], root);
    assert_eq!((ours.code, ours.out), (0, theirs.out));
    // A key of OpenSSL signs as well.
    assert_eq!(tool("openssl", &["genpkey", "-algorithm", "ed25519", "-out", "b.key"], root).code, 0);
    assert_eq!(tool("chmod", &["644", "b.key"], root).code, 0);
    let open = run(["key", "public", &path("b.key")]);
    assert!(open.code == 2 && open.err.contains("others may read this private key (mode 644)"), "{}", open.err);
    assert_eq!(tool("chmod", &["600", "b.key"], root).code, 0);
    let pem = run(["key", "public", &path("b.key")]);
    fs::write(root.join("b.pem"), &pem.out).unwrap();
    assert_eq!(pem.out, tool("openssl", &["pkey", "-in", "b.key", "-pubout"], root).out);
    check(PHONE, &root.join("b.key"), &root.join("b.zip"));
    let said = run(["verify", &path("b.zip"), "--key", &path("b.pem")]);
    assert_eq!(said.code, 0, "{}", said.out);
    // Another algorithm is refused.
    assert_eq!(tool("openssl", &["genpkey", "-algorithm", "x25519", "-out", "c.key"], root).code, 0);
    assert_eq!(tool("chmod", &["600", "c.key"], root).code, 0);
    assert_eq!(run(["key", "public", &path("c.key")]).code, 2);
}

#[test]
fn a_bundle_of_a_phone_does_not_hold_its_serial_number() {
    let made = made();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("b.zip");
    check(PHONE, &made.path("station.key"), &bundle);
    let bytes = fs::read(&bundle).unwrap();
    let holds = |bytes: &[u8]| bytes.windows(11).any(|window| window == b"ORION000001");
    assert!(holds(&fs::read(PHONE).unwrap()) && !holds(&bytes));
    let said = run(["verify", bundle.to_str().unwrap(), "--key", made.path("keys.toml").to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.contains("phone-1: not_compliant is reproduced"), "{}", said.out);
}

#[test]
fn hostile_archives_are_errors_that_name_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let script = r#"
import warnings, zipfile
warnings.simplefilter('ignore')
def make(name, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(name, 'w', method) as z:
        for entry, content in entries:
            z.writestr(zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0)), content, method)
make('bomb.zip', [('a', b'\0' * (64 << 20))], zipfile.ZIP_DEFLATED)
make('traversal.zip', [('../../etc/passwd', b'x')])
make('twice.zip', [('a', b'1'), ('a', b'2')])
make('empty.zip', [])
make('other.zip', [('statement.dsse.json', b'{}')])
"#;
    let python = tool("python3", &["-c", script], root);
    assert_eq!(python.code, 0, "{}", python.err);
    for (name, words) in [
        ("bomb.zip", "byte "),
        ("traversal.zip", "the name \"../../etc/passwd\" is not allowed in a bundle"),
        ("twice.zip", "a is there twice"),
        ("empty.zip", "no bundle"),
        ("other.zip", "byte "),
    ] {
        let said = run(["verify", root.join(name).to_str().unwrap()]);
        assert_eq!(said.code, 5, "{name}: {}", said.out);
        assert!(said.out.starts_with("WRONG  form") && said.out.contains(words), "{name}: {}", said.out);
    }
    assert_eq!(run(["verify", root.join("absent.zip").to_str().unwrap()]).code, 4);
}

#[test]
fn a_third_party_can_put_its_time_on_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("b.zip"), &made().bytes).unwrap();
    let config = "[tsa]\ndefault_tsa = t\n[t]\nserial = ./serial\ncrypto_device = builtin\nsigner_cert = ./tsa.pem\n\
                  certs = ./tsa.pem\nsigner_key = ./tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n\
                  digests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = no\ness_cert_id_chain = no\n";
    fs::write(root.join("tsa.cnf"), config).unwrap();
    let script = "set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -subj /CN=authority -days 2 \
  -addext extendedKeyUsage=critical,timeStamping 2>/dev/null
openssl ts -query -data b.zip -sha256 -cert -out b.tsq 2>/dev/null
openssl ts -reply -config tsa.cnf -queryfile b.tsq -out b.tsr 2>/dev/null
openssl ts -verify -in b.tsr -data b.zip -CAfile tsa.pem";
    let stamped = tool("sh", &["-c", script], root);
    assert_eq!(stamped.code, 0, "{}{}", stamped.out, stamped.err);
    let mut changed = made().bytes.clone();
    changed[500] ^= 1;
    fs::write(root.join("b.zip"), changed).unwrap();
    let wrong = tool("openssl", &["ts", "-verify", "-in", "b.tsr", "-data", "b.zip", "-CAfile", "tsa.pem"], root);
    assert_ne!(wrong.code, 0, "{}", wrong.out);
}
