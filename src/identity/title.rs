//! What a job title says about seniority and department.

/// The seniority that a title names: `student`, `ic`, `manager`, `director`, `vp` or `c_level`;
/// `None` for no title at all. A title that names none of the others is an individual contributor's.
#[must_use]
pub fn seniority(title: &str) -> Option<&'static str> {
    let words = words(title);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let pair = |first: &str, second: &str| {
        words.windows(2).any(|two| matches!(two, [a, b] if a == first && b == second))
    };
    if words.is_empty() {
        None
    } else if pair("vice", "president") || has(&["vp", "svp", "evp", "avp"]) {
        Some("vp")
    } else if has(&[
        "ceo",
        "cto",
        "cfo",
        "coo",
        "cmo",
        "cio",
        "cpo",
        "cro",
        "ciso",
        "cdo",
        "chief",
        "founder",
        "cofounder",
        "president",
        "owner",
        "partner",
    ]) && !has(&["staff", "product"])
    {
        Some("c_level")
    } else if has(&["director"]) || pair("head", "of") {
        Some("director")
    } else if has(&["manager", "lead", "supervisor", "principal"])
        && !pair("account", "manager")
        && !has(&["assistant"])
    {
        Some("manager")
    } else if has(&["student", "intern", "trainee", "apprentice"]) {
        Some("student")
    } else {
        Some("ic")
    }
}

/// The department that a title names; `None` when it names none.
#[must_use]
pub fn department(title: &str) -> Option<&'static str> {
    const DEPARTMENTS: [(&str, &[&str]); 10] = [
        ("security", &["security", "ciso", "infosec"]),
        ("product", &["product", "cpo", "pm"]),
        ("design", &["design", "designer", "ux", "ui"]),
        ("data", &["data", "analytics", "analyst", "scientist", "bi", "ml"]),
        (
            "engineering",
            &[
                "engineering",
                "engineer",
                "developer",
                "software",
                "cto",
                "devops",
                "sre",
                "architect",
                "programmer",
                "backend",
                "frontend",
                "fullstack",
                "platform",
                "infrastructure",
                "qa",
            ],
        ),
        ("marketing", &["marketing", "cmo", "growth", "content", "brand", "demand", "seo"]),
        ("sales", &["sales", "account", "revenue", "cro", "sdr", "bdr", "ae"]),
        ("support", &["support", "success", "customer", "csm"]),
        ("finance", &["finance", "cfo", "accounting", "controller", "accountant"]),
        (
            "operations",
            &[
                "operations",
                "ops",
                "coo",
                "revops",
                "it",
                "cio",
                "procurement",
                "admin",
                "administrator",
            ],
        ),
    ];
    let words = words(title);
    let human = ["hr", "people", "talent", "recruiter", "recruiting"];
    if words.iter().any(|word| human.contains(&word.as_str())) {
        return Some("people");
    }
    if words.windows(2).any(|two| matches!(two, [a, b] if a == "revenue" && b == "operations")) {
        return Some("operations");
    }
    DEPARTMENTS
        .iter()
        .find(|(_, names)| words.iter().any(|word| names.contains(&word.as_str())))
        .map(|(department, _)| *department)
}

fn words(title: &str) -> Vec<String> {
    title
        .to_lowercase()
        .replace("co-founder", "cofounder")
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_as_people_write_them() {
        for (title, level, department_of) in [
            ("VP Engineering", Some("vp"), Some("engineering")),
            ("Vice President of Sales", Some("vp"), Some("sales")),
            ("Co-Founder & CTO", Some("c_level"), Some("engineering")),
            ("Head of Product", Some("director"), Some("product")),
            ("Director, Revenue Operations", Some("director"), Some("operations")),
            ("Engineering Manager", Some("manager"), Some("engineering")),
            ("Account Manager", Some("ic"), Some("sales")),
            ("Product Owner", Some("ic"), Some("product")),
            ("Senior Software Engineer", Some("ic"), Some("engineering")),
            ("Marketing Intern", Some("student"), Some("marketing")),
            ("Wizard", Some("ic"), None),
            ("  ", None, None),
        ] {
            assert_eq!(seniority(title), level, "{title}");
            assert_eq!(department(title), department_of, "{title}");
        }
    }
}
