//! Names of traits: one reading for everybody. Pure.
//!
//! `emailAddress`, `E-Mail Address`, `$email_address` and `EMAIL` are all the trait `email` of a user: case, blanks,
//! underscores, dashes and signs in front do not matter, and known synonyms are one name. Of a user, what
//! `company` holds (an object, or its name as text) are the traits `company_name`, `company_industry` and so on,
//! which `companyName` and `company.name` are too.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::moment::Moment;
use super::traits::{snake_case, text_of};

/// Whose traits they are: the same word may mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A person: `identify`, records of users.
    User,
    /// A tenant of the product, and what a call says of its member: `group`, records of workspaces.
    Workspace,
    /// A company: `company` of an `identify`, records of accounts.
    Company,
}

/// How far a name is from the canonical one: of two in one call the nearer counts, the lesser text of equally
/// near ones.
type Distance = (u8, String);

/// The traits of one call under their canonical names.
#[must_use]
pub fn read(subject: Subject, traits: Map<String, Value>) -> Map<String, Value> {
    let mut found: BTreeMap<String, (Distance, Value)> = BTreeMap::new();
    for (name, value) in traits {
        for (canonical, distance, value) in entries(subject, name, value) {
            let is_nearer = found.get(&canonical).is_none_or(|(known, _)| distance < *known);
            if is_nearer {
                found.insert(canonical, (distance, value));
            }
        }
    }
    found.into_iter().map(|(name, (_, value))| (name, value)).collect()
}

/// Which of two spellings of a trait holds: the newer, then the closer to the canonical name.
type Rank = (Option<Moment>, Reverse<Distance>);

/// Stored traits under their canonical names: of several names of one trait the one set last counts.
/// `times` holds the moment of each.
pub(super) fn rename(
    subject: Subject,
    values: &mut Map<String, Value>,
    times: &mut Map<String, Value>,
) {
    if values.keys().chain(times.keys()).all(|name| is_canonical(subject, name)) {
        return;
    }
    let mut found: BTreeMap<String, (Rank, Value, Value)> = BTreeMap::new();
    let timed = std::mem::take(times).into_iter().map(|(name, time)| {
        let value = values.remove(&name).unwrap_or_default();
        (name, value, time)
    });
    let mut all: Vec<(String, Value, Value)> = timed.collect();
    // What was stored without a time is older than everything.
    all.extend(std::mem::take(values).into_iter().map(|(name, value)| (name, value, Value::Null)));
    for (name, value, time) in all {
        let moment = Moment::from_json(&time);
        for (canonical, distance, value) in entries(subject, name, value) {
            let rank = (moment, Reverse(distance));
            if found.get(&canonical).is_none_or(|(known, ..)| rank > *known) {
                found.insert(canonical, (rank, value, time.clone()));
            }
        }
    }
    for (name, (_, value, time)) in found {
        if !value.is_null() {
            values.insert(name.clone(), value);
        }
        if !time.is_null() {
            times.insert(name, time);
        }
    }
}

/// What one member says: one trait, or those of a company.
fn entries(subject: Subject, name: String, value: Value) -> Vec<(String, Distance, Value)> {
    let is_company = subject == Subject::User && folded(&name) == "company";
    match value {
        Value::Object(members) if is_company => read(Subject::Company, members)
            .into_iter()
            .filter(|(member, _)| member != "id")
            .map(|(member, value)| (format!("company_{member}"), (0, name.clone()), value))
            .collect(),
        value if is_company => {
            let is_name = text_of(&value).is_some() && value.is_string();
            let said = ("company_name".to_owned(), (1, name), value);
            is_name.then_some(said).into_iter().collect()
        }
        value => {
            let canonical = canonical(subject, &name);
            if canonical.is_empty() {
                return Vec::new();
            }
            let distance = if name == canonical {
                0
            } else if snake_case(&name) == canonical {
                1
            } else if folded(&name) == folded(&canonical) {
                2
            } else {
                3
            };
            vec![(canonical, (distance, name), value)]
        }
    }
}

/// Whether a stored name is the canonical one. Asked for every trait of everybody who is seen, so that it
/// computes the canonical name only of names that look as if it were another one.
fn is_canonical(subject: Subject, name: &str) -> bool {
    if name == "company" {
        return subject != Subject::User;
    }
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_plain || name.starts_with("company_") || name.contains("__") {
        return canonical(subject, name) == name;
    }
    known(subject, &name.replace('_', "")).is_none_or(|known| known == name)
        && !name.starts_with('_')
        && !name.ends_with('_')
}

/// The canonical name of a trait: of a synonym the known one, else the name in snake case.
#[must_use]
pub fn canonical(subject: Subject, name: &str) -> String {
    if let Some(known) = known(subject, &folded(name)) {
        return known.to_owned();
    }
    let snake = snake_case(name);
    match snake.strip_prefix("company_") {
        Some(member) if subject == Subject::User => {
            format!("company_{}", canonical(Subject::Company, member))
        }
        _ => snake,
    }
}

fn known(subject: Subject, folded: &str) -> Option<&'static str> {
    match subject {
        Subject::User => of_user(folded),
        Subject::Workspace => of_workspace(folded).or_else(|| of_both(folded)),
        Subject::Company => of_company(folded).or_else(|| of_both(folded)),
    }
}

/// Letters and digits alone, in lower case: names that differ in nothing else are one.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn of_user(folded: &str) -> Option<&'static str> {
    Some(match folded {
        "email"
        | "emailaddress"
        | "mail"
        | "mailaddress"
        | "useremail"
        | "useremailaddress"
        | "primaryemail"
        | "primaryemailaddress"
        | "workemail"
        | "workemailaddress"
        | "businessemail"
        | "contactemail" => "email",
        "emaildomain" => "email_domain",
        "emailverified" | "isemailverified" | "emailisverified" | "emailconfirmed" => {
            "email_verified"
        }
        "name" | "fullname" | "displayname" => "name",
        "firstname" | "givenname" | "forename" => "first_name",
        "lastname" | "surname" | "familyname" => "last_name",
        "title" | "jobtitle" | "jobrole" | "jobposition" => "title",
        "seniority" | "senioritylevel" | "managementlevel" => "seniority",
        "department" | "jobfunction" => "department",
        "ssosubject" | "ssoid" => "sso_subject",
        "createdat" | "signedupat" | "signupdate" => "created_at",
        "companyname" | "organizationname" | "organisationname" => "company_name",
        "companysize" => "company_employees",
        _ => return None,
    })
}

fn of_workspace(folded: &str) -> Option<&'static str> {
    Some(match folded {
        "name" | "workspacename" | "groupname" => "name",
        "type" | "workspacetype" => "type",
        "status" | "workspacestatus" => "status",
        "plan" | "planname" | "plantier" | "subscriptionplan" => "plan",
        "seats" | "seatspurchased" | "seatcount" | "licenses" | "licences" => "seats",
        "website" | "websiteurl" | "url" | "homepage" => "website",
        "domain" | "companydomain" => "domain",
        "billingdomain" => "billing_domain",
        "billingemail" | "billingemailaddress" | "billingcontactemail" => "billing_email",
        "ssodomain" | "samldomain" => "sso_domain",
        "createdat" | "signedupat" | "signupdate" => "created_at",
        "stripecustomerid" | "stripecustomer" => "stripe_customer_id",
        "role" | "userrole" | "memberrole" | "workspacerole" => "role",
        "persona" | "buyingrole" | "buyerpersona" => "persona",
        // What subscriptions read of traits.
        "trialstart" | "trialstartedat" | "trialstartsat" | "trialstartdate" => "trial_start",
        "trialend" | "trialendsat" | "trialenddate" | "trialendat" => "trial_ends_at",
        "mrr" | "monthlyrecurringrevenue" => "mrr",
        "mrrcents" => "mrr_cents",
        "arr" | "annualrecurringrevenue" => "arr",
        "subscriptionstatus" => "subscription_status",
        "billingstatus" => "billing_status",
        "paidstatus" => "paid_status",
        "renewaldate" | "renewsat" | "renewalon" => "renewal_date",
        "currentperiodend" => "current_period_end",
        "canceledat" | "cancelledat" => "canceled_at",
        "billingperiod" | "billinginterval" => "billing_period",
        _ => return None,
    })
}

fn of_company(folded: &str) -> Option<&'static str> {
    Some(match folded {
        "name" | "companyname" | "accountname" => "name",
        "size" => "employees",
        "accountid" => "account_id",
        "territory" | "salesterritory" => "territory",
        "isstrategic" | "strategic" => "is_strategic",
        "lifecyclestage" => "lifecycle_stage",
        _ => return None,
    })
}

/// What workspaces may say about the company behind them, too.
fn of_both(folded: &str) -> Option<&'static str> {
    Some(match folded {
        "employees" | "employeecount" | "employeescount" | "numberofemployees" | "numemployees"
        | "companysize" | "headcount" => "employees",
        "industry" => "industry",
        "subindustry" => "sub_industry",
        "hqcountry" | "country" => "hq_country",
        "hqregion" | "region" => "hq_region",
        "techstack" | "technologies" => "tech_stack",
        "segment" | "companysegment" => "segment",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(subject: Subject, traits: Value) -> Value {
        Value::Object(read(subject, traits.as_object().unwrap().clone()))
    }

    #[test]
    fn an_address_goes_by_many_names() {
        for name in [
            "email",
            "Email",
            "EMAIL",
            "$email",
            "_email",
            "e-mail",
            "E-Mail",
            "eMail",
            "email_address",
            "emailAddress",
            "Email Address",
            "EMAIL-ADDRESS",
            "$email_address",
            "mail",
            " email ",
            "user_email",
            "workEmail",
        ] {
            assert_eq!(
                of(Subject::User, json!({name: "a@b.com"})),
                json!({"email": "a@b.com"}),
                "{name}"
            );
        }
        for (name, canonical) in [
            ("jobTitle", "title"),
            ("job_title", "title"),
            ("JOBTITLE", "title"),
            ("Title", "title"),
            ("firstName", "first_name"),
            ("first_name", "first_name"),
            ("firstname", "first_name"),
            ("lastname", "last_name"),
            ("fullName", "name"),
            ("emailVerified", "email_verified"),
            ("favouriteColour", "favourite_colour"),
            ("URL", "url"),
        ] {
            assert_eq!(super::canonical(Subject::User, name), canonical, "{name}");
        }
        for (name, canonical) in [
            ("Role", "role"),
            ("user_role", "role"),
            ("$role", "role"),
            ("Plan Name", "plan"),
            ("billingEmail", "billing_email"),
            ("employeeCount", "employees"),
            ("Number of Employees", "employees"),
            ("URL", "website"),
            ("trialEndsAt", "trial_ends_at"),
        ] {
            assert_eq!(super::canonical(Subject::Workspace, name), canonical, "{name}");
        }
    }

    #[test]
    fn a_company_is_an_object_a_text_or_names_beside_it() {
        for traits in [
            json!({"company": {"name": "Acme", "employee_count": 50, "id": 7}}),
            json!({"Company": {"Name": "Acme", "employeeCount": 50}}),
            json!({"$company": {"name": "Acme", "size": 50}}),
            json!({"company": "Acme", "company_size": 50}),
            json!({"companyName": "Acme", "companySize": 50}),
            json!({"company.name": "Acme", "company.employees": 50}),
            json!({"company_name": "Acme", "companyEmployees": 50}),
        ] {
            assert_eq!(
                of(Subject::User, traits.clone()),
                json!({"company_name": "Acme", "company_employees": 50}),
                "{traits}"
            );
        }
        assert_eq!(of(Subject::User, json!({"company": 7})), json!({}));
        assert_eq!(of(Subject::User, json!({"company": ["x"]})), json!({}));
    }

    #[test]
    fn the_exact_name_wins_over_its_synonyms() {
        for (traits, address) in [
            (json!({"email": "a", "Email": "b", "emailAddress": "c"}), json!("a")),
            (json!({"Email": "b", "emailAddress": "c"}), json!("b")),
            (json!({"E-Mail": "c", "mail": "d", "emailAddress": "e"}), json!("c")),
            (json!({"email": null, "mail": "d"}), json!(null)),
            (json!({"mail": "d", "emailAddress": "e"}), json!("e")),
        ] {
            assert_eq!(of(Subject::User, traits.clone())["email"], address, "{traits}");
        }
        let both = json!({"company": {"name": "Acme"}, "company_name": "Other"});
        assert_eq!(of(Subject::User, both)["company_name"], "Acme");
    }

    #[test]
    fn stored_traits_get_their_names_with_the_newest_value() {
        let map = |value: Value| value.as_object().unwrap().clone();
        let mut values = map(
            json!({"email_address": "new", "email": "old", "company": {"name": "Acme"}, "x": 1}),
        );
        let mut times =
            map(json!({"email_address": 5, "email": 3, "company": 4, "x": 1, "job_title": 9}));
        rename(Subject::User, &mut values, &mut times);
        assert_eq!(Value::Object(values), json!({"email": "new", "company_name": "Acme", "x": 1}));
        assert_eq!(
            Value::Object(times),
            json!({"email": 5, "company_name": 4, "title": 9, "x": 1})
        );
    }

    proptest! {
        #[test]
        fn names_are_settled(name in "\\PC{0,12}|[a-zA-Z_$ .-]{1,14}|company[_.]?[a-zA-Z]{0,8}", value in 0..9) {
            for subject in [Subject::User, Subject::Workspace, Subject::Company] {
                let once = read(subject, Map::from_iter([(name.clone(), json!(value))]));
                prop_assert_eq!(read(subject, once.clone()), once.clone());
                let mut times: Map<String, Value> = once.keys().map(|name| (name.clone(), json!(1))).collect();
                let mut values = once.clone();
                rename(subject, &mut values, &mut times);
                prop_assert_eq!(values, once.clone());
                for known in once.keys() {
                    prop_assert!(is_canonical(subject, known), "{}", known);
                }
                if name != "company" {
                    prop_assert_eq!(is_canonical(subject, &name), super::canonical(subject, &name) == name);
                }
            }
        }
    }
}
