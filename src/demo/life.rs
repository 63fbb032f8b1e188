//! What people did, day by day, as the calls that the product's SDK made of it.

use serde_json::{Map, Value, json};

use super::call::{Calendar, Call, Pen};
use super::company::{Person, Workspace};
use super::dice::Dice;
use super::names::{FEATURES, INTEGRATIONS, UNDEFINED};
use super::story::{Plan, Story};

/// One workspace's calls, in no order.
#[must_use]
pub fn calls(seed: u64, workspace: &Workspace, calendar: Calendar) -> Vec<Call> {
    let mut life = Life {
        workspace,
        calendar,
        dice: Dice::of(seed, &format!("life of {}", workspace.id)),
        pen: Pen::new(seed, &workspace.id),
    };
    life.founding();
    for person in workspace.people.iter().skip(1) {
        life.joining(person);
    }
    for person in &workspace.people {
        life.days(person);
    }
    life.milestones();
    life.wishes();
    life.plan();
    life.special();
    life.pen.calls
}

struct Life<'a> {
    workspace: &'a Workspace,
    calendar: Calendar,
    dice: Dice,
    pen: Pen,
}

impl Life<'_> {
    /// An event of a person, with the workspace named in seven cases of ten: SDKs in browsers leave it
    /// out after `group()`.
    fn track(&mut self, person: &Person, name: &str, age: i64, minute: i64, properties: Value) {
        let names = self.dice.percent(70);
        let context = if names { json!({"groupId": self.workspace.id}) } else { json!({}) };
        let call = json!({
            "type": "track", "event": name, "userId": person.id, "properties": properties, "context": context,
        });
        self.pen.write(self.calendar.at(age, minute), call);
    }

    fn identify(&mut self, person: &Person, age: i64, minute: i64) {
        let mut traits = Map::new();
        traits.insert("email".to_owned(), person.email.as_str().into());
        traits.insert("name".to_owned(), person.name.as_str().into());
        if !person.title.is_empty() {
            traits.insert("title".to_owned(), person.title.into());
        }
        if let Some(company) = &self.workspace.company {
            traits.insert("company".to_owned(), json!({"name": company.name}));
        }
        let mut call = json!({"type": "identify", "userId": person.id, "traits": traits});
        if let (Some(visitor), Some(call)) = (&person.visitor, call.as_object_mut()) {
            call.insert("anonymousId".to_owned(), visitor.as_str().into());
        }
        self.pen.write(self.calendar.at(age, minute), call);
    }

    fn group(&mut self, person: &Person, age: i64, minute: i64, mut traits: Map<String, Value>) {
        traits.insert("role".to_owned(), person.role.into());
        let call = json!({
            "type": "group", "userId": person.id, "groupId": self.workspace.id, "traits": traits,
        });
        self.pen.write(self.calendar.at(age, minute), call);
    }

    fn founding(&mut self) {
        let workspace = self.workspace;
        let Some(founder) = workspace.people.first() else { return };
        let born = workspace.course.born;
        if let Some(visitor) = &founder.visitor {
            for page in ["Home", "Pricing", "Sign Up"] {
                let call =
                    json!({"type": "page", "name": page, "anonymousId": visitor, "properties": {}});
                let minute = self.dice.from_to(400, 520);
                self.pen.write(self.calendar.at(born, minute), call);
            }
        }
        self.identify(founder, born, 530);
        let created = self.calendar.at(born, 531).to_rfc3339();
        let mut traits = Map::new();
        traits.insert("name".to_owned(), workspace.name.as_str().into());
        traits.insert("created_at".to_owned(), created.into());
        if workspace.story == Story::Sandbox {
            traits.insert("workspace_type".to_owned(), "sandbox".into());
        }
        if let Some(company) = &workspace.company {
            traits.insert("website".to_owned(), format!("https://{}", company.domain).into());
            for (name, value) in [
                ("industry", company.industry),
                ("country", company.country),
                ("region", company.region),
            ] {
                if !value.is_empty() {
                    traits.insert(name.to_owned(), value.into());
                }
            }
            if company.employees > 0 {
                traits.insert("employees".to_owned(), company.employees.into());
            }
        }
        self.group(founder, born, 531, traits);
        self.track(founder, "Signed Up", born, 532, json!({"plan": "free"}));
        self.track(founder, "Account Created", born, 533, json!({"account_name": workspace.name}));
    }

    fn joining(&mut self, person: &Person) {
        let workspace = self.workspace;
        let Some(founder) = workspace.people.first() else { return };
        let age = person.joined;
        let minute = self.dice.from_to(560, 900);
        let asked = if age >= workspace.course.born {
            age
        } else {
            age.saturating_add(self.dice.from_to(0, 1))
        };
        self.track(
            founder,
            "Invite Sent",
            asked,
            minute.saturating_sub(20),
            json!({"role": person.role}),
        );
        self.identify(person, age, minute);
        self.group(person, age, minute.saturating_add(1), Map::new());
        let invite = json!({"role": person.role, "invited_by": founder.id});
        self.track(person, "Invite Accepted", age, minute.saturating_add(2), invite);
    }

    fn days(&mut self, person: &Person) {
        let course = &self.workspace.course;
        for age in course.until..=person.joined {
            let weekend = self.calendar.is_weekend(age);
            let chance = if weekend { course.activity / 6 } else { course.activity };
            // Founders are there more often, and on the days that decide, whatever the weekday.
            let there = person.joined == course.born && age <= course.until.saturating_add(1);
            if self.dice.percent(chance) || (there && course.activity >= 65) {
                self.day(person, age);
            }
        }
    }

    fn day(&mut self, person: &Person, age: i64) {
        let course = &self.workspace.course;
        let mut minute = self.dice.from_to(480, 640);
        self.track(person, "Signed In", age, minute, json!({}));
        for _ in 0..self.dice.from_to(1, course.actions.max(1)) {
            minute = minute.saturating_add(self.dice.from_to(5, 70));
            let feature = self.dice.one_of(FEATURES);
            self.track(person, "core_feature_used", age, minute, json!({"feature": feature}));
        }
        if self.dice.percent(course.automations) {
            let name = self.dice.one_of(&["Weekly digest", "Sync to CRM", "Close stale items"]);
            self.track(
                person,
                "Automation Ran",
                age,
                minute.saturating_add(4),
                json!({"name": name}),
            );
        }
        if self.dice.percent(25) {
            let name = self.dice.one_of(UNDEFINED);
            self.track(person, name, age, minute.saturating_add(9), json!({}));
        }
    }

    fn milestones(&mut self) {
        let workspace = self.workspace;
        let course = &workspace.course;
        let Some(founder) = workspace.people.first() else { return };
        for age in
            course.key_actions.iter().filter(|age| (course.until..=course.born).contains(age))
        {
            let minute = self.dice.from_to(600, 900);
            self.track(
                founder,
                "Key Action",
                *age,
                minute,
                json!({"what": "first board published"}),
            );
        }
        if let Some(age) =
            course.first_value.filter(|age| (course.until..=course.born).contains(age))
        {
            self.track(founder, "First Value", age, 910, json!({}));
        }
        for age in
            course.integrations.iter().filter(|age| (course.until..=course.born).contains(age))
        {
            let integration = self.dice.one_of(INTEGRATIONS);
            self.track(
                founder,
                "Integration Added",
                *age,
                700,
                json!({"integration": integration}),
            );
        }
        if course.integrations.len() > 1 {
            let records = self.dice.from_to(80, 5000);
            self.track(founder, "Records Imported", course.until, 760, json!({"records": records}));
        }
    }

    fn wishes(&mut self) {
        let workspace = self.workspace;
        let course = &workspace.course;
        let Some(founder) = workspace.people.first() else { return };
        let within = |age: &&i64| (course.until..=course.born).contains(age);
        for age in course.pricing.iter().filter(within) {
            let minute = self.dice.from_to(620, 960);
            self.track(founder, "Pricing Page Viewed", *age, minute, json!({"path": "/pricing"}));
        }
        for age in course.upgrades.iter().filter(within) {
            let minute = self.dice.from_to(640, 970);
            self.track(founder, "Upgrade Clicked", *age, minute, json!({"plan": "pro"}));
        }
        for age in course.limits.iter().filter(within) {
            let minute = self.dice.from_to(500, 1000);
            let limit = self.dice.one_of(&["seats", "automations", "storage"]);
            self.track(founder, "Usage Limit Reached", *age, minute, json!({"limit": limit}));
        }
    }

    fn plan(&mut self) {
        let workspace = self.workspace;
        let Some(founder) = workspace.people.first() else { return };
        let born = workspace.course.born;
        let seats = workspace.seats();
        let mut traits = Map::new();
        let mut say = |name: &str, value: Value| drop(traits.insert(name.to_owned(), value));
        let age = match workspace.course.plan {
            Plan::Free => {
                say("plan", "free".into());
                born
            }
            Plan::Trial(left) => {
                let ends = self.calendar.at(0, 0) + chrono::TimeDelta::days(left);
                say("plan", "trial".into());
                say("subscription_status", "trialing".into());
                say("trial_ends_at", ends.to_rfc3339().into());
                say("seats", seats.into());
                born
            }
            Plan::Paid(age) | Plan::Canceled(age) => {
                let (plan, dollars) = workspace.price();
                say("plan", plan.into());
                say("subscription_status", "active".into());
                say("mrr", seats.saturating_mul(dollars).into());
                say("billing_period", "month".into());
                say("seats", seats.into());
                age.max(1).min(born)
            }
        };
        if matches!(workspace.course.plan, Plan::Trial(_)) {
            self.track(founder, "Trial Started", born, 535, json!({}));
        }
        let paid_from = if matches!(workspace.course.plan, Plan::Canceled(_)) { born } else { age };
        self.group(founder, paid_from, 540, traits);
        if let Plan::Canceled(until) = workspace.course.plan {
            let mut traits = Map::new();
            traits.insert("plan".to_owned(), "free".into());
            traits.insert("subscription_status".to_owned(), "canceled".into());
            traits.insert(
                "canceled_at".to_owned(),
                self.calendar.at(until, 1000).to_rfc3339().into(),
            );
            traits.insert("mrr".to_owned(), 0.into());
            self.group(founder, until, 1000, traits);
        }
    }

    fn special(&mut self) {
        let workspace = self.workspace;
        let Some(founder) = workspace.people.first() else { return };
        match workspace.story {
            Story::Loop => {
                let script = workspace.people.last().unwrap_or(founder);
                for nth in 0..180_i64 {
                    let call = json!({
                        "type": "track", "event": "core_feature_used", "userId": script.id,
                        "properties": {"feature": "automations", "run": nth},
                        "context": {"groupId": workspace.id},
                    });
                    let at = self.calendar.at(2, 181)
                        + chrono::TimeDelta::seconds(nth.saturating_mul(15));
                    self.pen.write(at, call);
                }
            }
            Story::Downgraded => {
                self.track(founder, "Account Downgraded", 4, 700, json!({"plan": "free"}));
                self.track(founder, "Integration Removed", 5, 690, json!({"integration": "slack"}));
                let mut traits = Map::new();
                traits.insert("plan".to_owned(), "free".into());
                traits.insert("subscription_status".to_owned(), "canceled".into());
                traits.insert("mrr".to_owned(), 0.into());
                self.group(founder, 4, 701, traits);
            }
            Story::Faded => {
                if let Some(lost) = workspace.people.get(1) {
                    let until = workspace.course.until;
                    self.track(lost, "Account Removed User", until, 1010, json!({}));
                }
            }
            _ => {}
        }
    }
}
