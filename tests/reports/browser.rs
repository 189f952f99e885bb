//! The HTML form in a browser: nothing hostile runs, nothing overflows, nothing is complained of, and it is quick.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use preloaded::report::{Lang, Style};

use super::made;

/// What a browser made of a page.
struct Opened {
    /// The document after its load event.
    dom: String,
    /// What it wrote into its console.
    console: Vec<String>,
}

/// Opens a page in headless Chromium, in a window of that many pixels.
fn open(page: &Path, width: u32) -> Opened {
    let profile = tempfile::tempdir().unwrap();
    let (window, profile_flag) =
        (format!("--window-size={width},900"), format!("--user-data-dir={}", profile.path().display()));
    let address = format!("file://{}", page.display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        "--v=0",
        &window,
        &profile_flag,
        "--dump-dom",
        &address,
    ];
    let output = made::run_tool(Path::new("chromium"), &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Opened { dom: String::from_utf8_lossy(&output.stdout).into_owned(), console }
}

/// The page with a script of the test's own, which its policy would refuse.
fn measured(html: &str, script: &str) -> String {
    let start = html.find("<meta http-equiv").unwrap();
    let end = start + html[start..].find('>').unwrap() + 1;
    let open = format!("{}{}", &html[..start], &html[end..]);
    open.replace("</body>", &format!("<script>{script}</script></body>"))
}

/// The value that a measuring script left in the title.
fn title(opened: &Opened) -> &str {
    let from = opened.dom.find("<title>").unwrap() + "<title>".len();
    let length = opened.dom[from..].find("</title>").unwrap();
    &opened.dom[from..from + length]
}

#[test]
fn a_hostile_device_runs_nothing_and_the_tables_can_be_searched() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("hostile.html");
    let html = made::render(made::format("html"), &made::hostile());
    fs::write(&page, &html).unwrap();
    let opened = open(&page, 1280);
    assert_eq!(opened.console, Vec::<String>::new());
    assert!(!title(&opened).contains("PWNED"), "{}", title(&opened));
    assert!(!opened.dom.contains("<img") && !opened.dom.contains("<script>document"));
    assert!(opened.dom.contains("type=\"search\""), "the page's own script did not run");
    // A page whose script is not the one of its policy is refused it, and says so: this test can see both.
    fs::write(&page, html.replace("\"use strict\";", "\"use strict\"; /* changed */")).unwrap();
    let opened = open(&page, 1280);
    assert!(!opened.console.is_empty() && !opened.dom.contains("type=\"search\""));
}

#[test]
fn no_page_is_wider_than_its_window_in_either_language() {
    const SCRIPT: &str = "const page = document.documentElement; \
                          const wide = [...document.querySelectorAll('body *')].filter((one) => !one.closest('.wide') && \
                          !one.closest('pre') && one.getBoundingClientRect().right > innerWidth + 1); \
                          document.title = `${page.scrollWidth} of ${innerWidth}: ${wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 80))}`;";
    let folder = tempfile::tempdir().unwrap();
    let mut single = made::hostile();
    single.targets.truncate(1);
    for (name, run, lang) in [("single", &single, Lang::En), ("batch", &made::hostile(), Lang::Ru)] {
        let style = Style { lang, ..Style::default() };
        let html = made::render_as(made::format("html"), run, &style);
        for width in [500, 1280] {
            let page = folder.path().join(format!("{name}-{width}.html"));
            fs::write(&page, measured(&html, SCRIPT)).unwrap();
            let opened = open(&page, width);
            let (found, rest) = title(&opened).split_once(" of ").unwrap();
            let (window, wide) = rest.split_once(':').unwrap();
            assert!(
                found.parse::<u32>().unwrap() <= window.parse::<u32>().unwrap(),
                "{name} at {width}: {found} of {window}: {wide}"
            );
        }
    }
}

/// Most bytes and elements of a batch of 500 devices: a little more than what it has.
const BYTES: usize = 20 << 20;
const ELEMENTS: usize = 240_000;

/// Most seconds of a processor that rendering them may take: what is promised of the clock, asked of the processor, and of a
/// program that the compiler did not optimise. Whatever else the machine does counts in neither.
const RENDERED: f64 = 5.0;

/// Most milliseconds until a browser fires the load event. It is asked up to so many times: what else the machine does can only
/// make it slower. Where it has more to do than it has processors, seconds say nothing of a page, and bytes and elements alone
/// are asserted.
const LOADED: u64 = 3_000;
const TRIES: usize = 6;

/// Seconds of a processor that this thread has used.
#[cfg(target_os = "linux")]
fn processor_seconds() -> f64 {
    let line = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    line.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Elsewhere the clock has to do: it never shows less.
#[cfg(not(target_os = "linux"))]
fn processor_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// Programs at work beside this test and its browser, in the mean of the last minute, and processors.
fn waiting() -> (f64, f64) {
    let all = fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // The browser itself keeps about one at work.
    (all.unwrap_or_default() - 1.0, f64::from(u32::try_from(processors).unwrap()))
}

#[test]
fn a_page_of_five_hundred_devices_is_rendered_in_five_seconds_and_loads_in_three() {
    let run = made::batch();
    let mut html = Vec::new();
    let (start, used) = (Instant::now(), processor_seconds());
    made::format("html").write(&run, &Style::default(), &mut html).unwrap();
    let (wrote, used) = (start.elapsed(), processor_seconds() - used);
    let html = String::from_utf8(html).unwrap();
    let elements = html.matches('<').count() - html.matches("</").count();
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("batch.html");
    let script = "addEventListener('load', () => { document.body.textContent = ''; document.title = Math.round(performance.now()); });";
    fs::write(&page, measured(&html, script)).unwrap();
    let mut loads: Vec<u64> = Vec::new();
    while loads.len() < TRIES && loads.last().is_none_or(|last| *last >= LOADED) {
        loads.push(title(&open(&page, 1280)).parse().expect("the load event fired"));
    }
    println!(
        "500 devices: {} bytes and {elements} elements of HTML in {wrote:?} ({used:.2} s of a processor, optimised: {}), load \
         event after {loads:?} ms",
        html.len(),
        !cfg!(debug_assertions)
    );
    assert!(used < RENDERED, "{used:.2} s of a processor");
    if loads.last().is_none_or(|last| *last >= LOADED) {
        let (waiting, processors) = waiting();
        assert!(
            waiting > processors,
            "load event after {loads:?} ms, with {waiting} at work on {processors} processors"
        );
        let mut out = std::io::stderr();
        let _ = writeln!(
            out,
            "NOT JUDGED: load event after {loads:?} ms, while {waiting} others were at work on {processors} processors"
        );
    }
    assert!(html.len() < BYTES, "{} bytes", html.len());
    assert!(elements < ELEMENTS, "{elements} elements");
    // Devices of which nearly every rule has something to say are no heavier.
    let html = made::render(made::format("html"), &made::batch_of("orion-p1-firmware"));
    let elements = html.matches('<').count() - html.matches("</").count();
    assert!(html.len() < BYTES && elements < ELEMENTS, "{} bytes, {elements} elements", html.len());
}
