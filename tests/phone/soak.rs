//! A bench for a day, in two minutes: thirty phones that are plugged, pulled, exchanged and that fail, while they are read.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use preloaded::adb::{Patience, Phone, Server};
use preloaded::assess::{Overall, assess};
use preloaded::check::{Context, Presence};
use preloaded::collect::phone::PhoneSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{GapReason, Inventory};
use preloaded::profile;

use crate::support::adbd::{Fault, Profile};
use crate::support::bench::Bench;
use crate::support::fiction::Fiction;

const PHONES: usize = 30;
const EVENTS: usize = 1000;
const WORKERS: usize = 6;
/// Between two events: the whole lasts about a minute and a half.
const PACE: Duration = Duration::from_millis(70);

/// A generator with a fixed seed (Knuth's MMIX): the events are the same in each run, their moments are not.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Who is in a slot: number of the slot and of the exchange, and whether it has every app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    slot: usize,
    turn: usize,
}

impl Identity {
    fn serial(self) -> String {
        format!("SOAK{:02}X{:03}", self.slot, self.turn)
    }

    /// Every third phone lacks a mandated app.
    fn is_complete(self) -> bool {
        !(self.slot + self.turn).is_multiple_of(3)
    }

    fn own(self) -> String {
        format!("com.fiction.own{}x{}", self.slot, self.turn)
    }

    fn profile(self) -> Profile {
        let serial: &'static str = Box::leak(self.serial().into_boxed_str());
        let own = self.own();
        let path = format!("/product/app/{own}/{own}.apk");
        let fiction = Fiction { serial, users: vec![0], firmware: vec![(own, path)], ..Fiction::default() };
        if self.is_complete() { fiction.profile() } else { fiction.without("ru.oneme.app").profile() }
    }
}

/// Who was in each slot, since when.
type Log = Vec<Mutex<Vec<(Instant, Identity)>>>;

#[derive(Default)]
struct Tally {
    started: AtomicUsize,
    inventories: AtomicUsize,
    refused: AtomicUsize,
    green: AtomicUsize,
    red: AtomicUsize,
    open: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Tally {
    fn wrong(&self, words: String) {
        self.wrong.lock().unwrap().push(words);
    }
}

/// Whether a gap may hide what a rule needs.
fn may_hide(inventory: &Inventory) -> bool {
    let cut = [
        GapReason::Truncated,
        GapReason::TimedOut,
        GapReason::Disconnected,
        GapReason::TooLarge,
        GapReason::Contradiction,
    ];
    inventory.gaps_hiding_packages().next().is_some() || inventory.gaps.iter().any(|gap| cut.contains(&gap.reason))
}

/// Holds an inventory against who was in the slot while it was read.
fn judge(
    tally: &Tally,
    inventory: &Inventory,
    were: &[Identity],
    context: &Context,
    rules: &preloaded::profile::Profile,
) {
    let fingerprint = inventory.device.fingerprint.known().cloned().unwrap_or_default();
    let of = were.iter().find(|identity| fingerprint.contains(&identity.serial()));
    if !fingerprint.is_empty() && of.is_none() {
        tally.wrong(format!("{fingerprint} was read of a slot that had {were:?}"));
    }
    let names: Vec<&str> =
        inventory.packages.known().into_iter().flatten().map(|package| package.name.as_str()).collect();
    let own: Vec<&&str> = names.iter().filter(|name| name.starts_with("com.fiction.own")).collect();
    if own.len() > 1 {
        tally.wrong(format!("two phones in one inventory: {own:?}"));
    }
    if let (Some(identity), Some(own)) = (of, own.first())
        && **own != identity.own()
    {
        tally.wrong(format!("properties of {identity:?} with packages of {own}"));
    }
    match assess(rules, inventory, context).unwrap().overall {
        Overall::Compliant => {
            tally.green.fetch_add(1, Ordering::Relaxed);
            if may_hide(inventory) || own.is_empty() || of.is_none_or(|identity| !identity.is_complete()) {
                tally.wrong(format!("green: {of:?} {:#?}", inventory.gaps));
            }
        }
        Overall::NotCompliant => {
            tally.red.fetch_add(1, Ordering::Relaxed);
            if of.is_some_and(|identity| identity.is_complete()) {
                tally.wrong(format!("red: {of:?} {:#?}", inventory.gaps));
            }
        }
        Overall::Inconclusive => drop(tally.open.fetch_add(1, Ordering::Relaxed)),
    }
}

fn named_threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|found| found.trim() == name)
        .count()
}

/// Open connections of this computer to a port.
fn connections(port: u16) -> usize {
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    table.lines().filter(|line| line.contains(&format!(":{port:04X} 01 "))).count()
}

#[test]
#[cfg(target_os = "linux")]
fn thirty_phones_and_a_thousand_events_give_no_result_to_the_wrong_phone_and_leave_nothing_behind() {
    let identity = |slot| Identity { slot, turn: 0 };
    let bench = Bench::new((0..PHONES).map(|slot| identity(slot).profile()));
    let log: Log = (0..PHONES).map(|slot| Mutex::new(vec![(Instant::now(), identity(slot))])).collect();
    let serials: Vec<String> = bench.phones.iter().map(|phone| phone.serial()).collect();
    let rules = profile::load("ru/smartphone").unwrap();
    let date = |text: &str| text.parse().unwrap();
    let context = Context {
        as_of: date("2026-06-01"),
        made: None,
        sold: None,
        governing: None,
        kind: None,
        os_flavour: None,
        market: None,
        presence: Presence::Installed,
    };
    let patience = Patience { silence: Duration::from_millis(400), ..Patience::default() };
    let server = Server::new(bench.server.address()).with_patience(patience);
    let port = bench.server.address().port();
    let before = connections(port);
    let over = AtomicBool::new(false);
    let tally = Tally::default();
    let kinds: [AtomicUsize; 6] = std::array::from_fn(|_| AtomicUsize::new(0));
    let begun = Instant::now();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (server, log, serials, over, tally, rules, context) =
                (&server, &log, &serials, &over, &tally, &rules, &context);
            let work = move || {
                let mut random = Random(worker as u64 + 1);
                while !over.load(Ordering::Relaxed) {
                    let slot = random.below(PHONES);
                    let Ok(listing) = server.devices() else { continue };
                    let attached = listing.attached.iter().find(|found| found.serial.as_ref() == Some(&serials[slot]));
                    let Some(attached) = attached.filter(|attached| attached.state.may_answer()) else { continue };
                    tally.started.fetch_add(1, Ordering::Relaxed);
                    let start = Instant::now();
                    let read = Phone::open(server, attached).map_err(|failure| failure.to_string()).and_then(|phone| {
                        let mut source = PhoneSource::new(&phone, format!("adb:{}", serials[slot]), None);
                        source.collect(&Request::default(), &Silent).map_err(|error| error.to_string())
                    });
                    match read {
                        Ok(inventory) => {
                            tally.inventories.fetch_add(1, Ordering::Relaxed);
                            // Whoever was there at the start, or up to a second before, while an exchange went on, and
                            // whoever came since.
                            let log = log[slot].lock().unwrap();
                            let early = start.checked_sub(Duration::from_secs(1)).unwrap_or(start);
                            let first = log.iter().rposition(|(since, _)| *since <= early).unwrap_or(0);
                            let were: Vec<Identity> = log[first..].iter().map(|(_, identity)| *identity).collect();
                            drop(log);
                            judge(tally, &inventory, &were, context, rules);
                        }
                        Err(_) => drop(tally.refused.fetch_add(1, Ordering::Relaxed)),
                    }
                }
            };
            thread::Builder::new().name("soak-worker".to_owned()).spawn_scoped(scope, work).unwrap();
        }
        let mut random = Random(2026);
        let mut turns = [0; PHONES];
        for _ in 0..EVENTS {
            let slot = random.below(PHONES);
            let (phone, serial) = (&bench.phones[slot], &serials[slot]);
            let kind = random.below(6);
            kinds[kind].fetch_add(1, Ordering::Relaxed);
            match kind {
                // The cable is pulled; the server connects again by itself.
                0 => phone.unplug(),
                1 => drop(bench.server.adb(&["disconnect", serial])),
                2 => drop(bench.server.adb(&["connect", serial])),
                3 => phone.trouble(1 + random.below(3), Fault::Close),
                4 => phone.trouble(1, [Fault::Hang, Fault::Drop][random.below(2)]),
                _ => {
                    // Another phone in the same slot. It is entered before it is there, so that no result of it is taken for
                    // one of a phone that never was.
                    turns[slot] += 1;
                    let next = Identity { slot, turn: turns[slot] };
                    log[slot].lock().unwrap().push((Instant::now(), next));
                    phone.become_another(next.profile());
                }
            }
            // Phones that were disconnected come back sooner or later.
            if random.below(4) == 0 {
                let other = random.below(PHONES);
                drop(bench.server.adb(&["connect", &serials[other]]));
            }
            thread::sleep(PACE);
        }
        over.store(true, Ordering::Relaxed);
    });
    let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
    let (started, inventories, refused) = (count(&tally.started), count(&tally.inventories), count(&tally.refused));
    println!(
        "{EVENTS} events in {:?} (pulled {}, disconnected {}, connected {}, cut {}, hung or dropped {}, exchanged {}): {started} readings, \
         {inventories} inventories ({} green, {} red, {} open), {refused} refused",
        begun.elapsed(),
        count(&kinds[0]),
        count(&kinds[1]),
        count(&kinds[2]),
        count(&kinds[3]),
        count(&kinds[4]),
        count(&kinds[5]),
        count(&tally.green),
        count(&tally.red),
        count(&tally.open),
    );
    let wrong = tally.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} wrong, the first: {}", wrong.len(), wrong[0]);
    assert_eq!(started, inventories + refused, "every reading that began came to a result");
    assert!(count(&tally.green) > 20 && count(&tally.red) > 5 && refused > 0, "the bench was busy");
    // The kernel closes the last connections a moment later.
    let waited = Instant::now();
    while (connections(port) > before || named_threads("soak-worker") > 0) && waited.elapsed() < Duration::from_secs(5)
    {
        thread::sleep(Duration::from_millis(20));
    }
    println!(
        "left behind: {} connections, {} threads",
        connections(port).saturating_sub(before),
        named_threads("soak-worker")
    );
    assert_eq!((connections(port).saturating_sub(before), named_threads("soak-worker")), (0, 0));
}
