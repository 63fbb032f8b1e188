//! An event in the address of a picture: `GET /v1/pixel/track?data=<base64 JSON>` (Segment), or
//! `GET /pixel/v1/track?writeKey=…&anonymousId=…&event=…&properties.plan=…` (RudderStack).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::failure::BodyError;

/// The smallest picture there is: one transparent point.
pub const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// The event as the body of a single call. A dot in a name leads one level down.
///
/// # Errors
/// [`BodyError::Json`] when `data` is no base64 of UTF-8.
pub fn body(query: &str) -> Result<String, BodyError> {
    let mut event = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name == "data" {
            return data(&value);
        }
        match name.split_once('.') {
            Some((object, member)) => {
                let object = event
                    .entry(object)
                    .or_insert_with(|| Value::Object(Map::new()))
                    .as_object_mut();
                object.map(|object| object.insert(member.to_owned(), value.into_owned().into()));
            }
            None => drop(event.insert(name.into_owned(), value.into_owned().into())),
        }
    }
    Ok(Value::Object(event).to_string())
}

fn data(base64: &str) -> Result<String, BodyError> {
    // A plus sign that nobody encoded has become a space.
    let text = base64.trim_end_matches('=').replace(' ', "+");
    let bytes = STANDARD_NO_PAD.decode(&text).or_else(|_| URL_SAFE_NO_PAD.decode(&text));
    bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        BodyError::Json("The parameter data is not base64 of a JSON object, one call.".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_the_body_of_a_call() {
        let event = r#"{"writeKey":"wk","userId":"ü?>","event":"E"}"#;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            assert_eq!(body(&format!("data={}", engine.encode(event))).unwrap(), event);
        }
        assert_eq!(body("data=%%%").unwrap_err().code(), "invalid_json");
        let pairs = "writeKey=wk&anonymousId=a&event=Mail+opened&properties.plan=pro&properties=x";
        let read: Value = serde_json::from_str(&body(pairs).unwrap()).unwrap();
        assert_eq!(read["event"], "Mail opened");
        assert_eq!(read["properties"], "x");
        assert_eq!(body("a.b=1&a.c=2").unwrap(), r#"{"a":{"b":"1","c":"2"}}"#);
        assert_eq!(body("").unwrap(), "{}");
        assert!(GIF.starts_with(b"GIF89a"));
    }
}
