//! Every component and figure on a page, so that each renders in some test and a person can look:
//! `RIPEN_GALLERY=/some/folder cargo test --lib web::gallery` writes the pages there.

use askama::Template;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::assets;
use super::format::{self, Moment};
use super::shell::{Counters, Flash, NavItem, Role, Shell, SignedIn, Theme, Tone};
use crate::error::FieldErrors;

struct Row {
    name: &'static str,
    score: i32,
    delta: i32,
    stage: &'static str,
    seen: Moment,
}

#[derive(Template)]
#[template(path = "gallery/kit.html", blocks = ["oob"])]
struct Kit {
    shell: Shell,
    tabs: Vec<(&'static str, &'static str, String)>,
    rows: Vec<Row>,
    errors: FieldErrors,
    roles: Vec<(&'static str, &'static str)>,
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 14, 3, 0).unwrap()
}

fn shell(title: &str, theme: Theme) -> Shell {
    let member = SignedIn {
        name: "Ada Lovelace".to_owned(),
        role: Role::Admin,
        zone: chrono_tz::Europe::Berlin,
    };
    let mut shell = Shell::new(title, now()).member(member, "token").at(NavItem::Workspaces);
    shell.counters = Counters { inbox: 7, assign: 4 };
    shell.theme = theme;
    shell
}

fn kit(theme: Theme) -> Kit {
    let names =
        ["Engineering", "Design & <script>", "مساحة العمل", "A workspace with a rather long name"];
    let stages = ["hot_pql", "pql", "warm", "not_pql"];
    let rows =
        names.into_iter().zip(stages).zip([8_420, 7_199, 5_100, 1_200]).zip([1_210, -400, 0, 90]);
    let mut shell = shell("Kit", theme);
    shell.flash.push(Flash { tone: Tone::Ok, text: "Saved.".to_owned() });
    Kit {
        shell,
        tabs: vec![("/gallery", "Score", String::new()), ("/members", "Members", "9".to_owned())],
        rows: rows
            .map(|(((name, stage), score), delta)| Row {
                name,
                score,
                delta,
                stage,
                seen: format::moment(
                    now() - TimeDelta::minutes(i64::from(score)),
                    now(),
                    chrono_tz::UTC,
                ),
            })
            .collect(),
        errors: FieldErrors::from([(
            "email".to_owned(),
            vec!["Enter a whole e-mail address.".to_owned()],
        )]),
        roles: vec![("rep", "Rep"), ("manager", "Manager")],
    }
}

/// Writes a page and the files it needs where `RIPEN_GALLERY` says.
fn show(name: &str, html: &str) {
    let Ok(folder) = std::env::var("RIPEN_GALLERY") else { return };
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in assets::ALL {
        std::fs::write(folder.join("assets").join(asset.name), asset.body).unwrap();
    }
    std::fs::write(folder.join(name), html.replace("\"/assets/", "\"assets/")).unwrap();
}

/// What the content security policy and the house rules forbid in any page.
fn assert_clean(html: &str) {
    for forbidden in [" style=", "hx-on", "<style", "onclick", "javascript:", "<script>"] {
        assert!(!html.contains(forbidden), "{forbidden} in a page");
    }
    let ids: Vec<&str> =
        html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        assert!(seen.insert(id), "the id {id} stands twice");
    }
}

#[test]
fn the_kit_renders() {
    for theme in [Theme::Light, Theme::Dark] {
        let page = kit(theme);
        let html = page.render().unwrap();
        let fragment = page.as_oob().render().unwrap();
        assert!(fragment.contains("hx-swap-oob"), "{fragment}");
        show(&format!("kit-{}.html", theme.key()), &html);
        assert_clean(&html.replace(&fragment, ""));
        assert!(html.contains("Design &#38; &#60;script&#62;"));
        assert!(html.contains("aria-sort=\"descending\""));
        assert!(html.contains("<option value=\"manager\" selected>"));
        assert!(html.contains("aria-describedby=\"email-hint email-error\""));
    }
}
