//! What goes wrong on the way, as in any product: retries, late devices, broken calls.

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;

use super::call::{Calendar, Call, Pen};
use super::company::Workspace;
use super::dice::Dice;
use super::{doubles, life};

/// Everything to send, in the order of sending.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Calls in the order of their times, with retries and broken calls among them.
    pub history: Vec<Call>,
    /// Calls of devices that were offline for days, received after everything else.
    pub late: Vec<Call>,
}

/// Codes of the dead letters that the demo makes: by the parser, then by the drainer.
pub const REFUSED: [&str; 8] = [
    "missing_identity",
    "missing_event",
    "bad_timestamp",
    "invalid_type",
    "event_too_large",
    "too_deep",
    "missing_workspace",
    "blocked_identity",
];

/// The calls of all workspaces, and what became of some of them. Broken calls only if `first`: each
/// time one is refused there is a dead letter more.
#[must_use]
pub fn delivery(seed: u64, workspaces: &[Workspace], calendar: Calendar, first: bool) -> Delivery {
    let mut all: Vec<Call> = workspaces
        .iter()
        .flat_map(|workspace| life::calls(seed, workspace, calendar))
        .chain(doubles::calls(seed, workspaces, calendar))
        .filter(|call| call.at <= calendar.end)
        .collect();
    if first {
        all.extend(broken(seed, workspaces, calendar));
    }
    all.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
    let mut dice = Dice::of(seed, "trouble");
    let recent = calendar.at(6, 0);
    let (mut history, mut late) = (Vec::new(), Vec::new());
    for call in all {
        // A phone without network: what it did on those days comes at the end.
        if call.at > recent && call.text.contains("\"track\"") && dice.percent(1) {
            late.push(call);
            continue;
        }
        if dice.from_to(1, 300) == 1 {
            history.push(call.clone());
        }
        history.push(call);
    }
    late.extend(strangers(seed, workspaces, calendar));
    Delivery { history, late }
}

/// A browser of a person's before they signed in on it, told so days later: their clicks are found
/// to be theirs, and their workspace's score follows.
fn strangers(seed: u64, workspaces: &[Workspace], calendar: Calendar) -> Vec<Call> {
    let mut pen = Pen::new(seed, "strangers");
    let mut dice = Dice::of(seed, "strangers");
    for workspace in workspaces.iter().filter(|workspace| workspace.company.is_some()) {
        let Some(founder) = workspace.people.first() else { continue };
        if workspace.course.until > 0 || !dice.percent(40) {
            continue;
        }
        let device = format!("anon-phone-{}", founder.id);
        let age = dice.from_to(3, 9).min(workspace.course.born);
        let view =
            json!({"type": "page", "name": "Pricing", "anonymousId": device, "properties": {}});
        pen.write(calendar.at(age, 1080), view);
        let identify = json!({
            "type": "identify", "anonymousId": device, "userId": founder.id,
            "traits": {"email": founder.email},
        });
        pen.write(calendar.at(1, 1200), identify);
    }
    pen.calls
}

fn broken(seed: u64, workspaces: &[Workspace], calendar: Calendar) -> Vec<Call> {
    let mut pen = Pen::new(seed, "broken");
    let mut dice = Dice::of(seed, "broken");
    let user = workspaces
        .first()
        .and_then(|workspace| workspace.people.first())
        .map_or("u", |person| &person.id);
    for nth in 0..6_i64 {
        let mut at = || calendar.at(dice.from_to(0, 20), dice.from_to(500, 1000));
        pen.write(
            at(),
            json!({"type": "track", "event": "Feature Used", "properties": {"n": nth}}),
        );
        if nth < 4 {
            pen.write(at(), json!({"type": "track", "userId": user, "properties": {"n": nth}}));
            pen.write(at(), json!({"type": "track", "event": "Feature Used", "userId": format!("u_lost_{nth}")}));
        }
        if nth < 3 {
            let call = json!({"type": "track", "event": "Feature Used", "userId": user, "timestamp": "yesterday"});
            pen.write(at(), call);
            pen.write(at(), json!({"type": "track", "event": "Feature Used", "userId": "null"}));
        }
        if nth < 2 {
            pen.write(at(), json!({"type": "purchase", "userId": user}));
            let report = "x".repeat(40_000);
            pen.write(at(), json!({"type": "track", "event": "Report Exported", "userId": user, "properties": {"report": report}}));
        }
    }
    // NaN is no JSON, and some SDK sends it: that one value is cleaned, the event counts.
    let at = calendar.at(3, 600);
    let text = format!(
        "{{\"type\":\"track\",\"event\":\"core_feature_used\",\"userId\":\"{user}\",\"messageId\":\"demo-nan-{seed}\",\
         \"originalTimestamp\":\"{}\",\"properties\":{{\"feature\":\"reports\",\"ratio\":NaN}}}}",
        (at + TimeDelta::seconds(1)).to_rfc3339_opts(SecondsFormat::Millis, true)
    );
    pen.calls.push(Call { at, text });
    pen.calls
}

/// A second product that was released too early: of what its app sends about some people, a good part
/// is broken. All of it happens within the last hours.
#[must_use]
pub fn mobile(seed: u64, workspaces: &[Workspace], calendar: Calendar) -> Vec<Call> {
    let mut pen = Pen::new(seed, "mobile");
    let mut dice = Dice::of(seed, "mobile");
    let busy = workspaces.iter().filter(|workspace| workspace.course.until == 0);
    for (nth, workspace) in busy.take(24).enumerate() {
        let Some(person) = workspace.people.first() else { continue };
        let context = json!({"groupId": workspace.id, "device": {"type": "ios"}});
        let mut at = || calendar.end - TimeDelta::minutes(dice.from_to(5, 240));
        for event in ["Push Opened", "Widget Added"] {
            pen.write(
                at(),
                json!({"type": "track", "event": event, "userId": person.id, "context": context, "properties": {}}),
            );
        }
        let call = match nth % 6 {
            0 | 1 => json!({"type": "track", "event": "", "userId": person.id, "context": context}),
            2 | 3 => json!({"type": "track", "event": "Push Opened", "context": context}),
            4 => {
                json!({"type": "track", "event": "Screen Rendered", "userId": person.id, "properties": tree(20)})
            }
            _ => {
                json!({"type": "track", "event": "Push Opened", "userId": person.id, "timestamp": "1.7e9 sec"})
            }
        };
        pen.write(at(), call);
    }
    pen.calls
}

/// A whole view hierarchy where a name was meant.
fn tree(depth: u32) -> serde_json::Value {
    (0..depth).fold(json!("Board"), |inner, _| json!({ "children": inner }))
}
