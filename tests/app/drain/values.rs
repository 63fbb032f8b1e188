//! Addresses, domains, names of traits and titles as foreign senders write them: what becomes of them in users,
//! contacts, workspaces and accounts.

use std::sync::atomic::AtomicBool;

use ripen::db::Pool;
use ripen::queue::{engine, store};
use serde_json::{Value, json};

use super::support::{Product, call};

const AT: &str = "2026-11-19T08:00:00Z";

fn identify(id: &str, user: &str, at: &str, traits: Value) -> Value {
    call("identify", id, at, json!({"userId": user, "traits": traits}))
}

fn accounts(product: &Product) -> String {
    product
        .cell("select string_agg(primary_domain, ' ' order by primary_domain) from accounts")
        .unwrap_or_default()
}

#[test]
fn careless_addresses_link_no_strangers() {
    let product = Product::new();
    let addresses = [
        "ann@gmail.com;",
        "bob@gmail.com)",
        "<cem@gmail.com>",
        "mailto:dana@acme.example",
        "\"Eve\" <eve@acme.example>",
        "fay@acme.example,acme2.example",
        "gus@gmail.con",
        "hal@corp.local",
        "ida@10.0.0.1",
        "joe@acme_labs.com",
        "kim@tenant1.onmicrosoft.com",
        "lou@tenant2.onmicrosoft.com",
        "max@onmicrosoft.com",
    ];
    let events: Vec<Value> = addresses
        .iter()
        .enumerate()
        .map(|(at, email)| {
            identify(&format!("m{at}"), &format!("u{at}"), AT, json!({"email": email}))
        })
        .collect();
    product.send(&events);
    assert_eq!(accounts(&product), "acme.example tenant1.onmicrosoft.com tenant2.onmicrosoft.com");
    assert_eq!(
        product
            .cell(
                "select string_agg(email || ' ' || email_kind, ', ' order by email) from contacts"
            )
            .as_deref(),
        Some(
            "ann@gmail.com personal, bob@gmail.com personal, cem@gmail.com personal, dana@acme.example corporate, \
             eve@acme.example corporate, kim@tenant1.onmicrosoft.com corporate, lou@tenant2.onmicrosoft.com corporate"
        )
    );
}

#[test]
fn pages_at_shared_hosts_are_no_evidence() {
    let product = Product::new();
    for (at, website, domain) in [
        (0, "https://www.linkedin.com/company/acme", None),
        (1, "github.com/acme", None),
        (2, "https://sites.google.com/view/acme", None),
        (3, "https://acme.wordpress.com", Some("acme.wordpress.com")),
        (4, "https://acme.myshopify.com", Some("acme.myshopify.com")),
        (5, "acme.example,acme2.example", None),
        (6, "https://müller.de/", Some("xn--mller-kva.de")),
    ] {
        let group =
            json!({"userId": "u", "groupId": format!("w{at}"), "traits": {"Website": website}});
        product.send(&[call("group", &format!("m{at}"), AT, group)]);
        let found = product
            .cell(&format!("select website_domain from workspaces where external_id = 'w{at}'"));
        assert_eq!(found.as_deref(), domain, "{website}");
    }
}

#[test]
fn an_international_company_is_called_by_its_script() {
    let product = Product::new();
    product.send(&[identify("m1", "u1", AT, json!({"email": "dana@müller.de"}))]);
    assert_eq!(
        product.cell("select name || ' ' || primary_domain from accounts").as_deref(),
        Some("Müller xn--mller-kva.de")
    );
}

#[test]
fn whatever_a_trait_is_called_user_contact_and_account_get_it() {
    for name in ["email", "Email", "email_address", "emailAddress", "$email", "E-Mail", "EMAIL"] {
        let product = Product::new();
        product.send(&[identify(
            "m1",
            "u1",
            AT,
            json!({name: "dana@acme.com", "jobTitle": "V.P. of Sales", "Company": {"Name": "ACME Inc.", "employeeCount": 420}}),
        )]);
        assert_eq!(
            product
                .cell("select email || ' ' || seniority || ' ' || department from product_users")
                .as_deref(),
            Some("dana@acme.com vp sales"),
            "{name}"
        );
        assert_eq!(
            product.cell("select email from contacts").as_deref(),
            Some("dana@acme.com"),
            "{name}"
        );
        assert_eq!(
            product
                .cell("select name || ' ' || primary_domain || ' ' || employee_count from accounts")
                .as_deref(),
            Some("ACME Inc. acme.com 420"),
            "{name}"
        );
    }
}

#[test]
fn both_spellings_at_once_mean_the_exact_one() {
    for traits in [
        json!({"email": "right@acme.com", "Email": "wrong@other.com"}),
        json!({"Email": "wrong@other.com", "email": "right@acme.com", "emailAddress": "worse@third.com"}),
    ] {
        let product = Product::new();
        product.send(&[identify("m1", "u1", AT, traits)]);
        assert_eq!(
            product.cell("select email from product_users").as_deref(),
            Some("right@acme.com")
        );
        assert_eq!(accounts(&product), "acme.com");
    }
}

#[test]
fn roles_and_plans_go_by_any_spelling() {
    for (role, plan) in
        [("Role", "Plan"), ("user_role", "planName"), ("$role", "PLAN"), ("role", "plan")]
    {
        let product = Product::new();
        let group =
            json!({"userId": "u", "groupId": "w", "traits": {role: "Admin", plan: "enterprise"}});
        product.send(&[call("group", "m1", AT, group)]);
        assert_eq!(
            product.cell("select role from memberships").as_deref(),
            Some("admin"),
            "{role}"
        );
        assert_eq!(
            product.cell("select plan_tier from workspaces").as_deref(),
            Some("enterprise"),
            "{plan}"
        );
        let leave = json!({"userId": "u", "groupId": "w", "traits": {role: null}});
        product.send(&[call("group", "m2", "2026-11-19T09:00:00Z", leave)]);
        assert_eq!(product.count("memberships where left_at is not null"), 1, "{role}");
    }
}

#[test]
fn a_company_told_without_an_email_reaches_the_account_of_the_users_email() {
    let told = [
        identify("m1", "u1", "2026-11-19T08:00:00Z", json!({"email": "dana@acme.com"})),
        identify("m2", "u1", "2026-11-19T09:00:00Z", json!({"company": {"name": "ACME Inc."}})),
        identify(
            "m3",
            "u1",
            "2026-11-19T10:00:00Z",
            json!({"companyIndustry": "Software", "companySize": 420}),
        ),
        identify("m4", "u2", "2026-11-19T09:30:00Z", json!({"company": "Somebody else"})),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3], [2, 1, 0, 3], [1, 2, 0, 3]] {
        for together in [true, false] {
            let product = Product::new();
            let events: Vec<Value> = order.iter().map(|at| told[*at].clone()).collect();
            if together {
                product.send(&events);
            } else {
                events.iter().for_each(|event| product.send(std::slice::from_ref(event)));
            }
            assert_eq!(
                product
                    .cell("select name || ' ' || industry || ' ' || employee_count from accounts")
                    .as_deref(),
                Some("ACME Inc. Software 420"),
                "{order:?} {together}"
            );
        }
    }
}

#[test]
fn what_sellers_say_of_an_account_comes_by_no_call_whatever_it_is_called() {
    let product = Product::new();
    product.send(&[
        identify("m1", "u1", AT, json!({"company": {"Territory": "x", "is-strategic": true, "accountId": "7"}})),
        identify("m2", "u1", AT, json!({"email": "dana@acme.com", "companyTerritory": "x", "company_lifecycle_stage": "y"})),
        identify("m3", "u1", "2026-11-19T09:00:00Z", json!({"company.territory": "x"})),
    ]);
    assert_eq!(
        product.cell("select territory is null and not is_strategic and lifecycle_stage = 'prospect' and not traits ? 'account_id' from accounts").as_deref(),
        Some("true")
    );
}

#[test]
fn a_user_id_that_is_an_address_is_an_email_unless_a_trait_says_otherwise() {
    let product = Product::new();
    product.send(&[
        call(
            "track",
            "m1",
            AT,
            json!({"userId": "Dana@Acme.com", "event": "Login", "groupId": "w1"}),
        ),
        identify("m2", "eve@gmail.com", AT, json!({"email": "eve@other.com"})),
        identify("m3", "fay@third.com", AT, json!({"email": "n/a", "name": "Fay"})),
        identify("m4", "gus@fourth.com", AT, json!({"email": null})),
        call("track", "m5", AT, json!({"anonymousId": "hal@fifth.com", "event": "Login"})),
    ]);
    assert_eq!(
        product.cell("select string_agg(email, ' ' order by email) from contacts").as_deref(),
        Some("dana@acme.com eve@other.com fay@third.com")
    );
    assert_eq!(accounts(&product), "acme.com other.com third.com");
    assert_eq!(
        product.cell("select string_agg(value, ' ' order by value) from identifiers where kind = 'email' and value like 'dana%'").as_deref(),
        Some("dana@acme.com")
    );
}

#[test]
fn what_was_stored_by_older_rules_is_read_again() {
    let product = Product::new();
    product.send(&[
        identify("m1", "u1", AT, json!({"email": "ann@gmail.com;", "title": "Executive Assistant to the CEO"})),
        identify("m2", "dana@acme.com", AT, json!({"name": "Dana"})),
        call("group", "m3", AT, json!({"userId": "u1", "groupId": "w", "traits": {"website": "https://github.com/acme"}})),
        identify("m4", "u2", AT, json!({"email": "x@müller.de"})),
    ]);
    // As an earlier version left them.
    product.execute(
        "update product_users set email = 'ann@gmail.com;', email_kind = 'corporate', domain = 'gmail.com;', seniority = 'c_level'
         where external_id = 'u1'",
    );
    product.execute(
        "update product_users set email = null, email_kind = 'unknown', domain = null,
             traits = '{\"full_name\": \"Dana\"}', trait_times = '{\"full_name\": 1763539200000000}'
         where external_id = 'dana@acme.com'",
    );
    product.execute("delete from identifiers where kind = 'email' and value = 'dana@acme.com'");
    product.execute("delete from contact_users where user_id in (select id from product_users where external_id in ('u1', 'dana@acme.com'))");
    product.execute("delete from contacts where email <> 'x@xn--mller-kva.de'");
    product.execute("update workspaces set website_domain = 'github.com'");
    product.execute("update accounts set name = 'Xn  Mller Kva' where primary_domain like 'xn--%'");
    product.execute(
        "insert into accounts (id, name, primary_domain, traits, trait_times, created_at)
         values ('00000000-0000-0000-0000-0000000000aa', 'Gmail', 'gmail.com;', '{}', '{}', now())",
    );
    product.execute("insert into account_domains (domain, account_id) values ('gmail.com;', '00000000-0000-0000-0000-0000000000aa')");
    product.execute(
        "insert into account_links (workspace_id, account_id, confidence, evidence, decided_at)
         select id, '00000000-0000-0000-0000-0000000000aa', 80, '[]', now() from workspaces",
    );
    let now = product.clock.now();
    product
        .db
        .tx(Pool::Work, |conn| store::enqueue(conn, "reread", &json!({}), None, now))
        .unwrap();
    engine::drain(&product.db, &product.clock, &ripen::jobs::HANDLERS, &AtomicBool::new(false))
        .unwrap();
    assert_eq!(product.count("jobs where finished_at is not null"), 1);
    assert_eq!(product.count("account_links"), 0, "the stranger's account is left");
    assert_eq!(product.count("account_domains where domain = 'gmail.com;'"), 0);
    product.execute("delete from accounts where id = '00000000-0000-0000-0000-0000000000aa'");
    let facts = "select string_agg(concat_ws(' ', email, email_kind, domain, name, seniority), ', ' order by id) from product_users";
    let again = Product::new();
    again.send(&[
        identify(
            "m1",
            "u1",
            AT,
            json!({"email": "ann@gmail.com;", "title": "Executive Assistant to the CEO"}),
        ),
        identify("m2", "dana@acme.com", AT, json!({"name": "Dana"})),
        identify("m4", "u2", AT, json!({"email": "x@müller.de"})),
    ]);
    assert_eq!(product.cell(facts), again.cell(facts));
    let contacts = "select string_agg(email, ' ' order by email) from contacts";
    assert_eq!(product.cell(contacts), again.cell(contacts));
    let named = "select string_agg(name, ' ' order by name) from accounts";
    assert_eq!(product.cell(named).as_deref(), Some("Acme Müller"));
    assert_eq!(product.cell("select website_domain from workspaces"), None);
}
