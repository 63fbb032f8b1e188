//! What stands around every page: title, navigation, theme, messages, counters.
//!
//! # How a page is written
//!
//! A page is a struct with a `shell`, a template that extends the shell, and a handler that picks
//! the whole page or one of its blocks:
//!
//! ```ignore
//! #[derive(Template)]
//! #[template(path = "workspaces/index.html", blocks = ["rows"])]
//! struct Index { shell: Shell, rows: Vec<Row>, sort: Sort }
//!
//! // GET /workspaces
//! let page = Index { shell: me.shell("Workspaces").at(NavItem::Workspaces), .. };
//! if htmx.wants("rows") { answer::page(&page.as_rows()) } else { answer::page(&page) }
//! ```
//!
//! ```html
//! {% extends "layouts/shell.html" %}
//! {% import "ui/kit.html" as ui %}
//! {% block content %}
//! <header class="page-head"><h1>Workspaces</h1>
//!   <div class="page-head__actions"><a class="btn" href="/workspaces.csv">CSV</a></div></header>
//! <section class="panel panel--flush" id="rows">
//! {% block rows %}
//! <table class="table table--cards">
//!   <caption class="visually-hidden">Workspaces by score</caption>
//!   <thead><tr>{{ ui::th("Workspace") }}{{ ui::th_sort("Score", "score", sort, "/workspaces?stage=hot_pql&sort=") }}</tr></thead>
//!   <tbody>{% for row in rows %}
//!     <tr id="w-{{ row.id }}" data-row>
//!       <th scope="row" class="row__lead"><a class="row__name" data-row-link href="/workspaces/{{ row.id }}"><bdi>{{ row.name }}</bdi></a></th>
//!       <td class="num">{{ row.score }} {{ ui::stage_chip(row.stage) }}</td>
//!     </tr>{% endfor %}</tbody>
//! </table>
//! {% endblock %}
//! </section>
//! {% endblock %}
//! ```
//!
//! Rules that keep it whole:
//! * Macros are called as `{{ ui::name(..) }}`; those with a body (`panel`, `form_post`) as
//!   `{% call ui::name(..) %}..{% endcall %}`. Arguments may be named; many have defaults.
//! * Every form posts: `{% call ui::form_post("/tasks/1/done", shell.csrf) %}..{% endcall %}` puts the
//!   token in. htmx requests carry it in `X-CSRF-Token` as well.
//! * A fragment that is swapped in and wants the focus carries `data-focus` (itself) or
//!   `data-focus="#id"`; every control inside a swappable block has a stable `id`.
//! * Messages that come with a fragment: `{{ ui::toast_oob(..) }}`, `{{ ui::live_oob(..) }}`,
//!   `{{ ui::counter_oob(..) }}`. On a full page: [`Shell::flash`].
//! * Keys click real controls: `data-key="a" aria-keyshortcuts="a"` on the button; in a list the one
//!   of the current `data-row` is meant first.
//! * Figures come from [`crate::web::charts`], numbers and times from [`crate::web::format`].
//! * Tables that people use on a phone: `table--cards`, `row__lead` on the naming cell,
//!   `data-label="Seats"` on the others, `wide-only` on what a phone can miss.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::format;

use super::role::May;
pub use super::role::{Role, Theme};

/// The pages that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the page of its name")]
pub enum NavItem {
    Inbox,
    Notifications,
    Workspaces,
    Accounts,
    Contacts,
    Assign,
    Routing,
    Scoring,
    Ingest,
    Imports,
    Settings,
    Events,
    Plans,
    Keys,
    Data,
}

impl NavItem {
    /// The word in the navigation.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::Notifications => "Notifications",
            Self::Workspaces => "Workspaces",
            Self::Accounts => "Accounts",
            Self::Contacts => "Contacts",
            Self::Assign => "Assign",
            Self::Routing => "Routing",
            Self::Scoring => "Scoring",
            Self::Ingest => "Ingest",
            Self::Imports => "Imports",
            Self::Settings => "Team",
            Self::Events => "Event catalog",
            Self::Plans => "Plans",
            Self::Keys => "Sources and keys",
            Self::Data => "Data retention",
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn href(self) -> &'static str {
        match self {
            Self::Inbox => "/inbox",
            Self::Notifications => "/notifications",
            Self::Workspaces => "/workspaces",
            Self::Accounts => "/accounts",
            Self::Contacts => "/contacts",
            Self::Assign => "/assign",
            Self::Routing => "/routing/log",
            Self::Scoring => "/scoring",
            Self::Ingest => "/ingest",
            Self::Imports => "/imports",
            Self::Settings => "/settings/team",
            Self::Events => "/settings/events",
            Self::Plans => "/settings/plans",
            Self::Keys => "/settings/keys",
            Self::Data => "/settings/data",
        }
    }

    /// The key that, after `g`, goes there.
    #[must_use]
    pub fn key(self) -> Option<char> {
        match self {
            Self::Inbox => Some('i'),
            Self::Workspaces => Some('w'),
            Self::Accounts => Some('a'),
            Self::Contacts => Some('c'),
            Self::Notifications
            | Self::Assign
            | Self::Imports
            | Self::Settings
            | Self::Events
            | Self::Plans
            | Self::Keys
            | Self::Data => None,
            Self::Routing => Some('r'),
            Self::Scoring => Some('s'),
            Self::Ingest => Some('n'),
        }
    }

    /// Whether the role has this page in its navigation. Hiding is never the check.
    #[must_use]
    pub fn open_to(self, role: Role) -> bool {
        match self {
            Self::Ingest => role.may(May::SeeIngest),
            Self::Imports => role.may(May::Import),
            Self::Settings => role.may(May::SeeTeam),
            Self::Events | Self::Plans => role.may(May::EditCatalog),
            Self::Keys => role.may(May::ManageKeys),
            Self::Data => role.may(May::SeeData),
            _ => true,
        }
    }

    /// Whether a number may stand beside it, which fragments then replace.
    #[must_use]
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Inbox | Self::Notifications | Self::Assign | Self::Ingest)
    }
}

/// One heading of the navigation with its links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavGroup {
    /// The heading.
    pub label: &'static str,
    /// Its pages, as many as the role may open.
    pub items: Vec<NavItem>,
}

/// The navigation of a role, without what it cannot open and without empty groups.
#[must_use]
pub fn nav_groups(role: Role) -> Vec<NavGroup> {
    use NavItem::{
        Accounts, Assign, Contacts, Data, Events, Imports, Inbox, Ingest, Keys, Notifications,
        Plans, Routing, Scoring, Settings, Workspaces,
    };
    let all: [(&str, &[NavItem]); 5] = [
        ("Work", &[Inbox, Notifications]),
        ("Records", &[Workspaces, Accounts, Contacts]),
        ("Steer", &[Assign, Routing, Scoring]),
        ("Run", &[Ingest, Imports]),
        ("Settings", &[Settings, Events, Plans, Keys, Data]),
    ];
    all.into_iter()
        .map(|(label, items)| NavGroup {
            label,
            items: items.iter().copied().filter(|item| item.open_to(role)).collect(),
        })
        .filter(|group| !group.items.is_empty())
        .collect()
}

/// Who is signed in, as the page shows it.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The name that colleagues read.
    pub name: String,
    /// Decides the navigation.
    pub role: Role,
    /// The zone in which times are shown.
    pub zone: Tz,
}

/// The numbers beside the navigation; zero is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Open PQLs of this member.
    pub inbox: u32,
    /// What this member was told and has not read.
    pub notifications: u32,
    /// PQLs that nobody owns.
    pub assign: u32,
    /// Alerts of ingestion that stand and that nobody has acknowledged.
    pub ingest: u32,
}

/// A message on the next full page, after a form without JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Whether it went well.
    pub tone: Tone,
    /// One sentence: what happened.
    pub text: String,
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what it says")]
pub enum Tone {
    Ok,
    Warn,
    Danger,
}

impl Tone {
    /// The end of the class name: `banner--ok`, `toast--danger`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Danger => "danger",
        }
    }
}

/// All that the layouts need; every page struct has one as `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The page's title, without the product's name.
    pub title: String,
    /// Who is signed in, if anybody is.
    pub member: Option<SignedIn>,
    /// The page of the navigation that this page belongs to.
    pub current: Option<NavItem>,
    /// The session's CSRF token; empty when signed out.
    pub csrf: String,
    /// Light or dark.
    pub theme: Theme,
    /// The numbers beside the navigation.
    pub counters: Counters,
    /// What the form before this page has to say.
    pub flash: Vec<Flash>,
    /// Whether single keys do anything; members can switch them off.
    pub shortcuts: bool,
    /// When the page was made.
    pub now: DateTime<Utc>,
}

impl Shell {
    /// A shell for somebody signed out; the rest is set by the methods below.
    #[must_use]
    pub fn new(title: impl Into<String>, now: DateTime<Utc>) -> Self {
        Self {
            title: title.into(),
            member: None,
            current: None,
            csrf: String::new(),
            theme: Theme::System,
            counters: Counters::default(),
            flash: Vec::new(),
            shortcuts: true,
            now,
        }
    }

    /// The same page in the hands of a member.
    #[must_use]
    pub fn member(mut self, member: SignedIn, csrf: impl Into<String>) -> Self {
        self.member = Some(member);
        self.csrf = csrf.into();
        self
    }

    /// The same page, belonging to an item of the navigation.
    #[must_use]
    pub fn at(mut self, item: NavItem) -> Self {
        self.current = Some(item);
        self
    }

    /// The zone in which this page shows times: the member's, or UTC.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.member.as_ref().map_or(Tz::UTC, |member| member.zone)
    }

    /// When the page was made, for its printed foot.
    #[must_use]
    pub fn made_at(&self) -> String {
        format::absolute(self.now, self.zone())
    }

    /// The navigation of whoever is signed in.
    #[must_use]
    pub fn nav(&self) -> Vec<NavGroup> {
        self.member.as_ref().map(|member| nav_groups(member.role)).unwrap_or_default()
    }

    /// The number beside an item; `None` where there is none to show.
    #[must_use]
    pub fn count(&self, item: &NavItem) -> Option<String> {
        let count = match item {
            NavItem::Inbox => self.counters.inbox,
            NavItem::Notifications => self.counters.notifications,
            NavItem::Assign => self.counters.assign,
            NavItem::Ingest => self.counters.ingest,
            _ => 0,
        };
        (count > 0).then(|| format::at_a_glance(count))
    }

    /// Whether the page belongs to the item.
    #[must_use]
    pub fn is_at(&self, item: &NavItem) -> bool {
        self.current.as_ref() == Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(role: Role) -> Vec<NavItem> {
        nav_groups(role).into_iter().flat_map(|group| group.items).collect()
    }

    #[test]
    fn the_navigation_follows_the_role() {
        assert!(!items(Role::Rep).contains(&NavItem::Ingest));
        assert!(!items(Role::Rep).contains(&NavItem::Settings));
        assert!(items(Role::Manager).contains(&NavItem::Settings));
        assert!(!items(Role::Manager).contains(&NavItem::Ingest));
        assert!(!items(Role::Manager).contains(&NavItem::Keys));
        assert!(items(Role::Admin).contains(&NavItem::Keys));
        assert!(items(Role::Admin).contains(&NavItem::Ingest));
        for role in Role::ALL.iter().copied() {
            assert!(nav_groups(role).iter().all(|group| !group.items.is_empty()));
            assert!(items(role).iter().any(|item| item.href() == role.home()), "{role:?}");
        }
    }

    #[test]
    fn a_count_of_zero_is_not_shown() {
        let mut shell = Shell::new("Inbox", DateTime::UNIX_EPOCH);
        assert_eq!(shell.count(&NavItem::Inbox), None);
        shell.counters.inbox = 7;
        assert_eq!(shell.count(&NavItem::Inbox).as_deref(), Some("7"));
        shell.counters.assign = 100;
        assert_eq!(shell.count(&NavItem::Assign).as_deref(), Some("99+"));
        assert_eq!(shell.count(&NavItem::Accounts), None);
    }
}
