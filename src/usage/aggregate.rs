//! One pass over usage days: everything that the signals of one subject need.

use chrono::NaiveDate;

use super::day::{Name, UsageDay};
use super::facts::suggests_champion;
use super::signal::Fields;
use super::taxonomy::{Kind, Taxonomy};

/// Counts of one subject, a workspace or a member, as of a day. "Last N days" includes `as_of`.
#[derive(Clone, Debug, Default)]
pub(super) struct Aggregate {
    /// Bit `n`: active `n` days before `as_of`; 30 of them.
    pub active: u32,
    core_days: u32,
    pub last_day: Option<NaiveDate>,
    core_actions_7d: i64,
    automation_runs_7d: i64,
    logins_7d: i64,
    sessions_7d: i64,
    sessions_14d: i64,
    records_imported: f64,
    invites_sent_7d: i64,
    invites_sent_14d: i64,
    invites_sent_30d: i64,
    invites_accepted_7d: i64,
    team_invites: i64,
    upgrade_clicks_7d: i64,
    pricing_page_views_7d: i64,
    usage_limit_hits_30d: i64,
    api_rate_limit_hits_7d: i64,
    pub high_intent_events_14d: i64,
    pub integration_installs_30d: i64,
    /// Distinct features ever used.
    features: Vec<Name>,
    /// Distinct key features of the last 30 days, with the age of the newest use.
    key_features: Vec<(Name, i64)>,
}

/// The days of the last `n`, as a mask of `active`.
pub(super) fn last(n: u32) -> u32 {
    u32::MAX.checked_shr(32u32.saturating_sub(n)).unwrap_or(0)
}

impl Aggregate {
    /// Takes in one usage day, `age` whole days before `as_of` (0 or more).
    pub fn add(&mut self, taxonomy: &Taxonomy, day: &UsageDay, age: i64) {
        let known = &taxonomy.known;
        let kind = taxonomy.kind(day.event);
        self.last_day = self.last_day.max(Some(day.day));
        if let Some(bit) = u32::try_from(age).ok().filter(|age| *age < 30) {
            self.active |= 1 << bit;
            if kind == Kind::Depth {
                self.core_days |= 1 << bit;
            }
        }
        let within = |days: i64| if age < days { day.count } else { 0 };
        if matches!(kind, Kind::Depth | Kind::Activation) {
            self.core_actions_7d += within(7);
        }
        if kind == Kind::Intent {
            self.high_intent_events_14d += within(14);
        }
        if day.event == known.invite_sent {
            self.invites_sent_7d += within(7);
            self.invites_sent_14d += within(14);
            self.invites_sent_30d += within(30);
            self.team_invites += day.count;
        } else if day.event == known.session_started {
            self.sessions_7d += within(7);
            self.sessions_14d += within(14);
        } else if day.event == known.data_imported {
            self.records_imported += day.value;
        } else if let Some((count, days)) = self.counter(taxonomy, day.event) {
            *count += within(days);
        }
        self.use_feature(taxonomy, day, age);
    }

    fn counter(&mut self, taxonomy: &Taxonomy, event: Name) -> Option<(&mut i64, i64)> {
        let known = &taxonomy.known;
        Some(match event {
            event if event == known.automation_run => (&mut self.automation_runs_7d, 7),
            event if event == known.login => (&mut self.logins_7d, 7),
            event if event == known.invite_accepted => (&mut self.invites_accepted_7d, 7),
            event if event == known.upgrade_click => (&mut self.upgrade_clicks_7d, 7),
            event if event == known.pricing_page_view => (&mut self.pricing_page_views_7d, 7),
            event if event == known.usage_limit_hit => (&mut self.usage_limit_hits_30d, 30),
            event if event == known.api_rate_limit_hit => (&mut self.api_rate_limit_hits_7d, 7),
            event if event == known.integration_installed => {
                (&mut self.integration_installs_30d, 30)
            }
            _ => return None,
        })
    }

    fn use_feature(&mut self, taxonomy: &Taxonomy, day: &UsageDay, age: i64) {
        let Some(feature) = day.feature.filter(|_| !taxonomy.is_integration(day.event)) else {
            return;
        };
        if !self.features.contains(&feature) {
            self.features.push(feature);
        }
        if age < 30 && taxonomy.is_key_feature(feature, day.event) {
            match self.key_features.iter_mut().find(|(name, _)| *name == feature) {
                Some((_, newest)) => *newest = age.min(*newest),
                None => self.key_features.push((feature, age)),
            }
        }
    }

    /// Whether this looks like a champion: invites others and stays active.
    pub fn suggests_champion(&self) -> bool {
        suggests_champion(self.invites_sent_30d, (self.active & last(14)).count_ones())
    }

    /// Sets the fields that workspaces and members share.
    pub fn fill(&self, taxonomy: &Taxonomy, fields: &mut Fields) {
        let days = |mask: u32, n: u32| (mask & last(n)).count_ones();
        fields.set("active_days_14d", days(self.active, 14));
        fields.set("active_days_30d", days(self.active, 30));
        fields.set("core_feature_days_14d", days(self.core_days, 14));
        fields.set("core_actions_7d", self.core_actions_7d);
        fields.set("features_activated", count(self.features.len()));
        let used_14d = self.key_features.iter().filter(|(_, age)| *age < 14).count();
        let used_30d = self.key_features.len();
        fields.set("core_feature_adoption_count_14d", count(used_14d));
        fields.set("core_feature_adoption_count_30d", count(used_30d));
        let ratio = taxonomy.key_feature_count().map(|all| ratio(used_30d, all));
        fields.set("key_feature_adoption_ratio", ratio);
        fields.set("automation_runs_7d", self.automation_runs_7d);
        fields.set("logins_7d", self.logins_7d);
        fields.set("sessions_7d", self.sessions_7d);
        fields.set("sessions_14d", self.sessions_14d);
        fields.set("records_imported", self.records_imported);
        fields.set("invites_sent_7d", self.invites_sent_7d);
        fields.set("invites_sent_14d", self.invites_sent_14d);
        fields.set("invites_accepted_7d", self.invites_accepted_7d);
        fields.set("team_invites", self.team_invites);
        fields.set("upgrade_clicks_7d", self.upgrade_clicks_7d);
        fields.set("pricing_page_views_7d", self.pricing_page_views_7d);
        fields.set("usage_limit_hits_30d", self.usage_limit_hits_30d);
        fields.set("api_rate_limit_hits_7d", self.api_rate_limit_hits_7d);
    }
}

/// A length as a field's value.
pub(super) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// `part / whole`; 0 of nothing is 0.
#[allow(clippy::as_conversions, reason = "counts are far below 2^53")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
