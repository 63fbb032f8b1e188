//! Reading accounts through the JSON API.

use ripen::sources::key::Scope;
use serde_json::{Value, json};

use crate::api_client::{Script, problem};
use crate::bulk::ask::Warehouse;
use crate::house::House;
use crate::scored;

fn domains(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().unwrap();
    rows.iter().map(|row| row["domain"].as_str().unwrap().to_owned()).collect()
}

async fn stocked() -> House {
    let house = scored::house().await;
    let warehouse = Warehouse::new(&house);
    let records: Vec<Value> = (0..9)
        .map(|n| {
            json!({"domain": format!("firm{n}.com"), "account_id": format!("A-{}", n / 2), "name": format!("{} company", 9 - n),
                   "employee_count": if n % 3 == 0 { Value::Null } else { json!(n * 100) },
                   "territory": if n < 4 { "emea" } else { "apac" }, "is_strategic": n == 5,
                   "traits": {"tier": "gold"}})
        })
        .collect();
    let answer = warehouse.send("accounts", &json!(records).to_string()).await;
    assert_eq!(answer["created"], 9, "{answer}");
    warehouse.send("workspaces", r#"{"workspace_id": "own", "sso_domain": "firm8.com"}"#).await;
    house
}

#[actix_web::test]
async fn pages_of_the_list_meet_without_gaps_in_any_order() {
    let house = stocked().await;
    let reader = Script::new(&house, Scope::Read);
    for sort in ["name", "-name", "employee_count", "-employee_count", "created_at", "-created_at"]
    {
        let whole = domains(&reader.json(&format!("/api/v1/accounts?sort={sort}")).await);
        assert_eq!(whole.len(), 10, "{sort}");
        let (mut pages, mut next) = (Vec::new(), String::new());
        loop {
            let page = reader.json(&format!("/api/v1/accounts?sort={sort}&limit=3{next}")).await;
            pages.extend(domains(&page));
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&after={cursor}");
        }
        assert_eq!(pages, whole, "{sort}");
    }
    let by_name = domains(&reader.json("/api/v1/accounts").await);
    assert_eq!((by_name[0].as_str(), by_name[9].as_str()), ("firm8.com", "acme.example"));
    let scored = domains(&reader.json("/api/v1/accounts?sort=-score").await);
    assert_eq!(scored, ["acme.example"], "by score there are those that have one");
}

#[actix_web::test]
async fn filters_hold_all_and_what_is_impossible_is_said() {
    let house = stocked().await;
    let reader = Script::new(&house, Scope::Read);
    let found =
        async |filter: &str| domains(&reader.json(&format!("/api/v1/accounts?{filter}")).await);
    assert_eq!(found("filter[is_strategic][%3D]=true").await, ["firm5.com"]);
    assert_eq!(
        found("filter[territory][%3D]=apac&filter[employee_count][%3E%3D]=700").await,
        ["firm8.com", "firm7.com"]
    );
    assert_eq!(found("filter[employee_count][is_not_set]=").await.len(), 4);
    assert_eq!(found("filter[name][contains]=ACME").await, ["acme.example"]);
    problem(&reader.get("/api/v1/accounts?sort=mood").await, 400, "bad_parameter");
    let refused = reader.get("/api/v1/accounts?filter[wau][%3E]=1").await;
    assert!(problem(&refused, 400, "bad_parameter").contains("employee_count"));
    problem(&reader.get("/api/v1/accounts?after=x").await, 400, "bad_parameter");
}

#[actix_web::test]
async fn one_is_found_by_its_domain_or_its_id_elsewhere() {
    let house = stocked().await;
    let reader = Script::new(&house, Scope::Read);
    let one = reader.json("/api/v1/accounts/firm8.com").await;
    assert_eq!(one, reader.json("/api/v1/accounts/A-4").await);
    assert_eq!(one, reader.json("/api/v1/accounts/https%3A%2F%2Fwww.Firm8.com%2Fx").await);
    assert_eq!((&one["name"], &one["employee_count"]), (&json!("1 company"), &json!(800)));
    assert_eq!((&one["domains"], &one["traits"]["tier"]), (&json!(["firm8.com"]), &json!("gold")));
    assert_eq!(
        (&one["workspaces"][0]["workspace_id"], &one["workspace_count"]),
        (&json!("own"), &json!(1)),
        "{one}"
    );
    let several = reader.get("/api/v1/accounts/A-1").await;
    assert!(problem(&several, 409, "ambiguous_account").contains("firm2.com, firm3.com"));
    for nobody in ["nobody.com", "A-77", "%00"] {
        problem(&reader.get(&format!("/api/v1/accounts/{nobody}")).await, 404, "not_found");
    }
}
