//! Texts of a phone.
#![no_main]

use preloaded::dump::{activities, control_file, getprop, package, package_list, refusal, users};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let dump = package::parse(&text);
    let _ = (dump.end.describe(), dump.end.refusal(), dump.leftover.describe());
    let _ = (activities::parse(&text), getprop::parse(&text), package_list::parse(&text));
    let _ = (refusal::find(&text), users::parse(&text));
    let _ = (control_file::system_config(data), control_file::default_permissions(data));
});
