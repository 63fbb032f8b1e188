// cargo add segment@0.2 reqwest@0.12 serde_json
// cargo add tokio --features macros,rt-multi-thread
use segment::message::{Track, User};
use segment::{Client, HttpClient, Message};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = HttpClient::new(reqwest::Client::new(), "https://ripen.example".into());
    let track = Track {
        user: User::UserId { user_id: "user-1".into() },
        event: "Signed Up".into(),
        context: Some(serde_json::json!({"groupId": "workspace-1"})),
        ..Default::default()
    };
    client.send("YOUR_WRITE_KEY".into(), Message::Track(track)).await?;
    Ok(())
}
