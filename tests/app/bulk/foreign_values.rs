//! Values as spreadsheets, warehouses and broken clients write them: the same at every door.

use serde_json::json;

use super::ask::{Warehouse, cell, statuses};
use super::imports::{mapping, place, upload, upload_raw, work};
use crate::drain::support::{Product, call, track};
use crate::house::{Client, House};

const WORKSPACES: &str = "select string_agg(external_id, '|' order by external_id) from workspaces";
const STATE: &str = "select concat_ws(',', status, created, updated, unchanged, rejected) from imports order by created_at desc, id desc limit 1";

async fn import(
    house: &House,
    client: &Client,
    kind: &str,
    file: &[u8],
    fields: &[(&str, &str)],
) -> String {
    let place = place(&upload_raw(client, kind, file).await);
    let mut all = vec![("kind", kind), ("step", "check")];
    all.extend(fields);
    client.post(&format!("{place}/mapping"), &all).await.leads_to(&place);
    work(house);
    let page = client.get(&place).await;
    client.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    work(house);
    page.body
}

#[actix_web::test]
async fn one_id_is_one_workspace_however_it_is_written() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    let body = "{\"workspace_id\": 777001.0, \"plan\": \"pro\"}\n{\"workspace_id\": \"777001\\u00a0\"}\n{\"workspace_id\": \" 777001\\r\\n\"}\n\
                {\"workspace_id\": 123456789012345678901234}\n{\"workspace_id\": 123456789012345678901235}\n\
                {\"workspace_id\": \"=\\\"00123\\\"\"}\n{\"workspace_id\": \"'00123\"}\n\
                {\"workspace_id\": \"1.23457E+11\"}\n{\"workspace_id\": \"{{workspaceId}}\"}\n{\"workspace_id\": \"\\u200b\"}\n{\"workspace_id\": \"(not set)\"}\n";
    let answer = warehouse.send("workspaces", body).await;
    assert_eq!(
        statuses(&answer),
        [
            "created",
            "unchanged",
            "unchanged",
            "created",
            "created",
            "created",
            "unchanged",
            "rejected",
            "rejected",
            "rejected",
            "rejected"
        ]
    );
    assert!(answer["results"][7]["message"].as_str().unwrap().contains("digits were rounded"));
    assert_eq!(
        cell(&house, WORKSPACES),
        "00123|123456789012345678901234|123456789012345678901235|777001"
    );
    // A file reaches the same ones.
    let revops = house.as_revops();
    let file = "id,plan\n 777001.0,team\n\"=\"\"00123\"\"\",team\n'00123,team\n123456789012345678901235,team\n1.23457E+11,x\n1.23457E+11,y\nNULL,z\n";
    let page = import(
        &house,
        &revops,
        "workspaces",
        file.as_bytes(),
        &[("column_0", "workspace_id"), ("column_1", "plan")],
    )
    .await;
    assert!(page.contains("whose digits were rounded"), "{page}");
    assert_eq!(
        cell(&house, WORKSPACES),
        "00123|123456789012345678901234|123456789012345678901235|777001"
    );
    assert_eq!(
        cell(&house, "select count(*) from workspaces where traits ->> 'plan' = 'team'"),
        "3"
    );
    assert_eq!(cell(&house, "select rejected from imports"), "3");
}

#[test]
fn a_call_reaches_the_user_whom_records_reach() {
    let product = Product::new();
    let at = "2026-11-20T09:00:00Z";
    product.send(&[
        call("group", "g1", at, json!({"userId": " u1\u{a0}", "groupId": "w1\r\n", "traits": {"employees": "10K-50K", "created_at": "2026-11-20 23:30:00-08"}})),
        call("group", "g2", at, json!({"userId": "u1", "groupId": "=\"w1\""})),
        call("identify", "i1", at, json!({"userId": "{{userId}}", "anonymousId": "a1"})),
        call("identify", "i2", at, json!({"userId": "(not set)", "anonymousId": "a2"})),
        call("identify", "i3", at, json!({"userId": "\u{200b}", "anonymousId": "a3"})),
        call("identify", "i4", at, json!({"userId": "[object Object]", "anonymousId": "a4"})),
    ]);
    let known = "select string_agg(external_id, '|' order by external_id) from product_users where kind = 'known'";
    assert_eq!(product.cell(known).as_deref(), Some("u1"));
    assert_eq!(product.cell(WORKSPACES).as_deref(), Some("w1"));
    assert_eq!(
        product.cell("select (created_at at time zone 'UTC')::text from workspaces").as_deref(),
        Some("2026-11-21 07:30:00")
    );
}

#[test]
fn a_time_means_the_same_in_a_trait_and_no_workspace_is_of_1970() {
    for (said, made) in [
        (json!("45992"), "2025-12-01 00:00:00"),
        (json!(45992), "2025-12-01 00:00:00"),
        (json!("20261020"), "2026-10-20 00:00:00"),
        (json!("1700000000"), "2023-11-14 22:13:20"),
        (json!(1_700_000_000_000_i64), "2023-11-14 22:13:20"),
        (json!(1_700_000_000_000_000_i64), "2023-11-14 22:13:20"),
        (json!("2026-10-20 23:30:00-0800"), "2026-10-21 07:30:00"),
        // Nothing that is a time: the first event dates it.
        (json!(0), "2026-11-20 09:00:00"),
        (json!("0"), "2026-11-20 09:00:00"),
        (json!("2026"), "2026-11-20 09:00:00"),
        (json!("1970-01-01T00:00:00Z"), "2026-11-20 09:00:00"),
    ] {
        let product = Product::new();
        product.send(&[call(
            "group",
            "g1",
            "2026-11-20T09:00:00Z",
            json!({"userId": "u1", "groupId": "w1", "traits": {"created_at": said}}),
        )]);
        let found = product.cell("select (created_at at time zone 'UTC')::text from workspaces");
        assert_eq!(found.as_deref(), Some(made), "{said}");
    }
    let product = Product::new();
    let unset = json!({"userId": "u1", "groupId": "w1"});
    product.send(&[track("t1", "Login", "1970-01-01T00:07:00Z", unset)]);
    let found = product.cell("select count(*) from workspaces where created_at < '2000-01-01'");
    assert_eq!(found.as_deref(), Some("0"));
}

#[actix_web::test]
async fn times_and_numbers_of_records_are_read_or_refused_with_advice() {
    let house = House::open().await;
    let warehouse = Warehouse::new(&house);
    for (made, kept) in [
        (json!("45992"), Some("2025-12-01 00:00:00")),
        (json!("20261120"), Some("2026-11-20 00:00:00")),
        (json!(1_700_000_000), Some("2023-11-14 22:13:20")),
        (json!("1700000000"), Some("2023-11-14 22:13:20")),
        (json!("2026-11-20 23:30:00-08"), Some("2026-11-21 07:30:00")),
        (json!("2026-11-20 23:30:00-0800"), Some("2026-11-21 07:30:00")),
        (json!("2026"), None),
        (json!(0), None),
        (json!("1970-01-01"), None),
    ] {
        house.clock.advance(chrono::TimeDelta::seconds(1));
        let body = json!({"workspace_id": "w1", "created_at": made}).to_string();
        let answer = warehouse.send("workspaces", &body).await;
        if let Some(kept) = kept {
            assert_eq!(
                cell(&house, "select (created_at at time zone 'UTC')::text from workspaces"),
                kept,
                "{made}"
            );
        } else {
            let message = answer["results"][0]["message"].as_str().unwrap();
            assert!(message.contains("Write it as 2026-11-20"), "{message}");
        }
    }
    for (written, counted) in [
        ("10K-50K", "10000"),
        ("100K+", "100000"),
        ("1.000", "1000"),
        ("1 000", "1000"),
        ("1\u{202f}000", "1000"),
        ("1e4", "10000"),
        ("1,5M", "1500000"),
        ("50-200", "50"),
        ("> 1000", "1000"),
        ("~500", "500"),
        ("１０００", "1000"),
    ] {
        house.clock.advance(chrono::TimeDelta::seconds(1));
        let body = json!({"domain": "acme.com", "employee_count": written}).to_string();
        warehouse.send("accounts", &body).await;
        assert_eq!(cell(&house, "select employee_count from accounts"), counted, "{written}");
    }
}

#[actix_web::test]
async fn a_file_says_how_to_write_what_can_be_two_numbers() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file = "workspace_id;seats;industry\nw1;25.000;NULL\nw2;25 000;#N/A\nw3;25;\\N\nw4;-;nan\n";
    let fields = [("column_0", "workspace_id"), ("column_1", "seats"), ("column_2", "industry")];
    let page = import(&house, &revops, "workspaces", file.as_bytes(), &fields).await;
    assert!(page.contains("can be read as 25 or as 25000. Write one of them."), "{page}");
    assert_eq!(
        cell(
            &house,
            "select string_agg(concat_ws(' ', external_id, seats_purchased), '|' order by external_id) from workspaces"
        ),
        "w2 25000|w3 25|w4"
    );
    assert_eq!(cell(&house, "select count(*) from workspaces where traits ? 'industry'"), "0");
}

#[actix_web::test]
async fn a_declared_delimiter_a_title_blank_rows_and_uneven_rows_are_read() {
    let house = House::open().await;
    let revops = house.as_revops();
    for (file, line) in [
        ("sep=;\nuser_id;name;job_title\nu1;Dana, Lee;CTO\n", 2),
        ("\u{feff}\"sep=;\"\r\nuser_id;name;job_title\r\nu1;Dana, Lee;CTO\r\n", 2),
        ("Customers of November;;\n\nuser_id;name;job_title\n;;\nu1;Dana, Lee;CTO\n;;\n \n", 3),
        ("Customers of November\nuser_id;name;job_title\nu1;Dana, Lee;CTO;;\nu2;Eve\nu3\n", 2),
    ] {
        let place = place(&upload(&revops, "users", file).await);
        let page = revops.get(&place).await;
        page.says(200, "Dana, Lee");
        page.says(200, &format!("Line {line}: user_id, name, job_title"));
        page.says(200, "value=\"job_title\" selected");
        let fields = [
            ("kind", "users"),
            ("step", "check"),
            ("column_0", "user_id"),
            ("column_1", "name"),
            ("column_2", "job_title"),
        ];
        revops.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
        work(&house);
        assert!(
            cell(&house, STATE).starts_with("checked,") && cell(&house, STATE).ends_with(",0"),
            "{file}"
        );
        revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
        work(&house);
    }
    assert_eq!(
        cell(
            &house,
            "select string_agg(concat_ws(' ', external_id, name), '|' order by external_id) from product_users"
        ),
        "u1 Dana, Lee|u2 Eve|u3"
    );
}

#[actix_web::test]
async fn another_row_can_be_chosen_for_the_column_names() {
    let house = House::open().await;
    let revops = house.as_revops();
    // A two-column title is passed over by itself; one that has names of columns is not.
    let titled = "Export,2026\nuser_id,email\nu1,dana@acme.com\n";
    let titled = super::imports::place(&upload(&revops, "users", titled).await);
    let page = revops.get(&titled).await;
    page.says(200, "Line 1: Export, 2026");
    page.says(200, "<option value=\"1\" selected>Line 2: user_id, email");
    page.says(200, "value=\"user_id\" selected");
    house.clock.advance(chrono::TimeDelta::seconds(1));
    let file = "Name,Email\nuser_id,email\nu1,dana@acme.com\n";
    let place = place(&upload(&revops, "users", file).await);
    revops.get(&place).await.says(200, "<option value=\"0\" selected>Line 1: Name, Email");
    let read = [("kind", "users"), ("header_row", "1"), ("step", "read")];
    revops.post(&format!("{place}/mapping"), &read).await.leads_to(&format!("{place}/mapping"));
    let page = revops.get(&place).await;
    page.says(200, "value=\"user_id\" selected");
    page.says(200, "<option value=\"1\" selected>Line 2: user_id, email");
    let last = [("kind", "users"), ("header_row", "2"), ("step", "read"), ("column_0", "user_id")];
    let answer = revops.post(&format!("{place}/mapping"), &last).await;
    answer.says(422, "no row below it");
    answer.says(422, "id=\"header_row-error\"");
    answer.says(422, "value=\"user_id\" selected");
    let check = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    revops.post(&format!("{place}/mapping"), &check).await.leads_to(&place);
    work(&house);
    assert_eq!(cell(&house, STATE), "checked,1,0,0,0");
}

#[actix_web::test]
async fn encodings_are_recognised_shown_and_can_be_chosen() {
    let house = House::open().await;
    let revops = house.as_revops();
    for (text, encoding, shown) in [
        (
            "user_id;name\nu1;Łukasz Wójcik\nu2;Małgorzata Żak\nu3;Jiří Dvořák\n",
            "windows-1250",
            "Łukasz Wójcik",
        ),
        ("user_id;name\nu1;Иван Петров\nu2;Ольга Смирнова\n", "windows-1251", "Иван Петров"),
        ("user_id;name\nu1;山田太郎\nu2;佐藤花子\nu3;カタカナ\n", "shift_jis", "山田太郎"),
    ] {
        let (bytes, _, broken) =
            encoding_rs::Encoding::for_label(encoding.as_bytes()).unwrap().encode(text);
        assert!(!broken);
        let place = place(&upload_raw(&revops, "users", &bytes).await);
        let page = revops.get(&place).await;
        page.says(200, shown);
        page.says(200, &format!("value=\"{encoding}\" checked"));
        assert_eq!(
            cell(&house, "select encoding from imports order by created_at desc, id desc limit 1"),
            encoding
        );
    }
    // Mac Roman: "Müller", "Köln".
    let mac = b"user_id;name;city\nu1;M\x9fller;K\x9aln\n";
    let place = place(&upload_raw(&revops, "users", mac).await);
    let page = revops.get(&place).await;
    page.says(200, "<bdi>Müller</bdi>");
    page.says(200, "value=\"macintosh\" checked");
    let other = [
        ("kind", "users"),
        ("encoding", "windows-1251"),
        ("step", "read"),
        ("column_0", "user_id"),
        ("column_1", "trait:nick"),
    ];
    revops.post(&format!("{place}/mapping"), &other).await.leads_to(&format!("{place}/mapping"));
    let page = revops.get(&place).await;
    page.says(200, "value=\"windows-1251\" checked");
    page.says(200, "value=\"macintosh\"");
    page.says(200, "Mџller");
    page.says(200, "Choose the one in which these cells of the file look right.");
    // Plain ASCII looks the same in all: no question.
    let plain = super::imports::place(&upload(&revops, "users", "user_id,name\nu1,Dana\n").await);
    assert!(!revops.get(&plain).await.body.contains("look right"));
}
