//! Sources and keys for an admin.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::ops_webhooks::OVERLAP;
use super::pages_webhooks::local;
use super::samples::{Sample, samples};
use super::store::{self, ApiKey, Source, WriteKey};
use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::ids::{MemberId, SourceId};
use crate::team::member::Member;
use crate::team::store as team;
use crate::web::answer;
use crate::web::format::{self, Moment};
use crate::web::permit::{ManageKeys, Permit, Viewer};
use crate::web::shell::{NavItem, Shell};

pub(super) struct SourceLine {
    source: Source,
    keys: Vec<KeyLine>,
}

pub(super) struct KeyLine {
    id: String,
    /// Of a write key its source, of an API key its own name.
    name: String,
    prefix: String,
    scopes: String,
    is_open: bool,
    /// When it ends, or has ended.
    ends: Option<Moment>,
    /// Of write keys: it takes records too, and is kept on servers.
    for_servers: bool,
    made: Moment,
    /// Who made it; empty where nobody knows.
    maker: String,
    /// The maker's page of keys, where somebody has to decide about it.
    review: Option<String>,
    used: Option<Moment>,
}

/// A key that was made just now: shown this once.
pub(super) struct Shown {
    pub title: String,
    pub key: String,
    /// The source, when the key is a write key: its first event comes next.
    pub source: Option<SourceId>,
}

/// `GET /settings/keys`, and what its forms answer with.
#[derive(Template)]
#[template(path = "sources/index.html")]
pub(super) struct KeysPage {
    shell: Shell,
    sources: Vec<SourceLine>,
    api_keys: Vec<KeyLine>,
    shown: Option<Shown>,
    samples: Vec<Sample>,
    /// When a key that is replaced now ends, unless somebody says otherwise.
    until: String,
    form: Typed,
    errors: FieldErrors,
}

/// What was typed into a form that came back.
#[derive(Clone, Default)]
pub(super) struct Typed {
    pub name: String,
    pub environment: String,
    pub key_name: String,
}

impl KeysPage {
    /// The page as it stands in the database.
    pub async fn load(app: &App, me: &Viewer) -> Result<Self> {
        let (sources, write_keys, api_keys, team) = app
            .db
            .read_web(|conn| {
                Ok((
                    store::list(conn)?,
                    store::list_write_keys(conn)?,
                    store::list_api_keys(conn)?,
                    team::members(conn)?,
                ))
            })
            .await?;
        let sources = sources
            .into_iter()
            .map(|source| SourceLine {
                keys: write_keys
                    .iter()
                    .filter(|key| key.source_id == source.id)
                    .map(|key| KeyLine::of_write(key, &source, &team, me))
                    .collect(),
                source,
            })
            .collect();
        Ok(Self {
            shell: me.shell("Sources and keys").at(NavItem::Keys),
            sources,
            api_keys: api_keys.iter().map(|key| KeyLine::of_api(key, &team, me)).collect(),
            shown: None,
            samples: Vec::new(),
            until: local(me.now + OVERLAP, me),
            form: Typed::default(),
            errors: FieldErrors::new(),
        })
    }

    /// With what is wrong, and what was typed.
    pub fn refused(mut self, form: Typed, errors: FieldErrors) -> Self {
        self.form = form;
        self.errors = errors;
        self
    }

    /// With a new key; a write key comes with what to do with it.
    pub fn showing(mut self, app: &App, shown: Shown) -> Self {
        if shown.source.is_some() {
            self.samples = samples(&app.link(""), &shown.key);
        }
        self.shown = Some(shown);
        self
    }
}

impl KeyLine {
    fn of_write(key: &WriteKey, source: &Source, team: &[Member], me: &Viewer) -> Self {
        Self {
            id: key.id.to_string(),
            name: source.name.clone(),
            prefix: key.prefix.clone(),
            scopes: String::new(),
            is_open: key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > me.now),
            ends: key.expires_at.map(|at| format::moment(at, me.now, me.zone)),
            for_servers: key.for_servers,
            made: format::moment(key.created_at, me.now, me.zone),
            maker: maker(key.created_by, team),
            review: review(key.created_by, key.review_since),
            used: key.last_used_at.map(|at| format::moment(at, me.now, me.zone)),
        }
    }

    fn of_api(key: &ApiKey, team: &[Member], me: &Viewer) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            scopes: key.scopes.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", "),
            for_servers: false,
            is_open: key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > me.now),
            ends: None,
            made: format::moment(key.created_at, me.now, me.zone),
            maker: maker(key.created_by, team),
            review: review(key.created_by, key.review_since),
            used: key.last_used_at.map(|at| format::moment(at, me.now, me.zone)),
        }
    }
}

/// The name of who made it.
pub(super) fn maker(id: Option<MemberId>, team: &[Member]) -> String {
    let member = team.iter().find(|member| Some(member.id) == id);
    member.map(|member| member.name.clone()).unwrap_or_default()
}

fn review(maker: Option<MemberId>, since: Option<DateTime<Utc>>) -> Option<String> {
    since.and(maker).map(|maker| format!("/settings/team/{maker}/keys"))
}

/// `GET /settings/keys`.
pub async fn keys(app: web::Data<App>, me: Permit<ManageKeys>) -> Result<HttpResponse> {
    answer::page(&KeysPage::load(&app, &me).await?)
}
