//! SIGTERM under load: whatever was asked on a connection is answered, and what was acknowledged is
//! stored.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use ripen::db::Pool;
use ripen::schema::journal;

use crate::serve::{Home, KEY, Ripen, free_address, furnish};
use crate::test_db::TestDb;

/// What a client saw until nobody took its connections any more.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: u64,
    answers: u64,
    closed_by_answer: u64,
    broken: Vec<String>,
}

/// One answer: whether it closes the connection, and its status.
fn answer(reader: &mut BufReader<TcpStream>) -> std::io::Result<(u16, bool)> {
    let (mut status, mut length, mut closes) = (0, 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        closes |= line == "connection: close";
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok((status, closes))
}

/// Asks without pause; `keeps` its connections for as long as it may.
fn client(address: SocketAddr, keeps: bool, number: &AtomicU64) -> Seen {
    let mut seen = Seen::default();
    // Until nobody listens any more.
    while let Ok(mut stream) = TcpStream::connect(address) {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut asked = 0;
        loop {
            let id = number.fetch_add(1, Ordering::SeqCst);
            let body = format!(
                r#"{{"writeKey":"{KEY}","userId":"u{id}","event":"E","messageId":"m{id}"}}"#
            );
            let keep = if keeps { "" } else { "Connection: close\r\n" };
            let request = format!(
                "POST /v1/track HTTP/1.1\r\nHost: x\r\n{keep}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            asked += 1;
            let answered = stream.write_all(request.as_bytes()).and_then(|()| answer(&mut reader));
            match answered {
                Ok((status, closes)) => {
                    seen.answers += 1;
                    seen.acknowledged += u64::from(status == 200);
                    seen.closed_by_answer += u64::from(closes && keeps);
                    if closes {
                        break;
                    }
                }
                Err(error) => {
                    seen.broken.push(format!("request {asked} of a connection: {error}"));
                    break;
                }
            }
        }
    }
    seen
}

#[test]
fn sigterm_under_load_loses_nothing_and_hardly_breaks_a_request() {
    let db = TestDb::new();
    furnish(&db);
    let address = free_address();
    let mut ripen = Ripen::start(&Home::Given(db.url()), address);
    let number = AtomicU64::new(0);
    let (seen, ended) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|place| {
                let number = &number;
                scope.spawn(move || client(address, place % 4 != 0, number))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(1_500));
        // An idle connection must not hold it up.
        let idle = TcpStream::connect(address).unwrap();
        let began = Instant::now();
        ripen.terminate();
        let seen: Vec<Seen> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        let ended = ripen.wait();
        drop(idle);
        (seen, (ended, began.elapsed()))
    });
    let broken: Vec<&String> = seen.iter().flat_map(|one| &one.broken).collect();
    let answers: u64 = seen.iter().map(|one| one.answers).sum();
    assert!(answers > 100, "{answers} answers");
    // A connection that the kernel takes in the moment in which the socket closes is reset. Its sender
    // sends again, and nothing of it was acknowledged.
    let few = usize::try_from(answers / 100).unwrap();
    assert!(broken.len() <= few, "{} of {answers} requests: {broken:?}", broken.len());
    let told: u64 = seen.iter().map(|one| one.closed_by_answer).sum();
    assert!(told > 0, "kept connections are closed by an answer that says so");
    let (status, took) = ended;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    let acknowledged: u64 = seen.iter().map(|one| one.acknowledged).sum();
    let stored: Vec<i32> =
        db.read(Pool::Work, |conn| Ok(journal::table.select(journal::events).load(conn)?)).unwrap();
    let stored: i64 = stored.into_iter().map(i64::from).sum();
    assert_eq!(stored, i64::try_from(acknowledged).unwrap());
}
