//! The real program on a database of its own, as a person starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::chromium::Page;
use crate::test_db::TestDb;

pub const PASSWORD: &str = "orchard kettle violin";

/// A running server; ends with the test.
pub struct House {
    db: TestDb,
    child: Child,
    log: Receiver<String>,
    address: SocketAddr,
    pub url: String,
}

impl House {
    pub fn open() -> Self {
        // The listener is gone by the end of this line, and its port free.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self::start(TestDb::new(), address)
    }

    fn start(db: TestDb, address: SocketAddr) -> Self {
        let (child, log) = launch(&db, address);
        let house = Self { db, child, log, address, url: format!("http://{address}") };
        house.wait_until_it_is_up();
        house
    }

    /// Kills the server as a power cut would, and starts the next one in its place.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.log) = launch(&self.db, self.address);
        self.wait_until_it_is_up();
    }

    /// Its database.
    pub fn db(&self) -> &TestDb {
        &self.db
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn wait_until_it_is_up(&self) {
        let start = Instant::now();
        while ureq::get(format!("{}/readyz", self.url)).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the server does not come up");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The one-time link that the log prints on the first start.
    pub fn setup_link(&self) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(10)).expect("a link in the log");
            if let Some(at) = line.find("http://").filter(|_| line.contains("/setup/")) {
                return line[at..].split_whitespace().next().unwrap().to_owned();
            }
        }
    }

    /// A member made by the command line; signs in with [`PASSWORD`].
    pub fn member(&self, email: &str, name: &str, role: &str, function: Option<&str>) {
        let mut command = ripen(&self.db);
        command.args(["user", "create", "--email", email, "--name", name, "--role", role]);
        command.args(function.map(|function| ["--function", function]).into_iter().flatten());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// A write key from the command line.
    pub fn write_key(&self) -> String {
        let output =
            ripen(&self.db).args(["key", "create", "--write", "--source", "web"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let key = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .find(|word| word.starts_with("wk_"));
        key.unwrap_or_else(|| panic!("no key in {text:?}")).to_owned()
    }

    /// Sends events as a Segment SDK does.
    pub fn send(&self, key: &str, events: &[Value]) {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
        let mut answer = ureq::post(format!("{}/v1/batch", self.url))
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/json")
            .send(json!({"batch": events}).to_string())
            .unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        assert_eq!(answer["accepted"], json!(events.len()), "{answer}");
    }

    pub fn sign_in(&self, page: &Page<'_>, email: &str) {
        page.goto(&format!("{}/login", self.url));
        page.fill("#email", email);
        page.fill("#password", PASSWORD);
        page.press("Enter");
        page.wait_until(
            "to be signed in",
            "location.pathname !== '/login' && document.readyState === 'complete'",
        );
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            for line in self.log.try_iter() {
                eprintln!("server: {line}");
            }
        }
    }
}

/// The program, listening, and the lines that it prints.
fn launch(db: &TestDb, address: SocketAddr) -> (Child, Receiver<String>) {
    let mut child = ripen(db)
        .args(["serve", "--bind", &address.to_string()])
        .env("RIPEN_PUBLIC_URL", format!("http://{address}"))
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (line, log) = channel();
    let outputs: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for output in outputs {
        let line = line.clone();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).all(|text| line.send(text).is_ok())
        });
    }
    (child, log)
}

fn ripen(db: &TestDb) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ripen"));
    command.env("DATABASE_URL", db.url().expose());
    command
}

/// Twelve days of a trial that ends the day after tomorrow: a Hot PQL of ICP tier A.
pub fn hot_trial(workspace: &str, company: &str) -> Vec<Value> {
    let now = ripen::clock::Clock::system().now();
    let ago = |days: i64| (now - chrono::TimeDelta::days(days)).to_rfc3339();
    let ends = (now + chrono::TimeDelta::days(2)).date_naive().to_string();
    let admin = format!("{workspace}-admin");
    let track = |user: &str, event: &str, days: i64| {
        json!({"type": "track", "userId": user, "event": event, "timestamp": ago(days),
               "messageId": format!("{workspace}-{user}-{event}-{days}"),
               "properties": {"feature": "export"}, "context": {"groupId": workspace}})
    };
    let mut events = vec![
        json!({"type": "identify", "userId": admin, "timestamp": ago(12),
               "traits": {"email": format!("dana@{company}.example"), "name": "Dana Ops", "title": "VP Engineering"}}),
        json!({"type": "group", "userId": admin, "groupId": workspace, "timestamp": ago(12),
               "traits": {"name": format!("{company} Engineering"), "plan": "trial", "trial_ends_at": ends, "role": "admin",
                          "employees": 420, "industry": "Software", "website": format!("https://{company}.example")}}),
        track(&admin, "workspace_created", 12),
        track(&admin, "key_action_completed", 1),
        track(&admin, "first_value_delivered", 1),
        track(&admin, "usage_limit_hit", 0),
        track(&admin, "upgrade_click", 0),
        track(&admin, "pricing_page_view", 0),
    ];
    events.extend((0..8).map(|day| track(&admin, "core_feature_used", day)));
    events.extend((0..4).map(|day| track(&admin, "automation_run", day)));
    for number in 0..4 {
        let user = format!("{workspace}-u{number}");
        events.push(json!({"type": "identify", "userId": user, "timestamp": ago(3),
                           "traits": {"email": format!("u{number}@{company}.example")}}));
        events.push(
            json!({"type": "group", "userId": user, "groupId": workspace, "timestamp": ago(3),
                           "traits": {"role": "member"}}),
        );
        events.push(track(&user, "invite_accepted", 1));
        events.push(track(&admin, "Invite Sent", number + 1));
    }
    events
}
