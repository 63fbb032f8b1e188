//! Sign-ups become accounts, and workspaces find theirs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use serde_json::{Map, Value};

use super::company::{Account, is_internal, said_of_company};
use super::icp::IcpDefinition;
use super::matching::LINKS;
use super::{store, store_links};
use crate::error::Result;
use crate::identity::domain::Email;
use crate::ids::{AccountId, UserId, WorkspaceId};
use crate::ingest::chunk::{Chunk, Manner};
use crate::ingest::message::Kind;
use crate::ingest::moment::Moment;
use crate::ingest::store_trait_days;
use crate::ingest::trait_days::TraitDays;
use crate::ingest::trait_names::{self, Subject};
use crate::ingest::traits::text_of;

/// The projection of accounts; runs after usage, since who created a workspace says whose it is.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let mut said = said(conn, chunk)?;
    for (domain, at) in &chunk.named {
        let company = said
            .entry(domain.clone())
            .or_insert_with(|| Said { first_at: *at, traits: Vec::new() });
        company.first_at = company.first_at.min(*at);
    }
    let mut affected: BTreeSet<AccountId> = BTreeSet::new();
    let mut news: BTreeMap<AccountId, NaiveDate> = BTreeMap::new();
    let fresh = write_accounts(conn, &said, &mut affected, &mut news)?;
    let mut workspaces = chunk.relink.clone();
    workspaces.extend(store_links::workspaces_naming(conn, &fresh)?);
    // A company is also what its workspaces say of it, since whenever they said so.
    let today = chunk.now.date_naive();
    let of_workspaces = workspaces.iter().filter_map(|one| chunk.touched.get(one).copied());
    let since = of_workspaces.chain(news.values().copied()).fold(today, NaiveDate::min);
    let is_moved = link(conn, chunk, &workspaces, &mut affected)?;
    // Whose a workspace is has no date, so one that moves takes along what it ever said.
    let since = if is_moved { beginning() } else { since };
    let definition = IcpDefinition::default();
    let mut touched = store::settle_facts(conn, &affected, &definition)?;
    touched.extend(store_links::linked(conn, &news.into_keys().collect())?);
    for workspace in touched {
        chunk.touch(workspace, since);
    }
    Ok(())
}

/// Before anything that is scored.
pub(super) fn beginning() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive()
}

/// What a chunk says about one company.
struct Said {
    first_at: DateTime<Utc>,
    traits: Vec<(Moment, Map<String, Value>)>,
}

/// Companies by domain: from calls that carry the e-mail themselves, and from those about a user whose e-mail
/// is known. Calls come by keys that stand in web pages, so they tell what people know of their company, and
/// nothing else.
fn said(conn: &mut PgConnection, chunk: &Chunk<'_>) -> Result<BTreeMap<String, Said>> {
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    let mut tell = |domain: &str, moment: Moment, traits: Map<String, Value>| {
        let company = said
            .entry(domain.to_owned())
            .or_insert_with(|| Said { first_at: moment.at, traits: Vec::new() });
        company.first_at = company.first_at.min(moment.at);
        if !traits.is_empty() {
            company.traits.push((moment, traits));
        }
    };
    let mut without_email = Vec::new();
    for event in chunk.events.iter().filter(|event| event.message.kind == Kind::Identify) {
        let members = event.message.traits.as_ref().map(|json| json.members()).unwrap_or_default();
        let traits = trait_names::read(Subject::User, members);
        let said_as = |key: &str| traits.get(key).and_then(text_of);
        let email = said_as("email").and_then(|text| Email::parse(&text));
        let email = email.or_else(|| Email::somewhere_at(&said_as("email_domain")?));
        let moment = event.message.moment();
        let mut of_company = said_of_company(&traits);
        if event.manner == Manner::Call {
            of_company.retain(|name, _| !is_internal(name));
        }
        match email {
            Some(email) => {
                if let Some(domain) = email.company_domain() {
                    tell(domain, moment, of_company);
                }
            }
            None if of_company.is_empty() => {}
            None => without_email.push((chunk.canonical(event.person), moment, of_company)),
        }
    }
    let people: BTreeSet<UserId> = without_email.iter().map(|(person, ..)| *person).collect();
    let emails = store::emails(conn, &people)?;
    for (person, moment, traits) in without_email {
        let known = emails.get(&person).map(Vec::as_slice).unwrap_or_default();
        if let Some(domain) = email_at(known, moment.at).and_then(Email::company_domain) {
            tell(domain, moment, traits);
        }
    }
    for (domain, moment, traits) in &chunk.company_traits {
        let mut traits = traits.clone();
        traits.retain(|name, _| !is_internal(name));
        if !traits.is_empty() {
            tell(domain, *moment, traits);
        }
    }
    Ok(said)
}

/// The e-mail that a person had at a time, of all in the order in which they were first heard: the newest of
/// those before, else the first.
fn email_at(emails: &[(DateTime<Utc>, Email)], at: DateTime<Utc>) -> Option<&Email> {
    let before = emails.iter().rev().find(|(since, _)| *since <= at);
    before.or_else(|| emails.first()).map(|(_, email)| email)
}

/// Writes what changed; answers with the domains that are new. `news`: the accounts of which something
/// else is known, and the first day of that.
fn write_accounts(
    conn: &mut PgConnection,
    said: &BTreeMap<String, Said>,
    affected: &mut BTreeSet<AccountId>,
    news: &mut BTreeMap<AccountId, NaiveDate>,
) -> Result<Vec<String>> {
    let domains: Vec<&str> = said.keys().map(String::as_str).collect();
    let mut known = store::load_by_domain(conn, &domains)?;
    let (mut changed, mut fresh) = (Vec::new(), Vec::new());
    let mut days = TraitDays::new(Subject::Company);
    for (domain, company) in said {
        let mut differs = !known.contains_key(domain);
        if differs {
            fresh.push(domain.clone());
        }
        let account =
            known.entry(domain.clone()).or_insert_with(|| Account::new(domain, company.first_at));
        differs |= company.first_at < account.created_at;
        account.created_at = account.created_at.min(company.first_at);
        for (at, traits) in &company.traits {
            if let Some(day) = days.say(account.id.0, &account.traits, traits, *at) {
                news.entry(account.id).and_modify(|first| *first = day.min(*first)).or_insert(day);
            }
            differs |= account.traits.say_all(traits, *at);
        }
        if differs {
            affected.insert(account.id);
            changed.push(account.clone());
        }
    }
    store_trait_days::add(conn, &days)?;
    store::upsert(conn, &changed)?;
    Ok(fresh)
}

/// Weighs the evidence of these workspaces and writes the links that changed; whether one left an account.
fn link(
    conn: &mut PgConnection,
    chunk: &mut Chunk<'_>,
    workspaces: &BTreeSet<WorkspaceId>,
    affected: &mut BTreeSet<AccountId>,
) -> Result<bool> {
    let ids: Vec<WorkspaceId> = workspaces.iter().copied().collect();
    let evidence = store_links::evidence(conn, &ids)?;
    let domains: BTreeSet<&str> = evidence
        .values()
        .flat_map(|one| one.domains().into_iter().map(|(_, domain)| domain))
        .collect();
    let accounts = store_links::accounts_of(conn, &domains.into_iter().collect::<Vec<_>>())?;
    let known = store_links::load(conn, &ids)?;
    let (mut changed, mut gone, mut moved) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut is_moved = false;
    for (workspace, evidence) in &evidence {
        let before = known.get(workspace);
        if before.is_some_and(|before| before.pinned) {
            affected.extend(before.and_then(|before| before.account_id));
            continue;
        }
        let proposals = evidence.proposals(&accounts);
        let best = proposals.first();
        let account_id = best.filter(|best| best.confidence >= LINKS).map(|best| best.account_id);
        let account_before = before.and_then(|before| before.account_id);
        affected.extend(account_before);
        affected.extend(account_id);
        if account_before != account_id {
            chunk.touch(*workspace, beginning());
            is_moved |= account_before.is_some();
            moved.extend([account_before, account_id].into_iter().flatten());
        }
        match best {
            Some(best) => {
                let row = store_links::Link {
                    workspace_id: *workspace,
                    account_id,
                    confidence: best.confidence,
                    evidence: serde_json::to_value(&proposals).unwrap_or_default(),
                };
                if before.is_none_or(|before| !before.says(&row)) {
                    changed.push(row);
                }
            }
            None if before.is_some() => gone.push(*workspace),
            None => {}
        }
    }
    store_links::upsert(conn, &changed, chunk.now)?;
    store_links::remove(conn, &gone)?;
    // How many workspaces an account has is a signal of each of them.
    for workspace in store_links::linked(conn, &moved)? {
        chunk.touch(workspace, chunk.now.date_naive());
    }
    Ok(is_moved)
}
