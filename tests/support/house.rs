//! The whole application in the test's own process, and people who use it.
//!
//! ```ignore
//! #[actix_web::test]
//! async fn a_manager_assigns() {
//!     let house = House::open().await;
//!     let manager = house.as_manager();
//!     let answer = manager.post("/workspaces/1/assignment", &[("member", "…")]).await;
//!     answer.leads_to("/workspaces/1");
//!     let answer = manager.htmx_post("/workspaces/1/assignment", "owner", &[("member", "…")]).await;
//!     assert_eq!(answer.status, 200);
//! }
//! ```
//!
//! The database is the test's own ([`TestDb`]), the clock stands still (`house.clock.advance(..)`).
//! People sign in without a password hash (`as_…`), keep cookies, and send the CSRF token with every
//! post. Rows are set up through
//! `house.tx(|conn| …)`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service};
use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeZone, Utc};
use diesel::PgConnection;
use futures_util::future::LocalBoxFuture;
use ripen::app::{self, App};
use ripen::clock::Clock;
use ripen::config::Config;
use ripen::db::Pool;
use ripen::error::Result;
use ripen::ids::MemberId;
use ripen::team::member::{Function, Role};
use ripen::team::store::{self, NewMember};
use ripen::web::{csrf, session, store as sessions, token};

use crate::test_db::TestDb;

/// The moment at which every house opens: a Friday morning.
pub fn opening() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0).unwrap()
}

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, HttpResponse>;

/// A running Ripen with a database of its own.
pub struct House {
    /// Its clock, which stands still until it is advanced.
    pub clock: Clock,
    /// What its handlers see.
    pub app: App,
    /// Its database; dropped last.
    pub db: TestDb,
    call: Rc<Call>,
}

impl House {
    /// An empty one over plain http.
    pub async fn open() -> Self {
        Self::open_at("http://ripen.test").await
    }

    /// An empty one under this public address.
    pub async fn open_at(public_url: &str) -> Self {
        Self::open_with(public_url, |_| ()).await
    }

    /// An empty one under this public address, whose operator decided otherwise.
    pub async fn open_with(public_url: &str, decide: impl FnOnce(&mut Config)) -> Self {
        let db = TestDb::new();
        let clock = Clock::frozen(opening());
        let mut config = Config {
            data_dir: "/nonexistent".into(),
            bind: "127.0.0.1:0".parse().unwrap(),
            public_url: public_url.parse().unwrap(),
            database_url: None,
            shutdown_timeout: std::time::Duration::from_secs(30),
            max_connections: 64,
            trusted_proxies: "127.0.0.0/8,::1".parse().unwrap(),
        };
        decide(&mut config);
        let app = App::new(db.clone(), clock.clone(), config);
        let service = Rc::new(init_service(app::service(web::Data::new(app.clone()))).await);
        let call = move |request: TestRequest| -> LocalBoxFuture<'static, HttpResponse> {
            let service = Rc::clone(&service);
            Box::pin(async move {
                match service.call(request.to_request()).await {
                    Ok(response) => response.into_parts().1,
                    Err(error) => error.error_response(),
                }
            })
        };
        Self { clock, app, db, call: Rc::new(call) }
    }

    /// Changes rows in one transaction.
    pub fn tx<T>(&self, change: impl FnMut(&mut PgConnection) -> Result<T>) -> T {
        self.db.tx(Pool::Web, change).unwrap()
    }

    /// Somebody of this role who has no password; reps are AEs.
    pub fn member(&self, name: &str, role: Role) -> MemberId {
        self.member_with_password(name, role, "no password matches this")
    }

    /// Somebody who signs in with `name@ripen.test` and the password behind this hash.
    pub fn member_with_password(&self, name: &str, role: Role, phc: &str) -> MemberId {
        let new = NewMember {
            email: format!("{}@ripen.test", name.to_lowercase().replace(' ', ".")),
            name: name.to_owned(),
            role,
            function: (role == Role::Rep).then_some(Function::Ae),
            password_hash: phc.to_owned(),
            time_zone: "UTC".to_owned(),
        };
        let now = self.clock.now();
        self.tx(|conn| store::insert(conn, &new, now))
    }

    /// A new rep, signed in.
    pub fn as_rep(&self) -> Client {
        self.signed_in(self.member(&self.free_name("Rita Rep"), Role::Rep))
    }

    /// A new manager, signed in.
    pub fn as_manager(&self) -> Client {
        self.signed_in(self.member(&self.free_name("Mona Manager"), Role::Manager))
    }

    /// Somebody new of RevOps, signed in.
    pub fn as_revops(&self) -> Client {
        self.signed_in(self.member(&self.free_name("Rolf Revops"), Role::Revops))
    }

    /// A new admin, signed in.
    pub fn as_admin(&self) -> Client {
        self.signed_in(self.member(&self.free_name("Ada Admin"), Role::Admin))
    }

    /// One client of each role, in the order of `Role::ALL`.
    pub fn one_of_each(&self) -> Vec<(Role, Client)> {
        vec![
            (Role::Rep, self.as_rep()),
            (Role::Manager, self.as_manager()),
            (Role::Revops, self.as_revops()),
            (Role::Admin, self.as_admin()),
        ]
    }

    fn free_name(&self, name: &str) -> String {
        let taken = self.tx(store::members).len();
        if taken == 0 { name.to_owned() } else { format!("{name} {taken}") }
    }

    /// A browser in which this member is signed in.
    pub fn signed_in(&self, member: MemberId) -> Client {
        let client = self.stranger();
        let session = token::random();
        let (hash, now) = (token::hash(&session), self.clock.now());
        self.tx(|conn| sessions::open_session(conn, &hash, member, "a test", "192.0.2.1", now));
        let cookie = session::cookie(&self.app, session);
        client.keep(&cookie.into_owned());
        Client { member: Some(member), ..client }
    }

    /// A browser that was never here.
    pub fn stranger(&self) -> Client {
        Client {
            member: None,
            address: "192.0.2.1:40000".parse().unwrap(),
            cookies: RefCell::default(),
            call: Rc::clone(&self.call),
        }
    }
}

/// Somebody's browser: keeps cookies, sends the CSRF token that belongs to them.
pub struct Client {
    /// Who is signed in.
    pub member: Option<MemberId>,
    /// Where the browser is.
    pub address: SocketAddr,
    cookies: RefCell<BTreeMap<String, String>>,
    call: Rc<Call>,
}

impl Client {
    /// The same browser at another address.
    pub fn at(mut self, address: &str) -> Self {
        self.address = format!("{address}:40000").parse().unwrap();
        self
    }

    /// The id of whoever is signed in.
    pub fn id(&self) -> MemberId {
        self.member.expect("somebody is signed in")
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Lets htmx fetch a fragment for the element with this id.
    pub async fn htmx_get(&self, path: &str, target: &str) -> Answer {
        self.send(Method::GET, path, &[("HX-Request", "true"), ("HX-Target", target)], None).await
    }

    /// Sends a form without JavaScript.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, &[], Some(self.form(fields))).await
    }

    /// Sends a form with htmx, for the element with this id.
    pub async fn htmx_post(&self, path: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [("HX-Request", "true"), ("HX-Target", target)];
        self.send(Method::POST, path, &headers, Some(self.form(fields))).await
    }

    /// Sends a form without its CSRF token.
    pub async fn post_without_token(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Sends anything; `body` as a form.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let form = "application/x-www-form-urlencoded";
        let body = body.map(|body| (form, body.into_bytes()));
        self.ask(method, path, headers, body).await
    }

    /// Sends bytes of any kind, such as a file.
    pub async fn send_as(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        self.ask(method, path, &[], Some((kind, body))).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Answer {
        let mut request = TestRequest::with_uri(path).method(method).peer_addr(self.address);
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        for (name, value) in &*self.cookies.borrow() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        if let Some((kind, body)) = body {
            request = request.insert_header(("Content-Type", kind)).set_payload(body);
        }
        let response = (self.call)(request).await;
        for cookie in response.cookies() {
            self.keep(&cookie.into_owned());
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap_or_default();
        Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// The CSRF token of this browser's session.
    pub fn csrf(&self) -> String {
        self.session_token().map(|token| csrf::token(&token)).unwrap_or_default()
    }

    /// The token in the session cookie.
    pub fn session_token(&self) -> Option<String> {
        let cookies = self.cookies.borrow();
        cookies.get("ripen").or_else(|| cookies.get("__Host-ripen")).cloned()
    }

    /// Keeps a cookie, or forgets it if it is over.
    pub fn keep(&self, cookie: &Cookie<'static>) {
        let over = cookie.max_age().is_some_and(|age| age.is_zero());
        let mut cookies = self.cookies.borrow_mut();
        if over {
            cookies.remove(cookie.name());
        } else {
            cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        let token = self.csrf();
        let mut all = fields.to_vec();
        all.push((csrf::FIELD, &token));
        serde_urlencoded::to_string(all).unwrap()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Asserts 303 to this place.
    #[track_caller]
    pub fn leads_to(&self, location: &str) {
        assert_eq!((self.status, self.header("location")), (303, location), "{}", self.body);
    }

    /// Asserts the status and that the body holds this text.
    #[track_caller]
    pub fn says(&self, status: u16, text: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
    }
}
