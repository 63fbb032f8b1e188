//! A CSV file through the browser: upload, mapping, check, import, errors.

use std::sync::atomic::AtomicBool;

use actix_web::http::Method;
use chrono::TimeDelta;
use ripen::jobs::HANDLERS;
use ripen::queue::engine;

use super::ask::cell;
use crate::house::{Answer, Client, House};

pub const FORM: &str = "multipart/form-data; boundary=cut";

/// The body of an upload.
pub fn body(token: &str, kind: &str, file: &str, content: &str) -> String {
    let field = |name: &str, value: &str| {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    format!(
        "{}{}--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--cut--\r\n",
        field("csrf_token", token),
        field("kind", kind)
    )
}

pub async fn upload(client: &Client, kind: &str, content: &str) -> Answer {
    upload_raw(client, kind, content.as_bytes()).await
}

pub async fn upload_raw(client: &Client, kind: &str, content: &[u8]) -> Answer {
    let whole = body(&client.csrf(), kind, "people.csv", "@@");
    let (before, after) = whole.split_once("@@").unwrap();
    let body = [before.as_bytes(), content, after.as_bytes()].concat();
    client.send_as(Method::POST, "/imports", FORM, body).await
}

/// The page of an import that was uploaded just now.
pub fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}

pub fn work(house: &House) {
    engine::drain(&house.db, &house.clock, &HANDLERS, &AtomicBool::new(false)).unwrap();
}

pub fn mapping<'a>(targets: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields =
        vec![("kind", "users"), ("encoding", "utf-8"), ("delimiter", ","), ("step", "check")];
    fields.extend(targets);
    fields
}

const PEOPLE: &str = "id,E-Mail,Title,Tier\nu1,dana@acme.com,VP Sales,gold\nu2,nobody,CTO,\nu3,\"eve@acme.com\",\"Head, of\nmany\",\n,x@acme.com,,\n=1+1,ok@acme.com,too,many,cells\n";

#[actix_web::test]
async fn a_file_is_mapped_checked_imported_and_its_errors_taken_along() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = place(&upload(&revops, "users", PEOPLE).await);
    let page = revops.get(&place).await;
    page.says(200, "Map the columns");
    for said in [
        "value=\"user_id\" selected",
        "value=\"email\" selected",
        "value=\"job_title\" selected",
        "dana@acme.com",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    // A mapping that will not do comes back as it was chosen, and nothing starts.
    let wrong =
        mapping(&[("column_0", "email"), ("column_1", "email"), ("column_3", "trait:tier")]);
    let answer = revops.post(&format!("{place}/mapping"), &wrong).await;
    answer.says(422, "goes to email already");
    answer.says(422, "Choose the column that holds user_id");
    answer.says(422, "value=\"trait:tier\" selected");
    assert_eq!(cell(&house, "select count(*) from jobs"), "0");

    let right = [
        ("column_0", "user_id"),
        ("column_1", "email"),
        ("column_2", "job_title"),
        ("column_3", "trait:tier"),
    ];
    revops.post(&format!("{place}/mapping"), &mapping(&right)).await.leads_to(&place);
    revops.get(&place).await.says(200, "nothing changes yet");
    revops.post(&format!("{place}/run"), &[]).await.says(409, "not ready");
    work(&house);
    let checked = revops.get(&place).await;
    checked.says(200, "What would happen");
    assert_eq!(
        cell(
            &house,
            "select created || ',' || updated || ',' || rejected || ',' || total_rows from imports"
        ),
        "2,0,3,5"
    );
    assert_eq!(cell(&house, "select count(*) from product_users"), "0", "a check changes nothing");
    checked.says(200, "&#39;nobody&#39; is no e-mail address");
    checked.says(200, "5 cells, the header has 4");

    revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    let running = revops.htmx_get(&place, "state").await;
    running.says(200, "Importing");
    assert!(!running.body.contains("<html"), "the fragment alone");
    work(&house);
    revops.get(&place).await.says(200, "Imported");
    assert_eq!(
        cell(
            &house,
            "select string_agg(email || ':' || coalesce(job_title, ''), '|' order by email) from product_users"
        ),
        "dana@acme.com:VP Sales|eve@acme.com:Head, of\nmany"
    );
    assert_eq!(
        cell(&house, "select traits ->> 'tier' from product_users where external_id = 'u1'"),
        "gold"
    );
    assert_eq!(
        cell(
            &house,
            "select string_agg(action, ',' order by id) from audit_entries where subject_kind = 'import'"
        ),
        "import.uploaded,import.mapped,import.started,import.finished"
    );
    let errors = revops.get(&format!("{place}/errors")).await;
    assert!(errors.header("content-disposition").contains("attachment"));
    assert!(
        errors.body.starts_with(
            "\u{feff}error,id,E-Mail,Title,Tier\nemail: 'nobody' is no e-mail address.,u2,nobody,CTO,\n"
        ),
        "{}",
        errors.body
    );
    assert!(
        errors.body.contains("or remove the extra cells.\",'=1+1,ok@acme.com,too,many,cells\n"),
        "{}",
        errors.body
    );
    assert_eq!(
        cell(
            &house,
            "select action || ' ' || (detail ->> 'rows') from audit_entries order by id desc limit 1"
        ),
        "import.errors_taken 3",
        "people's data went out"
    );
    revops.get("/imports").await.says(200, "people.csv");

    // The next file like it comes mapped as this one was, and changes nothing.
    let again = self::place(&upload(&revops, "users", PEOPLE).await);
    revops.get(&again).await.says(200, "value=\"trait:tier\" selected");
    house.clock.advance(TimeDelta::minutes(1));
    revops.post(&format!("{again}/mapping"), &mapping(&right)).await.leads_to(&again);
    work(&house);
    assert_eq!(
        cell(
            &house,
            "select unchanged || ',' || created from imports order by created_at desc, id desc limit 1"
        ),
        "2,0"
    );
    revops.post(&format!("{place}/run"), &[]).await.says(409, "not ready");
}

#[actix_web::test]
async fn every_encoding_and_delimiter_is_recognised_and_can_be_corrected() {
    let house = House::open().await;
    let admin = house.as_admin();
    let utf16: Vec<u8> =
        "\u{feff}user_id;name\nu1;Jürgen".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, encoding, delimiter) in [
        (&b"\xef\xbb\xbfuser_id,name\nu1,J\xc3\xbcrgen\n"[..], "utf-8", ","),
        (&b"user_id\tname\nu1\tJ\xfcrgen\n"[..], "windows-1252", "\t"),
        (&utf16, "utf-16le", ";"),
    ] {
        let place = place(&upload_raw(&admin, "users", content).await);
        assert_eq!(
            cell(
                &house,
                "select encoding || delimiter || array_to_string(header, '+') from imports order by created_at desc, id desc limit 1"
            ),
            format!("{encoding}{delimiter}user_id+name")
        );
        admin.get(&place).await.says(200, "Jürgen");
    }
    let place = place(&upload(&admin, "users", "user_id,full name\nu1,\"a;b\"\n").await);
    let other = [("kind", "users"), ("encoding", "utf-8"), ("delimiter", ";"), ("step", "read")];
    admin.post(&format!("{place}/mapping"), &other).await.leads_to(&format!("{place}/mapping"));
    admin.get(&place).await.says(200, "user_id,full name");
}

#[actix_web::test]
async fn what_is_no_file_of_rows_is_said_in_words() {
    let house = House::open().await;
    let revops = house.as_revops();
    for (content, said) in [
        ("", "The file is empty"),
        ("id,email\n", "no row below it"),
        (",,\n1,2,3\n", "no row below it"),
        ("PK\u{3}\u{4}x", "Save the sheet as CSV"),
    ] {
        upload(&revops, "users", content).await.says(422, said);
    }
    let endless = format!("\"id,email\nu1,{}", "x".repeat(5000));
    upload(&revops, "users", &endless).await.says(422, "a quote is never closed");
    upload(&revops, "", "id\n1\n").await.says(422, "Choose what the rows of the file are");
    let large = "x".repeat(51 * 1024 * 1024);
    upload(&revops, "users", &large).await.says(422, "larger than 50 MB");
    assert_eq!(cell(&house, "select count(*) from imports"), "0", "nothing is left behind");
    assert_eq!(cell(&house, "select count(*) from import_parts"), "0");
}

#[actix_web::test]
async fn an_upload_needs_its_token_and_the_right_role() {
    let house = House::open().await;
    let revops = house.as_revops();
    let forged = body("nonsense", "users", "x.csv", "id\n1\n");
    revops.send_as(Method::POST, "/imports", FORM, forged.into_bytes()).await.says(403, "");
    let without =
        "--cut\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nusers\r\n--cut--\r\n";
    revops.send_as(Method::POST, "/imports", FORM, without.into()).await.says(403, "");
    for other in [house.as_rep(), house.as_manager()] {
        assert_eq!(upload(&other, "users", "id\n1\n").await.status, 404);
        assert_eq!(other.get("/imports").await.status, 404);
    }
    let stranger = house.stranger();
    assert_eq!(upload(&stranger, "users", "id\n1\n").await.status, 303);
    assert_eq!(cell(&house, "select count(*) from imports"), "0");
}

#[actix_web::test]
async fn hostile_cells_are_refused_alone() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file = format!(
        "user_id,name,name\nu1,\"quote \"\"in\"\" it\",b\nu2,{},b\nu3,a\u{0}b,b\nu4,a,b,c\nu5,<b>bold</b>,b\n",
        "x".repeat(1024 * 1024)
    );
    let place = place(&upload(&revops, "users", &file).await);
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "name")]);
    revops.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
    work(&house);
    let page = revops.get(&place).await;
    page.says(200, "1048576 bytes");
    page.says(200, "NUL character");
    page.says(200, "4 cells, the header has 3");
    revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    work(&house);
    assert_eq!(
        cell(&house, "select string_agg(name, '|' order by external_id) from product_users"),
        "quote \"in\" it|<b>bold</b>"
    );
    let errors = revops.get(&format!("{place}/errors")).await;
    assert_eq!(errors.status, 200);
    assert!(errors.body.contains("NUL character"));
}

fn many() -> String {
    let mut file = "user_id,email\n".to_owned();
    for n in 0..5000 {
        // Every hundredth comes again later, with another address.
        let id = if n % 100 == 99 { n - 99 } else { n };
        file.push_str(&format!("u{id},p{n}@acme.com\n"));
    }
    file
}

async fn checked(house: &House, client: &Client) -> String {
    let place = place(&upload(client, "users", &many()).await);
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    client.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
    work(house);
    place
}

#[actix_web::test]
async fn a_killed_import_goes_on_where_it_was_and_ends_the_same() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = checked(&house, &revops).await;
    let foreseen = cell(
        &house,
        "select created || ',' || updated || ',' || unchanged || ',' || rejected from imports",
    );
    assert_eq!(foreseen, "4950,50,0,0");
    // The connection dies in the middle of the second chunk, and with it the attempt.
    house.tx(|conn| {
        diesel::connection::SimpleConnection::batch_execute(
            conn,
            "create function die() returns trigger language plpgsql as $$
             begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
             create trigger die before insert on product_users for each row
             when (new.external_id = 'u3000') execute function die();",
        )?;
        Ok(())
    });
    revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    work(&house);
    assert_eq!(cell(&house, "select status || done_rows from imports"), "importing2000");
    assert_eq!(
        cell(&house, "select count(*) from product_users"),
        "1980",
        "a chunk is whole or not there"
    );
    revops.get(&place).await.says(200, "2,000 of 5,000 rows");
    house.tx(|conn| {
        diesel::connection::SimpleConnection::batch_execute(
            conn,
            "drop trigger die on product_users",
        )?;
        Ok(())
    });
    house.clock.advance(TimeDelta::minutes(30));
    work(&house);
    assert_eq!(cell(&house, "select status || done_rows from imports"), "done5000");
    assert_eq!(
        cell(
            &house,
            "select created || ',' || updated || ',' || unchanged || ',' || rejected from imports"
        ),
        foreseen
    );

    // An import that nobody killed ends with the same rows.
    let other = House::open().await;
    let client = other.as_revops();
    let place = checked(&other, &client).await;
    client.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    work(&other);
    let rows = "select md5(string_agg(external_id || email || traits::text || trait_times::text || first_seen_at, ',' order by id)) from product_users";
    assert_eq!(cell(&house, rows), cell(&other, rows));
}

#[actix_web::test]
async fn cancelling_keeps_what_was_stored_and_can_be_taken_back() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = checked(&house, &revops).await;
    revops.post(&format!("{place}/cancellation"), &[]).await.says(409, "Nothing is running");
    revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    revops.post(&format!("{place}/cancellation"), &[]).await.leads_to(&place);
    work(&house);
    revops.get(&place).await.says(200, "Cancelled after 0 of 5,000 rows");
    assert_eq!(cell(&house, "select count(*) from product_users"), "0");
    revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    work(&house);
    assert_eq!(cell(&house, "select status || created from imports"), "done4950");
    // A check that is cancelled leads back to the mapping.
    let place = self::place(&upload(&revops, "users", PEOPLE).await);
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    revops.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
    revops.post(&format!("{place}/cancellation"), &[]).await.leads_to(&place);
    work(&house);
    revops.get(&place).await.says(200, "Map the columns");
}
