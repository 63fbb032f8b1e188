//! Scripts come in by API key; operators make people at the command line.

use std::io::Write;
use std::process::{Command, Stdio};

use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, middleware::from_fn, web};
use ripen::sources::key::Scope;
use ripen::sources::ops;
use ripen::team::audit::Actor;
use ripen::web::api_key::{ApiKey, Read, Write as WriteScope};
use ripen::web::errors;

use crate::house::House;
use crate::test_db::scratch_dir;

#[actix_web::test]
async fn an_api_key_opens_what_its_scopes_say_until_it_is_revoked() {
    let house = House::open().await;
    let now = house.clock.now();
    let key = house
        .tx(|conn| ops::create_api_key(conn, &Actor::system(), "reverse ETL", &[Scope::Read], now));
    let read = |key: ApiKey<Read>| async move { HttpResponse::Ok().body(key.name) };
    let write = |_: ApiKey<WriteScope>| async move { HttpResponse::Ok().finish() };
    let service = init_service(
        App::new()
            .app_data(web::Data::new(house.app.clone()))
            .route("/api/read", web::get().to(read))
            .route("/api/write", web::get().to(write))
            .wrap(from_fn(errors::render)),
    )
    .await;
    let ask = async |path: &str, header: Option<String>| {
        let mut request = TestRequest::get().uri(path);
        if let Some(header) = header {
            request = request.insert_header(("Authorization", header));
        }
        let response = call_service(&service, request.to_request()).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
    };
    let bearer = || Some(format!("Bearer {}", key.reveal()));
    assert_eq!(ask("/api/read", bearer()).await, (200, "reverse ETL".to_owned()));
    let (status, body) = ask("/api/write", bearer()).await;
    assert_eq!(status, 403);
    assert!(body.contains("lacks the scope write"), "{body}");
    for bad in [None, Some("Bearer nonsense".to_owned()), Some(format!("Basic {}", key.reveal()))] {
        let is_basic = bad.as_deref().is_some_and(|header| header.starts_with("Basic"));
        let (status, body) = ask("/api/read", bad).await;
        assert_eq!(status, 401);
        assert!(body.contains("\"code\":\"unauthorized\""), "{body}");
        assert!(body.contains("\"message\":"), "SDKs read it: {body}");
        assert_eq!(
            body.contains("Authorization: Bearer YOUR_API_KEY, not Basic"),
            is_basic,
            "{body}"
        );
    }
    house.tx(|conn| {
        let id = ripen::sources::store::list_api_keys(conn)?[0].id;
        ops::revoke_api_key(conn, &Actor::system(), id, now)
    });
    assert_eq!(ask("/api/read", bearer()).await.0, 401);
}

#[test]
fn the_command_makes_a_member_and_refuses_a_weak_password() {
    let dir = scratch_dir("user");
    let user = |words: &[&str], password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ripen"))
            .arg("user")
            .args(words)
            .arg("--data-dir")
            .arg(&dir)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let create = |password: &str| {
        let words = ["create", "--email", "Ada@Ripen.test", "--name", "Ada", "--role", "admin"];
        user(&words, password)
    };
    let (made, said) = create("password1234\n");
    assert!(!made && said.contains("easy to guess"), "{said}");
    let (made, said) = create("orchard kettle violin\n");
    assert!(made && said.contains("Ada can sign in as Admin with ada@ripen.test"), "{said}");
    let (made, said) = create("orchard kettle violin\n");
    assert!(!made && said.contains("in the team already"), "{said}");
    let reset = ["password", "--email", "ada@ripen.test"];
    let (done, said) = user(&reset, "short\n");
    assert!(!done && said.contains("12 characters"), "{said}");
    let (done, said) = user(&reset, "lantern gravel cello\n");
    assert!(done && said.contains("Ada has a new password"), "{said}");
    let (done, said) = user(&["password", "--email", "bob@ripen.test"], "lantern gravel cello\n");
    assert!(!done && said.contains("nobody in the team"), "{said}");
    std::fs::remove_dir_all(dir).unwrap();
}
