//! The OpenAPI 3.1 document at `/api/openapi.json` and the page made of it at `/api/docs`.
//!
//! Kept by hand: generating it would put a macro on every handler and a tree of schema types into
//! every build; a test compares it with the table of routes, both ways. Only the schemas of records
//! are put in from the tables that parse them.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;

use crate::app::App;
use crate::bulk::field::Field;
use crate::bulk::kind::Kind;
use crate::bulk::schema;
use crate::error::{Error, Result};
use crate::web::answer;
use crate::web::shell::Shell;

const DOCUMENT: &str = include_str!("../../static/openapi.json");
/// The document with the schemas of records; null if it is broken, which a test would find.
static COMPLETE: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        schemas.extend(schema::all());
    }
    document
});
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// `GET /api/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(&*COMPLETE)
}

/// A parameter of an operation.
struct Parameter {
    name: String,
    place: String,
    text: String,
}

/// A method and a path.
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    text: String,
    scope: String,
    parameters: Vec<Parameter>,
    answers: Vec<(String, String)>,
}

impl Operation {
    /// What opens it, in words.
    fn opened_by(&self) -> String {
        match self.scope.as_str() {
            "read" | "write" | "admin" => format!("scope {}", self.scope),
            other => other.to_owned(),
        }
    }
}

/// `GET /api/docs`.
#[derive(Template)]
#[template(path = "api/reference.html")]
struct Reference {
    shell: Shell,
    title: String,
    intro: String,
    operations: Vec<Operation>,
    records: Vec<(Kind, &'static [Field])>,
    base: String,
}

/// `GET /api/docs`: signed out too; it tells nothing that the source does not.
pub async fn page(app: web::Data<App>) -> Result<HttpResponse> {
    let document = &*COMPLETE;
    if document.is_null() {
        return Err(Error::internal("the OpenAPI document is broken"));
    }
    let said = |place: &str| text(document.pointer(place));
    answer::page(&Reference {
        shell: Shell::new("API", app.clock.now()),
        title: said("/info/title"),
        intro: said("/info/description"),
        operations: operations(document),
        records: Kind::ALL.into_iter().map(|kind| (kind, kind.fields())).collect(),
        base: app.link(""),
    })
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = methods.get(method) else { continue };
            operations.push(Operation {
                id: text(operation.get("operationId")),
                method: method.to_uppercase(),
                path: path.clone(),
                summary: text(operation.get("summary")),
                text: text(operation.get("description")),
                scope: text(operation.get("x-scope")),
                parameters: parameters(document, methods, operation),
                answers: answers(document, operation),
            });
        }
    }
    operations
}

fn parameters(document: &Value, path: &Value, operation: &Value) -> Vec<Parameter> {
    let list = |value: &Value| {
        value.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let all = list(path).into_iter().chain(list(operation));
    all.map(|one| {
        let one = resolved(document, &one);
        Parameter {
            name: text(one.get("name")),
            place: text(one.get("in")),
            text: text(one.get("description")),
        }
    })
    .collect()
}

fn answers(document: &Value, operation: &Value) -> Vec<(String, String)> {
    let answers = operation.get("responses").and_then(Value::as_object);
    let line = |(status, answer): (&String, &Value)| {
        (status.clone(), text(resolved(document, answer).get("description")))
    };
    answers.into_iter().flatten().map(line).collect()
}

/// What a `$ref` refers to; anything else is itself.
fn resolved(document: &Value, one: &Value) -> Value {
    let place = one.get("$ref").and_then(Value::as_str).map(|place| place.trim_start_matches('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(one).clone()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ingest::receive::{FETCHED, POSTED};

    /// Everything in the table of routes that machines call, and the paths of the SDKs, which
    /// ingestion mounts itself.
    fn routed() -> BTreeSet<(String, String)> {
        let table = include_str!("../routes.rs");
        let own = |method: &str, path: &str| (method.to_owned(), path.to_owned());
        let mut found: BTreeSet<_> = POSTED.iter().map(|path| own("post", path)).collect();
        found.extend(FETCHED.iter().map(|path| own("get", path)));
        for route in table.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            let of_machines = ["/healthz", "/readyz", "/metrics"].contains(&path)
                || ["/api/v1/", "/v1/", "/webhooks/"].iter().any(|start| path.starts_with(start));
            if of_machines {
                let method = route.split_once(',').unwrap().1.trim();
                found.insert((method.split('(').next().unwrap().to_owned(), path.to_owned()));
            }
        }
        found
    }

    #[test]
    fn every_route_is_documented_and_every_documented_path_is_a_route() {
        let document = COMPLETE.clone();
        let documented: BTreeSet<(String, String)> = operations(&document)
            .into_iter()
            .map(|one| (one.method.to_lowercase(), one.path))
            .collect();
        assert!(routed().len() > 50);
        assert_eq!(documented, routed());
    }

    #[test]
    fn every_operation_has_a_summary_an_id_and_answers() {
        let document = COMPLETE.clone();
        let operations = operations(&document);
        let ids: BTreeSet<_> = operations.iter().map(|one| one.id.clone()).collect();
        assert_eq!(ids.len(), operations.len());
        for one in operations {
            assert!(!one.summary.is_empty() && !one.answers.is_empty(), "{}", one.path);
            let placeholders = one.path.matches('{').count();
            let named = one.parameters.iter().filter(|parameter| parameter.place == "path").count();
            assert_eq!(placeholders, named, "{}", one.path);
        }
    }

    #[test]
    fn every_operation_says_what_opens_it() {
        let document = COMPLETE.clone();
        let schemes = document.pointer("/components/securitySchemes").unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let security = operation["security"].as_array();
                for name in
                    security.into_iter().flatten().flat_map(|one| one.as_object().unwrap().keys())
                {
                    assert!(schemes.get(name).is_some(), "{method} {path}: {name}");
                }
                let named = security.is_some_and(|all| !all.is_empty());
                let expected = match text(operation.get("x-scope")).as_str() {
                    "read" | "write" | "admin" | "server key" | "signature" => true,
                    // Settings have the key in their path.
                    "write key" => !path.contains("{write_key}"),
                    _ => false,
                };
                assert_eq!(named, expected, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_reference_inside_the_document_leads_somewhere() {
        let document = COMPLETE.clone();
        for part in DOCUMENT.split("\"$ref\": \"#").skip(1) {
            let place = part.split('"').next().unwrap();
            assert!(document.pointer(place).is_some(), "{place}");
        }
    }
}
