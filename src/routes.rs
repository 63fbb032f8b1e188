//! Every URL and who may call it: the table of contents of the HTTP side.
//!
//! Three groups: machines (a key, a signature, or nothing to hide), the door (signed out), and
//! pages, whose handlers each name the permit that they need (`web::permit`); a page without one
//! does not come past review, and a test walks every route with every role.
//! Machines are mounted first: the pages' scope has no prefix and takes whatever is left.

use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, get, post, put, scope, to};

use crate::error::{Error, Result};
use crate::web::{assets, csrf};
use crate::{
    accounts, api, bulk, catalog, contacts, health, identity, imports, ingest, ownership, plans,
    retention, routing, scoring, sources, subscriptions, tasks, team, webhooks, workspaces,
};

/// Mounts everything.
pub fn configure(config: &mut ServiceConfig) {
    machines(config);
    config
        .service(
            scope("")
                .wrap(from_fn(csrf::guard))
                .configure(door)
                .configure(pages)
                .default_service(to(nothing)),
        )
        .default_service(to(nothing));
}

/// Without a session: static files, health, ingestion by write key, webhooks by signature, the API by
/// API key.
fn machines(config: &mut ServiceConfig) {
    config
        // First, since routes are tried one after another and nothing is asked for as often.
        .configure(ingest::receive::routes)
        .route("/assets/{name}", get().to(assets::serve))
        .route("/healthz", get().to(health::live))
        .route("/readyz", get().to(health::ready))
        .route("/metrics", get().to(api::metrics::show))
        .route("/webhooks/stripe/{id}", post().to(webhooks::receive::stripe))
        .route("/webhooks/events/{id}", post().to(webhooks::receive::events))
        .configure(json_api)
        .route("/api/v1/ingest/status", get().to(ingest::api::status))
        .configure(records)
        .configure(ingest::receive::astray);
}

/// Records by server key. Before `astray`, which takes what is left below `/v1`.
fn records(config: &mut ServiceConfig) {
    config
        .route("/v1/workspaces", post().to(bulk::endpoint::workspaces))
        .route("/v1/accounts", post().to(bulk::endpoint::accounts))
        .route("/v1/users", post().to(bulk::endpoint::users))
        .route("/v1/memberships", post().to(bulk::endpoint::memberships))
        .route("/v1/subscriptions", post().to(bulk::endpoint::subscriptions));
}

/// The JSON API: every handler takes a key with the scope that it needs.
fn json_api(config: &mut ServiceConfig) {
    use api::accounts as api_accounts;
    use api::{jobs, people, reference, scoring, subscriptions, workspace_parts, workspaces};
    config
        .route("/api/openapi.json", get().to(reference::document))
        .route("/api/docs", get().to(reference::page))
        .route("/api/v1/workspaces", get().to(workspaces::list))
        .route("/api/v1/workspaces/{workspace_id}", get().to(workspaces::one))
        .route("/api/v1/workspaces/{workspace_id}/score", get().to(workspace_parts::score))
        .route(
            "/api/v1/workspaces/{workspace_id}/score/history",
            get().to(workspace_parts::history),
        )
        .route("/api/v1/workspaces/{workspace_id}/usage", get().to(workspace_parts::usage))
        .route("/api/v1/workspaces/{workspace_id}/events", get().to(workspace_parts::events))
        .route("/api/v1/workspaces/{workspace_id}/members", get().to(workspace_parts::members))
        .route("/api/v1/workspaces/{workspace_id}/routing", get().to(workspace_parts::routing))
        .route("/api/v1/subscriptions", get().to(subscriptions::list))
        .route("/api/v1/subscriptions/{id}", get().to(subscriptions::one))
        .route("/api/v1/users", get().to(people::users))
        .route("/api/v1/users/{user_id}", get().to(people::user))
        .route("/api/v1/contacts", get().to(people::contacts))
        .route("/api/v1/contacts/{email}", get().to(people::contact))
        .route("/api/v1/accounts", get().to(api_accounts::list))
        .route("/api/v1/accounts/{account_id}", get().to(api_accounts::one))
        .route("/api/v1/catalog", get().to(catalog::api::catalog))
        .route("/api/v1/catalog", put().to(catalog::api::put_catalog))
        .route("/api/v1/scoring/model", get().to(scoring::model))
        .route("/api/v1/scoring/model", put().to(scoring::put_model))
        .route("/api/v1/scoring/model/publish", post().to(scoring::publish))
        .route("/api/v1/jobs/{id}", get().to(jobs::one))
        .route("/api/v1/workspaces/{workspace_id}", put().to(bulk::api::put_workspace))
        .route("/api/v1/accounts/{account_id}", put().to(bulk::api::put_account))
        .route("/api/v1/users/{user_id}", put().to(bulk::api::put_user))
        .route("/api/v1/subscriptions/{id}", put().to(bulk::api::put_subscription))
        .route("/api/v1/memberships", put().to(bulk::api::put_membership))
        .route("/api/v1/bulk/{kind}", post().to(bulk::api::bulk));
}

/// Signed out: signing in, the first admin, accepting an invite.
fn door(config: &mut ServiceConfig) {
    use team::{actions, pages};
    config
        .route("/login", get().to(pages::login))
        .route("/login", post().to(actions::login))
        .route("/logout", post().to(actions::logout))
        .route("/setup/{token}", get().to(pages::setup))
        .route("/setup/{token}", post().to(actions::setup))
        .route("/invite/{token}", get().to(pages::invite))
        .route("/invite/{token}", post().to(actions::accept));
}

/// Signed in.
fn pages(config: &mut ServiceConfig) {
    config
        .configure(work_pages)
        .configure(workspace_pages)
        .configure(people_pages)
        .configure(steering_pages)
        .configure(scoring_pages)
        .configure(catalog_pages)
        .configure(retention_pages)
        .configure(plan_pages)
        .configure(key_pages)
        .configure(ingest_pages)
        .configure(import_pages)
        .configure(team_pages);
}

/// The work of a rep, and what everybody is told.
fn work_pages(config: &mut ServiceConfig) {
    use tasks::{actions, actions_notifications, pages, pages_notifications};
    config
        .route("/inbox", get().to(pages::inbox))
        .route("/notifications", get().to(pages_notifications::index))
        .route("/notifications/readings", post().to(actions_notifications::read_all))
        .route("/notifications/{id}/reading", post().to(actions_notifications::read))
        .route("/tasks/{id}", get().to(pages::show))
        .route("/tasks/{id}/completion", post().to(actions::complete))
        .route("/tasks/{id}/snooze", post().to(actions::snooze))
        .route("/tasks/{id}/acceptance", post().to(actions::accept))
        .route("/tasks/{id}/rejection", post().to(actions::reject));
}

/// Who gets what, and why.
fn steering_pages(config: &mut ServiceConfig) {
    config
        .route("/assign", get().to(ownership::pages::index))
        .route("/assign", post().to(ownership::actions::assign_many))
        .route("/workspaces/{id}/assignment", post().to(ownership::actions::assign_one))
        .route("/routing", get().to(routing::pages::rules))
        .route("/routing/log", get().to(routing::pages::log));
}

/// Oneself and the team.
fn team_pages(config: &mut ServiceConfig) {
    use team::{actions, actions_members as members, pages};
    config
        .route("/", get().to(pages::home))
        .route("/me", get().to(pages::me))
        .route("/me", post().to(actions::profile))
        .route("/me/password", post().to(actions::password))
        .route("/me/theme", post().to(actions::theme))
        .route("/me/sessions", get().to(pages::sessions))
        .route("/me/sessions/{id}/revocation", post().to(actions::end_session))
        .route("/settings/team", get().to(pages::team))
        .route("/settings/team/invites", post().to(members::invite))
        .route("/settings/team/invites/{id}/revocation", post().to(members::revoke_invite))
        .route("/settings/team/{id}/role", post().to(members::role))
        .route("/settings/team/{id}/work", post().to(members::work))
        .route("/settings/team/{id}/deactivation", post().to(members::deactivate))
        .route("/settings/team/{id}/reactivation", post().to(members::reactivate));
}

/// What events mean.
fn catalog_pages(config: &mut ServiceConfig) {
    use catalog::{actions, pages, pages_form, pages_rebuild};
    config
        .route("/settings/events", get().to(pages::index))
        .route("/settings/events", post().to(actions::add))
        .route("/settings/events/new", get().to(pages_form::new))
        .route("/settings/events/mapping", get().to(pages::mapping))
        .route("/settings/events/rebuild", get().to(pages_rebuild::rebuild))
        .route("/settings/events/rebuild", post().to(actions::rebuild))
        .route("/settings/events/rebuild/cancellation", post().to(actions::cancel_rebuild))
        .route("/settings/events/versions/{n}", get().to(pages::version))
        .route("/settings/events/versions/{n}/restoration", post().to(actions::roll_back))
        .route("/settings/events/{key}", get().to(pages_form::edit))
        .route("/settings/events/{key}", post().to(actions::edit))
        .route("/settings/events/{key}/removal", post().to(actions::remove));
}

/// Which names of plans are of which tier.
fn plan_pages(config: &mut ServiceConfig) {
    use plans::{actions, pages};
    config
        .route("/settings/plans", get().to(pages::plans))
        .route("/settings/plans", post().to(actions::save));
}

/// How long data is kept.
fn retention_pages(config: &mut ServiceConfig) {
    use retention::{actions, pages};
    config
        .route("/settings/data", get().to(pages::data))
        .route("/settings/data", post().to(actions::save));
}

/// Sources and keys.
fn key_pages(config: &mut ServiceConfig) {
    use sources::{actions, actions_makers, actions_webhooks};
    use sources::{pages, pages_first_event, pages_makers, pages_webhooks};
    config
        .route("/settings/team/{id}/keys", get().to(pages_makers::made_by))
        .route("/settings/team/{id}/keys", post().to(actions_makers::decide))
        .route("/settings/webhooks", get().to(pages_webhooks::index))
        .route("/settings/webhooks", post().to(actions_webhooks::create))
        .route("/settings/webhooks/{id}", get().to(pages_webhooks::show))
        .route("/settings/webhooks/{id}/secrets", post().to(actions_webhooks::rotate))
        .route("/settings/webhooks/{id}/revocation", post().to(actions_webhooks::revoke))
        .route("/settings/keys", get().to(pages::keys))
        .route("/settings/keys/sources", post().to(actions::create_source))
        .route("/settings/keys/sources/{id}", get().to(pages_first_event::first_event))
        .route("/settings/keys/sources/{id}/write-keys", post().to(actions::create_write_key))
        .route("/settings/keys/write-keys/{id}/revocation", post().to(actions::revoke_write_key))
        .route("/settings/keys/write-keys/{id}/rotation", post().to(actions::rotate_write_key))
        .route("/settings/keys/api-keys", post().to(actions::create_api_key))
        .route("/settings/keys/api-keys/{id}/revocation", post().to(actions::revoke_api_key));
}

/// What comes in and what was refused.
fn ingest_pages(config: &mut ServiceConfig) {
    use ingest::{actions, pages};
    config
        .route("/ingest", get().to(pages::health::health))
        .route("/ingest/unmapped", get().to(subscriptions::pages::unmapped))
        .route("/ingest/unmapped/{id}", get().to(subscriptions::pages::customer))
        .route("/ingest/unmapped/{id}/mapping", post().to(subscriptions::actions::map))
        .route("/ingest/unmapped/{id}/mapping/removal", post().to(subscriptions::actions::unmap))
        .route("/ingest/sources/{id}", get().to(pages::source::source))
        .route("/ingest/alerts/{id}", get().to(pages::alert::alert))
        .route("/ingest/alerts/{id}/acknowledgement", post().to(actions::acknowledge))
        .route("/ingest/dead-letters", get().to(pages::letters::dead_letters))
        .route("/ingest/dead-letters/replays", post().to(actions::replay))
        .route("/ingest/dead-letters/replays/{id}", get().to(pages::replay::replay))
        .route("/ingest/dead-letters/discards", post().to(actions::discard))
        .route("/ingest/dead-letters/{id}", get().to(pages::letter::dead_letter))
        .route("/ingest/dead-letters/{id}/text", post().to(actions::mend));
}

/// Files of records.
fn import_pages(config: &mut ServiceConfig) {
    use imports::{actions, pages};
    config
        .route("/imports", get().to(pages::index))
        .route("/imports", post().to(actions::upload))
        .route("/imports/new", get().to(pages::new))
        .route("/imports/{id}", get().to(pages::show))
        .route("/imports/{id}/mapping", get().to(pages::map))
        .route("/imports/{id}/mapping", post().to(actions::map))
        .route("/imports/{id}/run", post().to(actions::start))
        .route("/imports/{id}/cancellation", post().to(actions::cancel))
        .route("/imports/{id}/errors", get().to(pages::errors));
}

/// Workspaces and accounts.
fn workspace_pages(config: &mut ServiceConfig) {
    use workspaces::pages;
    config
        .route("/workspaces", get().to(pages::list::index))
        .route("/workspaces/{id}", get().to(pages::score::score))
        .route("/workspaces/{id}/score", get().to(pages::score::score))
        .route("/workspaces/{id}/events", get().to(pages::timeline::timeline))
        .route("/workspaces/{id}/members", get().to(pages::people::members))
        .route("/workspaces/{id}/billing", get().to(pages::billing::billing))
        .route("/workspaces/{id}/tasks", get().to(pages::tabs::tasks))
        .route("/workspaces/{id}/history", get().to(pages::tabs::history))
        .route("/workspaces/{id}/account", post().to(accounts::actions::link))
        .route("/accounts", get().to(accounts::pages::list::index))
        .route("/accounts/links", get().to(accounts::pages::links::links))
        .route("/accounts/{id}", get().to(accounts::pages::detail::detail))
        .route("/accounts/{id}/owner", post().to(accounts::actions::own));
}

/// People: contacts, users of the product, who is who.
fn people_pages(config: &mut ServiceConfig) {
    use identity::{actions, pages};
    config
        .route("/contacts", get().to(contacts::pages::list::index))
        .route("/contacts/merges", get().to(pages::merges::index))
        .route("/contacts/merges", post().to(actions::judge))
        .route("/contacts/merges/reopenings", post().to(actions::reopen))
        .route("/contacts/{id}", get().to(contacts::pages::detail::detail))
        .route("/users/changes/{id}/undoing", post().to(actions::undo))
        .route("/users/{id}", get().to(pages::user::user))
        .route("/users/{id}/splits", post().to(actions::split));
}

/// The scoring model: editor, publication, versions.
fn scoring_pages(config: &mut ServiceConfig) {
    use scoring::{actions, pages};
    config
        .route("/scoring", get().to(pages::index))
        .route("/scoring/rescore", get().to(pages::rescore))
        .route("/scoring/draft", post().to(actions::save))
        .route("/scoring/draft/removal", post().to(actions::discard))
        .route("/scoring/draft/document", post().to(actions::import))
        .route("/scoring/preview", post().to(actions::preview))
        .route("/scoring/publication", get().to(pages::publication))
        .route("/scoring/publication", post().to(actions::publish))
        .route("/scoring/versions/{n}", get().to(pages::version))
        .route("/scoring/versions/{n}/document", get().to(pages::export))
        .route("/scoring/versions/{n}/restoration", post().to(actions::roll_back));
}

async fn nothing() -> Result<actix_web::HttpResponse> {
    Err(Error::NotFound)
}
