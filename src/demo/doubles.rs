//! People who signed up twice, as some do: pairs of users that somebody has to judge.

use serde_json::{Value, json};

use super::call::{Calendar, Call, Pen};
use super::company::{Person, Workspace};
use super::names;
use super::story::Story;

/// What gives a pair away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// The same address, confirmed on both sides, and an alias call from one to the other.
    AddressAndAlias,
    /// The same subject at the company's identity provider; the address is a private one.
    Sso,
    /// An alias call between two known users.
    Alias,
    /// The same address, of which nobody says that it was confirmed.
    Address,
}

const TRACES: [Trace; 4] = [Trace::AddressAndAlias, Trace::Sso, Trace::Alias, Trace::Address];

/// The calls of four second users: each of a colleague in a small team, in their workspace.
#[must_use]
pub fn calls(seed: u64, workspaces: &[Workspace], calendar: Calendar) -> Vec<Call> {
    let mut pen = Pen::new(seed, "doubles");
    let hosts = workspaces.iter().filter(|workspace| {
        workspace.story == Story::Steady
            && workspace.company.is_some()
            && workspace.course.until == 0
    });
    let pairs = hosts.filter_map(|workspace| Some((workspace, workspace.people.get(1)?)));
    for (trace, (workspace, person)) in TRACES.into_iter().zip(pairs) {
        pair(&mut pen, trace, workspace, person, calendar);
    }
    pen.calls
}

fn pair(pen: &mut Pen, trace: Trace, workspace: &Workspace, person: &Person, calendar: Calendar) {
    let (first, second) = (person.id.as_str(), format!("{}_again", person.id));
    let since = person.joined.clamp(1, 9);
    let mut own = json!({"email": person.email});
    let mut other = json!({"email": person.email, "name": person.name});
    let mut say = |name: &str, value: Value| {
        for traits in [&mut own, &mut other] {
            traits.as_object_mut().map(|traits| traits.insert(name.to_owned(), value.clone()));
        }
    };
    match trace {
        Trace::AddressAndAlias => say("email_verified", true.into()),
        Trace::Sso => say("sso_subject", format!("okta|{first}").into()),
        Trace::Alias | Trace::Address => {}
    }
    if matches!(trace, Trace::Sso | Trace::Alias) {
        let private = format!("{}.private@gmail.com", names::plain(&person.name).replace('-', "."));
        other.as_object_mut().map(|traits| traits.insert("email".to_owned(), private.into()));
    }
    let at = |age: i64, minute: i64| calendar.at(age, minute);
    pen.write(at(since, 600), json!({"type": "identify", "userId": first, "traits": own}));
    pen.write(at(since, 601), json!({"type": "identify", "userId": second, "traits": other}));
    pen.write(
        at(since, 602),
        json!({"type": "group", "userId": second, "groupId": workspace.id, "traits": {"role": "member"}}),
    );
    for day in 1..=since.min(3) {
        pen.write(
            at(day, 640),
            json!({"type": "track", "event": "Signed In", "userId": second, "properties": {},
                   "context": {"groupId": workspace.id}}),
        );
    }
    if matches!(trace, Trace::AddressAndAlias | Trace::Alias) {
        pen.write(at(1, 700), json!({"type": "alias", "userId": second, "previousId": first}));
    }
}
