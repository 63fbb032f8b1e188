//! The department that a part of a job title names. Pure.

/// The department of a part: by the head phrase, else by what follows its preposition. The last function
/// counts (`Product Marketing Manager` markets), but for nouns that say what somebody does.
pub fn of(head: &[String], rest: &[String]) -> Option<&'static str> {
    if head.iter().chain(rest).any(|word| function(word) == Some("people")) {
        return Some("people");
    }
    by_noun(head).or_else(|| last(head)).or_else(|| last(rest))
}

fn by_noun(head: &[String]) -> Option<&'static str> {
    let noun = head.iter().rposition(|word| {
        NOUNS.iter().any(|(_, names)| names.iter().any(|name| word.ends_with(name)))
    })?;
    let word = head.get(noun)?;
    let (own, _) = NOUNS.iter().find(|(_, names)| names.iter().any(|name| word.ends_with(name)))?;
    let modifier = last(head.get(..noun)?);
    match *own {
        // A sales engineer sells, a product engineer builds.
        "engineering" => modifier
            .filter(|name| matches!(*name, "sales" | "support" | "security" | "data"))
            .or(Some("engineering")),
        "data" if word.ends_with("analyst") => modifier.or(Some("data")),
        own => Some(own),
    }
}

/// Nouns that say what somebody does, whatever stands before them.
const NOUNS: [(&str, &[&str]); 5] = [
    (
        "engineering",
        &[
            "engineer",
            "developer",
            "architect",
            "programmer",
            "entwickler",
            "ingenieur",
            "developpeur",
            "desarrollador",
        ],
    ),
    ("design", &["designer"]),
    ("data", &["scientist", "analyst"]),
    ("finance", &["accountant", "bookkeeper"]),
    ("legal", &["counsel", "lawyer", "attorney", "paralegal"]),
];

/// The last function that words name. Operations are those of selling, else of whatever stands before them.
fn last(words: &[String]) -> Option<&'static str> {
    let mut found: Option<&'static str> = None;
    let mut before = "";
    for word in words {
        let named = match (before, word.as_str()) {
            ("business" | "sales", "development") => Some("sales"),
            ("office", "manager") => Some("operations"),
            ("information", "security") => Some("security"),
            (_, word) => function(word),
        };
        found = match (found, named) {
            (Some("sales" | "marketing"), Some("operations")) => named,
            (Some(known), Some("operations")) => Some(known),
            (_, Some(_)) => named,
            (known, None) => known,
        };
        before = word;
    }
    found
}

fn function(word: &str) -> Option<&'static str> {
    let by_name = FUNCTIONS.iter().find(|(_, names)| names.contains(&word));
    let by_stem = || {
        STEMS
            .iter()
            .find(|(_, stem)| word.len() > stem.len() && word.starts_with(stem))
            .map(|(name, _)| *name)
    };
    by_name.map(|(name, _)| *name).or_else(by_stem)
}

/// How German compounds and longer forms begin.
const STEMS: [(&str, &str); 16] = [
    ("sales", "vertrieb"),
    ("sales", "verkauf"),
    ("people", "personal"),
    ("people", "recruit"),
    ("product", "produkt"),
    ("marketing", "marketing"),
    ("operations", "einkauf"),
    ("finance", "finan"),
    ("finance", "buchhalt"),
    ("engineering", "entwicklung"),
    ("engineering", "software"),
    ("engineering", "technolog"),
    ("engineering", "informati"),
    ("support", "kunden"),
    ("sales", "salg"),
    ("sales", "forsaljning"),
];

const FUNCTIONS: [(&str, &[&str]); 12] = [
    (
        "legal",
        &[
            "legal",
            "counsel",
            "lawyer",
            "attorney",
            "paralegal",
            "compliance",
            "juridique",
            "recht",
            "clo",
        ],
    ),
    (
        "people",
        &[
            "hr",
            "people",
            "talent",
            "recruiter",
            "recruiting",
            "recruitment",
            "hrbp",
            "chro",
            "rh",
            "drh",
            "personnel",
            "humains",
            "humaines",
            "humanos",
            "umane",
            "human",
        ],
    ),
    (
        "security",
        &["security", "ciso", "infosec", "cybersecurity", "sicherheit", "seguridad", "securite"],
    ),
    (
        "product",
        &[
            "product", "products", "cpo", "pm", "producto", "produto", "produit", "prodotto",
            "cpto", "ctpo",
        ],
    ),
    ("design", &["design", "designer", "ux", "ui", "creative", "art"]),
    (
        "data",
        &[
            "data",
            "analytics",
            "analyst",
            "scientist",
            "bi",
            "ml",
            "ai",
            "cdo",
            "datos",
            "dados",
            "donnees",
        ],
    ),
    (
        "engineering",
        &[
            "engineering",
            "eng",
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
            "technology",
            "technical",
            "tech",
            "technique",
            "technik",
            "tecnico",
            "tecnica",
            "tecnologia",
            "web",
            "mobile",
            "android",
            "ios",
            "cloud",
            "research",
            "hardware",
            "firmware",
            "embedded",
            "entwicklung",
            "desarrollo",
            "developpement",
            "desenvolvimento",
            "ingenieria",
            "engenharia",
            "development",
        ],
    ),
    (
        "marketing",
        &[
            "marketing",
            "cmo",
            "growth",
            "content",
            "brand",
            "demand",
            "seo",
            "sem",
            "communications",
            "communication",
            "comunicacion",
            "pr",
            "social",
            "media",
            "advertising",
            "mercadeo",
            "mercadotecnia",
            "ecommerce",
        ],
    ),
    (
        "sales",
        &[
            "sales",
            "account",
            "accounts",
            "revenue",
            "cro",
            "sdr",
            "bdr",
            "ae",
            "presales",
            "partnerships",
            "alliances",
            "channel",
            "commercial",
            "commerciale",
            "comercial",
            "commerciaal",
            "ventas",
            "vendas",
            "vendite",
            "ventes",
            "vertrieb",
            "verkauf",
            "verkoop",
            "seller",
            "cco",
            "gtm",
        ],
    ),
    (
        "support",
        &[
            "support",
            "success",
            "customer",
            "customers",
            "csm",
            "client",
            "clients",
            "helpdesk",
            "service",
            "cx",
        ],
    ),
    (
        "finance",
        &[
            "finance",
            "financial",
            "cfo",
            "accounting",
            "controller",
            "controlling",
            "accountant",
            "treasury",
            "treasurer",
            "tax",
            "audit",
            "auditor",
            "payroll",
            "bookkeeper",
            "billing",
            "payable",
            "receivable",
            "fp",
            "daf",
            "comptable",
            "contabilidad",
            "boekhouding",
        ],
    ),
    (
        "operations",
        &[
            "operations",
            "ops",
            "operating",
            "operational",
            "coo",
            "revops",
            "it",
            "information",
            "cio",
            "dsi",
            "procurement",
            "purchasing",
            "logistics",
            "admin",
            "administrator",
            "administration",
            "administrative",
            "facilities",
            "operaciones",
            "operacoes",
            "betrieb",
            "achats",
            "compras",
        ],
    ),
];
