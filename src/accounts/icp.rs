//! How well a company fits: weighted criteria to a score of 0 to 100 and a tier.

use std::collections::BTreeSet;

/// What is known about a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// People who work there.
    pub employees: Option<i32>,
    /// As the product or an enrichment says it; case does not matter.
    pub industry: Option<String>,
    /// A country's name or code.
    pub country: Option<String>,
    /// A region of the world.
    pub region: Option<String>,
    /// Technologies in use.
    pub tech_stack: Vec<String>,
}

/// One criterion and how much of its weight each answer is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Percent of the weight from so many employees on; the greatest bound that is reached counts.
    Employees(Vec<(i32, u32)>),
    /// Percent by words that the industry contains; the best counts.
    Industry(Vec<(String, u32)>),
    /// Any of these countries.
    Country(Vec<String>),
    /// Any of these regions.
    Region(Vec<String>),
    /// Any of these technologies.
    TechStack(Vec<String>),
}

/// Who the ideal customer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcpDefinition {
    /// Criteria with their weights; what is unknown about a company counts neither way.
    pub criteria: Vec<(u32, Criterion)>,
}

impl Default for IcpDefinition {
    /// Size and industry of companies that buy software for teams.
    fn default() -> Self {
        let industries = [
            ("software", 100),
            ("saas", 100),
            ("technology", 100),
            ("internet", 90),
            ("information", 80),
            ("fintech", 90),
            ("financial", 70),
            ("telecom", 60),
            ("media", 60),
            ("consulting", 60),
            ("commerce", 60),
            ("health", 50),
            ("manufacturing", 40),
            ("education", 40),
            ("retail", 40),
        ];
        Self {
            criteria: vec![
                (
                    60,
                    Criterion::Employees(vec![(1, 20), (20, 50), (50, 75), (200, 100), (5000, 80)]),
                ),
                (
                    40,
                    Criterion::Industry(
                        industries.map(|(word, worth)| (word.to_owned(), worth)).to_vec(),
                    ),
                ),
            ],
        }
    }
}

/// How well a company fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// 0 to 100.
    pub score: i32,
    /// `A` from 75, `B` from 50, else `C`.
    pub tier: &'static str,
}

impl IcpDefinition {
    /// The fit of a company; none while nothing that the definition asks for is known.
    #[must_use]
    pub fn fit(&self, company: &Company) -> Option<Fit> {
        let (mut reached, mut possible) = (0_u32, 0_u32);
        for (weight, criterion) in &self.criteria {
            if let Some(percent) = criterion.percent(company) {
                reached = reached.saturating_add(weight.saturating_mul(percent));
                possible = possible.saturating_add(*weight);
            }
        }
        let score = i32::try_from(reached.checked_div(possible)?).ok()?.clamp(0, 100);
        let tier = match score {
            75.. => "A",
            50.. => "B",
            _ => "C",
        };
        Some(Fit { score, tier })
    }
}

impl Criterion {
    fn percent(&self, company: &Company) -> Option<u32> {
        match self {
            Self::Employees(steps) => {
                let employees = company.employees?;
                let step = steps
                    .iter()
                    .filter(|(from, _)| *from <= employees)
                    .max_by_key(|(from, _)| *from);
                Some(step.map_or(0, |(_, percent)| *percent))
            }
            Self::Industry(words) => {
                let industry = company.industry.as_ref()?.to_lowercase();
                let hits = words.iter().filter(|(word, _)| industry.contains(word.as_str()));
                Some(hits.map(|(_, percent)| *percent).max().unwrap_or(0))
            }
            Self::Country(wanted) => among(company.country.as_ref(), wanted),
            Self::Region(wanted) => among(company.region.as_ref(), wanted),
            Self::TechStack(_) if company.tech_stack.is_empty() => None,
            Self::TechStack(wanted) => {
                let has: BTreeSet<String> =
                    company.tech_stack.iter().map(|name| name.to_lowercase()).collect();
                Some(if wanted.iter().any(|name| has.contains(&name.to_lowercase())) {
                    100
                } else {
                    0
                })
            }
        }
    }
}

fn among(value: Option<&String>, wanted: &[String]) -> Option<u32> {
    let value = value?;
    Some(if wanted.iter().any(|name| name.eq_ignore_ascii_case(value)) { 100 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(employees: Option<i32>, industry: Option<&str>) -> Company {
        Company { employees, industry: industry.map(str::to_owned), ..Company::default() }
    }

    #[test]
    fn tiers_by_size_and_industry_and_none_without_data() {
        let icp = IcpDefinition::default();
        assert_eq!(icp.fit(&Company::default()), None);
        assert_eq!(
            icp.fit(&company(Some(420), Some("Software"))),
            Some(Fit { score: 100, tier: "A" })
        );
        assert_eq!(icp.fit(&company(Some(420), None)), Some(Fit { score: 100, tier: "A" }));
        assert_eq!(icp.fit(&company(Some(30), Some("Retail"))), Some(Fit { score: 46, tier: "C" }));
        assert_eq!(
            icp.fit(&company(Some(60), Some("Education"))),
            Some(Fit { score: 61, tier: "B" })
        );
        assert_eq!(icp.fit(&company(Some(0), None)), Some(Fit { score: 0, tier: "C" }));
    }

    #[test]
    fn places_and_technologies_are_matched_whole() {
        let icp = IcpDefinition {
            criteria: vec![
                (50, Criterion::Country(vec!["DE".to_owned()])),
                (25, Criterion::Region(vec!["EMEA".to_owned()])),
                (25, Criterion::TechStack(vec!["PostgreSQL".to_owned()])),
            ],
        };
        let known = Company {
            country: Some("de".to_owned()),
            tech_stack: vec!["postgresql".to_owned()],
            ..Company::default()
        };
        assert_eq!(icp.fit(&known).map(|fit| fit.score), Some(100));
        let elsewhere = Company { country: Some("FR".to_owned()), ..Company::default() };
        assert_eq!(icp.fit(&elsewhere), Some(Fit { score: 0, tier: "C" }));
    }
}
