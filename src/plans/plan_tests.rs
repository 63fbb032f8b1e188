use proptest::prelude::*;

use super::*;

fn tier(name: &str) -> &'static str {
    PlanList::default().read(name).tier
}

#[test]
fn names_of_plans_by_whole_words() {
    for (name, expected) in [
        ("Enterprise Trial", "trial"),
        ("enterprise_trial", "trial"),
        ("EnterpriseTrial", "trial"),
        ("PROTrial", "trial"),
        ("trial-pro-14", "trial"),
        ("Free Trial", "trial"),
        ("14 day trial", "trial"),
        ("pro_trialing", "trial"),
        ("Trial expired", "free"),
        ("Expired Trial (Pro)", "free"),
        ("Unpaid", "free"),
        ("UNPAID", "free"),
        ("non-paid", "free"),
        ("Non Paid", "free"),
        ("not paid", "free"),
        ("nonPaid", "free"),
        ("un-paid", "free"),
        ("no plan", "free"),
        ("No active subscription", "free"),
        ("None", "free"),
        ("cancelled pro", "free"),
        ("Pro (canceled)", "free"),
        ("former Enterprise", "free"),
        ("ex-pro", "free"),
        ("Churned", "free"),
        ("Pro", "pro"),
        ("PRO 2024", "pro"),
        ("pro2024", "pro"),
        ("Team Annual", "pro"),
        ("business-yearly", "pro"),
        ("Professional", "pro"),
        ("not cancelled pro", "pro"),
        ("Pro, no trial", "pro"),
        ("Non-trial Pro", "pro"),
        ("Pro for non-profits", "pro"),
        ("Enterprise", "enterprise"),
        ("Enterprise Plus", "enterprise"),
        ("business enterprise", "enterprise"),
        ("free", "free"),
        ("Free Tier", "free"),
        ("Pro (free)", "free"),
        ("Community Edition", "free"),
        ("Open-Source", "free"),
        ("Nonprofit", "unknown"),
        ("Non-Profit", "unknown"),
        ("Industrial", "unknown"),
        ("basic", "unknown"),
        ("Basic", "unknown"),
        ("Prospect", "unknown"),
        ("Promo", "unknown"),
        ("Productivity", "unknown"),
        ("Steamship", "unknown"),
        ("surplus", "unknown"),
        ("freelancer", "unknown"),
        ("carefree", "unknown"),
        ("Substandard", "unknown"),
        ("Prepaid", "unknown"),
        ("Upscale", "unknown"),
        ("enterprising", "unknown"),
        ("not free", "unknown"),
        ("Kostenlos", "unknown"),
        ("2024", "unknown"),
        ("—", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(tier(name), expected, "{name}");
    }
}

#[test]
fn what_was_cancelled_was_paid() {
    let cancelled = |name: &str| PlanList::default().read(name).is_cancelled;
    for name in ["cancelled pro", "Pro (canceled)", "former Enterprise", "Churned", "Team expired"]
    {
        assert!(cancelled(name), "{name}");
    }
    for name in [
        "Unpaid",
        "non-paid",
        "Trial expired",
        "cancelled trial",
        "cancelled free",
        "none",
        "not cancelled pro",
    ] {
        assert!(!cancelled(name), "{name}");
    }
}

#[test]
fn an_entry_word_for_word_decides() {
    let mut list = PlanList::default();
    list.pro.extend(["basic".to_owned(), "free range".to_owned()]);
    assert_eq!(list.read("Basic").tier, "pro");
    assert_eq!(list.read("Basic Annual").tier, "pro");
    assert_eq!(list.read("Free Range").tier, "pro");
    assert_eq!(list.read("Free Range Trial").tier, "trial");
    list.pro.clear();
    assert_eq!(list.read("Pro").tier, "unknown");
}

#[test]
fn a_form_is_read_line_by_line() {
    let field = |name: &str| match name {
        "free" => "Free\r\nhobby, Open Source\n\nfree".to_owned(),
        "pro" => "team".to_owned(),
        _ => String::new(),
    };
    let list = PlanList::of_form(field).unwrap();
    assert_eq!(list.free, ["free", "hobby", "open source"]);
    assert_eq!((list.pro.as_slice(), list.trial.len()), (["team".to_owned()].as_slice(), 0));
    let twice = |name: &str| if name == "free" || name == "pro" { "Team" } else { "-" }.to_owned();
    let errors = PlanList::of_form(twice).unwrap_err();
    assert!(errors["pro"][0].contains("also in the list Free"), "{errors:?}");
    assert!(errors["trial"][0].contains("no letter"), "{errors:?}");
}

proptest! {
    #[test]
    fn any_name_has_a_tier_and_its_case_does_not_matter(name in "[ -~]{0,40}") {
        let plan = PlanList::default().read(&name);
        prop_assert!(TIERS.iter().any(|(key, _)| *key == plan.tier));
        let small = name.to_lowercase();
        prop_assert_eq!(PlanList::default().read(&small), PlanList::default().read(&small.to_uppercase()));
    }

    #[test]
    fn letters_around_a_known_word_make_it_another_word(word in "(pro|trial|free|paid|team|enterprise|unpaid)", around in "[b-df-hj-mv-z]{2,4}") {
        prop_assert_eq!(tier(&format!("{around}{word}")), "unknown");
    }
}
