//! Steering the model through the JSON API.

use actix_web::http::Method;
use ripen::scoring::{ops_models, presets};
use ripen::sources::key::Scope;
use serde_json::{Value, json};

use crate::api_client::{Script, problem};
use crate::scored;

const MODEL: &str = "/api/v1/scoring/model";
const PUBLISH: &str = "/api/v1/scoring/model/publish";

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[actix_web::test]
async fn a_model_is_drafted_and_published_by_a_script() {
    let house = scored::house().await;
    let admin = Script::new(&house, Scope::Admin);
    let mut document = admin.json(MODEL).await["document"].clone();
    document["stages"][0]["min"] = json!(10);
    let put = admin.send(Method::PUT, MODEL, &[], Some(document.to_string())).await;
    assert_eq!(put.status, 200, "{}", put.body);
    let draft = parsed(&put.body)["draft"].as_str().unwrap().to_owned();
    assert_eq!(draft, "2.0");
    let shown = admin.json(MODEL).await;
    assert_eq!(shown["version"], 1);
    assert_eq!(shown["draft"]["document"]["stages"][0]["min"], 10);

    let body = json!({"draft": draft, "reason": "More warm ones"}).to_string();
    let publish = admin.send(Method::POST, PUBLISH, &[], Some(body.clone())).await;
    assert_eq!(publish.status, 200, "{}", publish.body);
    let published = parsed(&publish.body);
    assert_eq!(published["version"], 2);
    let again = admin.send(Method::POST, PUBLISH, &[], Some(body)).await;
    assert!(problem(&again, 409, "conflict").contains("no draft"));

    let url = published["job_url"].as_str().unwrap();
    assert_eq!(admin.json(url).await["state"], "queued");
    scored::rescore(&house);
    let job = admin.json(url).await;
    assert_eq!((job["state"].as_str(), job["done"].as_i64()), (Some("done"), Some(14)));
    let warm = admin.json("/api/v1/workspaces?filter[stage][!%3D]=not_pql").await;
    assert_eq!(warm["data"].as_array().unwrap().len(), 14, "all are above 10 points");
    problem(&admin.get("/api/v1/jobs/999").await, 404, "not_found");
    assert_eq!(admin.get("/api/v1/jobs/x").await.status, 404);
}

#[actix_web::test]
async fn what_cant_be_published_is_refused_with_its_place() {
    let house = scored::house().await;
    let admin = Script::new(&house, Scope::Admin);
    let put = |body: String| admin.send(Method::PUT, MODEL, &[], Some(body));
    problem(&put("{".to_owned()).await, 400, "bad_json");
    problem(&put("{\"name\": \"x\"}".to_owned()).await, 422, "invalid");
    let mut model = presets::published_recipe();
    model.stages[0].min = 99.0;
    let refused = put(serde_json::to_string(&model).unwrap()).await;
    problem(&refused, 422, "invalid");
    assert!(parsed(&refused.body)["errors"]["stages.pql.min"].is_array(), "{}", refused.body);

    model.stages[0].min = 40.0;
    let document = serde_json::to_string(&model).unwrap();
    let stale = [("If-Match", "\"2.7\"")];
    let conflict = admin.send(Method::PUT, MODEL, &stale, Some(document.clone())).await;
    problem(&conflict, 409, "conflict");
    let odd = [("If-Match", "*")];
    problem(
        &admin.send(Method::PUT, MODEL, &odd, Some(document.clone())).await,
        400,
        "bad_parameter",
    );
    let fresh = [("If-Match", "\"2.new\"")];
    assert_eq!(admin.send(Method::PUT, MODEL, &fresh, Some(document)).await.status, 200);

    for (body, status, code) in [
        ("{}", 400, "bad_json"),
        ("{\"draft\": \"2.0\", \"reason\": \" \"}", 422, "invalid"),
        ("{\"draft\": \"2.5\", \"reason\": \"x\"}", 409, "conflict"),
        ("{\"draft\": \"two\", \"reason\": \"x\"}", 422, "invalid"),
    ] {
        let answer = admin.send(Method::POST, PUBLISH, &[], Some(body.to_owned())).await;
        problem(&answer, status, code);
    }
    assert_eq!(house.tx(ops_models::desk).current.version, 1);
}

#[actix_web::test]
async fn a_reader_and_a_writer_can_not_steer() {
    let house = scored::house().await;
    for scope in [Scope::Read, Scope::Write] {
        let script = Script::new(&house, scope);
        for (method, path) in [(Method::PUT, MODEL), (Method::POST, PUBLISH)] {
            let answer = script.send(method, path, &[], Some("{}".to_owned())).await;
            assert!(problem(&answer, 403, "forbidden").contains("admin"));
        }
    }
    let nobody = house.stranger().send(Method::PUT, MODEL, &[], Some("{}".to_owned())).await;
    problem(&nobody, 401, "unauthorized");
    assert_eq!(house.stranger().send(Method::POST, PUBLISH, &[], None).await.status, 401);
}
