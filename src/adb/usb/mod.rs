//! Phones on a cable without an ADB server: which there are, and the endpoints of one.
//!
//! A phone with USB debugging on has an interface of class 255, subclass 66, protocol 1 with two bulk endpoints. It
//! belongs to one program at a time: while an ADB server runs, claiming it fails, and nothing is done about that. It is
//! given back when the link is dropped. Source: AOSP `packages/modules/adb`, `adb.h`, `client/usb_linux.cpp`.

mod transfers;

use std::time::Duration;

use nusb::descriptors::TransferType;
use nusb::transfer::{Buffer, Bulk as BulkType, Completion, Direction, In, Out, TransferError};
use nusb::{DeviceInfo, Endpoint, ErrorKind, Interface, MaybeFuture as _};

use super::conversation::Patience;
use super::direct::Direct;
use super::key::Keys;
use super::link::{Link, Place};
use super::{Failure, Shell};
use transfers::{Bulk, Transfers, Trouble};

const CLASS: (u8, u8, u8) = (255, 66, 1);

/// How long a transfer that was called off may take to end; the system does it at once.
const CALLED_OFF: Duration = Duration::from_secs(2);

/// Most bytes that an endpoint's packet can have: USB 3.
const MOST_PACKET: usize = 1024;

/// A phone on a cable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnCable {
    /// Bus and ports, `1-4.2`: one place alone has it, as long as nothing is plugged elsewhere.
    pub port: String,
    /// Serial number, as the phone tells it; several may tell the same. `None` where it tells none.
    pub serial: Option<String>,
}

impl OnCable {
    /// Whether it is the one that a user names, by port or serial number.
    #[must_use]
    pub fn answers_to(&self, asked: &str) -> bool {
        self.port == asked || self.serial.as_deref() == Some(asked)
    }

    /// Its name: the serial number, or the port where it has none or `others` have the same.
    #[must_use]
    pub fn name(&self, others: &[Self]) -> String {
        match &self.serial {
            Some(serial) if others.iter().filter(|other| other.answers_to(serial)).count() < 2 => {
                format!("usb:{serial}")
            }
            _ => format!("usb:{}", self.port),
        }
    }

    /// Claims its interface and greets it.
    ///
    /// # Errors
    /// [`Failure::Disconnected`]: it is gone, another program has it, this user may not open it, or it wants a key that is
    /// not among `keys`; [`Failure::TimedOut`].
    pub fn open(&self, patience: Patience, keys: Keys) -> Result<impl Shell + use<>, Failure> {
        Direct::at(Box::new(self.clone()), patience, keys)
    }
}

/// Phones on this computer's USB, by port.
///
/// # Errors
/// The system does not tell, in its words.
pub fn attached() -> Result<Vec<OnCable>, Failure> {
    let mut phones: Vec<OnCable> = listed()?.into_iter().map(|(phone, _)| phone).collect();
    phones.sort();
    Ok(phones)
}

fn listed() -> Result<Vec<(OnCable, DeviceInfo)>, Failure> {
    let devices = match nusb::list_devices().wait() {
        Ok(devices) => devices,
        // No USB at all.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Failure::Disconnected(format!("this computer does not list its USB devices: {error}")));
        }
    };
    let is_phone = |device: &DeviceInfo| {
        device.interfaces().any(|interface| (interface.class(), interface.subclass(), interface.protocol()) == CLASS)
    };
    Ok(devices.filter(is_phone).map(|device| (on_cable(&device), device)).collect())
}

fn on_cable(device: &DeviceInfo) -> OnCable {
    let ports: Vec<String> = device.port_chain().iter().map(u8::to_string).collect();
    let bus = device.bus_id().trim_start_matches('0');
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
    let serial = device.serial_number().map(|serial| plain(serial.trim())).filter(|serial| !serial.is_empty());
    OnCable { port: format!("{bus}-{}", ports.join(".")), serial }
}

impl Place for OnCable {
    fn open(&self, limits: Patience) -> Result<Box<dyn Link>, Failure> {
        let name = Place::name(self);
        let found = listed()?.into_iter().find(|(phone, _)| phone == self);
        let (_, device) = found
            .ok_or_else(|| Failure::Disconnected(format!("no phone with USB debugging on is at {name} any more")))?;
        let (interface, read, write) = claim(&device, &name, &self.behind_server())?;
        let endpoints = Endpoints {
            read: interface.endpoint::<BulkType, In>(read).map_err(|error| told(&name, &error))?,
            write: interface.endpoint::<BulkType, Out>(write).map_err(|error| told(&name, &error))?,
        };
        let packets = [endpoints.packet_in(), endpoints.packet_out()];
        if packets.iter().any(|packet| !(1..=MOST_PACKET).contains(packet)) {
            let words = format!("the phone at {name} names packets of {packets:?} bytes");
            return Err(Failure::Disconnected(words));
        }
        Ok(Box::new(Transfers::new(Box::new(endpoints), name, limits)?))
    }

    fn name(&self) -> String {
        format!("usb:{}", self.port)
    }

    fn behind_server(&self) -> String {
        format!("adb:usb:{}", self.port)
    }

    fn is_kept(&self) -> bool {
        true
    }
}

/// The ADB interface, with the addresses of its endpoints to read and to write.
fn claim(device: &DeviceInfo, name: &str, behind_server: &str) -> Result<(Interface, u8, u8), Failure> {
    let words = |error: &nusb::Error| match error.kind() {
        ErrorKind::Busy => format!(
            "another program holds the phone at {name}, most likely an ADB server: name it {behind_server}, or stop the \
             server with `adb kill-server`"
        ),
        ErrorKind::PermissionDenied => format!(
            "this user may not open the phone at {name}: install udev rules for phones (on Debian \
             android-sdk-platform-tools-common) and join the group plugdev"
        ),
        ErrorKind::Disconnected | ErrorKind::NotFound => format!("the phone at {name} is gone"),
        _ => format!("USB of the phone at {name}: {error}"),
    };
    let failed = |error: nusb::Error| Failure::Disconnected(words(&error));
    let open = device.open().wait().map_err(failed)?;
    let unfit = || Failure::Disconnected(format!("the phone at {name} has no ADB interface with two bulk endpoints"));
    let configuration = open.active_configuration().map_err(|_| unfit())?;
    let (number, read, write) = configuration
        .interface_alt_settings()
        .filter(|interface| interface.alternate_setting() == 0)
        .filter(|interface| (interface.class(), interface.subclass(), interface.protocol()) == CLASS)
        .find_map(|interface| {
            let bulk = |direction| {
                let is_wanted = |transfer, of| transfer == TransferType::Bulk && of == direction;
                let mut endpoints = interface.endpoints();
                endpoints.find(|end| is_wanted(end.transfer_type(), end.direction())).map(|end| end.address())
            };
            Some((interface.interface_number(), bulk(Direction::In)?, bulk(Direction::Out)?))
        })
        .ok_or_else(unfit)?;
    let interface = open.claim_interface(number).wait().map_err(failed)?;
    Ok((interface, read, write))
}

fn told(name: &str, error: &nusb::Error) -> Failure {
    Failure::Disconnected(format!("USB of the phone at {name}: {error}"))
}

/// The endpoints of a claimed interface; it is given back when they are dropped.
#[derive(Debug)]
struct Endpoints {
    read: Endpoint<BulkType, In>,
    write: Endpoint<BulkType, Out>,
}

impl Bulk for Endpoints {
    fn packet_in(&self) -> usize {
        self.read.max_packet_size()
    }

    fn packet_out(&self) -> usize {
        self.write.max_packet_size()
    }

    fn read(&mut self, length: usize, wait: Duration) -> Result<Vec<u8>, Trouble> {
        self.read.submit(Buffer::new(length));
        let done = self.read.wait_next_complete(wait).or_else(|| {
            self.read.cancel_all();
            self.read.wait_next_complete(CALLED_OFF)
        });
        let Completion { buffer, status, .. } = done.ok_or_else(stuck)?;
        match status {
            // What came while the transfer was called off has come.
            Err(TransferError::Cancelled) if !buffer.is_empty() => Ok(buffer.into_vec()),
            Ok(()) => Ok(buffer.into_vec()),
            Err(error) => {
                if error == TransferError::Stall {
                    // For whoever tries again.
                    let _ = self.read.clear_halt().wait();
                }
                Err(trouble(error))
            }
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<(), Trouble> {
        self.write.submit(Buffer::from(bytes));
        let done = self.write.wait_next_complete(wait).or_else(|| {
            self.write.cancel_all();
            self.write.wait_next_complete(CALLED_OFF)
        });
        let status = done.ok_or_else(stuck)?.status;
        if status == Err(TransferError::Stall) {
            let _ = self.write.clear_halt().wait();
        }
        status.map_err(trouble)
    }
}

fn stuck() -> Trouble {
    Trouble::Other("a transfer that was called off does not end".to_owned())
}

fn trouble(error: TransferError) -> Trouble {
    match error {
        TransferError::Cancelled => Trouble::Late,
        TransferError::Disconnected => Trouble::Gone,
        TransferError::Stall => Trouble::Stalled,
        other => Trouble::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_of_one_serial_number_are_named_by_their_ports() {
        let phone = |port: &str, serial: Option<&str>| OnCable { port: port.into(), serial: serial.map(Into::into) };
        let all = [phone("1-1", Some("A")), phone("1-2", Some("A")), phone("1-4.2", Some("B")), phone("2-1", None)];
        let names: Vec<String> = all.iter().map(|phone| phone.name(&all)).collect();
        assert_eq!(names, ["usb:1-1", "usb:1-2", "usb:B", "usb:2-1"]);
        let asked = |name| all.iter().filter(|phone| phone.answers_to(name)).count();
        assert_eq!((asked("A"), asked("1-2"), asked("B"), asked("1-4"), asked("")), (2, 1, 1, 0, 0));
        // A serial number that reads like another's port.
        let odd = [phone("1-1", Some("1-2")), phone("1-2", Some("C"))];
        assert_eq!(odd[0].name(&odd), "usb:1-1");
    }
}
