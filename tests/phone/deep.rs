//! Package files read in place, over ADB: a real tablet's, against certificates that other tools read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use preloaded::adb::{Direct, Failure, Keys, Patience, Shell, commands};
use preloaded::bytes::SharedBytes;
use preloaded::inventory::{GapReason, Inventory, Signer, SignerDepth};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::adbd::{Adbd, Fault, Profile, Script};
use crate::support::bench::{Bench, requests};
use crate::support::fiction::Fiction;
use crate::support::pixel::{packages, real};
use crate::support::program::run;

/// A tablet: every APK of the tree, and the signer of each by independent tools.
struct Tablet {
    profile: Profile,
    signers: BTreeMap<String, String>,
}

fn tablet() -> Option<Tablet> {
    let tree = real("firmware/lenovo-x606x/tree")?;
    let truth = fs::read_to_string(real("truth/apks.tsv")?).unwrap();
    let mut rows = truth.lines();
    let columns: Vec<&str> = rows.next().unwrap().split('\t').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (file, package, signer) = (column("file"), column("package"), column("signer_sha256"));
    let mut fiction = Fiction { users: vec![0], ..Fiction::default() };
    let mut files = BTreeMap::new();
    let (mut signers, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let Some(path) = cells[file].strip_prefix("firmware/lenovo-x606x/tree/") else { continue };
        let on_device =
            format!("/{}", path.strip_prefix("system/").filter(|rest| rest.starts_with("system/")).unwrap_or(path));
        let bytes = fs::read(tree.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        // The number of the certificate whose digest the truth has: nothing of ours is believed for it.
        let source: SharedBytes = Arc::new(bytes.clone());
        let found = preloaded::apk::certificates(&source).unwrap();
        let digest = |der: &[u8]| Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let certificate = found.iter().find(|found| digest(&found.der) == cells[signer]);
        let certificate = certificate.unwrap_or_else(|| panic!("{path} has no certificate {}", cells[signer]));
        numbers.insert(cells[package].to_owned(), number(&certificate.der));
        files.insert(on_device.clone(), bytes.into());
        fiction.firmware.push((cells[package].to_owned(), on_device));
        signers.insert(cells[package].to_owned(), cells[signer].to_owned());
    }
    assert_eq!(signers.len(), 111);
    fiction.numbers = numbers;
    Some(Tablet { profile: Profile { files, ..fiction.profile() }, signers })
}

fn scan(bench: &Bench, more: &[&str]) -> Inventory {
    let folder = TempDir::new().unwrap();
    let file: PathBuf = folder.path().join("phone.json");
    let target = format!("adb:{}", bench.phones[0].serial());
    let ran = run(bench.server.address(), ["scan", &target, "-o", file.to_str().unwrap()].iter().chain(more));
    let text = fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    serde_json::from_slice(&text).unwrap()
}

/// Java's `Arrays.hashCode` of bytes, as `dumpsys package` prints it of a certificate.
fn number(der: &[u8]) -> String {
    let hash = der.iter().fold(1_u32, |hash, byte| {
        let signed = i8::from_ne_bytes([*byte]);
        hash.wrapping_mul(31).wrapping_add_signed(signed.into())
    });
    format!("{hash:x}")
}

/// Requests that read files, and bytes that they moved.
fn cost(bench: &Bench, files: &BTreeMap<String, std::sync::Arc<[u8]>>) -> (usize, usize) {
    let reads: Vec<String> = requests(&bench.phones[0])
        .into_iter()
        .filter(|line| ["stat ", "dd ", "ls ", "tail ", "sync: "].iter().any(|tool| line.starts_with(tool)))
        .collect();
    let mut bytes = 0;
    for part in reads.iter().flat_map(|line| line.split(";echo __next:$?;")) {
        let value = |key: &str| part.split(' ').find_map(|word| word.strip_prefix(key));
        if let (Some(path), Some(skip), Some(count)) = (value("if="), value("skip="), value("count=")) {
            let len = files[path].len();
            let start = skip.parse::<usize>().unwrap() * 1024;
            bytes += (count.parse::<usize>().unwrap() * 1024).min(len.saturating_sub(start));
        }
    }
    (reads.len(), bytes)
}

/// Digests of a copy's signers: read of its own file, or of another whose number is the same. Each scheme names its signer.
fn digests(inventory: &Inventory, package: &str) -> (BTreeSet<String>, bool) {
    let copy = inventory.package(package).unwrap().active().unwrap();
    let signers: &[Signer] = copy.signers.known().map_or(&[], Vec::as_slice);
    let linked = signers.iter().any(|signer| signer.linked.is_some());
    let digest = |signer: &Signer| {
        assert!(signer.sha256.is_none() || signer.linked.is_none(), "read, or linked");
        let linked = signer.linked.as_ref().map(|link| link.sha256.clone());
        signer.sha256.clone().or(linked).unwrap_or_default()
    };
    (signers.iter().map(digest).collect(), linked)
}

#[test]
fn the_certificates_of_111_files_are_those_that_other_tools_read_with_few_requests() {
    let Some(tablet) = tablet() else { return };
    let mut moved = BTreeMap::new();
    for deep in ["--deep", "--deep=all"] {
        let bench = Bench::new([tablet.profile.clone()]);
        let inventory = scan(&bench, &[deep]);
        let (mut wrong, mut links) = (Vec::new(), 0);
        for (package, expected) in &tablet.signers {
            let (found, linked) = digests(&inventory, package);
            links += usize::from(linked);
            if found != BTreeSet::from([expected.clone()]) {
                wrong.push((package, found, expected));
            }
        }
        assert!(wrong.is_empty(), "{deep}: {wrong:#?}");
        let (requests, bytes) = cost(&bench, &tablet.profile.files);
        println!(
            "{deep}: 111 files, {links} of them linked by number and not read, {requests} requests, {bytes} bytes of {}",
            tablet.profile.files.values().map(|file| file.len()).sum::<usize>()
        );
        assert!(requests <= 10 && bytes <= 6_000_000, "{deep}: {requests} requests, {bytes} bytes");
        let signers: BTreeSet<&String> = tablet.signers.values().collect();
        let expected = if deep == "--deep" { tablet.signers.len() - signers.len() } else { 0 };
        assert_eq!(links, expected, "one file of each of {} signers is read", signers.len());
        moved.insert(deep, bytes);
    }
    assert!(moved["--deep"] * 4 < moved["--deep=all"], "{moved:?}");
}

#[test]
fn everything_that_a_file_says_is_taken_from_it_as_from_firmware() {
    let Some(tablet) = tablet() else { return };
    let bench = Bench::new([tablet.profile.clone()]);
    let inventory = scan(&bench, &["--deep=all"]);
    let tree = real("firmware/lenovo-x606x/tree").unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tree.json");
    let ran = run(bench.server.address(), ["scan", tree.to_str().unwrap(), "-o", file.to_str().unwrap()]);
    let of_tree: Inventory =
        serde_json::from_slice(&fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))).unwrap();
    let mut compared = 0;
    for package in packages(&of_tree).iter().filter(|package| tablet.signers.contains_key(&package.name)) {
        let theirs = package.active().unwrap();
        let ours = inventory.package(&package.name).unwrap().active().unwrap();
        let name = &package.name;
        assert_eq!(ours.path, theirs.path, "{name}");
        assert_eq!(ours.label.known(), theirs.label.known(), "{name}");
        assert_eq!(ours.launcher.known(), theirs.launcher.known(), "{name}");
        assert_eq!(ours.requested_permissions.known(), theirs.requested_permissions.known(), "{name}");
        assert_eq!(ours.declared_permissions.known(), theirs.declared_permissions.known(), "{name}");
        assert_eq!(ours.manifest.known(), theirs.manifest.known(), "{name}");
        assert_eq!(ours.signers.known(), theirs.signers.known(), "{name}");
        compared += 1;
    }
    println!("{compared} packages are the same over ADB and in the tree");
    assert!(compared >= 100, "{compared}");
    // The fiction says version 7 of everything, and the files know better.
    assert!(
        inventory
            .gaps
            .iter()
            .any(|gap| gap.reason == GapReason::Contradiction && gap.detail.contains("the phone says version 7"))
    );
}

/// A package file of another signer.
const OTHER: &str = "npm--unlock_apk-debug.apk";

fn small(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/apks");
    fs::read(folder.join(name)).unwrap()
}

/// Three apps: one whole, one that the phone does not let anybody read, one that is no package file.
fn three() -> (Fiction, BTreeMap<String, std::sync::Arc<[u8]>>) {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let firmware = ["whole", "closed", "damaged"].map(|name| (format!("com.fiction.{name}"), path(name))).into();
    let fiction = Fiction { users: vec![0], firmware, ..Fiction::default() };
    let whole = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let files =
        BTreeMap::from([(path("whole"), whole.into()), (path("damaged"), crate::support::bytes(30_000).into())]);
    (fiction, files)
}

#[test]
fn a_file_that_cannot_be_read_is_a_gap_of_its_own_and_shifts_no_other() {
    let (fiction, files) = three();
    let denied = "stat: '/product/app/closed/closed.apk': Permission denied\n";
    let fiction =
        fiction.answering(Script::new("stat -c %s /product/app/closed/closed.apk", "").stderr(denied).status(1));
    let bench = Bench::new([Profile { files, ..fiction.profile() }]);
    let inventory = scan(&bench, &["--deep=all"]);
    let signers = |name: &str| inventory.package(name).unwrap().active().unwrap().signers.known().unwrap().clone();
    assert!(signers("com.fiction.whole")[0].sha256.is_some());
    assert!(signers("com.fiction.closed")[0].sha256.is_none(), "the number that the phone told stays");
    let gap = |path: &str| {
        inventory.gaps.iter().find(|gap| gap.place == path).unwrap_or_else(|| panic!("{:#?}", inventory.gaps))
    };
    assert_eq!(gap("/product/app/closed/closed.apk").reason, GapReason::Refused);
    assert_eq!(gap("/product/app/damaged/damaged.apk").reason, GapReason::Damaged);
}

#[test]
fn a_file_that_is_pulled_is_verified_and_one_whose_signature_does_not_hold_is_not() {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let firmware = ["whole", "broken"].map(|name| (format!("com.fiction.{name}"), path(name))).into();
    let fiction = Fiction { users: vec![0], firmware, ..Fiction::default() };
    let whole = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let mut broken = whole.clone();
    // One byte of the contents, which the directory does not look at: of the first local header's name or data.
    let at = 40;
    broken[at] ^= 1;
    let files = BTreeMap::from([(path("whole"), whole.into()), (path("broken"), broken.into())]);
    let bench = Bench::new([Profile { files, ..fiction.profile() }]);
    let inventory = scan(&bench, &["--verify"]);
    let signer = |name: &str| inventory.package(name).unwrap().active().unwrap().signers.known().unwrap()[0].clone();
    assert_eq!(signer("com.fiction.whole").depth, SignerDepth::Verified, "{:#?}", inventory.gaps);
    assert_eq!(signer("com.fiction.broken").depth, SignerDepth::Claimed);
    let gap = inventory.gaps.iter().find(|gap| gap.place == path("broken")).unwrap();
    assert!(gap.detail.starts_with("its signature does not hold"), "{}", gap.detail);
}

#[test]
fn a_cut_amid_reading_files_leaves_gaps_and_no_half_facts() {
    let (fiction, files) = three();
    for fault in [Fault::Close, Fault::Hang] {
        let cut = Script::starting_with("dd if=/product/app/whole", "x").fault(1, fault);
        let profile = Profile { files: files.clone(), ..fiction.clone().answering(cut).profile() };
        // The script must answer before the file does.
        let profile = Profile { scripts_first: true, ..profile };
        let bench = Bench::new([profile]);
        let inventory = scan(&bench, &["--deep=all", "--patience", "0.5"]);
        let copy = inventory.package("com.fiction.whole").unwrap().active().unwrap();
        assert!(copy.signers.known().unwrap()[0].sha256.is_none() && copy.label.known().is_none());
        let gap = inventory.gaps.iter().find(|gap| gap.place == "/product/app/whole/whole.apk").unwrap();
        let expected = if fault == Fault::Hang { GapReason::TimedOut } else { GapReason::Truncated };
        assert_eq!(gap.reason, expected);
    }
}

#[test]
fn a_phone_without_the_tools_for_files_has_one_gap_for_all_of_them_and_no_signer_is_verified() {
    // It has no files, and its shell knows no `stat`.
    let bench = Bench::new([Fiction { users: vec![0], ..Fiction::default() }.profile()]);
    let inventory = scan(&bench, &["--verify"]);
    let gaps: Vec<_> = inventory.gaps.iter().filter(|gap| gap.detail.contains("stat")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let packages = inventory.packages.known().unwrap();
    assert_eq!(gaps[0].place, format!("{} package files", packages.len()));
    let signers = packages.iter().flat_map(|package| &package.copies).flat_map(|copy| copy.signers.known().unwrap());
    assert!(signers.into_iter().all(|signer| signer.depth != SignerDepth::Verified));
}

/// Phones by age and maker: what their shells lack.
#[test]
fn files_are_read_by_what_the_shell_has_and_the_facts_are_the_same() {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let names = ["one", "two", "three"];
    let fiction = |sdk| Fiction {
        sdk,
        users: vec![0],
        firmware: names.map(|name| (format!("com.fiction.{name}"), path(name))).into(),
        ..Fiction::default()
    };
    let file = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let files: BTreeMap<String, Arc<[u8]>> = names.map(|name| (path(name), file.clone().into())).into();
    let facts = |inventory: &Inventory| {
        let copy = |name: &str| inventory.package(&format!("com.fiction.{name}")).unwrap().copies[0].clone();
        names.map(|name| {
            let copy = copy(name);
            (copy.label.known().cloned(), copy.signers.known().cloned(), copy.manifest.known().cloned(), copy.path)
        })
    };
    let mut expected = None;
    for (sdk, lacks, tool) in [
        (34, vec![], "dd "),
        (21, vec!["stat"], "dd "),
        (34, vec!["dd"], "tail "),
        (34, vec!["stat", "dd"], "tail "),
        (34, vec!["dd", "tail"], "sync: RECV "),
        (34, vec!["dd", "head"], "sync: RECV "),
        (21, vec!["stat", "ls"], "sync: RECV "),
        (34, vec!["stat", "ls", "dd", "tail", "head"], "sync: RECV "),
    ] {
        let verifies = lacks.is_empty() || lacks.len() == 5 || sdk == 21;
        let all: &[&str] = if verifies { &["--deep=all", "--verify"] } else { &["--deep=all"] };
        for deep in all.iter().copied() {
            let profile = Profile { files: files.clone(), lacks: lacks.clone(), ..fiction(sdk).profile() };
            let bench = Bench::new([profile]);
            let inventory = scan(&bench, &[deep]);
            let asked = crate::support::bench::asked(&bench.phones[0]);
            assert!(asked.iter().any(|line| line.starts_with(tool)), "{lacks:?}: {asked:#?}");
            let found = facts(&inventory);
            if deep == "--verify" && sdk < 24 {
                // Android 5 knows none of the schemes that signed it.
                let gaps = inventory.gaps.iter().filter(|gap| gap.detail.starts_with("its signature does not hold"));
                assert_eq!(gaps.count(), names.len(), "{lacks:?}: {:#?}", inventory.gaps);
            } else if deep == "--verify" {
                let signers = found.each_ref().map(|(_, signers, ..)| signers.as_ref().unwrap());
                assert!(signers.iter().all(|all| all.iter().all(|signer| signer.depth == SignerDepth::Verified)));
            } else {
                assert!(found[0].0.is_some() && found[0].2.is_some(), "{lacks:?}: {:#?}", inventory.gaps);
                assert_eq!(*expected.get_or_insert(found.clone()), found, "{lacks:?}");
            }
        }
    }
}

#[test]
fn a_whole_file_that_is_cut_or_late_is_a_gap_and_no_half_fact() {
    let path = "/product/app/whole/whole.apk";
    let file = crate::support::bytes(300_000);
    let files: BTreeMap<String, Arc<[u8]>> = BTreeMap::from([(path.to_owned(), file.clone().into())]);
    let pull = commands::pull(path).unwrap();
    let missing = commands::pull("/product/app/none/none.apk").unwrap();
    let read = |shell: &dyn Shell, pull| {
        let mut got = Vec::new();
        let told = shell.pull(pull, &mut |piece| {
            got.extend_from_slice(piece);
            Ok(())
        });
        (told, got)
    };
    for max_data in [1 << 20, 4096] {
        let profile = Profile { files: files.clone(), max_data, ..Fiction::default().profile() };
        let bench = Bench::new([profile.clone()]);
        let patience = Patience { silence: Duration::from_millis(400), ..Patience::default() };
        let direct = Adbd::start(profile);
        let address = direct.serial().parse().unwrap();
        // A hung phone is not asked for its features once more, so it is opened before.
        let shells: [(&Adbd, Box<dyn Shell>); 2] = [
            (&bench.phones[0], Box::new(bench.impatient(patience))),
            (&direct, Box::new(Direct::open(address, patience, Keys::default()).unwrap())),
        ];
        for (phone, shell) in &shells {
            assert_eq!(read(shell.as_ref(), &pull), (Ok(Ok(300_000)), file.clone()));
            assert_eq!(read(shell.as_ref(), &missing).0, Ok(Err("No such file or directory".to_owned())));
            phone.trouble(1, Fault::Close);
            assert!(matches!(read(shell.as_ref(), &pull).0, Err(Failure::Truncated { .. })));
            phone.trouble(1, Fault::Hang);
            assert!(matches!(read(shell.as_ref(), &pull).0, Err(Failure::TimedOut { .. })));
            phone.trouble(1, Fault::Drop);
            assert!(matches!(read(shell.as_ref(), &pull).0, Err(Failure::Truncated { .. })));
        }
    }
}

/// Two apps whose numbers are the same and whose certificates are not, as somebody would make them.
#[test]
fn a_number_links_and_proves_nothing() {
    let path = |name: &str| format!("/product/app/{name}/{name}.apk");
    let names = ["a", "b", "c", "named"];
    let one = small("apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk");
    let signer = |bytes: &[u8]| {
        let source: SharedBytes = Arc::new(bytes.to_vec());
        preloaded::apk::certificates(&source).unwrap()[0].clone()
    };
    let other = small(OTHER);
    assert_ne!(signer(&one).sha256(), signer(&other).sha256());
    let files: BTreeMap<String, Arc<[u8]>> =
        names.map(|name| (path(name), if name == "named" { other.clone() } else { one.clone() }.into())).into();
    // The phone tells the first one's number of all four.
    let numbers = names.map(|name| (format!("com.fiction.{name}"), number(&signer(&one).der))).into();
    let firmware = names.map(|name| (format!("com.fiction.{name}"), path(name))).into();
    let fiction = Fiction { users: vec![0], firmware, numbers, ..Fiction::default() };
    let profile = Profile { files, ..fiction.profile() };

    let bench = Bench::new([profile.clone()]);
    let inventory = scan(&bench, &["--deep"]);
    let signers = |inventory: &Inventory, name: &str| {
        inventory.package(&format!("com.fiction.{name}")).unwrap().copies[0].signers.known().unwrap()[0].clone()
    };
    let (a, b) = (signers(&inventory, "a"), signers(&inventory, "b"));
    assert_eq!(
        (a.sha256.as_deref(), a.linked.as_ref(), a.depth),
        (Some(&*signer(&one).sha256()), None, SignerDepth::Claimed)
    );
    let link = b.linked.unwrap();
    assert_eq!(
        (b.sha256, b.depth, link.sha256, link.path),
        (None, SignerDepth::Device, signer(&one).sha256(), path("a"))
    );
    // What the number hides is what nobody may conclude from it: its digest stays unknown.
    assert!(signers(&inventory, "named").sha256.is_none());

    // Whoever is asked for by name is read, and then the number is known to lie: all of it are read.
    let bench = Bench::new([profile]);
    let inventory = scan(&bench, &["--deep", "--also", "com.fiction.named"]);
    let named = signers(&inventory, "named");
    assert_eq!((named.sha256.as_deref(), named.linked), (Some(&*signer(&other).sha256()), None));
    let told = |gap: &preloaded::inventory::Gap| gap.reason == GapReason::Contradiction && gap.place == path("named");
    assert!(inventory.gaps.iter().any(told), "{:#?}", inventory.gaps);
    for name in ["a", "b", "c"] {
        assert_eq!(signers(&inventory, name).sha256, Some(signer(&one).sha256()), "{name}");
    }
}

#[test]
fn a_phone_that_dumps_no_single_package_has_one_gap_for_it_and_requests_stay_unknown() {
    let refuses = Script::starting_with("dumpsys -t 60 package permission ", "").stderr("Unknown option\n").status(1);
    let bench = Bench::new([Fiction { users: vec![0], ..Fiction::default() }.answering(refuses).profile()]);
    let inventory = scan(&bench, &[]);
    let dumps: Vec<_> = inventory
        .gaps
        .iter()
        .filter(|gap| gap.place.starts_with("dumpsys -t 60 package ") && !gap.place.contains(" permission"))
        .collect();
    assert_eq!(dumps.len(), 1, "{dumps:?}");
    let asks = |name: &str| inventory.package(name).unwrap().copies[0].requested_permissions.known().is_some();
    assert!(!asks("ru.oneme.app") && !asks("android"));
}
