//! RFC 9457 problems that only the API knows: parameters that can't be used.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

/// A refusal: `code` for programs, `detail` for people, with what is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// 400, 404, 409, or what ingestion answers.
    pub status: StatusCode,
    /// A stable word.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub detail: String,
}

impl Problem {
    /// A parameter of the address can't be used.
    #[must_use]
    pub fn bad_parameter(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "bad_parameter", detail: detail.into() }
    }

    /// The body is not JSON.
    #[must_use]
    pub fn bad_json(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "bad_json", detail: detail.into() }
    }

    /// There is no such thing, and which.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", detail: detail.into() }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> HttpResponse {
        self.answer_with(Map::new())
    }

    /// The answer, with more members.
    #[must_use]
    pub fn answer_with(&self, more: Map<String, Value>) -> HttpResponse {
        let mut body = Map::from_iter([
            ("type".to_owned(), json!("about:blank")),
            ("title".to_owned(), json!(self.status.canonical_reason().unwrap_or("Problem"))),
            ("status".to_owned(), json!(self.status.as_u16())),
            ("code".to_owned(), json!(self.code)),
            ("detail".to_owned(), json!(self.detail)),
            // SDKs that were pointed here by mistake read `code` and `message`, and throw without.
            ("message".to_owned(), json!(self.detail)),
        ]);
        body.extend(more);
        HttpResponse::build(self.status)
            .content_type("application/problem+json")
            .body(Value::Object(body).to_string())
    }
}
