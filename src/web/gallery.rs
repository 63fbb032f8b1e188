//! Every component and figure on a page, so that each renders in some test and a person can look:
//! `RIPEN_GALLERY=/some/folder cargo test --lib web::gallery` writes the pages there.

use askama::Template;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::assets;
use super::charts::{Band, Bar, Bars, Day, Heat, Histogram, History, Load, Mark, Sparkline, bins};
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
    shell.counters = Counters { inbox: 7, notifications: 2, assign: 4, ingest: 1 };
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

#[derive(Template)]
#[template(path = "gallery/workspace.html")]
struct Workspace {
    shell: Shell,
    tabs: Vec<(&'static str, &'static str, String)>,
    spark: Sparkline,
    bars: Bars,
    reasons: Vec<(i32, &'static str, &'static str, &'static str)>,
    history: History,
    histogram: Histogram,
    heat: Heat,
    loads: (Load, Load),
}

fn workspace(theme: Theme) -> Workspace {
    let today = now().date_naive();
    let bar = |label: &str, points, limit| Bar {
        label: label.to_owned(),
        points,
        limit,
        note: String::new(),
        href: String::new(),
    };
    let mut rows = vec![
        bar("Activation", 2_160, 2_500),
        bar("Usage depth", 2_200, 2_500),
        bar("Expansion", 1_400, 2_000),
        bar("Intent", 1_960, 2_000),
        bar("ICP fit", 1_000, 1_000),
        bar("Negative", -320, -4_000),
    ];
    rows[3].note = "2.4 over the limit were not counted".to_owned();
    let bands = [("warm", "Warm", 5_000), ("pql", "PQL", 6_500), ("hot_pql", "Hot", 8_000)]
        .map(|(key, label, min)| Band { key: key.into(), label: label.into(), min });
    let scores: Vec<i32> =
        (0..60).map(|day| 3_100 + day * 89 + (day * 37 % 11) * 40 - 200).collect();
    let days: Vec<Day> = scores
        .iter()
        .zip((0..60).rev())
        .map(|(score, back)| Day { on: today - TimeDelta::days(back), score: *score })
        .collect();
    let marks = [Mark { on: today - TimeDelta::days(18), label: "model 3".into() }];
    let spread = (0..900).map(|n| (n * n * 7 + n * 31) % 9_700 * ((n % 7) + 1) / 7);
    let live = bins(spread.clone());
    let draft = bins(spread.map(|score| score * 21 / 20 + 150));
    Workspace {
        shell: shell("Engineering", theme),
        tabs: ["Score", "Timeline", "Members", "Billing", "Tasks and deals", "History"]
            .map(|tab| {
                if tab == "Score" {
                    ("/score", tab, String::new())
                } else {
                    ("/x", tab, String::new())
                }
            })
            .into(),
        spark: Sparkline::new(&scores),
        bars: Bars::new("bars", rows),
        reasons: vec![
            (
                1_300,
                "Hit a usage limit 2 times",
                "by the admin, today and 3 days ago; × 1.3 admin, −1.4 decay",
                "2 events",
            ),
            (
                1_210,
                "Used a core feature on 9 days",
                "capped at 10 in 7 days (4.0 not counted)",
                "41 events",
            ),
            (990, "3 invites accepted", "2 this week", "3 events"),
            (-320, "Removed the Slack integration", "5 days ago", "1 event"),
        ],
        history: History::new(
            "history",
            "Score, 60 days",
            "model 3 since 2 Nov",
            &days,
            &bands,
            &marks,
        ),
        histogram: Histogram::new(
            "spread",
            "Scores of all workspaces",
            "900 workspaces",
            &live,
            Some(&draft),
            &bands,
        ),
        heat: Heat::new(&[0, 1, 3, 0, 0, 7, 12, 2, 0, 1, 1, 9, 30, 4], today),
        loads: (Load::new(6, Some(15)), Load::new(15, Some(15))),
    }
}

#[test]
fn a_workspace_renders() {
    for theme in [Theme::Light, Theme::Dark] {
        let html = workspace(theme).render().unwrap();
        show(&format!("workspace-{}.html", theme.key()), &html);
        assert_clean(&html);
        assert!(html.contains("aria-current=\"page\""));
        assert!(html.contains("<meta name=\"csrf-token\" content=\"token\">"));
    }
}

#[derive(Template)]
#[template(path = "gallery/bare.html")]
struct Bare {
    shell: Shell,
    errors: FieldErrors,
}

#[test]
fn a_page_for_those_signed_out_renders() {
    let page = Bare { shell: Shell::new("Sign in", now()), errors: FieldErrors::new() };
    let html = page.render().unwrap();
    show("bare.html", &html);
    assert_clean(&html);
    assert!(!html.contains("csrf-token"));
    assert!(html.contains("data-shortcuts=\"off\""));
}

/// Every template, by path.
fn templates(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            templates(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A trigger filter fails open where eval is forbidden, and the policy blocks what is inline.
#[test]
fn no_template_needs_eval_or_inline_code() {
    let mut found = Vec::new();
    templates(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut found);
    assert!(!found.is_empty());
    for (path, text) in &found {
        for forbidden in [" style=", "<style", "hx-on", "hx-vars", "js:", "javascript:", "|safe"] {
            assert!(!text.contains(forbidden), "{path}: {forbidden}");
        }
        for trigger in text.split("hx-trigger=\"").skip(1) {
            let trigger = trigger.split('"').next().unwrap();
            assert!(!trigger.contains('['), "{path}: a filter in hx-trigger");
        }
        for script in text.split("<script").skip(1) {
            assert!(script.starts_with(" src="), "{path}: an inline script");
        }
        for handler in ["onclick=", "onchange=", "onsubmit=", "onload=", "oninput="] {
            assert!(!text.contains(handler), "{path}: {handler}");
        }
    }
}
