//! The ADB server, what it lists, and what the kernel sees on USB.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::computer;
use super::finding::{self, Finding};
use crate::adb::{Attached, Failure, Listing, Server, State};
use crate::cli::server::ServerArguments;

/// What makers put where a serial number belongs.
const PLACEHOLDERS: [&str; 4] = ["0123456789ABCDEF", "0123456789abcdef", "unknown", "00000000"];

pub(super) fn look(arguments: &ServerArguments, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let server = arguments.server()?;
    let address = server.address();
    let version = match server.version() {
        Ok(version) => version,
        Err(Failure::NoServer { .. }) => {
            findings.push(Finding::new(&finding::SERVER_MISSING, address.to_string(), ""));
            usb(Path::new("/sys/bus/usb/devices"), &[], findings);
            rights(findings);
            return Ok(());
        }
        Err(failure) => {
            findings.push(Finding::new(&finding::SERVER_SILENT, address.to_string(), failure.to_string()));
            return Ok(());
        }
    };
    findings.push(Finding::new(&finding::SERVER, address.to_string(), version.to_string()));
    if let Some(program) = program_version().filter(|program| *program != version) {
        findings.push(Finding::new(&finding::SERVER_VERSION, version.to_string(), program.to_string()));
    }
    if let Some(owner) = owner(address).zip(own_id()).filter(|(owner, own)| owner != own) {
        findings.push(Finding::new(&finding::SERVER_OWNER, address.to_string(), owner.0.to_string()));
    }
    list(&server, findings);
    Ok(())
}

fn list(server: &Server, findings: &mut Vec<Finding>) {
    let Listing { attached, unknown } = match server.devices() {
        Ok(listing) => listing,
        Err(failure) => {
            let address = server.address().to_string();
            findings.push(Finding::new(&finding::SERVER_SILENT, address, failure.to_string()));
            return;
        }
    };
    if attached.is_empty() && unknown.is_empty() {
        findings.push(Finding::new(&finding::NO_PHONES, "", ""));
    }
    let names = crate::cli::server::names(&attached);
    for (phone, name) in attached.iter().zip(names) {
        findings.push(state(phone, name));
    }
    serials(&attached, findings);
    findings.extend(unknown.into_iter().map(|line| Finding::new(&finding::UNKNOWN_LINE, line, "")));
    usb(Path::new("/sys/bus/usb/devices"), &attached, findings);
    if attached.is_empty() || attached.iter().any(|phone| matches!(phone.state, State::NoPermissions(_))) {
        rights(findings);
    }
}

fn state(phone: &Attached, name: String) -> Finding {
    match &phone.state {
        State::Device => Finding::new(&finding::PHONE, name, ""),
        State::Recovery => Finding::new(&finding::RECOVERY, name, ""),
        State::Offline => Finding::new(&finding::OFFLINE, name, ""),
        State::Unauthorized => Finding::new(&finding::UNAUTHORIZED, name, ""),
        State::NoPermissions(words) => Finding::new(&finding::NO_PERMISSIONS, name, words.clone()),
        State::Other(word) if word == "authorizing" => Finding::new(&finding::UNAUTHORIZED, name, ""),
        State::Other(word) => Finding::new(&finding::OTHER_STATE, name, word.clone()),
    }
}

fn serials(attached: &[Attached], findings: &mut Vec<Finding>) {
    let mut by_serial: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for phone in attached {
        let port = || phone.usb.clone().unwrap_or_else(|| phone.name());
        match phone.serial.as_deref() {
            Some(serial) => {
                by_serial.entry(serial).or_default().push(port());
                if PLACEHOLDERS.contains(&serial) {
                    findings.push(Finding::new(&finding::EMPTY_SERIAL, port(), ""));
                }
            }
            None => findings.push(Finding::new(&finding::EMPTY_SERIAL, port(), "")),
        }
    }
    for (serial, ports) in by_serial.into_iter().filter(|(_, ports)| ports.len() > 1) {
        findings.push(Finding::new(&finding::DUPLICATE_SERIAL, serial, ports.join(", ")));
    }
}

/// The protocol version of the program on the PATH: `Android Debug Bridge version 1.0.41`. It asks no server.
fn program_version() -> Option<u32> {
    let output = Command::new(computer::adb()?).arg("version").stdin(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<u32> {
    let line = text.lines().find_map(|line| line.strip_prefix("Android Debug Bridge version "))?;
    line.trim().rsplit('.').next()?.parse().ok()
}

/// Who listens at a port of this computer, by the kernel's table; `None` elsewhere.
fn owner(address: SocketAddr) -> Option<u32> {
    if !address.ip().is_loopback() {
        return None;
    }
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables.iter().filter_map(|path| fs::read_to_string(path).ok()).find_map(|table| listener(&table, address.port()))
}

/// Columns: number, local address, remote address, state (`0A` listens), queues, timer, retransmits, uid.
fn listener(table: &str, port: u16) -> Option<u32> {
    let end = format!(":{port:04X}");
    table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let listens = columns.get(1)?.ends_with(&end) && *columns.get(3)? == "0A";
        listens.then(|| columns.get(7)?.parse().ok()).flatten()
    })
}

fn own_id() -> Option<u32> {
    status_line("Uid:")?.split_whitespace().next()?.parse().ok()
}

fn status_line(key: &str) -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(key).map(str::to_owned))
}

/// Udev rules and the group, where phones can't be opened or none is seen. Linux only.
fn rights(findings: &mut Vec<Finding>) {
    if !cfg!(target_os = "linux") || own_id() == Some(0) {
        return;
    }
    let folders = ["/etc/udev/rules.d", "/lib/udev/rules.d", "/usr/lib/udev/rules.d"];
    let mut files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok);
    let is_androids = |name: &str| name.contains("android") || name.contains("adb");
    if !files.any(|file| is_androids(&file.file_name().to_string_lossy())) {
        findings.push(Finding::new(&finding::UDEV_MISSING, "", ""));
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let own: Vec<String> = status_line("Groups:").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if group(&groups, "plugdev").is_some_and(|id| !own.contains(&id)) {
        findings.push(Finding::new(&finding::NOT_IN_PLUGDEV, "", ""));
    }
}

/// The number of a group, of `name:password:number:members`.
fn group(groups: &str, name: &str) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut cells = line.split(':');
        (cells.next() == Some(name)).then(|| cells.nth(1).map(str::to_owned)).flatten()
    })
}

/// Phones that the kernel sees, by the interfaces that they offer: `ff/42/01` is ADB's, `06/01/01` that of pictures and
/// files (PTP; MTP too, which also comes as `ff/ff/00` with the name MTP).
fn usb(devices: &Path, attached: &[Attached], findings: &mut Vec<Finding>) {
    let Ok(entries) = fs::read_dir(devices) else { return };
    let read = |path: &Path| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let mut ports: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((port, _)) = name.split_once(':') else { continue };
        let field = |field: &str| read(&entry.path().join(field));
        let class = [field("bInterfaceClass"), field("bInterfaceSubClass"), field("bInterfaceProtocol")];
        let offers = ports.entry(port.to_owned()).or_default();
        match class.each_ref().map(String::as_str) {
            ["ff", "42", "01"] => offers.0 = true,
            ["06", "01", "01"] => offers.1 = true,
            _ if field("interface") == "MTP" => offers.1 = true,
            _ => {}
        }
    }
    for (port, (debugging, files)) in ports {
        let listed = attached.iter().any(|phone| phone.usb.as_deref() == Some(&format!("usb:{port}")));
        let maker = [read(&devices.join(&port).join("manufacturer")), read(&devices.join(&port).join("product"))];
        let name = maker.join(" ").trim().to_owned();
        let name = if name.is_empty() { "a device".to_owned() } else { name };
        match (debugging, files) {
            (true, _) if !listed => findings.push(Finding::new(&finding::USB_UNSEEN, name, port)),
            (false, true) => findings.push(Finding::new(&finding::USB_WITHOUT_DEBUGGING, name, port)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adb::attached::parse_listing;
    use crate::cli::doctor::finding::Language;

    fn codes(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.told(Language::En).code).collect()
    }

    #[test]
    fn each_state_of_a_phone_is_a_finding_of_its_own() {
        let text = "a device transport_id:1\nb unauthorized transport_id:2\nc offline transport_id:3\nd recovery \
            transport_id:4\ne sideload transport_id:5\nf authorizing transport_id:6\n0123456789ABCDEF no permissions \
            (user alice is not in the plugdev group); see [http://x] usb:1-1 transport_id:7\n0123456789ABCDEF device \
            usb:1-2 transport_id:8\n";
        let attached = parse_listing(text).attached;
        let mut findings: Vec<_> = attached.iter().map(|phone| state(phone, phone.name())).collect();
        serials(&attached, &mut findings);
        assert_eq!(
            codes(&findings),
            [
                "phone-ready",
                "phone-unauthorized",
                "phone-offline",
                "phone-in-recovery",
                "phone-other-state",
                "phone-unauthorized",
                "phone-no-permissions",
                "phone-ready",
                "phone-without-serial",
                "phone-without-serial",
                "phone-duplicate-serial"
            ]
        );
        assert!(findings[6].told(Language::Ru).cause.contains("user alice is not in the plugdev group"));
    }

    #[test]
    fn the_kernel_s_tables_tell_who_listens_and_groups_their_numbers() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:13AD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12 1\n   1: \
            0100007F:13AE 0100007F:13AD 01 00000000:00000000 00:00000000 00000000  1001        0 13 1\n";
        assert_eq!((listener(table, 5037), listener(table, 5038)), (Some(1000), None));
        assert_eq!(group("root:x:0:\nplugdev:x:46:alice\n", "plugdev").as_deref(), Some("46"));
        assert_eq!(parse_version("Android Debug Bridge version 1.0.41\nVersion 29.0.6-debian\n"), Some(41));
    }

    #[test]
    fn a_phone_without_debugging_and_one_that_the_server_does_not_list_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let interface = |name: &str, class: [&str; 3]| {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            for (field, value) in ["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"].iter().zip(class) {
                fs::write(path.join(field), format!("{value}\n")).unwrap();
            }
        };
        interface("1-1:1.0", ["06", "01", "01"]);
        interface("1-2:1.0", ["06", "01", "01"]);
        interface("1-2:1.1", ["ff", "42", "01"]);
        interface("1-3:1.0", ["ff", "42", "01"]);
        interface("1-4:1.0", ["03", "00", "00"]);
        fs::create_dir_all(folder.path().join("1-1")).unwrap();
        fs::write(folder.path().join("1-1/product"), "F1\n").unwrap();
        let attached = parse_listing("x device usb:1-3 transport_id:1\n").attached;
        let mut findings = Vec::new();
        usb(folder.path(), &attached, &mut findings);
        assert_eq!(codes(&findings), ["usb-without-debugging", "usb-debugging-unseen"]);
        assert!(findings[0].told(Language::En).title.starts_with("F1 at USB port 1-1"));
    }
}
