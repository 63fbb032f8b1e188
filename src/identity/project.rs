//! Events become people: who was seen, what was said about them, who is who.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;

use super::evidence::{self, Kind};
use super::heard::{Heard, Identifier, Said};
use super::person::{self, Facts, Person};
use super::stitch::{self, By, Claim, Visitor};
use super::store_candidates::{self as candidates, Key};
use super::{store, store_changes, store_claims};
use crate::error::Result;
use crate::ids::UserId;
use crate::ingest::chunk::Chunk;
use crate::ingest::store_trait_days;
use crate::ingest::trait_days::TraitDays;
use crate::ingest::trait_names::Subject;

/// The projection of identity.
///
/// # Errors
/// When the database fails.
pub fn project(conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
    let mut heard = Heard::of(&chunk.events);
    if heard.people.is_empty() && chunk.recheck.is_empty() {
        return Ok(());
    }
    let mut people = People::load(conn, heard.people.keys().chain(&chunk.recheck))?;
    for (id, said) in &heard.people {
        people.hear(*id, said);
    }
    let aliases = people.link(conn, &heard)?;
    people.write(conn, chunk)?;
    let mut values: BTreeSet<(Kind, String)> = people.mailboxes();
    heard.identifiers.retain(|name, first| people.may_be_first(name, first.0.0));
    for changed in store::add_identifiers(conn, &heard.identifiers)? {
        let of_user = people.now.get(&changed.user_id).is_some_and(|person| person.known);
        if let (true, Some(kind)) = (of_user, Kind::named(&changed.kind)) {
            values.insert((kind, changed.value));
        }
    }
    weigh(conn, chunk, &values, aliases)
}

/// An e-mail and what is said about its being verified.
type Mailbox = Option<(String, Option<bool>)>;

/// What somebody was before this chunk.
struct Before {
    canonical: UserId,
    first_seen_at: DateTime<Utc>,
    link: Option<Claim>,
    /// Told only of those about whom the chunk says something.
    facts: Option<(Facts, Mailbox)>,
    /// Traits were changed.
    rewritten: bool,
    /// The span in which they were seen was widened.
    widened: bool,
}

/// The people of a chunk, as they were and as they are.
struct People {
    now: HashMap<UserId, Person>,
    before: HashMap<UserId, Before>,
    /// What is said about users, by day.
    days: TraitDays,
    /// The first day of which that says something else.
    news: BTreeMap<UserId, NaiveDate>,
}

impl People {
    fn load<'a>(conn: &mut PgConnection, ids: impl Iterator<Item = &'a UserId>) -> Result<Self> {
        let mut people = Self {
            now: HashMap::new(),
            before: HashMap::new(),
            days: TraitDays::new(Subject::User),
            news: BTreeMap::new(),
        };
        people.also(conn, ids)?;
        Ok(people)
    }

    fn also<'a>(
        &mut self,
        conn: &mut PgConnection,
        ids: impl Iterator<Item = &'a UserId>,
    ) -> Result<()> {
        let missing: Vec<&UserId> = ids.filter(|id| !self.now.contains_key(id)).collect();
        for (id, person) in store::load(conn, missing.into_iter())? {
            let before = Before {
                canonical: person.canonical,
                first_seen_at: person.first_seen_at,
                link: person.link,
                facts: None,
                rewritten: false,
                widened: false,
            };
            self.before.insert(id, before);
            self.now.insert(id, person);
        }
        Ok(())
    }

    fn hear(&mut self, id: UserId, said: &Said) {
        let new = || Person::new(id, said.known, &said.external_id, said.first_at);
        let person = self.now.entry(id).or_insert_with(new);
        let mut before = self.before.get_mut(&id);
        if let (Some(before), false) = (&mut before, said.traits.is_empty()) {
            before.facts = Some((person.facts(), person.mailbox()));
        }
        let mut widened = person.seen(said.first_at);
        widened |= person.seen(said.last_at);
        let mut rewritten = false;
        for (at, traits) in &said.traits {
            if said.known
                && let Some(day) = self.days.say(id.0, &person.traits, &person::dated(traits), *at)
            {
                self.news.entry(id).and_modify(|first| *first = day.min(*first)).or_insert(day);
            }
            rewritten |= person.traits.say_all(traits, *at);
        }
        if let Some(before) = before {
            before.widened |= widened;
            before.rewritten |= rewritten;
        }
    }

    /// Whether a name may be new or heard earlier than ever. By their own id people are heard whenever
    /// they are seen, so that after the first time it tells nothing: most names of most chunks.
    fn may_be_first(&self, name: &Identifier, first: DateTime<Utc>) -> bool {
        let own = matches!(name.kind, "user_id" | "anonymous_id");
        let before = self.before.get(&name.person).filter(|_| own);
        before.is_none_or(|before| first <= before.first_seen_at)
    }

    /// Says who everybody is after the chunk's claims. Answers with alias calls between known users.
    fn link(
        &mut self,
        conn: &mut PgConnection,
        heard: &Heard,
    ) -> Result<BTreeMap<Key, evidence::Piece>> {
        let new: Vec<_> = heard
            .claims
            .iter()
            .filter(|(key, since)| {
                let standing = self.now.get(&key.0).and_then(|visitor| visitor.link);
                // The same call again, as every page load makes it: what stands stays.
                !standing.is_some_and(|link| {
                    link.known == key.1 && link.by == key.2 && link.at < since.0
                })
            })
            .collect();
        store_claims::add(conn, &new)?;
        let fresh: Vec<&Person> = self
            .now
            .values()
            .filter(|person| person.known && !self.before.contains_key(&person.id))
            .collect();
        let fresh_ids: Vec<UserId> = fresh.iter().map(|person| person.id).collect();
        // A user appears whose id an alias took for a visitor's: it claims nobody any more.
        let namesakes: Vec<UserId> =
            fresh.iter().map(|person| UserId::anonymous(&person.external_id)).collect();
        let mut suspects: BTreeSet<UserId> = new.iter().map(|(key, _)| key.0).collect();
        suspects.extend(store_claims::aliased(conn, &namesakes)?);
        self.merge(conn, &fresh_ids)?;
        self.also(conn, suspects.iter())?;
        self.claim(conn, suspects)
    }

    /// Users whom a person merged before they were heard of, as after a rebuild.
    fn merge(&mut self, conn: &mut PgConnection, fresh: &[UserId]) -> Result<()> {
        let merges = store_changes::merges(conn, fresh)?;
        let links = merges.iter().map(|(id, (to, _))| (*id, *to)).collect();
        for (id, end) in stitch::ends(&links) {
            if let (Some(person), Some((known, at))) = (self.now.get_mut(&id), merges.get(&id)) {
                person.link = Some(Claim { at: *at, known: *known, by: By::Merge });
                person.canonical = end;
            }
        }
        Ok(())
    }

    fn claim(
        &mut self,
        conn: &mut PgConnection,
        suspects: BTreeSet<UserId>,
    ) -> Result<BTreeMap<Key, evidence::Piece>> {
        let suspects: Vec<UserId> = suspects.into_iter().collect();
        let rows = store_claims::of(conn, &suspects)?;
        let named = suspects.iter().filter_map(|id| self.now.get(id));
        let mut wanted: BTreeSet<UserId> =
            named.map(|visitor| UserId::known(&visitor.external_id)).collect();
        wanted.extend(rows.iter().map(|row| row.user_id));
        wanted.retain(|id| !self.now.contains_key(id));
        let wanted: Vec<UserId> = wanted.into_iter().collect();
        let mut canonical = store::known(conn, &wanted)?;
        canonical
            .extend(self.now.values().filter(|one| one.known).map(|one| (one.id, one.canonical)));

        let mut visitors: BTreeMap<UserId, Visitor> =
            suspects.iter().map(|id| (*id, Visitor::default())).collect();
        let mut aliases = BTreeMap::new();
        for row in rows {
            let (Some(visitor), Some(by)) =
                (visitors.get_mut(&row.visitor_id), By::named(&row.said_by))
            else {
                continue;
            };
            visitor.claims.insert(Claim { at: row.said_at, known: row.user_id, by });
            if row.is_split {
                visitor.split_from.insert(row.user_id);
            }
            let Some(person) = self.now.get(&row.visitor_id) else { continue };
            let former = UserId::known(&person.external_id);
            visitor.is_known_user = canonical.contains_key(&former);
            if by == By::Alias && visitor.is_known_user {
                let heard = (row.said_at, row.source_id);
                let former = (former, person.external_id.as_str());
                aliases.extend(candidates::alias(former, row.user_id, heard));
            }
        }
        for (id, visitor) in visitors {
            let Some(person) = self.now.get_mut(&id) else { continue };
            person.link = visitor.standing();
            let end = |link: Claim| canonical.get(&link.known).copied().unwrap_or(link.known);
            person.canonical = person.link.map_or(id, end);
        }
        Ok(aliases)
    }

    /// Writes who changed, and tells the features that follow.
    fn write(&self, conn: &mut PgConnection, chunk: &mut Chunk<'_>) -> Result<()> {
        store_trait_days::add(conn, &self.days)?;
        for (id, day) in &self.news {
            chunk.person_changed(*id, *day);
        }
        let (mut changed, mut widened) = (Vec::new(), Vec::new());
        for (id, person) in &self.now {
            chunk.canonical.insert(*id, person.canonical);
            let before = self.before.get(id);
            if before.is_none_or(|before| person.first_seen_at < before.first_seen_at) {
                name_company(chunk, person);
            }
            let Some(before) = before else {
                chunk.person_changed(*id, person.first_seen_at.date_naive());
                if person.canonical != *id {
                    chunk.stitched.insert(*id);
                }
                changed.push(person.clone());
                continue;
            };
            if before.canonical != person.canonical {
                chunk.stitched.insert(*id);
                // The events that were somebody else's until now have to be placed anew, too.
                chunk.replace.insert(before.canonical, None);
            }
            let facts = before.facts.as_ref().filter(|_| before.rewritten);
            if facts.is_some_and(|(facts, _)| facts.email.is_none()) {
                tell_company(chunk, person);
            }
            if facts.is_some_and(|(facts, _)| *facts != person.facts()) {
                chunk.person_changed(*id, chunk.now.date_naive());
            }
            if before.rewritten
                || before.link != person.link
                || before.canonical != person.canonical
            {
                changed.push(person.clone());
            } else if before.widened {
                widened.push(person.clone());
            }
        }
        changed.sort_unstable_by_key(|person| person.id);
        store::upsert(conn, &changed)?;
        store::widen(conn, &widened)
    }

    /// Addresses of known users that are others now, or of which something else is said.
    fn mailboxes(&self) -> BTreeSet<(Kind, String)> {
        let mut values = BTreeSet::new();
        for (id, before) in &self.before {
            let Some((_, was)) = &before.facts else { continue };
            let Some(person) = self.now.get(id).filter(|person| person.known) else { continue };
            let is = person.mailbox();
            if *was != is {
                let both = was.iter().chain(&is);
                values.extend(both.map(|(address, _)| (Kind::Email, address.clone())));
            }
        }
        values
    }
}

/// A user id that is an address names a company, as an e-mail does.
fn name_company(chunk: &mut Chunk<'_>, person: &Person) {
    if let Some(domain) = person.company_domain_of_id() {
        let first = chunk.named.entry(domain).or_insert(person.first_seen_at);
        *first = person.first_seen_at.min(*first);
    }
}

/// What was said of the company of a user before an e-mail said which company that is.
fn tell_company(chunk: &mut Chunk<'_>, person: &Person) {
    let Some(domain) = person.company_domain().filter(|_| person.known) else { return };
    let traits = person.company_traits().into_iter();
    chunk.company_traits.extend(traits.map(|(at, traits)| (domain.clone(), at, traits)));
}

/// Keeps the evidence that these values and aliases make, and what it means for pairs of users.
fn weigh(
    conn: &mut PgConnection,
    chunk: &Chunk<'_>,
    values: &BTreeSet<(Kind, String)>,
    mut pieces: BTreeMap<Key, evidence::Piece>,
) -> Result<()> {
    if values.is_empty() && pieces.is_empty() {
        return Ok(());
    }
    let mut gone = Vec::new();
    if !values.is_empty() {
        let mut wanted: BTreeMap<Key, evidence::Piece> = BTreeMap::new();
        for ((kind, value), owners) in candidates::owners(conn, values)? {
            let shared = evidence::of_shared(kind, &value, &owners);
            wanted.extend(shared.into_iter().map(|(pair, one)| ((pair, kind, value.clone()), one)));
        }
        for (key, piece) in candidates::of_values(conn, values)? {
            match wanted.get(&key) {
                None => gone.push(key),
                Some(same) if *same == piece => {
                    wanted.remove(&key);
                }
                Some(_) => {}
            }
        }
        pieces.extend(wanted);
    }
    let pairs = pieces.keys().chain(&gone).map(|key| key.0).collect();
    candidates::remove(conn, &gone)?;
    candidates::put(conn, &pieces)?;
    candidates::settle(conn, &pairs, chunk.now)
}
