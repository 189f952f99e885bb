//! The link over a double of a phone's endpoints, which is as strict as a phone's kernel: a read of 24 bytes, then one of
//! what they announce, each ended by a short packet; no empty transfer behind what it sends itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::super::super::link::{CLSE, OKAY, OPEN, Place, WRTE};
use super::super::super::wrapper::unwrap;
use super::super::super::{Batch, Direct, Keys, Shell, commands};
use super::*;

/// What a phone does with a packet: transfers that it sends.
type Answers = fn(&mut Phone, Packet);

#[derive(Debug)]
struct Phone {
    packet: usize,
    answers: Answers,
    /// Transfers under way to the computer.
    sent: VecDeque<Vec<u8>>,
    /// What happens once they are read.
    then: Trouble,
    header: Option<Header>,
    payload: Vec<u8>,
    /// Whether the payload is whole but for the empty transfer that says so.
    is_open: bool,
    /// Names of the packets that came.
    came: Vec<String>,
    opened: usize,
    dropped: usize,
    /// Bytes of the answer to a command.
    answer: usize,
}

impl Phone {
    fn new(packet: usize, answers: Answers) -> Self {
        Self {
            packet,
            answers,
            sent: VecDeque::new(),
            then: Trouble::Late,
            header: None,
            payload: Vec::new(),
            is_open: false,
            came: Vec::new(),
            opened: 0,
            dropped: 0,
            answer: 100,
        }
    }

    fn send(&mut self, command: u32, first: u32, second: u32, payload: &[u8]) {
        let packet = Packet::new(command, first, second, payload);
        self.sent.push_back(packet.header().unwrap().to_vec());
        if !payload.is_empty() {
            self.sent.push_back(payload.to_vec());
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match self.header {
            None => {
                let header: [u8; HEADER] = bytes.try_into().expect("a header goes alone");
                let header = Header::parse(&header).unwrap();
                self.header = Some(header);
                self.payload.clear();
            }
            Some(_) => {
                assert!(!bytes.is_empty() || self.is_open, "an empty transfer that nothing needs");
                self.payload.extend_from_slice(bytes);
                self.is_open = !bytes.is_empty() && bytes.len().is_multiple_of(self.packet);
            }
        }
        let header = self.header.unwrap();
        if self.payload.len() == header.length as usize && !self.is_open {
            self.header = None;
            let packet = header.with(std::mem::take(&mut self.payload));
            self.came.push(String::from_utf8_lossy(&packet.command.to_le_bytes()).into_owned());
            (self.answers)(self, packet);
        }
    }

    /// As a host's controller fills a buffer: to its end, or that of a short packet.
    fn give(&mut self, length: usize) -> Result<Vec<u8>, Trouble> {
        let mut buffer = Vec::new();
        while buffer.len() < length {
            let Some(mut transfer) = self.sent.pop_front() else {
                if buffer.is_empty() {
                    return Err(self.then.clone());
                }
                panic!("{length} bytes were asked for, {} came, and the rest would be waited for", buffer.len());
            };
            let rest = transfer.split_off(transfer.len().min(length - buffer.len()));
            buffer.extend(transfer);
            if !rest.is_empty() {
                self.sent.push_front(rest);
            } else if !buffer.len().is_multiple_of(self.packet) || buffer.is_empty() {
                break;
            }
        }
        Ok(buffer)
    }
}

#[derive(Debug, Clone)]
struct Cable(Arc<Mutex<Phone>>);

#[derive(Debug)]
struct Held(Cable);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().dropped += 1;
    }
}

impl Place for Cable {
    fn open(&self, limits: Patience) -> Result<Box<dyn Link>, Failure> {
        self.0.lock().unwrap().opened += 1;
        Ok(Box::new(Transfers::new(Box::new(Held(self.clone())), self.name(), limits)?))
    }

    fn name(&self) -> String {
        "usb:1-4.2".to_owned()
    }

    fn behind_server(&self) -> String {
        "adb:usb:1-4.2".to_owned()
    }

    fn is_kept(&self) -> bool {
        true
    }
}

impl Bulk for Held {
    fn packet_in(&self) -> usize {
        self.0.0.lock().unwrap().packet
    }

    fn packet_out(&self) -> usize {
        self.packet_in()
    }

    fn read(&mut self, length: usize, _wait: Duration) -> Result<Vec<u8>, Trouble> {
        assert!(length > 0 && length.is_multiple_of(self.packet_in()) && length <= PIECE);
        self.0.0.lock().unwrap().give(length)
    }

    fn write(&mut self, bytes: &[u8], _wait: Duration) -> Result<(), Trouble> {
        self.0.0.lock().unwrap().take(bytes);
        Ok(())
    }
}

fn cable(packet: usize, answers: Answers) -> Cable {
    Cable(Arc::new(Mutex::new(Phone::new(packet, answers))))
}

fn open(cable: &Cable) -> Result<Direct, Failure> {
    Direct::at(Box::new(cable.clone()), Patience::default(), Keys::default())
}

/// A phone that trusts everybody and answers each command with so many bytes, in pieces of at most 1 MiB.
fn honest(phone: &mut Phone, packet: Packet) {
    match packet.command {
        CNXN => phone.send(CNXN, 0x0100_0001, 1 << 20, b"device::ro.product.name=x;features=cmd,shell_v2"),
        OPEN => {
            let service = String::from_utf8(packet.payload).unwrap();
            let request = service.strip_prefix("shell,v2,raw:").unwrap().strip_suffix('\0').unwrap();
            let (_, nonce) = unwrap(request).unwrap();
            let out = format!("{}\n__end_{nonce}:0\n", "x".repeat(phone.answer));
            let mut stream = vec![1];
            stream.extend(u32::try_from(out.len()).unwrap().to_le_bytes());
            stream.extend(out.as_bytes());
            stream.extend([3, 1, 0, 0, 0, 0]);
            phone.send(OKAY, 9, packet.first, &[]);
            for piece in stream.chunks(1 << 20) {
                phone.send(WRTE, 9, packet.first, piece);
            }
            phone.send(CLSE, 9, packet.first, &[]);
        }
        _ => {}
    }
}

#[test]
fn answers_of_any_length_come_whole_over_packets_of_any_size_and_one_link_serves_all_commands() {
    for packet in [64, 512, 1024] {
        let cable = cable(packet, honest);
        let phone = open(&cable).unwrap();
        // Streams of 1, 2 and many packets, to the byte, and of more than one piece.
        let overhead = 1 + 4 + 41 + 6 + 1;
        for whole in [packet, 2 * packet, PIECE, PIECE + packet, 1 << 20, (1 << 20) + packet] {
            for length in [whole - 1, whole, whole + 1] {
                cable.0.lock().unwrap().answer = length - overhead.min(length);
                let answer = phone.run(&commands::properties()).unwrap();
                assert_eq!(answer.stdout.len(), length - overhead.min(length) + 1, "{packet} {length}");
            }
        }
        drop(phone);
        let state = cable.0.lock().unwrap();
        assert_eq!((state.opened, state.dropped, state.sent.len()), (1, 1, 0), "{packet}");
    }
}

#[test]
fn requests_of_any_length_arrive_with_an_empty_transfer_where_the_phone_waits_for_one() {
    let cable = cable(512, honest);
    let phone = open(&cable).unwrap();
    let longest = "a".repeat(200);
    for length in 1..=512 {
        let names = [&longest, &longest, &longest["x".len()..length.min(200)]].map(|name| format!("a.{name}z"));
        let asked = commands::requested(34, names.iter().map(String::as_str), commands::LINE_LIMIT);
        assert!(phone.run(&asked.commands[0]).is_ok(), "{length}");
    }
    let batch = Batch::of(std::iter::repeat_n(commands::users(), 200), commands::LINE_LIMIT).remove(0);
    // One answer for many commands is none for each; they are then asked one by one.
    assert!(phone.run_batch(&batch).iter().all(Result::is_ok));
}

#[test]
fn what_an_earlier_program_left_is_thrown_away_and_an_old_question_for_a_key_is_not_answered() {
    let cable = cable(512, honest);
    {
        let mut phone = cable.0.lock().unwrap();
        phone.sent.push_back(vec![7; 512 * 3 + 100]);
        phone.send(WRTE, 9, 1, &[8; 512]);
        phone.send(CLSE, 9, 1, &[]);
        phone.send(AUTH, 1, 0, &[9; 20]);
    }
    let phone = open(&cable).unwrap();
    assert_eq!(phone.run(&commands::properties()).unwrap().stdout.len(), 101);
    // And what comes only behind the greeting: the rest of a payload, packets of an old stream, an old banner.
    let cable = self::cable(512, |phone, packet| {
        if packet.command == CNXN {
            phone.sent.push_back(vec![7; 512]);
            phone.sent.push_back(vec![7; 100]);
            phone.send(WRTE, 9, 1, &[8; 1000]);
            phone.send(OKAY, 9, 1, &[]);
            honest(phone, packet.clone());
        }
        honest(phone, packet);
    });
    let phone = open(&cable).unwrap();
    assert_eq!(phone.run(&commands::properties()).unwrap().stdout.len(), 101);
    assert_eq!(cable.0.lock().unwrap().came[..2], ["CNXN", "OPEN"]);
}

#[test]
fn a_pulled_cable_and_a_silent_phone_are_named_and_the_next_command_greets_again() {
    let cable = cable(512, |phone, packet| {
        if packet.command == OPEN && phone.opened == 1 {
            phone.send(OKAY, 9, packet.first, &[]);
            phone.send(WRTE, 9, packet.first, &[0; 700]);
        } else {
            honest(phone, packet);
        }
    });
    for (trouble, words) in [(Trouble::Gone, "is gone"), (Trouble::Stalled, "plug it in again")] {
        cable.0.lock().unwrap().opened = 0;
        let phone = open(&cable).unwrap();
        cable.0.lock().unwrap().then = trouble;
        let failure = phone.run(&commands::properties()).unwrap_err();
        assert!(matches!(&failure, Failure::Disconnected(told) if told.contains(words) && told.contains("usb:1-4.2")));
        cable.0.lock().unwrap().then = Trouble::Late;
        assert_eq!(phone.run(&commands::properties()).unwrap().stdout.len(), 101);
    }
    cable.0.lock().unwrap().opened = 0;
    let phone = open(&cable).unwrap();
    let failure = phone.run(&commands::properties()).unwrap_err();
    assert!(matches!(failure, Failure::TimedOut { received: 24.., .. }), "{failure:?}");
    assert!(phone.run(&commands::properties()).is_ok());
    drop(phone);
    let state = cable.0.lock().unwrap();
    assert_eq!((state.opened, state.dropped), (2, 6));
}

#[test]
fn what_is_no_packet_of_this_protocol_is_named_and_costs_no_memory() {
    let after_open: [(Answers, &str); 4] = [
        (|phone, _| phone.sent.push_back(vec![7; 24]), "another protocol"),
        (
            |phone, packet| {
                let mut header = Packet::new(WRTE, 9, packet.first, &[]).header().unwrap();
                header[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
                phone.sent.push_back(header.to_vec());
            },
            "a packet of 4294967295 bytes",
        ),
        (|phone, _| phone.sent.extend(std::iter::repeat_n(Vec::new(), 100)), "empty transfers only"),
        (
            |phone, packet| {
                phone.send(OKAY, 9, packet.first, &[]);
                // Header and payload in one transfer: some phones' kernels do so.
                let joined = Packet::new(WRTE, 9, packet.first, &[5; 3]).header().unwrap();
                phone.sent.push_back([joined.as_slice(), &[5; 3]].concat());
                phone.send(CLSE, 9, packet.first, &[]);
            },
            "before its end marker",
        ),
    ];
    for (answers, words) in after_open {
        let cable = cable(512, honest);
        let phone = open(&cable).unwrap();
        cable.0.lock().unwrap().answers = answers;
        let failure = phone.run(&commands::properties()).unwrap_err().to_string();
        assert!(failure.contains(words), "{failure}");
    }
    for (answers, words) in [
        ((|phone, _| phone.sent.extend(std::iter::repeat_n(vec![7; 512], 10_000))) as Answers, "another protocol"),
        (|phone, _| phone.send(STLS, 0x0100_0000, 0, &[]), "wants TLS"),
        (|phone, _| phone.send(AUTH, 1, 0, &[1; 19]), "in an unknown way"),
        (|phone, _| phone.send(AUTH, 1, 0, &[1; 20]), "wants a key, and there is none"),
    ] {
        let cable = cable(512, answers);
        let failure = open(&cable).unwrap_err().to_string();
        assert!(failure.contains(words), "{failure}");
        let state = cable.0.lock().unwrap();
        assert_eq!((state.opened, state.dropped), (1, 1));
        assert_eq!(state.came, ["CNXN"], "nothing but a greeting was sent");
    }
}
