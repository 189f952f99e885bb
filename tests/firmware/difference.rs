//! A real tree against itself, and against a copy with twelve planted changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use preloaded::bytes::Limits;
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::diff::{Diff, EntryKind, Known, Side, compare};
use preloaded::inventory::Inventory;

const LENOVO: &str = "../shared/data/firmware/lenovo-x606x/tree";
const SAMSUNG: &str = "../shared/data/firmware/samsung-a02/tree";

fn inventory(tree: &Path) -> Inventory {
    FirmwareSource::new(tree, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

fn diff(a: &Inventory, b: &Inventory) -> Diff {
    fn side(inventory: &Inventory) -> Side<'_> {
        let Inventory { target, device, .. } = inventory;
        Side { target, device, inventory: Some(inventory), assessment: None }
    }
    compare(&side(a), &side(b))
}

fn program(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_preloaded")).args(arguments).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A copy of the tree, with the list of the image's files that lies beside it.
struct Tree<'a> {
    root: &'a Path,
}

impl Tree<'_> {
    fn listing(&self, change: impl FnOnce(BTreeSet<String>) -> BTreeSet<String>) {
        let path = self.root.join("all_files.txt");
        let lines = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        let lines: Vec<String> = change(lines).into_iter().collect();
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.root.join(file)).unwrap();
        self.listing(|lines| lines.into_iter().filter(|line| line != file).collect());
    }

    fn add(&self, file: &str, from: &Path) {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(from, path).unwrap();
        self.listing(|mut lines| {
            lines.insert(file.to_owned());
            lines
        });
    }

    fn rename(&self, from: &str, to: &str) {
        let kept = tempfile::NamedTempFile::new().unwrap();
        fs::copy(self.root.join(from), kept.path()).unwrap();
        self.remove(from);
        self.add(to, kept.path());
    }
}

#[test]
fn twelve_planted_changes_of_a_tablet_are_told_and_nothing_else() {
    let (lenovo, samsung) = (Path::new(LENOVO), Path::new(SAMSUNG));
    if !lenovo.is_dir() || !samsung.is_dir() {
        super::note("NOT RUN: the trees of the tablet and the phone are not there");
        return;
    }
    let before = inventory(lenovo);
    let alike = diff(&before, &inventory(lenovo));
    assert_eq!((alike.entries, alike.unsettled), (Vec::new(), Vec::new()));
    assert_eq!(alike.hidden_on_both.len(), 124);

    let folder = tempfile::tempdir().unwrap();
    copy(lenovo, folder.path());
    let said = |expected: i32, words: &str| {
        let [a, b] = [lenovo, folder.path()].map(|tree| tree.to_str().unwrap().to_owned());
        for pair in [[&a, &b], [&b, &a]] {
            let output = program(&["diff", pair[0], pair[1]]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.code() == Some(expected) && text.contains(words), "{:?}: {text}", output.status);
        }
    };
    // A tree beside itself and beside its copy: nothing differs, also not behind 124 gaps that both have.
    assert_eq!(program(&["diff", LENOVO, LENOVO]).status.code(), Some(0));
    said(0, "No difference: both sides are the same, byte for byte.");
    // A byte that nothing reads: what is behind the gaps may differ now.
    fs::write(folder.path().join("note.txt"), "x").unwrap();
    said(3, "No difference in what could be compared.");
    fs::remove_file(folder.path().join("note.txt")).unwrap();
    let tree = Tree { root: folder.path() };
    let app = |name: &str| format!("system/system/app/{name}/{name}.apk");
    let foreign = |path: &str| {
        let paths = [samsung.join("system").join(path), samsung.join(path), samsung.join("system/system").join(path)];
        paths.into_iter().find(|path| path.is_file()).unwrap_or_else(|| panic!("{path}"))
    };
    // Two go, two come, three move, two are signed by another maker, two are updated by the same, and the build itself.
    tree.remove(&app("CountryList"));
    tree.remove(&app("GnssDebugReport"));
    tree.add(&app("Unlock"), Path::new("samples/apks/unlock_apk-debug.apk"));
    tree.add("system/system/priv-app/Tiny/Tiny.apk", Path::new("samples/apks/golden-aligned-v1v2v3-out.apk"));
    tree.rename(&app("BasicDreams"), "system/system/product/app/BasicDreams/BasicDreams.apk");
    tree.rename(&app("HTMLViewer"), "system/system/priv-app/HTMLViewer/HTMLViewer.apk");
    tree.rename(&app("BookmarkProvider"), "system/system/app/BookmarkProvider/Bookmarks.apk");
    let backup = "priv-app/BackupRestoreConfirmation/BackupRestoreConfirmation.apk";
    tree.add(&format!("system/system/{backup}"), &foreign(backup));
    let wallpaper = "app/WallpaperBackup/WallpaperBackup.apk";
    tree.add(&format!("system/system/{wallpaper}"), &foreign(wallpaper));
    let history = "app/GoogleLocationHistory/GoogleLocationHistory.apk";
    tree.add(&format!("system/system/product/{history}"), &foreign(&format!("product/{history}")));
    let network = "system/system/priv-app/GoogleNetworkPermissionConfig/GoogleNetworkPermissionConfig.apk";
    tree.add(network, &foreign("priv-app/NetworkPermissionConfigGoogle/NetworkPermissionConfigGoogle.apk"));
    let properties = folder.path().join("system/system/build.prop");
    let text = fs::read_to_string(&properties).unwrap();
    assert!(text.contains("ro.build.version.security_patch=2022-05-05"));
    fs::write(&properties, text.replace("security_patch=2022-05-05", "security_patch=2022-06-05")).unwrap();

    let changed = diff(&before, &inventory(folder.path()));
    let told: Vec<(EntryKind, &str)> =
        changed.entries.iter().map(|entry| (entry.kind, entry.subject.as_deref().unwrap_or("device"))).collect();
    let names = |path: &str| {
        let packages = before.packages.known().unwrap().iter();
        let mut found = packages.filter(|package| package.copies.iter().any(|copy| copy.path.contains(path)));
        found.next().unwrap_or_else(|| panic!("{path}")).name.clone()
    };
    let (country, gnss) = (names("/CountryList/"), names("/GnssDebugReport/"));
    let mut gone = [country.as_str(), gnss.as_str()];
    gone.sort_unstable();
    let expected = [
        (EntryKind::Device, "device"),
        (EntryKind::Added, "android.appsecurity.cts.tinyapp"),
        (EntryKind::Added, "io.appium.unlock"),
        (EntryKind::Removed, gone[0]),
        (EntryKind::Removed, gone[1]),
        (EntryKind::Resigned, "com.android.backupconfirm"),
        (EntryKind::Resigned, "com.android.wallpaperbackup"),
        (EntryKind::Moved, "com.android.bookmarkprovider"),
        (EntryKind::Moved, "com.android.dreams.basic"),
        (EntryKind::Moved, "com.android.htmlviewer"),
        (EntryKind::Updated, "com.google.android.gms.location.history"),
        (EntryKind::Updated, "com.google.android.networkstack.permissionconfig"),
    ];
    assert_eq!(told, expected);
    // With the wallpaper's signer goes the proof of who signed the platform: what hangs on it can be told of the first alone.
    let unsettled: Vec<_> = changed.unsettled.iter().map(|open| (open.aspect.as_str(), open.known)).collect();
    assert_eq!(unsettled, [("predicted-grants", Known::Before)]);
    assert_eq!(changed.hidden_on_both.len(), 124);
}
