//! What a server may do, well or badly.

use std::sync::Arc;
use std::sync::mpsc;

use preloaded::bytes::{Budget, Limits, Notice, ReadAt};
use preloaded::remote::{self, Remote, RemoteError};

use super::server::{Content, Manner, Server};

/// 3 MiB and a little, different at every place.
fn data() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..(3 << 20) + 123).map(|_| next()).collect()
}

fn serve(manner: Manner) -> Server {
    Server::start(Content::Bytes(Arc::new(data())), manner)
}

fn open(server: &Server) -> Result<Remote, RemoteError> {
    remote::open(&server.url("a/rom.bin"), &Budget::new(Limits::default()))
}

fn read(remote: &Remote, offset: usize, len: usize) -> Result<Vec<u8>, String> {
    let mut buf = vec![0; len];
    remote.read_exact_at(offset as u64, &mut buf).map(|()| buf).map_err(|error| error.to_string())
}

/// What the first read beyond the beginning runs into.
fn failure(manner: Manner) -> String {
    let server = serve(manner);
    let remote = open(&server).unwrap();
    let error = read(&remote, 2 << 20, 10).unwrap_err();
    assert_eq!(read(&remote, 1 << 20, 10).unwrap_err(), error, "nothing is read after it");
    assert_eq!(remote.failure().unwrap().to_string(), error);
    assert_eq!(read(&remote, 0, 10).unwrap(), data()[..10], "what is here stays readable");
    error
}

#[test]
fn ranges_in_any_order_read_as_the_file_and_nothing_is_asked_for_twice() {
    let server = serve(Manner::Ranges);
    let (remote, data) = (open(&server).unwrap(), data());
    assert_eq!((remote.name(), remote.len()), ("rom.bin", data.len() as u64));
    let mut at = 77;
    for _ in 0..300 {
        at = at * 7_919 % (data.len() - 5000);
        assert!(read(&remote, at, 5000).unwrap() == data[at..at + 5000], "at {at}");
    }
    assert!(read(&remote, 0, data.len()).unwrap() == data);
    assert!(read(&remote, data.len(), 1).is_err());
    assert_eq!((remote.fetched(), server.sent()), (data.len() as u64, data.len() as u64));
    assert_eq!(remote.requests(), server.requests() as u64);
    let heads = server.heads();
    assert!(heads.iter().skip(1).all(|head| head.contains("if-match: \"one\"")), "{heads:#?}");
    assert!(heads.iter().all(|head| head.contains("accept-encoding: identity")), "{heads:#?}");
    let expected = format!("3.0 MiB of 3.0 MiB fetched (100.0 %), {} requests", remote.requests());
    assert_eq!(remote.summary(), expected);
}

#[test]
fn one_small_read_costs_one_block_and_reads_in_a_row_cost_few_requests() {
    let server = serve(Manner::Ranges);
    let (remote, data) = (open(&server).unwrap(), data());
    read(&remote, 2_000_000, 1).unwrap();
    assert_eq!((remote.fetched(), remote.requests()), (2 * 65536, 2));
    let remote = open(&server).unwrap();
    for at in (0..data.len() - 4096).step_by(4096) {
        assert!(read(&remote, at, 4096).unwrap() == data[at..at + 4096]);
    }
    assert!(remote.requests() <= 9, "{} requests", remote.requests());
}

#[test]
fn threads_that_want_the_same_bytes_fetch_them_once() {
    let server = serve(Manner::Ranges);
    let (remote, data) = (open(&server).unwrap(), data());
    std::thread::scope(|scope| {
        for start in [0, 1, 2, 3] {
            let (remote, data) = (&remote, &data);
            scope.spawn(move || {
                for step in 0..40 {
                    let at = (step * 131_072 + start * 9_000) % (data.len() - 100_000);
                    assert!(read(remote, at, 100_000).unwrap() == data[at..at + 100_000]);
                }
            });
        }
    });
    assert!(server.sent() <= data.len() as u64, "{} bytes", server.sent());
}

#[test]
fn a_server_without_ranges_is_streamed_once_and_that_is_said() {
    for length in [true, false] {
        let server = serve(Manner::Whole { length });
        let budget = Budget::new(Limits::default());
        let (tells, hears) = mpsc::channel();
        budget.listen(Some(tells));
        let remote = remote::open(&server.url("rom.bin"), &budget).unwrap();
        assert!(read(&remote, 0, data().len()).unwrap() == data());
        assert_eq!((server.requests(), remote.fetched()), (1, data().len() as u64));
        let told: Vec<_> = hears.try_iter().collect();
        let what = if length { "all 3 MiB" } else { "all" };
        let line = format!("127.0.0.1 gives no parts of rom.bin: fetching {what} of it to a temporary file");
        assert_eq!(told, [Notice::Lasting(line)]);
        assert!(budget.spooled() > 3 << 20);
    }
}

#[test]
fn a_stream_longer_than_the_limit_of_temporary_files_is_refused() {
    let server = serve(Manner::Whole { length: false });
    let budget = Budget::new(Limits { spill: 1 << 20, ..Limits::default() });
    let error = remote::open(&server.url("rom.bin"), &budget).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("bytes in temporary files is"), "{error}");
    let zeros = Server::start(Content::Bytes(Arc::new(vec![0; 3 << 20])), Manner::Whole { length: false });
    let error = remote::open(&zeros.url("rom.bin"), &budget).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the limit is 1048576"), "{error}");
}

#[test]
fn ranges_beyond_the_limit_of_temporary_files_are_refused() {
    let server = serve(Manner::Ranges);
    let budget = Budget::new(Limits { spill: 100_000, ..Limits::default() });
    let remote = remote::open(&server.url("rom.bin"), &budget).unwrap();
    let error = read(&remote, 1 << 20, 200_000).unwrap_err();
    assert!(error.contains("bytes in temporary files is") && error.contains("127.0.0.1: bytes"), "{error}");
}

#[test]
fn a_file_that_changes_is_an_error_however_the_server_shows_it() {
    for manner in [
        Manner::Changes { at: 1, refuses: true },
        Manner::Changes { at: 1, refuses: false },
        Manner::ChangesDate { at: 1 },
        Manner::Shrinks,
    ] {
        let error = failure(manner);
        assert!(error.contains("127.0.0.1: bytes 2097152 to 2162687: the file changed while it was read"), "{error}");
    }
}

#[test]
fn a_server_that_dies_is_asked_again_three_times_in_all() {
    let server = serve(Manner::Dies { times: 2 });
    let remote = open(&server).unwrap();
    assert_eq!(read(&remote, 2 << 20, 9).unwrap(), data()[2 << 20..][..9]);
    assert_eq!(server.requests(), 4);
    assert_eq!(server.sent() + 2 * 32768, remote.fetched());
    failure(Manner::Dies { times: 1000 });
    let server = serve(Manner::Busy { times: 1 });
    assert!(open(&server).is_ok());
}

#[test]
fn an_answer_that_is_not_the_range_is_an_error() {
    let error = failure(Manner::Lies);
    assert!(error.contains("sends bytes 2097153 to 2162687 for 2097152 to 2162687"), "{error}");
    let error = failure(Manner::Overlong);
    assert!(error.contains("sends 65537 bytes for a range of 65536"), "{error}");
    let error = failure(Manner::Compresses);
    assert!(error.contains("compresses what it sends (gzip)"), "{error}");
}

#[test]
fn a_server_that_has_nothing_is_named_with_its_reason() {
    let error = |manner| open(&serve(manner)).map(|_| ()).unwrap_err();
    let missing = error(Manner::Status(404));
    assert_eq!(
        (missing.to_string(), missing.temporary),
        ("127.0.0.1: the server has no such file (404)".to_owned(), false)
    );
    assert!(error(Manner::Status(403)).to_string().contains("refuses to give the file (403)"));
    let busy = error(Manner::Status(503));
    assert!(busy.temporary && busy.to_string().contains("answers 503"), "{busy}");
    let gone = serve(Manner::Ranges).url("x");
    let gone = remote::open(&gone, &Budget::new(Limits::default())).map(|_| ()).unwrap_err();
    assert!(gone.temporary, "{gone}");
}

#[test]
fn redirects_are_followed_to_admitted_places_and_not_for_ever() {
    let server = serve(Manner::Redirects("/there/rom.bin"));
    let remote = open(&server).unwrap();
    assert_eq!(read(&remote, 2 << 20, 9).unwrap(), data()[2 << 20..][..9]);
    assert_eq!(server.requests(), 3, "the second read goes there at once");
    let error = |to| open(&serve(Manner::Redirects(to))).map(|_| ()).unwrap_err().to_string();
    assert!(error("/again").contains("more than 5 redirects"));
    assert!(error("http://example.com/x").contains("http:// is refused"));
    assert!(error("file:///etc/passwd").contains("file:// is not supported"));
}
