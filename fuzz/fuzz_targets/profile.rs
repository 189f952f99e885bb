//! Profiles.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = preloaded::profile::Profile::parse("fuzz.toml", text).map_err(|error| error.to_string());
    }
});
