//! What browser SDKs fetch before they start: where to send, and that nothing else is wanted of them.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer;
use super::endpoint;
use super::failure::BodyError;
use super::receive::{Intake, open, refuse, with_cors};
use super::refusal::Refusal;
use super::refusals::Caller;

/// Without this analytics-next, Swift and Kotlin never start.
pub(super) async fn settings(
    request: HttpRequest,
    key: web::Path<String>,
    intake: web::Data<Intake>,
) -> HttpResponse {
    let (key, mut caller) = (key.into_inner(), Caller::default());
    if let Err(refusal) = open(&intake, key.clone(), &mut caller).await {
        return refuse(&request, &caller, &refusal);
    }
    let settings = match &intake.public {
        Some(at) => answer::settings(&key, Some(&at.host), at.https),
        // Nobody named an address: this machine's own, as the browser asked for it. What a proxy or
        // anybody else adds (`Forwarded`, `X-Forwarded-Host`) is not read.
        None => {
            let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
            answer::settings(&key, host, false)
        }
    };
    with_cors(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(settings))
}

/// The same for RudderStack's browser SDK.
pub(super) async fn source_config(request: HttpRequest, intake: web::Data<Intake>) -> HttpResponse {
    let authorization =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let mut caller = Caller::default();
    let Some(key) = endpoint::write_key(authorization, Some(request.query_string()), None) else {
        return refuse(&request, &caller, &Refusal::Body(BodyError::NoWriteKey));
    };
    let named = async {
        let open = open(&intake, key.clone(), &mut caller).await?;
        let source = intake
            .database
            .read_web(move |conn| crate::sources::store::find(conn, open.source_id))
            .await?;
        Ok::<_, Refusal>(source)
    };
    match named.await {
        Ok(source) => with_cors(
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(answer::source_config(&key, &source.id.to_string(), &source.name)),
        ),
        Err(refusal) => refuse(&request, &caller, &refusal),
    }
}
