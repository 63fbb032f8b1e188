//! Connections that send much and wait, and clients that never read, hold little memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ripen::listener;

use crate::clients::get;
use crate::serve::{Home, Ripen, free_address, furnish};
use crate::test_db::TestDb;

const MEGABYTE: usize = 1024 * 1024;

/// The most memory that the process ever held, in bytes.
fn peak(ripen: &Ripen) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", ripen.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Sends all but the end of a form of a megabyte, and waits.
fn hold(address: SocketAddr, path: &str, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    // The server may have cut it before all was sent: that is what it should do.
    let piece = vec![b'x'; 64 * 1024];
    let sent = stream.write_all(head.as_bytes()).and_then(|()| {
        (0..MEGABYTE / piece.len()).try_for_each(|_| {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
            stream.write_all(&piece)?;
            stream.write_all(b"\r\n")
        })
    });
    drop(sent);
    stream
}

#[test]
fn forms_of_strangers_hold_no_memory() {
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let ripen = Ripen::start(&Home::Given(db.url()), address);
    assert_eq!(get(address, "/login").unwrap(), 200);
    let before = peak(&ripen);
    let cookie = format!("ripen={}", "a".repeat(43));
    let paths = ["/login", "/me", "/nothing/here"];
    let held: Vec<TcpStream> =
        (0..300).map(|number| hold(address, paths[number % paths.len()], &cookie)).collect();
    let grown = peak(&ripen).saturating_sub(before);
    assert!(grown < 100 * MEGABYTE, "{} MB more for 300 of 1 MB", grown / MEGABYTE);
    assert_eq!(get(address, "/login").unwrap(), 200, "others are served meanwhile");
    drop(held);
}

#[test]
fn a_client_that_never_reads_is_cut() {
    let listener = listener::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let options = socket2::SockRef::from(&server);
    assert_eq!(options.tcp_user_timeout().unwrap(), Some(Duration::from_secs(30)));
    assert!(options.keepalive().unwrap());
    // As the system does it, only sooner.
    options.set_tcp_user_timeout(Some(Duration::from_millis(500))).unwrap();
    let piece = vec![b'x'; MEGABYTE];
    let error = (0..1000).find_map(|_| server.write_all(&piece).err()).expect("it is cut");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
    let _ = client.read(&mut [0; 1]);
}
