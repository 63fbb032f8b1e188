//! Small worlds for tests.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::ids::{UserId, WorkspaceId};
use crate::scoring::card::Scorecard;
use crate::scoring::compiled::CompiledModel;
use crate::scoring::engine::{World, score};
use crate::scoring::model::Model;
use crate::usage::day::{Names, UsageDay};
use crate::usage::facts::Member;
use crate::usage::signal::Fields;

pub use crate::scoring::presets::published_recipe as recipe;

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The 20th of November 2026: `as_of` of every test.
pub fn today() -> NaiveDate {
    day("2026-11-20")
}

pub fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// A world that owns what the engine borrows.
#[derive(Clone, Debug)]
pub struct Owned {
    pub names: Names,
    pub fields: Fields,
    pub members: Vec<Member>,
    pub usage: Vec<UsageDay>,
    pub suggest_champions: bool,
}

impl Owned {
    pub fn new() -> Self {
        Self {
            names: Names::new(),
            fields: Fields::new(),
            members: vec![],
            usage: vec![],
            suggest_champions: false,
        }
    }

    pub fn member(&mut self, number: u128, role: &str) -> &mut Member {
        let mut member = Member::new(user(number));
        member.role = Some(role.to_owned());
        member.joined_on = Some(day("2026-01-01"));
        self.members.push(member);
        self.members.last_mut().unwrap()
    }

    /// `count` events, `age` days before today.
    pub fn did(&mut self, number: u128, event: &str, age: u64, count: i64) {
        let event = self.names.intern(event);
        let day = today() - chrono::Days::new(age);
        self.usage.push(UsageDay {
            user: user(number),
            event,
            feature: None,
            day,
            count,
            value: 0.0,
        });
    }

    pub fn world(&self) -> World<'_> {
        World {
            workspace_id: WorkspaceId(Uuid::from_u128(1)),
            fields: &self.fields,
            members: &self.members,
            usage: &self.usage,
            suggest_champions: self.suggest_champions,
        }
    }

    pub fn compile(&mut self, model: &Model) -> CompiledModel {
        CompiledModel::new(model.clone(), 1, &mut self.names).unwrap()
    }

    pub fn score(&mut self, model: &Model) -> Scorecard {
        let compiled = self.compile(model);
        score(&compiled, &self.world(), today())
    }
}
