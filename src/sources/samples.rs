//! How a product sends its first event, with the address and the key filled in.

/// What stands in the place of a key that is not known any more.
pub const PLACEHOLDER: &str = "YOUR_WRITE_KEY";

/// A few lines for one kind of product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The id of the block in the page.
    pub id: &'static str,
    /// The kind of product.
    pub label: &'static str,
    pub code: String,
}

/// One for each common kind of product. `host` is Ripen's public address, without a slash at its end.
#[must_use]
pub fn samples(host: &str, key: &str) -> Vec<Sample> {
    let curl = format!(
        "curl {host}/v1/track -u {key}: -H 'content-type: application/json' -d '{{\n  \
         \"userId\": \"user-1\", \"event\": \"Signed Up\",\n  \
         \"context\": {{\"groupId\": \"workspace-1\"}}\n}}'"
    );
    let python = format!(
        "# pip install segment-analytics-python\n\
         import segment.analytics as analytics\n\
         analytics.write_key = '{key}'\n\
         analytics.host = '{host}'\n\
         analytics.track('user-1', 'Signed Up', context={{'groupId': 'workspace-1'}})\n\
         analytics.flush()"
    );
    let node = format!(
        "// npm install @segment/analytics-node\n\
         import {{ Analytics }} from '@segment/analytics-node'\n\
         const analytics = new Analytics({{ writeKey: '{key}', host: '{host}' }})\n\
         analytics.track({{ userId: 'user-1', event: 'Signed Up',\n  \
         context: {{ groupId: 'workspace-1' }} }})\n\
         await analytics.closeAndFlush()"
    );
    let browser = format!(
        "// npm install @segment/analytics-next\n\
         import {{ AnalyticsBrowser }} from '@segment/analytics-next'\n\
         const analytics = AnalyticsBrowser.load({{ writeKey: '{key}', cdnURL: '{host}' }})\n\
         analytics.track('Signed Up', {{}}, {{ groupId: 'workspace-1' }})"
    );
    let rudder = format!(
        "// npm install @rudderstack/analytics-js\n\
         import {{ RudderAnalytics }} from '@rudderstack/analytics-js'\n\
         const analytics = new RudderAnalytics()\n\
         analytics.load('{key}', '{host}', {{ configUrl: '{host}' }})\n\
         analytics.track('Signed Up', {{}}, {{ groupId: 'workspace-1' }})"
    );
    let rust = format!(
        "// cargo add segment@0.2 reqwest@0.12 serde_json\n\
         // cargo add tokio --features macros,rt-multi-thread\n\
         use segment::message::{{Track, User}};\n\
         use segment::{{Client, HttpClient, Message}};\n\n\
         #[tokio::main]\n\
         async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
             let client = HttpClient::new(reqwest::Client::new(), \"{host}\".into());\n    \
             let track = Track {{\n        \
                 user: User::UserId {{ user_id: \"user-1\".into() }},\n        \
                 event: \"Signed Up\".into(),\n        \
                 context: Some(serde_json::json!({{\"groupId\": \"workspace-1\"}})),\n        \
                 ..Default::default()\n    \
             }};\n    \
             client.send(\"{key}\".into(), Message::Track(track)).await?;\n    \
             Ok(())\n\
         }}"
    );
    vec![
        Sample { id: "first-curl", label: "curl", code: curl },
        Sample { id: "first-python", label: "Python", code: python },
        Sample { id: "first-node", label: "Node.js", code: node },
        Sample { id: "first-browser", label: "Browser", code: browser },
        Sample { id: "first-rudder", label: "Browser, with RudderStack's SDK", code: rudder },
        Sample { id: "first-rust", label: "Rust", code: rust },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bin/setup sdk` compiles this file with the versions that the sample names.
    #[test]
    fn the_rust_sample_is_what_the_sdk_tests_compile() {
        let compiled = include_str!("../../tests/sdk/rust/sample.rs");
        let all = samples("https://ripen.example", PLACEHOLDER);
        let shown = &all.iter().find(|sample| sample.label == "Rust").unwrap().code;
        assert_eq!(compiled.trim_end(), shown.trim_end());
        let manifest = include_str!("../../tests/sdk/rust/Cargo.toml");
        for line in shown.lines().filter_map(|line| line.strip_prefix("// cargo add ")) {
            for named in line.split(' ').take_while(|word| !word.starts_with("--")) {
                let (name, version) = named.split_once('@').unwrap_or((named, ""));
                let used =
                    manifest.lines().find(|line| line.starts_with(&format!("{name} ="))).unwrap();
                let plain = used.replace("\"=", "\"");
                assert!(plain.contains(&format!("\"{version}")), "{named}: {used}");
            }
        }
    }
}
