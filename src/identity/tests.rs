//! Any order, batching and duplication of the same calls gives the same people, the same candidates
//! and the same identifiers; and what clients really send ends as the rules say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::evidence::{self, Kind, Owner, Pair, Piece};
use super::heard::{First, Heard, Identifier};
use super::person::Person;
use super::stitch::{By, Claim, Visitor};
use super::store_candidates;
use crate::catalog::matching::Catalog;
use crate::ids::{SourceId, UserId};
use crate::ingest::chunk::Chunk;
use crate::ingest::endpoint::Endpoint;
use crate::ingest::parse;

/// The second 0 of these stories.
const START: i64 = 1_790_000_000;

/// What the tables hold, in memory: each chunk is added as `project` adds it.
#[derive(Debug, Default, PartialEq)]
struct Tables {
    people: BTreeMap<UserId, (bool, String)>,
    spans: BTreeMap<UserId, (DateTime<Utc>, DateTime<Utc>)>,
    traits: BTreeMap<UserId, (String, String)>,
    identifiers: BTreeMap<Identifier, First>,
    claims: BTreeMap<(UserId, UserId, By), evidence::Heard>,
}

/// Who is who, and which pairs a person is asked about.
#[derive(Debug, PartialEq)]
struct Outcome {
    canonical: BTreeMap<UserId, UserId>,
    evidence: BTreeMap<(Pair, Kind, String), Piece>,
}

fn tables_of(chunks: &[Vec<Value>]) -> (Tables, Outcome) {
    let received = at(1_000);
    let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
    let mut tables = Tables::default();
    for events in chunks {
        let body = json!({ "batch": events }).to_string();
        let parsed = parse::body(&body, Endpoint::Batch, received, Uuid::nil()).unwrap();
        let mut chunk = Chunk::new(received, Catalog::default());
        for mut message in parsed.accepted {
            // In whatever order they are read, their receipts stay what they are.
            message.seq = seq_of(&message.message_id);
            chunk.admit(Uuid::nil(), SourceId(Uuid::nil()), received, message);
        }
        let heard = Heard::of(&chunk.events);
        for (id, said) in heard.people {
            let new = || Person::new(id, said.known, &said.external_id, said.first_at);
            let person = people.entry(id).or_insert_with(new);
            person.seen(said.first_at);
            person.seen(said.last_at);
            for (at, traits) in &said.traits {
                person.traits.say_all(traits, *at);
            }
        }
        for (key, first) in heard.identifiers {
            let known = tables.identifiers.entry(key).or_insert(first);
            *known = first.min(*known);
        }
        for (key, since) in heard.claims {
            let known = tables.claims.entry(key).or_insert(since);
            *known = since.min(*known);
        }
    }
    let outcome = outcome(&people, &tables);
    for (id, person) in people {
        let text = |map: &serde_json::Map<String, Value>| Value::from(map.clone()).to_string();
        let traits = (text(&person.traits.values), text(&person.traits.times));
        tables.traits.insert(id, traits);
        tables.spans.insert(id, (person.first_seen_at, person.last_seen_at));
        tables.people.insert(id, (person.known, person.external_id));
    }
    (tables, outcome)
}

fn outcome(people: &BTreeMap<UserId, Person>, tables: &Tables) -> Outcome {
    let mut evidence = BTreeMap::new();
    let mut visitors: BTreeMap<UserId, Visitor> = BTreeMap::new();
    for ((id, user, by), since) in &tables.claims {
        let external = &people[id].external_id;
        let former = UserId::known(external);
        let visitor = visitors.entry(*id).or_default();
        visitor.is_known_user = people.contains_key(&former);
        visitor.claims.insert(Claim { at: since.0, known: *user, by: *by });
        if *by == By::Alias && visitor.is_known_user {
            evidence.extend(store_candidates::alias((former, external), *user, *since));
        }
    }
    let mut owners: BTreeMap<(Kind, &str), Vec<Owner>> = BTreeMap::new();
    for (one, first) in &tables.identifiers {
        let Some(kind) = Kind::named(one.kind) else { continue };
        let person = &people[&one.person];
        if person.known {
            let verified = person.mailbox().filter(|(address, _)| *address == one.value);
            let verified = verified.and_then(|(_, said)| said);
            let owner = Owner { user: one.person, heard: first.0, verified };
            owners.entry((kind, &one.value)).or_default().push(owner);
        }
    }
    for ((kind, value), owners) in owners {
        for (pair, piece) in evidence::of_shared(kind, value, &owners) {
            evidence.insert((pair, kind, value.to_owned()), piece);
        }
    }
    let canonical = people
        .keys()
        .map(|id| {
            let standing = visitors.get(id).and_then(Visitor::standing);
            (*id, standing.map_or(*id, |claim| claim.known))
        })
        .collect();
    Outcome { canonical, evidence }
}

fn at(second: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(START + i64::from(second), 0).unwrap()
}

fn seq_of(message_id: &str) -> i64 {
    let id = Uuid::parse_str(message_id).unwrap().as_u64_pair().1;
    i64::try_from(id >> 2).unwrap()
}

fn call(kind: &str, second: u32, more: Value) -> Value {
    let at = at(second).to_rfc3339();
    let mut call = json!({"type": kind, "timestamp": at, "messageId": Uuid::now_v7().to_string()});
    call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call
}

fn after(calls: &[Value]) -> Outcome {
    tables_of(&[calls.to_vec()]).1
}

impl Outcome {
    fn is(&self, anonymous: &str, user: &str) -> bool {
        self.canonical.get(&UserId::anonymous(anonymous)) == Some(&UserId::known(user))
    }

    fn is_nobody(&self, anonymous: &str) -> bool {
        let id = UserId::anonymous(anonymous);
        self.canonical.get(&id).is_none_or(|canonical| *canonical == id)
    }

    fn kinds(&self, one: &str, other: &str) -> BTreeSet<Kind> {
        let wanted = evidence::pair(UserId::known(one), UserId::known(other)).unwrap();
        self.evidence.keys().filter(|key| key.0 == wanted).map(|key| key.1).collect()
    }
}

/// A call of a small world, so that everything meets: users, visitors, junk and ids that are both.
fn any_call() -> impl Strategy<Value = Value> {
    let user = prop::sample::select(vec!["u1", "u2", "u3", "a1", "null", ""]);
    let other = prop::sample::select(vec!["a1", "a2", "u1", "u2", "undefined", "info@acme.com"]);
    let email = prop::sample::select(vec!["dana@acme.com", "eve@acme.com", "ops@acme.com", "no"]);
    let verified = prop::sample::select(vec![json!(true), json!(false), json!(null)]);
    (0_u8..5, user, other, email, verified, 1_u32..6, any::<bool>()).prop_map(
        |(kind, user, other, email, verified, second, sso)| match kind {
            0 => call("identify", second, json!({"userId": user, "anonymousId": other})),
            1 => call(
                "identify",
                second,
                json!({"userId": user, "anonymousId": other, "traits": {"email": email,
                       "emailVerified": verified, "sso_subject": if sso { "s1" } else { "null" }}}),
            ),
            2 => call("alias", second, json!({"userId": user, "previousId": other})),
            3 => call("track", second, json!({"userId": user, "event": "x"})),
            _ => call("track", second, json!({"anonymousId": other, "event": "x"})),
        },
    )
}

proptest! {
    #[test]
    fn any_order_batching_and_duplication_is_the_same(
        calls in prop::collection::vec(any_call(), 1..14),
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 14..28),
    ) {
        let expected = tables_of(std::slice::from_ref(&calls));
        // Every call once in a shuffled order, some twice, cut into batches anywhere.
        let mut rest: Vec<Value> = calls.clone();
        let mut chunks: Vec<Vec<Value>> = vec![Vec::new()];
        for (pick, cut) in order {
            let next = if rest.is_empty() {
                calls[pick.index(calls.len())].clone()
            } else {
                rest.remove(pick.index(rest.len()))
            };
            chunks.last_mut().unwrap().push(next);
            if cut {
                chunks.push(Vec::new());
            }
        }
        prop_assume!(rest.is_empty());
        prop_assert_eq!(tables_of(&chunks), expected);
    }

    #[test]
    fn known_users_are_nobody_else_and_visitors_only_known_users(
        calls in prop::collection::vec(any_call(), 1..20),
    ) {
        let (tables, outcome) = tables_of(&[calls]);
        for (person, canonical) in &outcome.canonical {
            let (known, _) = &tables.people[person];
            prop_assert!(person == canonical || (!known && tables.people[canonical].0));
        }
        for junk in ["null", "undefined", ""] {
            prop_assert!(!outcome.canonical.contains_key(&UserId::known(junk)));
        }
        for junk in ["undefined", "info@acme.com"] {
            prop_assert!(outcome.is_nobody(junk));
        }
    }
}

#[test]
fn one_anonymous_id_of_two_users_belongs_to_the_first() {
    let first = call("identify", 5, json!({"userId": "first", "anonymousId": "pc"}));
    let second = call("identify", 9, json!({"userId": "second", "anonymousId": "pc"}));
    for calls in [[first.clone(), second.clone()], [second, first]] {
        let after = after(&calls);
        assert!(after.is("pc", "first"));
        assert!(after.evidence.is_empty(), "the second user is not merged with the first");
    }
}

#[test]
fn chains_and_cycles_of_aliases_merge_no_users() {
    let users = ["x", "y", "z"].map(|id| call("track", 1, json!({"userId": id, "event": "e"})));
    let aliases = [("x", "y"), ("y", "z"), ("z", "x")]
        .map(|(from, to)| call("alias", 2, json!({"previousId": from, "userId": to})));
    let calls: Vec<Value> = aliases.into_iter().chain(users).collect();
    let after = after(&calls);
    for id in ["x", "y", "z"] {
        assert_eq!(after.canonical[&UserId::known(id)], UserId::known(id));
        assert!(after.is_nobody(id), "the name of a user is no visitor's");
    }
    assert_eq!(after.evidence.len(), 3);
}

#[test]
fn the_browser_sdks_alias_of_a_visitor_stitches() {
    let calls = [
        call("page", 1, json!({"anonymousId": "anon"})),
        call("alias", 2, json!({"userId": "new", "previousId": "anon", "anonymousId": "anon"})),
    ];
    assert!(after(&calls).is("anon", "new"));
}

/// analytics-next, when somebody is identified: the new id is lost, both are the current one.
#[test]
fn an_alias_to_oneself_says_nothing() {
    let calls = [
        call("identify", 1, json!({"userId": "u1", "anonymousId": "anon"})),
        call("alias", 2, json!({"userId": "u1", "previousId": "u1", "anonymousId": "anon"})),
    ];
    let after = after(&calls);
    assert!(after.evidence.is_empty());
    assert!(!after.canonical.contains_key(&UserId::anonymous("u1")));
}

/// analytics-next rebuilds a retried payload from what it knows then: the previous id of the retry is
/// the new user's id, not the visitor's.
#[test]
fn a_retried_alias_merges_no_users() {
    let identify = call("identify", 9, json!({"userId": "late", "anonymousId": "anon"}));
    let retried = call("alias", 2, json!({"userId": "pre", "previousId": "late"}));
    for calls in [[identify.clone(), retried.clone()], [retried, identify]] {
        let after = after(&calls);
        assert_eq!(after.canonical[&UserId::known("late")], UserId::known("late"));
        assert!(after.is_nobody("late") && after.is("anon", "late"));
        assert_eq!(after.kinds("pre", "late"), BTreeSet::from([Kind::Alias]));
    }
}

/// rudder's browser SDK on an identified user: the previous id is the old user's.
#[test]
fn an_alias_between_users_waits_for_a_person() {
    let old = call("track", 1, json!({"userId": "old", "event": "e"}));
    let alias = call("alias", 2, json!({"userId": "new", "previousId": "old"}));
    for calls in [[old.clone(), alias.clone()], [alias, old]] {
        let after = after(&calls);
        assert_eq!(after.canonical[&UserId::known("old")], UserId::known("old"));
        assert_eq!(after.kinds("old", "new"), BTreeSet::from([Kind::Alias]));
    }
}

#[test]
fn junk_never_stitches() {
    let nil = "00000000-0000-0000-0000-000000000000";
    let junk =
        ["null", "undefined", "anonymous", "0", "none", "NaN", nil, "", " ", "info@acme.com"];
    for id in junk.into_iter().chain(["billing@acme.com", "x@mailinator.com"]) {
        let calls = [
            call("track", 1, json!({"anonymousId": id, "userId": "other", "event": "e"})),
            call("identify", 2, json!({"userId": "u1", "anonymousId": id})),
            call("alias", 3, json!({"userId": "u1", "previousId": id})),
        ];
        assert!(after(&calls).is_nobody(id), "{id:?}");
    }
    for role in ["info@acme.com", "x@mailinator.com", "null"] {
        let calls = ["u1", "u2"]
            .map(|id| call("identify", 1, json!({"userId": id, "traits": {"email": role}})));
        assert!(after(&calls).evidence.is_empty(), "{role}");
    }
}

#[test]
fn an_address_called_unverified_speaks_no_more_whatever_the_order() {
    let said = |id: &str, second, verified: Value| {
        let traits = json!({"email": "Dana@Acme.com", "email_verified": verified});
        call("identify", second, json!({"userId": id, "traits": traits}))
    };
    let calls =
        [said("u1", 1, json!(true)), said("u2", 1, json!(true)), said("u2", 2, json!("false"))];
    assert!(after(&calls).evidence.is_empty());
    let pieces = after(&calls[..2]).evidence;
    assert_eq!(pieces.len(), 1);
    assert!(pieces.values().all(|piece| piece.verified));
}

#[test]
fn identifiers_of_all_kinds_say_where_they_came_from() {
    let traits = json!({"email": "Dana@Acme.com", "ssoId": "okta|7"});
    let calls = [
        call("track", 3, json!({"userId": "u1", "event": "e"})),
        call("identify", 4, json!({"userId": "u1", "anonymousId": "a1", "traits": traits})),
    ];
    let (tables, _) = tables_of(&[calls.to_vec()]);
    let found: Vec<(&str, &str, &str, i64)> = tables
        .identifiers
        .iter()
        .map(|(one, first)| (one.kind, one.value.as_str(), first.1, first.0.0.timestamp() - START))
        .collect();
    assert_eq!(
        found,
        [
            ("anonymous_id", "a1", "identify", 4),
            ("email", "dana@acme.com", "identify", 4),
            ("sso", "okta|7", "identify", 4),
            ("user_id", "u1", "track", 3),
        ]
    );
}
