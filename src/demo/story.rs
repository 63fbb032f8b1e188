//! What happens to a workspace in ninety days, in numbers. Days are ages: 0 is the last day.

use super::dice::Dice;

/// How a workspace fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// Signed up, looked around, never came back.
    Ghost,
    /// One or two people who try things now and then.
    Tinkerer,
    /// Days old.
    Newcomer,
    /// Was busy once.
    Faded,
    /// A small team at work, in no hurry to buy.
    Steady,
    /// Grows, looks at prices.
    Climber,
    /// Ripe.
    Hot,
    /// One of five pilots of the same company, none of them much alone.
    Fragment,
    /// Busy, and not production.
    Sandbox,
    /// Its script repeats one event some hundred times an hour.
    Loop,
    /// Its score crosses 80 up and down.
    Flapping,
    /// Pays, and outgrows what it pays for.
    Expanding,
    /// Paid, then went down a plan and took an integration out.
    Downgraded,
    /// Busy, without anybody who could buy.
    NoBuyer,
}

/// How many workspaces have which story: 120.
pub const CAST: &[(Story, usize)] = &[
    (Story::Fragment, 5),
    (Story::Hot, 10),
    (Story::Climber, 15),
    (Story::Expanding, 4),
    (Story::Flapping, 1),
    (Story::NoBuyer, 2),
    (Story::Steady, 20),
    (Story::Downgraded, 2),
    (Story::Loop, 1),
    (Story::Sandbox, 1),
    (Story::Faded, 13),
    (Story::Newcomer, 8),
    (Story::Tinkerer, 15),
    (Story::Ghost, 23),
];

/// What a workspace pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Free,
    /// Nothing until so many days after the last day (before it, when negative).
    Trial(i64),
    /// Monthly, since this age.
    Paid(i64),
    /// Had paid until this age.
    Canceled(i64),
}

/// A workspace's ninety days. Ages lie between `born` and `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Age on which it was made.
    pub born: i64,
    /// Age of the last active day.
    pub until: i64,
    /// Ages on which somebody joins the founder.
    pub joins: Vec<i64>,
    /// Chance in percent that a member is active on a weekday.
    pub activity: i64,
    /// Uses of core features by an active member, at most.
    pub actions: i64,
    /// Chance in percent that an active member runs an automation.
    pub automations: i64,
    /// Ages of `key_action_completed`.
    pub key_actions: Vec<i64>,
    /// Age of `first_value_delivered`.
    pub first_value: Option<i64>,
    /// Ages on which an integration is installed.
    pub integrations: Vec<i64>,
    /// Ages on which the founder looks at pricing.
    pub pricing: Vec<i64>,
    /// Ages on which the founder clicks upgrade.
    pub upgrades: Vec<i64>,
    /// Ages on which the founder hits a usage limit.
    pub limits: Vec<i64>,
    /// What it pays.
    pub plan: Plan,
}

impl Course {
    /// A founder who made a workspace; everything else is told by the story.
    fn quiet(born: i64, until: i64) -> Self {
        Self {
            born,
            until,
            joins: Vec::new(),
            activity: 30,
            actions: 2,
            automations: 0,
            key_actions: Vec::new(),
            first_value: None,
            integrations: Vec::new(),
            pricing: Vec::new(),
            upgrades: Vec::new(),
            limits: Vec::new(),
            plan: Plan::Free,
        }
    }

    /// The founder's team of the first weeks.
    fn with_team(mut self, dice: &mut Dice, size: i64) -> Self {
        let latest = (self.born / 2).max(self.until);
        self.joins = (0..size)
            .map(|_| dice.from_to(latest, self.born.saturating_sub(2).max(latest)))
            .collect();
        self
    }
}

/// The course of a story.
#[must_use]
pub fn course(story: Story, dice: &mut Dice) -> Course {
    match story {
        Story::Ghost => ghost(dice),
        Story::Tinkerer => tinkerer(dice),
        Story::Newcomer => newcomer(dice),
        Story::Faded => faded(dice),
        Story::Steady | Story::Loop => steady(dice),
        Story::Climber => climber(dice),
        Story::NoBuyer => no_buyer(dice),
        Story::Sandbox => Course { plan: Plan::Free, ..hot(dice) },
        Story::Hot => hot(dice),
        Story::Fragment => fragment(dice),
        Story::Flapping => flapping(dice),
        Story::Expanding => expanding(dice),
        Story::Downgraded => downgraded(dice),
    }
}

fn ghost(dice: &mut Dice) -> Course {
    let born = dice.from_to(16, 88);
    let mut course = Course::quiet(born, born.saturating_sub(dice.from_to(0, 4)));
    course.activity = 70;
    if dice.percent(25) {
        course.key_actions.push(course.until);
    }
    if dice.percent(20) {
        course.plan = Plan::Trial(14_i64.saturating_sub(born));
    }
    course
}

fn tinkerer(dice: &mut Dice) -> Course {
    let born = dice.from_to(20, 85);
    let size = dice.from_to(0, 1);
    let mut course = Course::quiet(born, 0).with_team(dice, size);
    course.activity = dice.from_to(12, 35);
    course.key_actions.push(dice.from_to(born / 2, born));
    if dice.percent(30) {
        course.pricing.push(dice.from_to(2, 12));
    }
    course
}

fn newcomer(dice: &mut Dice) -> Course {
    let born = dice.from_to(1, 7);
    let mut course = Course::quiet(born, 0);
    course.activity = 80;
    course.actions = 4;
    course.plan = Plan::Trial(14_i64.saturating_sub(born));
    if dice.percent(60) {
        course.key_actions.push(dice.from_to(0, born));
    }
    if dice.percent(40) {
        course.joins.push(dice.from_to(0, born));
    }
    course
}

fn faded(dice: &mut Dice) -> Course {
    let (born, until) = (dice.from_to(60, 89), dice.from_to(19, 40));
    let size = dice.from_to(2, 6);
    let mut course = Course::quiet(born, until).with_team(dice, size);
    course.activity = 50;
    course.actions = 3;
    course.key_actions = vec![born.saturating_sub(3), born.saturating_sub(12)];
    course.first_value = Some(born.saturating_sub(8));
    if dice.percent(40) {
        course.plan = Plan::Canceled(until);
    }
    course
}

fn steady(dice: &mut Dice) -> Course {
    let born = dice.from_to(45, 89);
    let size = dice.from_to(2, 6);
    let mut course = Course::quiet(born, 0).with_team(dice, size);
    course.activity = dice.from_to(55, 75);
    course.actions = 3;
    course.automations = dice.from_to(10, 35);
    course.key_actions = vec![born.saturating_sub(2), dice.from_to(24, 34), dice.from_to(12, 20)];
    course.first_value = Some(dice.from_to(24, 40));
    course.joins.push(dice.from_to(22, 36));
    if dice.percent(50) {
        course.joins.push(dice.from_to(14, 24));
    }
    course.integrations.push(dice.from_to(20, 40));
    if dice.percent(40) {
        course.pricing.push(dice.from_to(4, 9));
    }
    if dice.percent(35) {
        course.plan = Plan::Paid(dice.from_to(10, 30));
    }
    course
}

fn climber(dice: &mut Dice) -> Course {
    let born = dice.from_to(35, 80);
    let size = dice.from_to(3, 8);
    let mut course = Course::quiet(born, 0).with_team(dice, size);
    course.activity = dice.from_to(65, 80);
    course.actions = 3;
    course.automations = dice.from_to(20, 45);
    course.key_actions = vec![born.saturating_sub(1), dice.from_to(17, 25), dice.from_to(7, 13)];
    course.first_value = Some(dice.from_to(16, 26));
    course.joins.push(dice.from_to(9, 16));
    course.integrations = vec![dice.from_to(18, 28), dice.from_to(5, 12)];
    course.pricing = vec![dice.from_to(8, 14), dice.from_to(3, 6)];
    if dice.percent(60) {
        course.limits.push(dice.from_to(6, 10));
    }
    if dice.percent(40) {
        course.plan = Plan::Trial(dice.from_to(4, 12));
    }
    course
}

fn hot(dice: &mut Dice) -> Course {
    let born = dice.from_to(20, 60);
    let size = dice.from_to(4, 10);
    let mut course = Course::quiet(born, 0).with_team(dice, size);
    course.activity = dice.from_to(75, 92);
    course.actions = 4;
    course.automations = dice.from_to(30, 55);
    course.key_actions = vec![born.saturating_sub(1), dice.from_to(10, 18), dice.from_to(3, 8)];
    course.first_value = Some(dice.from_to(8, 16));
    course.joins.extend([dice.from_to(8, 13), dice.from_to(3, 7)]);
    course.integrations = vec![dice.from_to(9, 15), dice.from_to(2, 5)];
    course.pricing = vec![dice.from_to(7, 11), dice.from_to(1, 4)];
    if dice.percent(45) {
        course.upgrades.push(dice.from_to(1, 4));
    }
    course.limits.push(dice.from_to(2, 7));
    course.plan = if dice.percent(70) { Plan::Trial(dice.from_to(1, 9)) } else { Plan::Free };
    course
}

fn fragment(dice: &mut Dice) -> Course {
    let born = dice.from_to(30, 55);
    let size = dice.from_to(1, 3);
    let mut course = Course::quiet(born, 0).with_team(dice, size);
    course.activity = dice.from_to(48, 58);
    course.actions = 2;
    course.automations = 12;
    course.key_actions = vec![dice.from_to(20, 28)];
    course.joins.push(dice.from_to(10, 18));
    course.pricing.push(dice.from_to(3, 8));
    course.integrations.push(dice.from_to(12, 25));
    course
}

fn flapping(dice: &mut Dice) -> Course {
    let mut course = Course::quiet(80, 0).with_team(dice, 6);
    course.activity = 80;
    course.actions = 3;
    course.automations = 40;
    course.key_actions = (0..8_i64).map(|step| step.saturating_mul(9).saturating_add(4)).collect();
    course.first_value = Some(60);
    course.joins.extend([24, 50]);
    course.upgrades = (0..10_i64).map(|step| step.saturating_mul(6).saturating_add(1)).collect();
    course.integrations = vec![40];
    course.plan = Plan::Free;
    course
}

fn expanding(dice: &mut Dice) -> Course {
    let mut course = climber(dice);
    course.plan = Plan::Paid(dice.from_to(25, 60).min(course.born.saturating_sub(1)));
    course.limits = vec![dice.from_to(4, 8)];
    course
}

/// Whoever invites a lot would be taken for a champion: here nobody does of late.
fn no_buyer(dice: &mut Dice) -> Course {
    let mut course = climber(dice);
    course.born = course.born.max(50);
    for age in &mut course.joins {
        *age = (*age).max(33);
    }
    course
}

fn downgraded(dice: &mut Dice) -> Course {
    let mut course = climber(dice);
    course.born = 85;
    course.activity = 50;
    course.plan = Plan::Paid(60);
    course.limits = Vec::new();
    course
}
