//! The rank that the head phrase of a job title names. Pure.
//!
//! English puts the head last (`CEO Assistant`), the Romance languages first (`Assistante de direction`);
//! since phrases are cut at prepositions, the last noun that is known decides, and modifiers around it.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Nouns of positions without a rank of their own.
static CONTRIBUTORS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("data/contributors.txt").lines().collect());

/// How high a title stands, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Student,
    Contributor,
    Manager,
    Director,
    VicePresident,
    Chief,
}

impl Rank {
    /// The name in conditions, filters and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Contributor => "ic",
            Self::Manager => "manager",
            Self::Director => "director",
            Self::VicePresident => "vp",
            Self::Chief => "c_level",
        }
    }
}

/// What a noun makes of a title whose head it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noun {
    Rank(Rank),
    /// A body rather than a person: it ranks only where it stands alone, as in `Vorstand`.
    Body,
    /// Ranks by what stands before it.
    Owner,
    Partner,
    Officer,
    Executive,
    Manager,
    Member,
    Secretary,
    /// `Chef`, which is a head in French.
    Cook,
}

use Noun::{Body, Cook, Executive, Manager, Member, Officer, Owner, Partner, Secretary};
use Rank::{Chief, Contributor, Director, Student, VicePresident};

/// The rank of a head phrase and what follows its preposition; none when it names no position, as `Marketing`
/// alone.
pub fn of(head: &[String], rest: &[String]) -> Option<Rank> {
    let has = |names: &[&str]| head.iter().any(|word| names.contains(&word.as_str()));
    let about = |names: &[&str]| rest.iter().any(|word| names.contains(&word.as_str()));
    if has(&["former", "ex", "retired", "aspiring", "past", "future", "guest"]) {
        return Some(Contributor);
    }
    let nouns: Vec<(usize, Noun)> = head
        .iter()
        .enumerate()
        .filter_map(|(at, word)| Some((at, noun(word).or_else(|| compound(word))?)))
        .collect();
    let Some((at, last)) = nouns.iter().rev().find(|(_, noun)| *noun != Body).copied() else {
        // `Vorstand`; beside other nouns it is whom they work for.
        let whole = head.len() == 1 || has(&["general", "generale"]);
        return nouns.first().map(|_| if whole { Chief } else { Director });
    };
    let before = head.get(..at).unwrap_or_default();
    let after = head.get(at.saturating_add(1)..).unwrap_or_default();
    let led = |names: &[&str]| before.iter().any(|word| names.contains(&word.as_str()));
    let next_to = |names: &[&str]| before.last().is_some_and(|word| names.contains(&word.as_str()));
    let is_general = after.iter().chain(before).any(|word| GENERAL.contains(&word.as_str()));
    Some(match last {
        Member if about(BOARDS) || next_to(BOARDS) && !led(&["advisory"]) => Chief,
        Member => Contributor,
        // `Assistent Geschäftsführer`: what comes first there is the head.
        Noun::Rank(Chief) if head.first().is_some_and(|word| is_assistant(word)) => Contributor,
        Noun::Rank(Chief) if about(&["staff"]) => Director,
        Noun::Rank(Chief) if next_to(&["vice"]) => VicePresident,
        Owner if before.iter().all(|word| OWNED.contains(&word.as_str())) => Chief,
        Partner if before.is_empty() || next_to(&PARTNERS) || before == ["senior"] => Chief,
        Officer if led(&["chief"]) => Chief,
        Executive if next_to(&["chief"]) => Chief,
        Noun::Rank(Director) if is_general || next_to(&["managing", "geschaftsfuhrender"]) => Chief,
        Noun::Rank(Rank::Manager) if is_general => Chief,
        Manager if led(&["general"]) => Director,
        Manager if led(&NO_MANAGERS) => Contributor,
        Manager => Rank::Manager,
        Cook if !rest.is_empty() && !about(&["cuisine", "partie", "rang"]) => {
            if about(&["entreprise"]) { Chief } else { Rank::Manager }
        }
        Secretary if after.iter().any(|word| word == "general") => Chief,
        Noun::Rank(Contributor) | Owner | Partner | Officer | Executive | Secretary | Cook => {
            if led(&LEARNING) {
                Student
            } else if led(&["chief"]) && !is_clerk(head) {
                Director
            } else if led(&["head"]) || leads(before) {
                Rank::Manager
            } else {
                Contributor
            }
        }
        Noun::Rank(rank) => rank,
        Body => Chief,
    })
}

/// Modifiers that make a contributor a learner.
const LEARNING: [&str; 7] =
    ["intern", "trainee", "apprentice", "praktikant", "praktikantin", "werkstudent", "stagiaire"];
/// Modifiers of managers who manage nobody.
const NO_MANAGERS: [&str; 5] = ["account", "associate", "assistant", "trainee", "junior"];
const PARTNERS: [&str; 6] = ["managing", "founding", "general", "equity", "name", "owning"];
const BOARDS: &[&str] = &["board", "vorstand", "geschaftsleitung", "geschaftsfuhrung", "directors"];
/// What makes a director or a manager the first of a company.
const GENERAL: [&str; 11] = [
    "ejecutivo",
    "ejecutiva",
    "executivo",
    "general",
    "generale",
    "generala",
    "geral",
    "algemeen",
    "verkstallande",
    "administrerende",
    "генеральный",
];
/// What may stand beside an owner of a company.
const OWNED: [&str; 19] = [
    "business",
    "company",
    "small",
    "sole",
    "shop",
    "store",
    "agency",
    "restaurant",
    "franchise",
    "the",
    "proud",
    "firm",
    "studio",
    "practice",
    "co",
    "operator",
    "part",
    "majority",
    "founding",
];

fn is_assistant(word: &str) -> bool {
    // English puts it before the title that it belongs to: `Assistant Vice President`.
    const ASSISTANTS: [&str; 6] =
        ["assisten", "asisten", "assistante", "sekretar", "secretair", "secretaria"];
    ASSISTANTS.iter().any(|start| word.starts_with(start))
}

/// Work that serves rather than leads, whatever it is called.
fn is_clerk(head: &[String]) -> bool {
    head.last().is_some_and(|word| {
        is_assistant(word) || matches!(word.as_str(), "assistant" | "office" | "associate" | "aide")
    })
}

/// `Lead Engineer` leads; `Lead Generation Specialist` does not.
fn leads(before: &[String]) -> bool {
    let place = before.iter().position(|word| word == "lead");
    place.is_some_and(|at| {
        let next = before.get(at.saturating_add(1)).map(String::as_str);
        !matches!(
            next,
            Some("generation" | "gen" | "qualification" | "nurturing" | "management" | "time")
        )
    })
}

fn noun(word: &str) -> Option<Noun> {
    let rank = match word {
        "ceo"
        | "cto"
        | "cfo"
        | "coo"
        | "cmo"
        | "cio"
        | "cpo"
        | "cro"
        | "ciso"
        | "cdo"
        | "cso"
        | "chro"
        | "cco"
        | "clo"
        | "cxo"
        | "cao"
        | "cpto"
        | "cbo"
        | "cgo"
        | "cino"
        | "cpio"
        | "cdto"
        | "ctpo"
        | "pdg"
        | "dg"
        | "chief"
        | "founder"
        | "cofounder"
        | "cofounders"
        | "founders"
        | "president"
        | "presidente"
        | "presidenta"
        | "prasident"
        | "prasidentin"
        | "presidentin"
        | "chairman"
        | "chairwoman"
        | "chairperson"
        | "chair"
        | "proprietor"
        | "proprietress"
        | "entrepreneur"
        | "solopreneur"
        | "coowner"
        | "geschaftsfuhrer"
        | "geschaftsfuhrerin"
        | "geschaftsleiter"
        | "geschaftsleiterin"
        | "vorstandsvorsitzender"
        | "vorstandsvorsitzende"
        | "vorstandsmitglied"
        | "inhaber"
        | "inhaberin"
        | "gesellschafter"
        | "gesellschafterin"
        | "grunder"
        | "grunderin"
        | "mitgrunder"
        | "mitgrunderin"
        | "unternehmer"
        | "unternehmerin"
        | "gerant"
        | "gerante"
        | "fondateur"
        | "fondatrice"
        | "cofondateur"
        | "cofondatrice"
        | "dirigeant"
        | "dirigeante"
        | "fundador"
        | "fundadora"
        | "cofundador"
        | "cofundadora"
        | "fondatore"
        | "cofondatore"
        | "propietario"
        | "propietaria"
        | "proprietario"
        | "proprietaire"
        | "dueno"
        | "duena"
        | "dono"
        | "titolare"
        | "eigenaar"
        | "oprichter"
        | "bestuurder"
        | "vd"
        | "prezes"
        | "wlasciciel"
        | "основатель"
        | "сооснователь"
        | "владелец"
        | "президент"
        | "гендиректор"
        | "fondator"
        | "kurucu"
        | "社長"
        | "創業者" => Chief,
        "vp" | "vpe" | "svp" | "evp" | "avp" | "rvp" | "gvp" | "vicepresident"
        | "vicepresidente" | "vicepresidenta" | "vizeprasident" | "vizeprasidentin"
        | "wiceprezes" => VicePresident,
        "gm" | "director" | "directors" | "dir" | "directora" | "directeur" | "directrice"
        | "direktor" | "direktorin" | "direktur" | "diretor" | "diretora" | "direttore"
        | "direttrice" | "dyrektor" | "head" | "hoofd" | "leiter" | "leiterin" | "leitung"
        | "prokurist" | "prokuristin" | "dean" | "daf" | "dsi" | "drh" | "subdirector"
        | "директор" => Director,
        "lead"
        | "leader"
        | "leiding"
        | "supervisor"
        | "foreman"
        | "superintendent"
        | "principal"
        | "teamlead"
        | "responsable"
        | "responsabile"
        | "responsavel"
        | "verantwortlicher"
        | "jefe"
        | "jefa"
        | "gerente"
        | "gerenta"
        | "chefe"
        | "capo"
        | "encargado"
        | "encargada"
        | "kierownik"
        | "teamleiter"
        | "teamleiterin"
        | "projektleiter"
        | "projektleiterin"
        | "gruppenleiter"
        | "filialleiter"
        | "schichtleiter"
        | "abteilungsleiter"
        | "abteilungsleiterin"
        | "teamleider"
        | "manageress"
        | "руководитель"
        | "менеджер" => Rank::Manager,
        "intern" | "internship" | "interns" | "student" | "studentin" | "trainee"
        | "apprentice" | "praktikant" | "praktikantin" | "werkstudent" | "werkstudentin"
        | "auszubildender" | "auszubildende" | "azubi" | "stagiaire" | "alternant"
        | "alternante" | "apprenti" | "becario" | "becaria" | "pasante" | "practicante"
        | "estagiario" | "estagiaria" | "tirocinante" | "stagista" | "stagiair"
        | "undergraduate" | "стажер" | "стажёр" | "praktykant" => Student,
        word if CONTRIBUTORS.contains(word) => Contributor,
        word => return special(word),
    };
    Some(Noun::Rank(rank))
}

fn special(word: &str) -> Option<Noun> {
    Some(match word {
        "owner" | "owners" => Owner,
        "partner" | "partners" => Partner,
        "officer" => Officer,
        "manager" | "managers" | "mgr" | "managerin" => Manager,
        "executive" => Executive,
        "member" | "mitglied" | "membre" | "miembro" | "membro" => Member,
        "secretary" | "secretaire" | "secretario" | "secretaria" => Secretary,
        "chef" => Cook,
        "socio" | "socia" => Partner,
        "vorstand" | "geschaftsfuhrung" | "geschaftsleitung" | "direction" | "direccion"
        | "direzione" | "gerencia" | "presidency" => Body,
        _ => return asian(word),
    })
}

/// Titles in scripts without blanks between words, by what they contain; the longer first.
fn asian(word: &str) -> Option<Noun> {
    #[rustfmt::skip]
    const TITLES: [(&str, Rank); 23] = [
        ("副社長", VicePresident), ("副总裁", VicePresident), ("副總裁", VicePresident), ("代表取締役", Chief),
        ("社長", Chief), ("首席", Chief), ("总裁", Chief), ("總裁", Chief), ("董事长", Chief), ("创始人", Chief),
        ("总经理", Chief), ("대표", Chief), ("取締役", Director), ("部長", Director), ("总监", Director),
        ("總監", Director), ("이사", Director), ("课长", Rank::Manager), ("課長", Rank::Manager),
        ("经理", Rank::Manager), ("經理", Rank::Manager), ("实习", Student), ("インターン", Student),
    ];
    let found = TITLES.iter().find(|(title, _)| word.contains(title));
    found.map(|(_, rank)| Noun::Rank(*rank))
}

/// German, Dutch and Nordic titles that are one word: `Vertriebsleiter`, `Salgschef`.
fn compound(word: &str) -> Option<Noun> {
    #[rustfmt::skip]
    const ENDS: [(&str, Rank); 18] = [
        ("projektmanager", Rank::Manager), ("assistent", Contributor), ("assistentin", Contributor),
        ("assistenz", Contributor), ("entwickler", Contributor), ("entwicklerin", Contributor),
        ("berater", Contributor), ("beraterin", Contributor), ("praktikant", Student), ("student", Student),
        ("leiter", Director), ("leiterin", Director), ("direktor", Director), ("direktorin", Director),
        ("chef", Rank::Manager), ("manager", Rank::Manager), ("managerin", Rank::Manager),
        ("leder", Rank::Manager),
    ];
    ENDS.iter()
        .find(|(end, _)| word.len() > end.len().saturating_add(2) && word.ends_with(end))
        .map(|(_, rank)| Noun::Rank(*rank))
}
