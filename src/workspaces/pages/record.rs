//! What every tab of a workspace begins with: name, stage, account, owner, tabs.

use super::list::{Trial, plan_label, tag, trial};
use crate::error::{Error, Result};
use crate::ids::{MemberId, WorkspaceId};
use crate::web::permit::Viewer;
use crate::web::role::May;
use crate::web::shell::{NavItem, Shell};
use crate::workspaces::store_page::Head;

/// A tab of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the tab of its name")]
pub enum Tab {
    Score,
    Events,
    Members,
    Billing,
    Tasks,
    History,
}

impl Tab {
    const ALL: [Self; 6] =
        [Self::Score, Self::Events, Self::Members, Self::Billing, Self::Tasks, Self::History];

    fn label(self) -> &'static str {
        match self {
            Self::Score => "Score",
            Self::Events => "Timeline",
            Self::Members => "Members",
            Self::Billing => "Billing",
            Self::Tasks => "Tasks",
            Self::History => "History",
        }
    }

    /// Where the tab of a workspace is.
    #[must_use]
    pub fn href(self, id: WorkspaceId) -> String {
        let word = match self {
            Self::Score => return format!("/workspaces/{id}"),
            Self::Events => "events",
            Self::Members => "members",
            Self::Billing => "billing",
            Self::Tasks => "tasks",
            Self::History => "history",
        };
        format!("/workspaces/{id}/{word}")
    }
}

/// The head of a workspace's page, ready to be written.
pub(super) struct Record {
    pub id: WorkspaceId,
    pub external_id: String,
    pub name: String,
    pub stage: Option<String>,
    pub tag: Option<&'static str>,
    pub account: Option<(String, String)>,
    pub plan: String,
    pub trial: Option<Trial>,
    pub tier: Option<String>,
    pub owner: Option<Owner>,
    pub members: Vec<(MemberId, String)>,
    pub may_assign: bool,
    /// A rep may take what nobody owns.
    pub may_take: bool,
    pub tabs: Vec<(String, &'static str, String)>,
    pub here: String,
}

/// Who owns the workspace.
pub(super) struct Owner {
    pub id: MemberId,
    pub name: String,
}

impl Record {
    /// The head for a viewer; `members` can be chosen as owners.
    pub fn new(head: &Head, me: &Viewer, members: Vec<(MemberId, String)>, tab: Tab) -> Self {
        let owner = head.owner_id.zip(head.owner_name.clone());
        let owner = owner.map(|(id, name)| Owner { id, name });
        let count = |number: i64| if number > 0 { number.to_string() } else { String::new() };
        Self {
            id: head.id,
            external_id: head.external_id.clone(),
            name: head.name.clone(),
            stage: head.stage.clone(),
            tag: tag(&head.kind, &head.status),
            account: head.account_id.map(|id| id.to_string()).zip(head.account_name.clone()),
            plan: plan_label(head.plan_tier.as_deref()),
            trial: head.trial_end_on.and_then(|end| trial(end, me.now.date_naive())),
            tier: head.icp_fit_tier.clone(),
            may_assign: me.may(May::Assign),
            may_take: owner.is_none() && me.may(May::HandleLeads),
            owner,
            members,
            tabs: Tab::ALL
                .into_iter()
                .map(|one| {
                    let count = match one {
                        Tab::Members => count(head.members),
                        Tab::Tasks => count(head.open_tasks),
                        _ => String::new(),
                    };
                    (one.href(head.id), one.label(), count)
                })
                .collect(),
            here: tab.href(head.id),
        }
    }
}

impl Record {
    /// Where a form gives the workspace to somebody.
    pub fn assignment(&self) -> String {
        format!("/workspaces/{}/assignment", self.id)
    }

    /// Where a form links the workspace to an account.
    pub fn account_href(&self) -> String {
        format!("/workspaces/{}/account", self.id)
    }
}

/// The shell of a workspace's page.
pub(super) fn shell(me: &Viewer, head: &Head, tab: Tab) -> Shell {
    let title = match tab {
        Tab::Score => head.name.clone(),
        other => format!("{}, {}", head.name, other.label().to_lowercase()),
    };
    me.shell(title).at(NavItem::Workspaces)
}

/// The id in a path of a tab.
///
/// # Errors
/// `NotFound` for anything but a uuid.
pub(super) fn id(path: &str) -> Result<WorkspaceId> {
    path.parse().map_err(|_| Error::NotFound)
}
