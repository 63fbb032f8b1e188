//! The static files: embedded, named by their content, kept by browsers for a year.
//!
//! Each file of `static/` is a constant (`CSS`, `HTMX_JS`, `RIPEN_JS`, `FAVICON_SVG`); templates say
//! `{{ assets::CSS.url }}` after the page's module has `use crate::web::assets;`, or reach it as
//! `crate::web::assets::CSS.url`. `build.rs` writes the constants.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};

/// One embedded file.
#[derive(Debug)]
pub struct Asset {
    /// The path to link to; it changes whenever the content does.
    pub url: &'static str,
    /// The last part of the path.
    pub name: &'static str,
    /// Its Content-Type.
    pub media_type: &'static str,
    /// The file.
    pub body: &'static [u8],
    /// The file, gzipped as hard as gzip can.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /assets/{name}`: the file, gzipped where the browser takes it. The name holds the hash of the
/// content, so the answer never needs to be asked for again.
pub async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ALL.iter().find(|asset| asset.name == name.as_str()) else {
        return HttpResponse::NotFound().body("There is no such file.");
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, asset.media_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "Accept-Encoding"));
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(takes_gzip) {
        response.insert_header((CONTENT_ENCODING, "gzip")).body(asset.gzip)
    } else {
        response.body(asset.body)
    }
}

/// Whether an Accept-Encoding header allows gzip: named, and not with a weight of zero.
fn takes_gzip(header: &str) -> bool {
    header.split(',').any(|part| {
        let mut parts = part.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
            && !parts.any(|weight| {
                weight.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::test as http;

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        assert!(takes_gzip("gzip, deflate, br"));
        assert!(takes_gzip("br;q=1.0, GZIP;q=0.5"));
        assert!(!takes_gzip("gzip;q=0"));
        assert!(!takes_gzip("gzip;q=0.0, br"));
        assert!(!takes_gzip("identity"));
    }

    #[test]
    fn the_budgets_hold() {
        assert!(CSS.gzip.len() <= 14 * 1024, "css: {} bytes gzipped", CSS.gzip.len());
        assert!(CSS.body.len() <= 60 * 1024, "css: {} bytes", CSS.body.len());
        assert!(RIPEN_JS.gzip.len() <= 8 * 1024, "ripen.js: {} bytes gzipped", RIPEN_JS.gzip.len());
        let scripts = RIPEN_JS.gzip.len() + HTMX_JS.gzip.len();
        assert!(scripts <= 29 * 1024, "scripts: {scripts} bytes gzipped");
    }

    #[test]
    fn the_style_sheet_says_its_layers_first() {
        let text = std::str::from_utf8(CSS.body).unwrap();
        assert!(
            text.starts_with("@layer reset,tokens,base,layout,components,pages,utilities,print;")
        );
        assert_eq!(text.matches('{').count(), text.matches('}').count());
        assert!(!text.contains("/*"));
    }

    #[actix_web::test]
    async fn a_file_is_served_for_a_year() {
        let app =
            http::init_service(App::new().route("/assets/{name}", web::get().to(serve))).await;
        let request = http::TestRequest::get()
            .uri(CSS.url)
            .insert_header(("Accept-Encoding", "gzip"))
            .to_request();
        let response = http::call_service(&app, request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-encoding").unwrap(), "gzip");
        assert_eq!(
            response.headers().get("cache-control").unwrap(),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(http::read_body(response).await, CSS.gzip);

        let request = http::TestRequest::get().uri(HTMX_JS.url).to_request();
        let response = http::call_service(&app, request).await;
        assert!(response.headers().get("content-encoding").is_none());
        assert_eq!(http::read_body(response).await, HTMX_JS.body);

        let request = http::TestRequest::get().uri("/assets/ripen-0.css").to_request();
        assert_eq!(http::call_service(&app, request).await.status(), 404);
    }
}
