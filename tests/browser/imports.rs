//! A file of people through the browser: chosen, mapped, checked, imported, its errors at hand.

use std::path::PathBuf;

use crate::chromium::{Browser, Page};
use crate::house::House;

/// With `RIPEN_PICTURES`, pictures of the page: light, dark, and as wide as a phone.
fn picture(page: &Page<'_>, name: &str) {
    let Ok(folder) = std::env::var("RIPEN_PICTURES") else { return };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (kind, width, scheme) in
        [("light", 1320, "light"), ("dark", 1320, "dark"), ("phone", 390, "light")]
    {
        page.resize(width, 860);
        page.prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
        page.eval(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))",
        );
        page.screenshot(&folder.join(format!("imports-{name}-{kind}.png")));
        let wide = page
            .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "{name} scrolls sideways at {width} px");
    }
    page.resize(1320, 860);
}

#[test]
fn a_file_of_people_from_the_desk_to_the_records() {
    let house = House::open();
    house.member("rolf@ripen.test", "Rolf Revops", "revops", None);
    let mut file = "Kennung;E-Mail;Titel;Team\n".to_owned();
    for n in 0..3000 {
        file.push_str(&format!("u{n};p{n}@acme.example;VP Engineering;Vertrieb\n"));
    }
    file.push_str("u9999;nobody;CTO;Vertrieb\n");
    let place = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(place.path(), file).unwrap();

    let browser = Browser::launch();
    let page = browser.page();
    house.sign_in(&page, "rolf@ripen.test");
    page.goto(&format!("{}/imports", house.url));
    page.wait_for_text("No imports yet");
    picture(&page, "empty");
    page.click("#new-import");
    page.wait_for_path("/imports/new");
    page.click("#kind-users");
    page.choose_file("#file", place.path());
    picture(&page, "new");
    page.click("#upload");
    page.wait_for_text("Map the columns");
    page.wait_for_text("p0@acme.example");
    assert_eq!(page.eval("document.querySelector('#delimiter').value"), ";");
    assert_eq!(page.eval("document.querySelector('#column_1').value"), "email");
    // Without the id there is no record: said, and what was chosen stays.
    page.choose("#column_2", "job_title");
    page.click("#check");
    page.wait_for_text("Choose the column that holds user_id");
    assert_eq!(page.eval("document.querySelector('#column_2').value"), "job_title");
    picture(&page, "mapping");
    page.choose("#column_0", "user_id");
    page.choose("#column_3", "trait:team");
    page.click("#check");
    // The page polls by itself until the job is done.
    page.wait_for_text("What would happen");
    page.wait_for("#import");
    page.wait_for_text("'nobody' is no e-mail address");
    picture(&page, "checked");
    page.click("#import");
    page.wait_for_text("Scores follow within seconds");
    page.wait_for_text("3,000");
    picture(&page, "done");
    let errors =
        page.eval("fetch(document.querySelector('#errors').href).then(answer => answer.text())");
    assert!(
        errors
            .as_str()
            .unwrap()
            .contains("email: 'nobody' is no e-mail address.;u9999;nobody;CTO;Vertrieb"),
        "{errors}"
    );
    page.goto(&format!("{}/imports", house.url));
    page.wait_for_text("Imported");
    picture(&page, "list");
    // A refused form is an error to the console, and nothing else is.
    let complaints: Vec<String> = browser.take_complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "pages complained: {complaints:?}");
}

#[test]
fn a_file_without_scripts() {
    let house = House::open();
    house.member("rolf@ripen.test", "Rolf Revops", "revops", None);
    let place = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(place.path(), "workspace_id,name,plan\nw1,Acme,pro\n").unwrap();
    let browser = Browser::launch();
    let page = browser.page();
    house.sign_in(&page, "rolf@ripen.test");
    page.disable_javascript();
    page.goto(&format!("{}/imports/new", house.url));
    page.click("#kind-workspaces");
    page.choose_file("#file", place.path());
    page.click("#upload");
    page.wait_for_text("Map the columns");
    page.click("#check");
    // A reload before the answer would take the form back.
    page.wait_until("the form to be sent", "document.body && !document.querySelector('#check')");
    page.reload_until("the end of the check", "document.querySelector('#import')");
    page.click("#import");
    page.wait_until("the form to be sent", "document.body && !document.querySelector('#import')");
    page.reload_until("the end", "document.body.innerText.includes('Scores follow')");
}

/// A Mac's file with a title above the names of its columns: both are recognised, shown, and can be
/// chosen otherwise.
fn a_title_and_an_encoding(is_scripted: bool) {
    let house = House::open();
    house.member("rolf@ripen.test", "Rolf Revops", "revops", None);
    let place = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    std::fs::write(
        place.path(),
        b"Customers of November\nuser_id;name;city\nu1;M\x9fller;K\x9aln\n",
    )
    .unwrap();
    let browser = Browser::launch();
    let page = browser.page();
    house.sign_in(&page, "rolf@ripen.test");
    if !is_scripted {
        page.disable_javascript();
    }
    page.goto(&format!("{}/imports/new", house.url));
    page.click("#kind-users");
    page.choose_file("#file", place.path());
    page.click("#upload");
    page.wait_for_text("Map the columns");
    page.wait_for_text("Müller");
    if is_scripted {
        picture(&page, "encoding");
    }
    page.choose("#header_row", "0");
    page.click("#encoding-windows-1252");
    page.click("#read-again");
    page.wait_until("the other header", "document.querySelectorAll('tbody tr').length === 1");
    page.wait_until(
        "the other encoding",
        "document.querySelector('#encoding-windows-1252').checked",
    );
    page.choose("#header_row", "1");
    page.click("#encoding-macintosh");
    page.click("#read-again");
    page.wait_until("the header", "document.querySelectorAll('tbody tr').length === 3");
    page.wait_until("the encoding", "document.querySelector('#encoding-macintosh').checked");
    assert_eq!(page.text("#c-1 .chip"), "Müller");
}

#[test]
fn the_encoding_and_the_header_are_chosen_with_scripts() {
    a_title_and_an_encoding(true);
}

#[test]
fn the_encoding_and_the_header_are_chosen_without_scripts() {
    a_title_and_an_encoding(false);
}
