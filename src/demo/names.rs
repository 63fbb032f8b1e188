//! Names of companies and people that do not exist; all company domains end in `.example`.

/// Company, industry, country, region, employees. An empty industry or 0 employees is unknown.
pub type CompanyName = (&'static str, &'static str, &'static str, &'static str, i64);

/// Sixty companies; the first owns five pilots.
pub const COMPANIES: &[CompanyName] = &[
    ("Halden Group", "Software", "Norway", "EMEA", 6200),
    ("Brightwater Labs", "Software", "United States", "NA", 420),
    ("Norrvik Systems", "Information technology", "Sweden", "EMEA", 880),
    ("Cobalt & Pine", "Fintech", "United Kingdom", "EMEA", 310),
    ("Tessellate", "SaaS", "United States", "NA", 240),
    ("Ostara Health", "Health care", "Germany", "EMEA", 1400),
    ("Quillfeather", "Media", "United States", "NA", 150),
    ("Meridian Freight", "Logistics software", "Netherlands", "EMEA", 760),
    ("Lumen Yard", "Software", "Canada", "NA", 95),
    ("Sable Analytics", "Technology", "United States", "NA", 530),
    ("Fjordline Payments", "Financial services", "Denmark", "EMEA", 340),
    ("Kestrel Robotics", "Manufacturing", "Japan", "APAC", 2100),
    ("Amberly", "E-commerce", "France", "EMEA", 210),
    ("Northgate Telecom", "Telecommunications", "Finland", "EMEA", 3900),
    ("Pallas Security", "Software", "Israel", "EMEA", 180),
    ("Verdant Grid", "Energy technology", "Spain", "EMEA", 460),
    ("Holloway Consulting", "Consulting", "United States", "NA", 65),
    ("Juniper & Rowe", "Legal services", "Ireland", "EMEA", 130),
    ("Sundial Learning", "Education", "Australia", "APAC", 85),
    ("Copperline", "Software", "United States", "NA", 58),
    ("Arkwright Mills", "Manufacturing", "United Kingdom", "EMEA", 640),
    ("Blue Heron Studio", "Media", "Canada", "NA", 24),
    ("Tidewater Credit", "Financial services", "United States", "NA", 270),
    ("Mosaic Retail", "Retail", "Italy", "EMEA", 1900),
    ("Paperbark", "SaaS", "Australia", "APAC", 44),
    ("Silverbirch Data", "Information technology", "Estonia", "EMEA", 72),
    ("Greyfriars Press", "Media", "United Kingdom", "EMEA", 38),
    ("Larkspur Bio", "Biotechnology", "Switzerland", "EMEA", 520),
    ("Oakhaven", "Hospitality", "United States", "NA", 310),
    ("Pinnacle Ridge", "Construction", "Canada", "NA", 480),
    ("Redwood Signal", "Software", "United States", "NA", 19),
    ("Saltmarsh", "E-commerce", "Portugal", "EMEA", 33),
    ("Thornbury Motors", "Automotive", "Germany", "EMEA", 5400),
    ("Umbra Works", "Consulting", "Poland", "EMEA", 27),
    ("Vantage Point", "Technology", "India", "APAC", 1250),
    ("Willow & Stone", "Retail", "New Zealand", "APAC", 16),
    ("Xylem Water", "Utilities", "Austria", "EMEA", 900),
    ("Yarrow Foods", "Food production", "Belgium", "EMEA", 410),
    ("Zephyr Air", "Transport", "Greece", "EMEA", 230),
    ("Alder Kinetic", "Software", "Brazil", "LATAM", 140),
    ("Bexley Insurance", "Insurance", "United Kingdom", "EMEA", 1700),
    ("Cinder Games", "Games", "Romania", "EMEA", 61),
    ("Dovetail Homes", "Real estate", "United States", "NA", 12),
    ("Eastfold", "Education", "Singapore", "APAC", 54),
    ("Falconer Media", "Media", "Mexico", "LATAM", 110),
    ("Gantry Cloud", "Internet", "United States", "NA", 205),
    ("Harrow & Finch", "Architecture", "Norway", "EMEA", 22),
    ("Inkwell Labs", "Software", "Czechia", "EMEA", 31),
    ("Kiln Ceramics", "Retail", "Portugal", "EMEA", 9),
    ("Lodestar Travel", "Travel", "Iceland", "EMEA", 47),
    ("Mistral Energy", "Utilities", "France", "EMEA", 0),
    ("Nightjar", "", "Sweden", "EMEA", 0),
    ("Orchard Street", "", "", "", 0),
    ("Plover Software", "", "", "", 0),
    ("Quarry Lane", "", "United States", "NA", 0),
    ("Riverbend", "", "", "", 0),
    ("Sparrowhawk", "", "", "", 0),
    ("Tamarack", "", "Canada", "NA", 0),
    ("Underhill", "", "", "", 0),
    ("Verity Press", "", "", "", 0),
];

/// What a workspace of a company may be called after the company's name.
pub const TEAMS: &[&str] =
    &["Engineering", "Product", "Operations", "Marketing", "Data", "Platform", "Support", "Design"];

/// What free-mail founders call theirs.
pub const HOBBIES: &[&str] = &[
    "Side project",
    "Garden planner",
    "Weekend build",
    "Thesis",
    "Bike club",
    "Newsletter",
    "Choir",
    "Book tracker",
    "Freelance",
    "Indie studio",
    "Maker lab",
    "Startup idea",
    "Chess league",
    "Podcast",
    "Home lab",
    "Photo trips",
    "Recipe box",
    "Language class",
    "Running group",
    "Board games",
    "Repair café",
    "Film night",
    "Tiny shop",
    "Atlas",
];

/// Free-mail providers.
pub const FREE_MAIL: &[&str] = &["gmail.com", "outlook.com", "proton.me", "yahoo.com"];

/// First names.
pub const FIRST: &[&str] = &[
    "Ada", "Amara", "Anders", "Ines", "Arjun", "Astrid", "Bao", "Beatriz", "Björn", "Camille",
    "Chidi", "Clara", "Daan", "Dana", "Diego", "Elif", "Emeka", "Esther", "Farid", "Fiona",
    "Freya", "Gael", "Grace", "Hana", "Hugo", "Ilse", "Imran", "Ivana", "Jonas", "Jun", "Karim",
    "Katya", "Lars", "Leila", "Lucía", "Magnus", "Maeve", "Mateo", "Mei", "Milan", "Nadia", "Niko",
    "Noor", "Olga", "Omar", "Paula", "Priya", "Ravi", "Rosa", "Samir", "Sanna", "Selma", "Soren",
    "Tariq", "Tessa", "Thabo", "Uma", "Viktor", "Wanjiru", "Yara", "Yusuf", "Zoë",
];

/// Family names.
pub const LAST: &[&str] = &[
    "Abara",
    "Almeida",
    "Bakker",
    "Berg",
    "Bianchi",
    "Castillo",
    "Chen",
    "Cohen",
    "Dahl",
    "Demir",
    "Duarte",
    "Eriksen",
    "Faye",
    "Fischer",
    "García",
    "Haddad",
    "Hansen",
    "Hoang",
    "Ito",
    "Jansen",
    "Kapoor",
    "Kim",
    "Kowalski",
    "Laine",
    "Lindqvist",
    "Mbeki",
    "Moreau",
    "Nakamura",
    "Novak",
    "Nwosu",
    "O’Brien",
    "Okafor",
    "Olsen",
    "Park",
    "Petrov",
    "Quist",
    "Rahman",
    "Rossi",
    "Sato",
    "Schmidt",
    "Silva",
    "Sokolov",
    "Svensson",
    "Tanaka",
    "Torres",
    "Varga",
    "Weber",
    "Wójcik",
    "Yilmaz",
    "Zhang",
];

/// Titles of those who start a workspace and can sign for it.
pub const BUYERS: &[&str] = &[
    "VP Engineering",
    "Head of Operations",
    "Engineering Manager",
    "Director of Product",
    "Co-Founder & CTO",
    "Head of Data",
    "Operations Manager",
    "VP Product",
];

/// Titles of those who work in it.
pub const USERS: &[&str] = &[
    "Senior Software Engineer",
    "Product Manager",
    "Data Analyst",
    "Designer",
    "Customer Success Manager",
    "Marketing Specialist",
    "Operations Associate",
    "Software Engineer",
    "QA Engineer",
    "Account Manager",
    "Platform Engineer",
    "Support Engineer",
];

/// Features that a core-feature event names.
pub const FEATURES: &[&str] =
    &["boards", "reports", "automations", "dashboards", "comments", "exports"];

/// Integrations.
pub const INTEGRATIONS: &[&str] =
    &["slack", "github", "salesforce", "google_drive", "jira", "snowflake"];

/// Events that no catalog defines: they wait on the catalog page.
pub const UNDEFINED: &[&str] =
    &["Report Exported", "Comment Added", "Theme Changed", "Search Performed"];

/// Letters for ids and addresses: without accents, spaces and signs.
#[must_use]
pub fn plain(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'a'..='z' | '0'..='9' => Some(letter),
            'ö' | 'ó' | 'ò' | 'ø' => Some('o'),
            'í' => Some('i'),
            'é' | 'ë' => Some('e'),
            'á' | 'å' | 'ä' => Some('a'),
            'ü' | 'ú' => Some('u'),
            ' ' | '-' => Some('-'),
            _ => None,
        })
        .collect::<String>()
        .replace("--", "-")
}
