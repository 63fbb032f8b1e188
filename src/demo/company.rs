//! Who there is: sixty companies, a hundred and twenty workspaces, the people in them.

use super::dice::Dice;
use super::names::{
    self, BUYERS, COMPANIES, CompanyName, FIRST, FREE_MAIL, HOBBIES, LAST, TEAMS, USERS,
};
use super::story::{self, CAST, Course, Story};

/// A company with a domain of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its name.
    pub name: &'static str,
    /// Registrable, below `.example`.
    pub domain: String,
    /// What the product knows about it: industry, country, region; empty for nothing.
    pub industry: &'static str,
    /// As above.
    pub country: &'static str,
    /// As above.
    pub region: &'static str,
    /// People who work there; 0 when unknown.
    pub employees: i64,
}

/// Somebody who uses the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The product's id.
    pub id: String,
    /// As people write it.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their title; free-mail users have none.
    pub title: &'static str,
    /// `admin` or `member` of the workspace.
    pub role: &'static str,
    /// The device from which they looked around before they signed up.
    pub visitor: Option<String>,
    /// Age of the day on which they came into the workspace.
    pub joined: i64,
}

/// A tenant of the product.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The product's id.
    pub id: String,
    /// As its founder calls it.
    pub name: String,
    /// Whose it is; none for people with free-mail addresses.
    pub company: Option<Company>,
    /// How it fares.
    pub story: Story,
    /// The same in numbers.
    pub course: Course,
    /// The founder first.
    pub people: Vec<Person>,
}

impl Workspace {
    /// Seats that it pays for, once it pays: two more than there are people.
    #[must_use]
    pub fn seats(&self) -> i64 {
        i64::try_from(self.people.len()).unwrap_or(1).saturating_add(2)
    }

    /// The plan that suits its size, and what a seat of it costs a month, in dollars.
    #[must_use]
    pub fn price(&self) -> (&'static str, i64) {
        let large = self.company.as_ref().is_some_and(|company| company.employees >= 1000);
        if large { ("enterprise", 49) } else { ("pro", 19) }
    }
}

/// All workspaces of a seed.
#[must_use]
pub fn workspaces(seed: u64) -> Vec<Workspace> {
    let companies: Vec<Company> = COMPANIES.iter().map(company).collect();
    let mut lots = Dice::of(seed, "lots");
    let mut owned = 0_usize;
    let mut all = Vec::new();
    for (story, count) in CAST {
        for nth in 0..*count {
            let free_mail = is_free_mail(*story, nth);
            let owner =
                if free_mail { None } else { companies.get(lot(*story, owned, companies.len())) };
            if !free_mail && *story != Story::Fragment {
                owned = owned.saturating_add(1);
            }
            all.push(workspace(seed, *story, nth, owner, &mut lots));
        }
    }
    share(&mut all);
    all
}

/// How many workspaces of a story belong to people with free-mail addresses, the last ones of it: 24.
fn is_free_mail(story: Story, nth: usize) -> bool {
    let (count, free) = match story {
        Story::Hot => (10, 1),
        Story::Climber => (15, 1),
        Story::Tinkerer => (15, 7),
        Story::Ghost => (23, 12),
        Story::Newcomer => (8, 3),
        _ => return false,
    };
    nth.saturating_add(free) >= count
}

/// Fragments are the first company's; the others take turns, so that each has one or two workspaces.
fn lot(story: Story, owned: usize, companies: usize) -> usize {
    if story == Story::Fragment {
        return 0;
    }
    owned.checked_rem(companies.saturating_sub(1).max(1)).unwrap_or(0).saturating_add(1)
}

fn company(&(name, industry, country, region, employees): &CompanyName) -> Company {
    let domain = format!("{}.example", names::plain(name).replace("--", "-").trim_matches('-'));
    Company { name, domain, industry, country, region, employees }
}

fn workspace(
    seed: u64,
    story: Story,
    nth: usize,
    owner: Option<&Company>,
    lots: &mut Dice,
) -> Workspace {
    let tag = format!("{story:?}-{nth}").to_lowercase();
    let mut dice = Dice::of(seed, &tag);
    let mut course = story::course(story, &mut dice);
    course.joins.sort_unstable_by(|a, b| b.cmp(a));
    let name = name(story, nth, owner, lots);
    let id = format!("ws_{}", names::plain(&name).replace('-', "_"));
    let mut people = vec![founder(story, &id, owner, course.born, &mut dice)];
    for (number, joined) in course.joins.iter().enumerate() {
        people.push(colleague(&id, number, owner, *joined, &mut dice));
    }
    Workspace { id, name, company: owner.cloned(), story, course, people }
}

fn name(story: Story, nth: usize, owner: Option<&Company>, lots: &mut Dice) -> String {
    let Some(owner) = owner else {
        let offset = match story {
            Story::Hot => 0,
            Story::Climber => 1,
            Story::Tinkerer => 2,
            Story::Newcomer => 9,
            _ => 12,
        };
        let free: usize = match story {
            Story::Hot => 9,
            Story::Climber => 14,
            Story::Tinkerer => 8,
            Story::Newcomer => 5,
            _ => 11,
        };
        let index = nth.saturating_sub(free).saturating_add(offset);
        return HOBBIES.get(index).copied().unwrap_or("Personal").to_owned();
    };
    match story {
        Story::Sandbox => format!("{} Sandbox", owner.name),
        Story::Fragment => {
            let team =
                ["Engineering", "Operations", "Marketing", "Data", "Support"].get(nth).copied();
            format!("{} {}", owner.name, team.unwrap_or("Pilot"))
        }
        Story::Loop => format!("{} Automation", owner.name),
        // A second workspace of a company is another team's, so the stories share out the words.
        Story::Ghost | Story::Tinkerer | Story::Newcomer | Story::Faded => {
            format!(
                "{} {}",
                owner.name,
                lots.one_of(&["Trial", "Pilot", "Test drive", "Evaluation"])
            )
        }
        _ if lots.percent(35) => owner.name.to_owned(),
        _ => format!("{} {}", owner.name, lots.one_of(TEAMS)),
    }
}

fn founder(
    story: Story,
    workspace: &str,
    owner: Option<&Company>,
    born: i64,
    dice: &mut Dice,
) -> Person {
    let role = if story == Story::NoBuyer { "member" } else { "admin" };
    let title = match owner {
        None => "",
        Some(_) if story == Story::NoBuyer => "Software Engineer",
        Some(_) => dice.one_of(BUYERS),
    };
    let mut person = person(workspace, 0, owner, title, role, born, dice);
    if dice.percent(40) {
        person.visitor = Some(format!("anon-{}", person.id));
    }
    person
}

fn colleague(
    workspace: &str,
    number: usize,
    owner: Option<&Company>,
    joined: i64,
    dice: &mut Dice,
) -> Person {
    let title = if owner.is_some() { dice.one_of(USERS) } else { "" };
    person(workspace, number.saturating_add(1), owner, title, "member", joined, dice)
}

fn person(
    workspace: &str,
    number: usize,
    owner: Option<&Company>,
    title: &'static str,
    role: &'static str,
    joined: i64,
    dice: &mut Dice,
) -> Person {
    let (first, last) = (dice.one_of(FIRST), dice.one_of(LAST));
    let id = format!("u_{}_{number}", workspace.trim_start_matches("ws_"));
    let local = format!("{}.{}", names::plain(first), names::plain(last));
    let email = match owner {
        Some(owner) => format!("{local}@{}", owner.domain),
        None => format!("{local}.{}@{}", dice.from_to(1000, 9999), dice.one_of(FREE_MAIL)),
    };
    Person { id, name: format!("{first} {last}"), email, title, role, visitor: None, joined }
}

/// A contractor works in two companies' workspaces under one address.
fn share(all: &mut [Workspace]) {
    let contractor = Person {
        id: "u_contractor".to_owned(),
        name: "Tove Aalto".to_owned(),
        email: "tove.aalto.consults@gmail.com".to_owned(),
        title: "Consultant",
        role: "member",
        visitor: None,
        joined: 15,
    };
    let hosts = [Story::Hot, Story::Steady];
    for host in hosts {
        if let Some(workspace) = all.iter_mut().find(|workspace| workspace.story == host) {
            workspace.people.push(contractor.clone());
        }
    }
}
