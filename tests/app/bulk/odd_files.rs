//! Files as people have them: other line ends and commas, errors that come back mended, files that have
//! been deleted, rows without an end.

use actix_web::http::Method;
use chrono::TimeDelta;

use super::ask::cell;
use super::imports::{FORM, body, mapping, place, upload, upload_raw, work};
use crate::house::{Client, House};

const STATE: &str = "select concat_ws(',', status, created, updated, unchanged, rejected) from imports order by created_at desc, id desc limit 1";

async fn check(house: &House, client: &Client, place: &str, fields: &[(&str, &str)]) {
    client.post(&format!("{place}/mapping"), fields).await.leads_to(place);
    work(house);
}

async fn import(house: &House, client: &Client, place: &str) {
    client.post(&format!("{place}/run"), &[]).await.leads_to(place);
    work(house);
}

#[actix_web::test]
async fn a_decimal_comma_is_refused_with_the_way_to_write_it() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file = "id;workspace_id;status;mrr\ns1;w1;active;49,90\ns2;w1;active;1,249.90\n";
    let place = place(&upload(&revops, "subscriptions", file).await);
    let fields = [
        ("kind", "subscriptions"),
        ("encoding", "utf-8"),
        ("delimiter", ";"),
        ("step", "check"),
        ("column_0", "subscription_id"),
        ("column_1", "workspace_id"),
        ("column_2", "status"),
        ("column_3", "mrr"),
    ];
    check(&house, &revops, &place, &fields).await;
    revops
        .get(&place)
        .await
        .says(200, "&#39;49,90&#39; has a comma before its fraction. Write 49.90.");
    import(&house, &revops, &place).await;
    let known = "select string_agg(id || ' ' || mrr_cents, ',') from subscriptions";
    assert_eq!(cell(&house, known), "s2 124990");
}

#[actix_web::test]
async fn lines_that_end_by_cr_alone_are_told_apart() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file = "user_id,email\ru1,old@acme.com\ru2,nobody\ru3,nowhere\ru1,new@acme.com\r";
    let place = place(&upload(&revops, "users", file).await);
    check(&house, &revops, &place, &mapping(&[("column_0", "user_id"), ("column_1", "email")]))
        .await;
    assert_eq!(cell(&house, STATE), "checked,1,1,0,2");
    let page = revops.get(&place).await;
    page.says(200, "Line 3");
    page.says(200, "Line 4");
    import(&house, &revops, &place).await;
    assert_eq!(cell(&house, "select email from product_users"), "new@acme.com", "the later line");
}

#[actix_web::test]
async fn a_row_without_an_end_is_refused_alone() {
    let house = House::open().await;
    let revops = house.as_revops();
    // 24 MB of cells in one row; a quote that is never closed, and what it swallows.
    let file = format!(
        "user_id,name\nu1,a\nu2,{}\nu3,c\nu4,\"{}",
        ",".repeat(24 * 1024 * 1024),
        "u5,x\n".repeat(1024 * 1024)
    );
    let place = place(&upload(&revops, "users", &file).await);
    check(&house, &revops, &place, &mapping(&[("column_0", "user_id"), ("column_1", "name")]))
        .await;
    assert_eq!(cell(&house, STATE), "checked,2,0,0,2");
    revops.get(&place).await.says(200, "more than 2 MB or 10000 cells");
    assert_eq!(
        cell(&house, "select max(coalesce(array_length(cells, 1), 0)) from import_faults"),
        "0",
        "nobody mends such a row by hand"
    );
    let header = format!("user_id{}\nu1\n", ",".repeat(20_000));
    upload(&revops, "users", &header).await.says(422, "The first row is far too long");
}

#[actix_web::test]
async fn a_file_of_errors_is_mended_and_sent_back() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file =
        "id;E-Mail;Phone;Handle;Note\nu1;nobody;+49 30 1234;@dana;-\nu2;b@acme.com;x;y;z;surplus\n";
    let first = place(&upload(&revops, "users", file).await);
    let targets = [
        ("column_0", "user_id"),
        ("column_1", "email"),
        ("column_2", "trait:phone"),
        ("column_3", "trait:handle"),
        ("column_4", "trait:note"),
    ];
    let mut fields = mapping(&targets);
    fields[2] = ("delimiter", ";");
    check(&house, &revops, &first, &fields).await;
    assert_eq!(cell(&house, STATE), "checked,0,0,0,2");
    let errors = revops.get(&format!("{first}/errors")).await.body;
    assert!(errors.starts_with("\u{feff}error;id;E-Mail;Phone;Handle;Note\n"), "{errors}");
    assert!(
        errors.contains(";u1;nobody;'+49 30 1234;'@dana;'-\n"),
        "safe in a spreadsheet: {errors}"
    );
    assert!(errors.contains(";u2;b@acme.com;x;y;z;surplus\n"), "the message comes first: {errors}");

    // Mended by hand, sent back, mapped as before by itself.
    let mended = errors.replace(";nobody;", ";dana@acme.com;");
    let second = place(&upload_raw(&revops, "users", mended.as_bytes()).await);
    let page = revops.get(&second).await;
    for said in [
        "value=\"user_id\" selected",
        "value=\"trait:phone\" selected",
        "value=\"trait:note\" selected",
    ] {
        page.says(200, said);
    }
    let targets: Vec<(String, &str)> = [""]
        .into_iter()
        .chain(targets.iter().map(|(_, target)| *target))
        .enumerate()
        .map(|(at, target)| (format!("column_{at}"), target))
        .collect();
    let mut fields = mapping(&[]);
    fields[2] = ("delimiter", ";");
    fields.extend(targets.iter().map(|(column, target)| (column.as_str(), *target)));
    check(&house, &revops, &second, &fields).await;
    import(&house, &revops, &second).await;
    assert_eq!(cell(&house, STATE), "done,1,0,0,1");
    assert_eq!(
        cell(
            &house,
            "select concat_ws('|', email, traits ->> 'phone', traits ->> 'handle', traits ->> 'note') from product_users"
        ),
        "dana@acme.com|+49 30 1234|@dana",
        "a dash alone is an empty cell, with the apostrophe of the file of errors as without"
    );
    // What is still wrong can be taken along again; what was said the last time makes way.
    let again = revops.get(&format!("{second}/errors")).await.body;
    assert!(
        again.starts_with("\u{feff}error;id;E-Mail;Phone;Handle;Note\nThe row has 7 cells"),
        "{again}"
    );
    assert!(again.ends_with(".;u2;b@acme.com;x;y;z;surplus\n"), "{again}");
}

#[actix_web::test]
async fn a_file_that_was_deleted_is_not_imported_without_its_rows() {
    let house = House::open().await;
    let revops = house.as_revops();
    let file = "user_id,email\nu1,a@acme.com\n";
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    let checked = place(&upload(&revops, "users", file).await);
    check(&house, &revops, &checked, &fields).await;
    let unmapped = place(&upload(&revops, "users", file).await);
    let running = place(&upload(&revops, "users", file).await);
    revops.post(&format!("{running}/mapping"), &fields).await.leads_to(&running);

    house.clock.advance(TimeDelta::days(31));
    forget(&house);
    let revops = house.as_revops();
    for place in [&checked, &unmapped] {
        let page = revops.get(place).await;
        page.says(200, "The file was deleted 30 days after its upload");
        assert!(!page.body.contains("id=\"import\""), "{}", page.body);
        revops.get(&format!("{place}/mapping")).await.leads_to(place);
        revops.post(&format!("{place}/mapping"), &fields).await.says(409, "Upload it again");
    }
    revops.post(&format!("{checked}/run"), &[]).await.says(409, "Upload it again");
    revops.get("/imports").await.says(200, "Deleted, not imported");
    assert_eq!(
        cell(&house, "select count(*) from audit_entries where action = 'import.started'"),
        "0"
    );
    // What is being worked on keeps its file.
    work(&house);
    revops.get(&running).await.says(200, "What would happen");
    import(&house, &revops, &running).await;
    assert_eq!(cell(&house, "select external_id from product_users"), "u1");
}

/// Forgets what is older than the 30 days for which files are kept.
fn forget(house: &House) {
    let now = house.clock.now();
    let (old, broken) = (now - TimeDelta::days(30), now - TimeDelta::days(1));
    house.tx(|conn| ripen::imports::store::forget(conn, old, broken));
}

#[actix_web::test]
async fn what_was_chosen_for_a_file_stays_when_it_cannot_be_read_so() {
    let house = House::open().await;
    let revops = house.as_revops();
    let bars = "|".repeat(150);
    let file = format!("user_id,{bars},{bars}\nu1,x,y\n");
    let place = place(&upload(&revops, "users", &file).await);
    let wrong =
        [("kind", "users"), ("encoding", "windows-1252"), ("delimiter", "|"), ("step", "read")];
    let answer = revops.post(&format!("{place}/mapping"), &wrong).await;
    answer.says(422, "301 columns, the limit is 255");
    answer.says(422, "value=\"|\" selected");
    answer.says(422, "value=\"windows-1252\" selected");
    answer.says(422, "<bdi>u1</bdi>");
}

#[actix_web::test]
async fn what_the_rows_are_is_asked_before_anything_is_stored() {
    let house = House::open().await;
    let revops = house.as_revops();
    for kind in ["", "deals", "us\0ers"] {
        let form = body(&revops.csrf(), kind, "x.csv", "user_id\nu1\n");
        let answer = revops.send_as(Method::POST, "/imports", FORM, form.into_bytes()).await;
        answer.says(422, "Choose what the rows of the file are");
        answer.says(422, "aria-describedby=\"kind-error\"");
    }
    let answer = upload(&revops, "users", "").await;
    answer.says(422, "aria-describedby=\"file-hint file-error\"");
    assert_eq!(cell(&house, "select count(*) from imports"), "0");
}

#[actix_web::test]
async fn a_column_without_a_name_has_one_for_screen_readers() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = place(&upload(&revops, "users", "user_id,\nu1,x\nu2,y\n").await);
    revops.get(&place).await.says(200, "value=\"user_id\" selected");
    revops.get(&place).await.says(200, "aria-label=\"Goes to: column 2, without a name\"");
}

#[actix_web::test]
async fn refused_rows_are_left_alone_while_the_work_goes_on() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = place(&upload(&revops, "users", "user_id,email\nu1,nobody\n").await);
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    check(&house, &revops, &place, &fields).await;
    revops.get(&place).await.says(200, "Line 2");
    revops.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
    let running = revops.htmx_get(&place, "state").await;
    running.says(200, "hx-trigger=\"every 2s\"");
    assert!(!running.body.contains("Line 2"));
}

#[actix_web::test]
async fn empty_cells_that_clear_end_no_membership() {
    let house = House::open().await;
    let revops = house.as_revops();
    let member = |file: &'static str, blanks: &'static str| {
        let (house, revops) = (&house, &revops);
        async move {
            let place = place(&upload(revops, "memberships", file).await);
            let targets = [
                ("column_0", "user_id"),
                ("column_1", "workspace_id"),
                ("column_2", "role"),
                ("column_3", "left_at"),
                ("blanks", blanks),
            ];
            let mut fields = mapping(&targets);
            fields[0] = ("kind", "memberships");
            check(house, revops, &place, &fields).await;
            import(house, revops, &place).await;
            house.clock.advance(TimeDelta::minutes(1));
        }
    };
    member("user_id,workspace_id,role,left_at\nu1,w1,admin,\nu2,w1,viewer,2026-11-01\n", "").await;
    member("user_id,workspace_id,role,left_at\nu1,w1,,\nu2,w1,,\n", "clear").await;
    assert_eq!(
        cell(
            &house,
            "select string_agg(role || (left_at is null), ',' order by role) from memberships"
        ),
        "admintrue,viewerfalse"
    );
}

#[actix_web::test]
async fn what_comes_again_in_later_chunks_is_foreseen_as_it_will_be() {
    let house = House::open().await;
    let revops = house.as_revops();
    // Each user comes in every chunk, the third time with another address.
    let mut file = "user_id,email\n".to_owned();
    for address in ["a", "a", "b"] {
        for n in 0..2500 {
            file.push_str(&format!("u{n},{address}{n}@acme.com\n"));
        }
    }
    let place = place(&upload(&revops, "users", &file).await);
    check(&house, &revops, &place, &mapping(&[("column_0", "user_id"), ("column_1", "email")]))
        .await;
    assert_eq!(cell(&house, STATE), "checked,2500,2500,2500,0");
    import(&house, &revops, &place).await;
    assert_eq!(cell(&house, STATE), "done,2500,2500,2500,0");
}

#[actix_web::test]
async fn a_form_that_is_sent_twice_counts_once() {
    let house = House::open().await;
    let revops = house.as_revops();
    let place = place(&upload(&revops, "users", "user_id,email\nu1,a@acme.com\n").await);
    let fields = mapping(&[("column_0", "user_id"), ("column_1", "email")]);
    for _ in 0..2 {
        revops.post(&format!("{place}/mapping"), &fields).await.leads_to(&place);
    }
    let other = mapping(&[("column_0", "user_id"), ("column_1", "trait:email")]);
    revops.post(&format!("{place}/mapping"), &other).await.says(409, "being worked on");
    work(&house);
    for _ in 0..2 {
        revops.post(&format!("{place}/run"), &[]).await.leads_to(&place);
    }
    work(&house);
    assert_eq!(cell(&house, STATE), "done,1,0,0,0");
    assert_eq!(cell(&house, "select count(*) from jobs"), "2");
    assert_eq!(
        cell(&house, "select count(*) from audit_entries where action = 'import.started'"),
        "1"
    );
}
