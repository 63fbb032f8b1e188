//! Every route of `src/routes.rs` with what it takes to get in, and one of everything to ask for.

use actix_web::http::Method;
use diesel::connection::SimpleConnection;
use ripen::db::Pool;
use ripen::ids::{MemberId, SourceId, WorkspaceId};
use ripen::sources::key::Scope;
use ripen::tasks::ops::Brief;
use ripen::team::audit::Actor;
use ripen::team::member::Role;
use ripen::team::ops::{self, NewInvite};
use ripen::web::role::May::{self, *};
use ripen::web::token;
use uuid::Uuid;

use crate::house::House;
use crate::{leads, scored};

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// Nothing: there is nothing to hide.
    Nothing,
    /// Nothing, or the secret in its address: signing in and out, set-up, invites.
    Door,
    /// A session of a role with this right.
    Right(May),
    /// As `Right`, and the object has to be one's own.
    Own(May),
    /// An API key with this scope.
    Key(Scope),
    /// A signature over the body.
    Signature,
    /// A server key of a source.
    ServerKey,
}
use Needs::{Door, Key, Nothing, Own, Right, ServerKey, Signature};

/// `ui.md` section 2 and `api.md`, route by route.
const ROUTES: &[(&str, Needs)] = &[
    ("GET /assets/{name}", Nothing),
    ("GET /healthz", Nothing),
    ("GET /readyz", Nothing),
    ("GET /api/openapi.json", Nothing),
    ("GET /api/docs", Nothing),
    ("GET /metrics", Key(Scope::Read)),
    ("POST /webhooks/stripe/{id}", Signature),
    ("POST /webhooks/events/{id}", Signature),
    ("GET /api/v1/ingest/status", Key(Scope::Read)),
    ("GET /api/v1/workspaces", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/score", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/score/history", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/usage", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/events", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/members", Key(Scope::Read)),
    ("GET /api/v1/workspaces/{workspace_id}/routing", Key(Scope::Read)),
    ("GET /api/v1/subscriptions", Key(Scope::Read)),
    ("GET /api/v1/subscriptions/{id}", Key(Scope::Read)),
    ("GET /api/v1/users", Key(Scope::Read)),
    ("GET /api/v1/users/{user_id}", Key(Scope::Read)),
    ("GET /api/v1/contacts", Key(Scope::Read)),
    ("GET /api/v1/contacts/{email}", Key(Scope::Read)),
    ("GET /api/v1/accounts", Key(Scope::Read)),
    ("GET /api/v1/accounts/{account_id}", Key(Scope::Read)),
    ("GET /api/v1/catalog", Key(Scope::Read)),
    ("PUT /api/v1/catalog", Key(Scope::Admin)),
    ("GET /api/v1/scoring/model", Key(Scope::Read)),
    ("PUT /api/v1/scoring/model", Key(Scope::Admin)),
    ("POST /api/v1/scoring/model/publish", Key(Scope::Admin)),
    ("GET /api/v1/jobs/{id}", Key(Scope::Read)),
    ("PUT /api/v1/workspaces/{workspace_id}", Key(Scope::Write)),
    ("PUT /api/v1/accounts/{account_id}", Key(Scope::Write)),
    ("PUT /api/v1/users/{user_id}", Key(Scope::Write)),
    ("PUT /api/v1/subscriptions/{id}", Key(Scope::Write)),
    ("PUT /api/v1/memberships", Key(Scope::Write)),
    ("POST /api/v1/bulk/{kind}", Key(Scope::Write)),
    ("POST /v1/workspaces", ServerKey),
    ("POST /v1/accounts", ServerKey),
    ("POST /v1/users", ServerKey),
    ("POST /v1/memberships", ServerKey),
    ("POST /v1/subscriptions", ServerKey),
    ("GET /", Door),
    ("GET /login", Door),
    ("POST /login", Door),
    ("POST /logout", Door),
    ("GET /setup/{token}", Door),
    ("POST /setup/{token}", Door),
    ("GET /invite/{token}", Door),
    ("POST /invite/{token}", Door),
    ("GET /inbox", Right(View)),
    ("GET /notifications", Right(View)),
    ("POST /notifications/readings", Right(View)),
    ("POST /notifications/{id}/reading", Own(View)),
    ("GET /tasks/{id}", Own(View)),
    ("POST /tasks/{id}/completion", Own(HandleLeads)),
    ("POST /tasks/{id}/snooze", Own(HandleLeads)),
    ("POST /tasks/{id}/acceptance", Own(HandleLeads)),
    ("POST /tasks/{id}/rejection", Own(HandleLeads)),
    ("GET /assign", Right(View)),
    ("POST /assign", Right(View)),
    ("POST /workspaces/{id}/assignment", Right(View)),
    ("GET /routing", Right(View)),
    ("GET /routing/log", Right(View)),
    ("GET /me", Right(View)),
    ("POST /me", Right(View)),
    ("POST /me/password", Right(View)),
    ("POST /me/theme", Right(View)),
    ("GET /me/sessions", Right(View)),
    ("POST /me/sessions/{id}/revocation", Own(View)),
    ("GET /settings/team", Right(SeeTeam)),
    ("POST /settings/team/invites", Right(ManageTeam)),
    ("POST /settings/team/invites/{id}/revocation", Right(ManageTeam)),
    ("POST /settings/team/{id}/role", Right(ManageTeam)),
    ("POST /settings/team/{id}/work", Right(ManageTeam)),
    ("POST /settings/team/{id}/deactivation", Right(ManageTeam)),
    ("POST /settings/team/{id}/reactivation", Right(ManageTeam)),
    ("GET /settings/events", Right(EditCatalog)),
    ("POST /settings/events", Right(EditCatalog)),
    ("GET /settings/events/new", Right(EditCatalog)),
    ("GET /settings/events/mapping", Right(EditCatalog)),
    ("GET /settings/events/rebuild", Right(EditCatalog)),
    ("POST /settings/events/rebuild", Right(EditCatalog)),
    ("POST /settings/events/rebuild/cancellation", Right(EditCatalog)),
    ("GET /settings/events/versions/{n}", Right(EditCatalog)),
    ("POST /settings/events/versions/{n}/restoration", Right(EditCatalog)),
    ("GET /settings/events/{key}", Right(EditCatalog)),
    ("POST /settings/events/{key}", Right(EditCatalog)),
    ("POST /settings/events/{key}/removal", Right(EditCatalog)),
    ("GET /settings/team/{id}/keys", Right(ManageKeys)),
    ("POST /settings/team/{id}/keys", Right(ManageKeys)),
    ("GET /settings/webhooks", Right(ManageKeys)),
    ("POST /settings/webhooks", Right(ManageKeys)),
    ("GET /settings/webhooks/{id}", Right(ManageKeys)),
    ("POST /settings/webhooks/{id}/secrets", Right(ManageKeys)),
    ("POST /settings/webhooks/{id}/revocation", Right(ManageKeys)),
    ("GET /settings/plans", Right(EditCatalog)),
    ("POST /settings/plans", Right(EditCatalog)),
    ("GET /settings/data", Right(SeeData)),
    ("POST /settings/data", Right(EditData)),
    ("GET /settings/keys", Right(ManageKeys)),
    ("POST /settings/keys/sources", Right(ManageKeys)),
    ("GET /settings/keys/sources/{id}", Right(ManageKeys)),
    ("POST /settings/keys/sources/{id}/write-keys", Right(ManageKeys)),
    ("POST /settings/keys/write-keys/{id}/revocation", Right(ManageKeys)),
    ("POST /settings/keys/write-keys/{id}/rotation", Right(ManageKeys)),
    ("POST /settings/keys/api-keys", Right(ManageKeys)),
    ("POST /settings/keys/api-keys/{id}/revocation", Right(ManageKeys)),
    ("GET /ingest", Right(SeeIngest)),
    ("GET /ingest/unmapped", Right(SeeIngest)),
    ("GET /ingest/unmapped/{id}", Right(SeeIngest)),
    ("POST /ingest/unmapped/{id}/mapping", Right(SeeIngest)),
    ("POST /ingest/unmapped/{id}/mapping/removal", Right(SeeIngest)),
    ("GET /ingest/sources/{id}", Right(SeeIngest)),
    ("GET /ingest/alerts/{id}", Right(SeeIngest)),
    ("POST /ingest/alerts/{id}/acknowledgement", Right(SeeIngest)),
    ("GET /ingest/dead-letters", Right(SeeIngest)),
    ("GET /ingest/dead-letters/{id}", Right(SeeIngest)),
    ("POST /ingest/dead-letters/{id}/text", Right(SeeIngest)),
    ("GET /ingest/dead-letters/replays/{id}", Right(SeeIngest)),
    ("POST /ingest/dead-letters/replays", Right(SeeIngest)),
    ("POST /ingest/dead-letters/discards", Right(SeeIngest)),
    ("GET /imports", Right(Import)),
    ("POST /imports", Right(Import)),
    ("GET /imports/new", Right(Import)),
    ("GET /imports/{id}", Right(Import)),
    ("GET /imports/{id}/mapping", Right(Import)),
    ("POST /imports/{id}/mapping", Right(Import)),
    ("POST /imports/{id}/run", Right(Import)),
    ("POST /imports/{id}/cancellation", Right(Import)),
    ("GET /imports/{id}/errors", Right(Import)),
    ("GET /workspaces", Right(View)),
    ("GET /workspaces/{id}", Right(View)),
    ("GET /workspaces/{id}/score", Right(View)),
    ("GET /workspaces/{id}/events", Right(View)),
    ("GET /workspaces/{id}/members", Right(View)),
    ("GET /workspaces/{id}/billing", Right(View)),
    ("GET /workspaces/{id}/tasks", Right(View)),
    ("GET /workspaces/{id}/history", Right(View)),
    ("POST /workspaces/{id}/account", Right(MergeAccounts)),
    ("GET /accounts", Right(View)),
    ("GET /accounts/links", Right(View)),
    ("GET /accounts/{id}", Right(View)),
    ("POST /accounts/{id}/owner", Right(Assign)),
    ("GET /contacts", Right(View)),
    ("GET /contacts/merges", Right(View)),
    ("GET /contacts/{id}", Right(View)),
    ("POST /contacts/merges", Right(MergeAccounts)),
    ("POST /contacts/merges/reopenings", Right(MergeAccounts)),
    ("POST /users/changes/{id}/undoing", Right(MergeAccounts)),
    ("GET /users/{id}", Right(View)),
    ("POST /users/{id}/splits", Right(MergeAccounts)),
    ("GET /scoring", Right(View)),
    ("GET /scoring/rescore", Right(View)),
    ("POST /scoring/draft", Right(EditScoring)),
    ("POST /scoring/draft/removal", Right(EditScoring)),
    ("POST /scoring/draft/document", Right(EditScoring)),
    ("POST /scoring/preview", Right(EditScoring)),
    ("GET /scoring/publication", Right(PublishScoring)),
    ("POST /scoring/publication", Right(PublishScoring)),
    ("GET /scoring/versions/{n}", Right(View)),
    ("GET /scoring/versions/{n}/document", Right(View)),
    ("POST /scoring/versions/{n}/restoration", Right(PublishScoring)),
];

/// A route as the server has it, with what the table says about it.
pub struct Route {
    pub method: Method,
    pub pattern: String,
    pub needs: Needs,
}

/// Every route of `src/routes.rs`; the ingestion paths, which take a write key, have their own
/// tests. Panics over a route without an entry and over an entry without a route.
pub fn all() -> Vec<Route> {
    let text = include_str!("../../../src/routes.rs");
    assert_eq!(text.matches(".service(").count(), 1, "routes are mounted by route() alone");
    for name in text.split(".configure(").skip(1).filter_map(|rest| rest.split(')').next()) {
        let is_here = text.contains(&format!("fn {name}(config"));
        assert!(
            is_here || name.starts_with("ingest::receive::"),
            "routes of {name} are not walked"
        );
    }
    let routes: Vec<Route> = text
        .split(".route(")
        .skip(1)
        .map(|rest| {
            let pattern = rest.split('"').nth(1).unwrap();
            let method = rest.split("().to(").next().unwrap();
            let method = method.rsplit(|c: char| !c.is_alphabetic()).next().unwrap().to_uppercase();
            let wanted = format!("{method} {pattern}");
            let entry = ROUTES.iter().find(|(route, _)| *route == wanted);
            let (_, needs) = entry.unwrap_or_else(|| panic!("say who may {wanted}"));
            Route { method: method.parse().unwrap(), pattern: pattern.to_owned(), needs: *needs }
        })
        .collect();
    assert_eq!(routes.len(), ROUTES.len(), "an entry names a route that is gone");
    routes
}

/// A house with one of everything that an address can name.
pub struct Stocked {
    pub house: House,
    source: SourceId,
    write_key: Uuid,
    webhook: Uuid,
    api_key: Uuid,
    target: MemberId,
    invite: String,
    task: String,
}

const WORKSPACE: Uuid = Uuid::from_u128(0x0000_0001_0000_0000_0001);
const USER: Uuid = Uuid::from_u128(0x0000_0002_0000_0000_0013);
const CONTACT: Uuid = Uuid::from_u128(0xc0);
const CHANGE: Uuid = Uuid::from_u128(0xc4);
const IMPORT: Uuid = Uuid::from_u128(0x1a);
const LETTER: Uuid = Uuid::from_u128(0x7e);
const UNMAPPED: &str = "
insert into stripe_subscriptions (id, livemode, customer_id, said_at, heard_at)
  values ('sub_lost', true, 'cus_1', '2026-11-20Z', '2026-11-20Z');
insert into subscription_changes (subscription_id, at, status, currency, mrr_cents, origin)
  values ('sub_lost', '2026-11-20Z', 'active', 'usd', 4900, 'stripe');";
const REPLAY: Uuid = Uuid::from_u128(0x7f);
const ALERT: Uuid = Uuid::from_u128(0x80);

pub async fn stocked() -> Stocked {
    let house = scored::house().await;
    let now = house.clock.now();
    house.tx(leads::seed);
    house.tx(|conn| ripen::catalog::ops::seed(conn, now));
    let target = house.member("Target", Role::Rep);
    let admin = Actor::member(house.member("Founder", Role::Admin), "Founder");
    let invite = NewInvite {
        email: "new@ripen.test".to_owned(),
        name: "New".to_owned(),
        role: Role::Rep,
        function: None,
    };
    let invite = house.tx(|conn| ops::invite(conn, &admin, &invite, now));
    let brief = Brief {
        workspace: WorkspaceId(WORKSPACE),
        assignee: target,
        play: "ae".to_owned(),
        because: "a test".to_owned(),
        title: "Call {workspace}".to_owned(),
        priority: 1,
        sla_hours: 4,
        decision: None,
    };
    let task = house.tx(|conn| ripen::tasks::ops::open(conn, &brief, now)).to_string();
    let by = Actor::system();
    let (source, write_key, api_key, webhook) = house.tx(|conn| {
        use ripen::sources::{ops, ops_webhooks, store};
        let source = ops::create_source(conn, &by, "Web app", "", now)?.id;
        ops::create_write_key(conn, &by, source, now)?;
        ops::create_api_key(conn, &by, "a script", &[Scope::Read], now)?;
        let key = store::list_api_keys(conn)?.pop().unwrap().id;
        let wanted = ops_webhooks::Wanted::Events(source);
        let (webhook, _) = ops_webhooks::create(conn, &by, "Our backend", &wanted, now)?;
        Ok((source, store::list_write_keys(conn)?.pop().unwrap().id, key, webhook.id))
    });
    let letter = format!(
        "insert into dead_letters (id, source_id, received_at, refused_by, code, message, raw)
         values ('{LETTER}', '{source}', '{0}', 'parser', 'missing_event', 'No event.', '{{}}');
         insert into ingest_replays (id, actor, chosen, letters, started_at)
         values ('{REPLAY}', 'Founder', '{{}}', 1, '{0}');
         insert into ingest_alerts (id, kind, opened_at, facts)
         values ('{ALERT}', 'lag', '{0}', '{{\"kind\": \"lag\", \"oldest_ms\": 200000, \"pending\": 3}}')",
        now.to_rfc3339()
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&letter).unwrap();
    let merge = format!(
        "insert into identity_changes (id, kind, person_id, other_id, reason, moved, decided_at)
         select '{CHANGE}', 'merge', id, '{USER}', '', '{{}}', '{}' from product_users where external_id = 'u14'",
        now.to_rfc3339()
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&merge).unwrap();
    house.db.checkout(Pool::Work).unwrap().batch_execute(UNMAPPED).unwrap();
    let import = format!(
        "insert into imports (id, kind, file_name, made_by, created_at, status, header)
         values ('{IMPORT}', 'users', 'people.csv', '{target}', '{}', 'mapping', '{{id}}')",
        now.to_rfc3339()
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&import).unwrap();
    let contact = format!(
        "insert into contacts values ('{CONTACT}', 'u13@acme.example', 'corporate', 'acme.example');
         insert into contact_users values ('{USER}', '{CONTACT}')"
    );
    house.db.checkout(Pool::Work).unwrap().batch_execute(&contact).unwrap();
    let invite = hex::encode(token::hash(&invite));
    Stocked { house, source, write_key, webhook, api_key, target, invite, task }
}

impl Stocked {
    /// The pattern with the name of something that there is.
    pub fn address(&self, pattern: &str) -> String {
        let account = Uuid::from_u128(0xa);
        let id = match pattern {
            _ if pattern.starts_with("/tasks/") => self.task.clone(),
            _ if pattern.starts_with("/settings/team/invites/") => self.invite.clone(),
            _ if pattern.starts_with("/settings/team/") => self.target.to_string(),
            _ if pattern.starts_with("/settings/keys/sources/") => self.source.to_string(),
            _ if pattern.starts_with("/settings/keys/write-keys/") => self.write_key.to_string(),
            _ if pattern.contains("/webhooks/") => self.webhook.to_string(),
            _ if pattern.starts_with("/ingest/unmapped/") => "cus_1".to_owned(),
            _ if pattern.starts_with("/settings/keys/api-keys/") => self.api_key.to_string(),
            _ if pattern.starts_with("/ingest/dead-letters/replays/") => REPLAY.to_string(),
            _ if pattern.starts_with("/ingest/alerts/") => ALERT.to_string(),
            _ if pattern.starts_with("/ingest/sources/") => self.source.to_string(),
            _ if pattern.starts_with("/ingest/dead-letters/") => LETTER.to_string(),
            _ if pattern.starts_with("/users/changes/") => CHANGE.to_string(),
            _ if pattern.starts_with("/users/") => USER.to_string(),
            _ if pattern.starts_with("/imports/") => IMPORT.to_string(),
            _ if pattern.starts_with("/contacts/") => CONTACT.to_string(),
            _ if pattern.starts_with("/workspaces/") => WORKSPACE.to_string(),
            _ if pattern.starts_with("/accounts/") => account.to_string(),
            _ => "00".repeat(32),
        };
        pattern
            .replace("/api/v1/jobs/{id}", "/api/v1/jobs/1")
            .replace("{id}", &id)
            .replace("{workspace_id}", "ws2")
            .replace("{account_id}", "acme.com")
            .replace("{user_id}", "u13")
            .replace("{kind}", "users")
            .replace("{email}", "u13@acme.example")
            .replace("{n}", "1")
            .replace("{key}", "usage_limit_hit")
            .replace("{token}", "nothing")
            .replace("{name}", "nothing")
    }
}
