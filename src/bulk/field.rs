//! The schema of records, in one place: parsing, the mapping page, the OpenAPI document and the
//! reference all read these tables.

use super::value::Type;
use crate::values::text::{Holds, is_empty_word, trimmed};

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON and on the mapping page.
    pub name: &'static str,
    /// What its value is.
    pub of: Type,
    /// A record without it is refused.
    pub is_required: bool,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// A value as one would write it.
    pub example: &'static str,
    /// The traits that mean the same: the first is where the value is kept, the others are cleared, so
    /// that the newest word of any of them counts. Empty for what is no trait.
    pub traits: &'static [&'static str],
    /// Headers under which files have it, in snake case, beside its own name.
    pub headers: &'static [&'static str],
}

impl Field {
    /// Whether a text says nothing in this field, as an empty cell does: a blank one, or a word such as
    /// `NULL` and `#N/A`. Such a word as a record's own id is refused instead.
    #[must_use]
    pub fn is_empty(&self, text: &str) -> bool {
        match self.of {
            Type::Id if self.is_required => trimmed(text).is_empty(),
            Type::Text => is_empty_word(text, Holds::of(self.name)),
            _ => is_empty_word(text, Holds::Word),
        }
    }
}

const fn field(
    name: &'static str,
    of: Type,
    meaning: &'static str,
    example: &'static str,
    traits: &'static [&'static str],
    headers: &'static [&'static str],
) -> Field {
    Field { name, of, is_required: false, meaning, example, traits, headers }
}

const fn required(
    name: &'static str,
    meaning: &'static str,
    example: &'static str,
    headers: &'static [&'static str],
) -> Field {
    Field { name, of: Type::Id, is_required: true, meaning, example, traits: &[], headers }
}

#[rustfmt::skip]
const WORKSPACE_ID: Field = required("workspace_id", "The product's own id of the workspace.", "ws-481", &["workspace", "workspace_key", "tenant_id", "tenant", "org_id", "organization_id", "group_id"]);
#[rustfmt::skip]
const USER_ID: Field = required("user_id", "The product's own id of the user.", "u-7", &["user", "userid", "member_id", "person_id", "uid"]);
#[rustfmt::skip]
const UPDATED_AT: Field = field("updated_at", Type::Time, "Since when this holds: of two records the newer word of each field wins. When the record arrives, if it is left out.", "2026-11-20T10:00:00Z", &[], &["timestamp", "modified_at", "last_modified", "last_modified_date", "modified", "updated"]);
#[rustfmt::skip]
const TRAITS: Field = field("traits", Type::Traits, "Anything else that you want to keep, by name.", "{\"region_code\": \"EU-2\"}", &[], &[]);
#[rustfmt::skip]
const EMPLOYEES: Field = field("employee_count", Type::HeadCount, "How many people work there: a number, or a range, of which the lower end counts.", "250", &["employees", "employee_count", "number_of_employees", "company_size"], &["employees", "number_of_employees", "company_size", "headcount", "num_employees"]);
#[rustfmt::skip]
const INDUSTRY: Field = field("industry", Type::Text, "Its industry.", "Software", &["industry"], &["sector", "vertical"]);
#[rustfmt::skip]
const COUNTRY: Field = field("country", Type::Text, "The country of its head office.", "DE", &["hq_country", "country"], &["hq_country", "billing_country", "country_code"]);
#[rustfmt::skip]
const REGION: Field = field("region", Type::Text, "The region of its head office.", "EMEA", &["hq_region", "region"], &["hq_region"]);
#[rustfmt::skip]
const TECH_STACK: Field = field("tech_stack", Type::List, "What it builds with: a list, or text with commas.", "kubernetes, postgres", &["tech_stack"], &["technologies"]);

/// A workspace.
#[rustfmt::skip]
pub const WORKSPACES: &[Field] = &[
    WORKSPACE_ID,
    field("name", Type::Text, "What it is called.", "Acme Engineering", &["name", "workspace_name"], &["workspace_name", "title"]),
    field("type", Type::OneOf(&["prod", "sandbox", "dev"]), "What it is for.", "prod", &["type", "workspace_type"], &["workspace_type", "environment"]),
    field("status", Type::OneOf(&["active", "suspended", "deleted"]), "Whether it is in use.", "active", &["status", "workspace_status"], &["workspace_status", "state"]),
    field("plan", Type::Text, "The plan, in your own word for it.", "pro", &["plan", "plan_name", "plan_tier", "subscription_plan"], &["plan_name", "plan_tier", "subscription_plan", "tier"]),
    field("seats", Type::Whole, "Seats bought.", "25", &["seats", "seats_purchased", "seat_count", "licenses"], &["seats_purchased", "seat_count", "licenses"]),
    field("website", Type::Website, "The company's website.", "https://acme.com", &["website", "url"], &["url", "web_site", "homepage"]),
    field("billing_domain", Type::Domain, "The domain of whoever pays: strong evidence for the account.", "acme.com", &["billing_domain"], &[]),
    field("billing_email", Type::Email, "The address of whoever pays.", "billing@acme.com", &["billing_email", "billing_contact_email"], &["billing_contact_email"]),
    field("sso_domain", Type::Domain, "The domain of its single sign-on: the strongest evidence for the account.", "acme.com", &["sso_domain"], &["saml_domain"]),
    field("created_at", Type::Time, "When it was made in the product.", "2026-01-02T03:04:05Z", &["created_at"], &["created", "created_date", "create_date", "signup_date", "signed_up_at"]),
    EMPLOYEES,
    INDUSTRY,
    COUNTRY,
    REGION,
    TECH_STACK,
    TRAITS,
    UPDATED_AT,
];

/// A company.
#[rustfmt::skip]
pub const ACCOUNTS: &[Field] = &[
    field("domain", Type::Domain, "The company's domain, by which Ripen knows it. Needed unless account_id is known already.", "acme.com", &[], &["website", "company_domain", "domain_name", "company_domain_name", "web_site", "url"]),
    field("account_id", Type::Id, "Your CRM's or product's own id of the company. Sent once with the domain, it will do alone.", "001Ab0000", &["account_id"], &["id", "account", "company_id", "record_id", "crm_id", "hs_object_id"]),
    field("name", Type::Text, "What it is called.", "Acme", &["name"], &["account_name", "company", "company_name"]),
    INDUSTRY,
    field("sub_industry", Type::Text, "Its sub-industry.", "Developer tools", &["sub_industry"], &["subindustry"]),
    EMPLOYEES,
    COUNTRY,
    REGION,
    TECH_STACK,
    field("segment", Type::OneOf(&["self_serve", "smb", "mid_market", "enterprise"]), "The segment; else it follows from the number of employees.", "mid_market", &["segment"], &["company_segment", "customer_segment"]),
    field("territory", Type::Text, "The sales territory, as routing and the team's settings name it.", "emea", &["territory"], &["sales_territory"]),
    field("is_strategic", Type::Flag, "Marked as strategic.", "true", &["is_strategic"], &["strategic", "key_account", "named_account"]),
    field("lifecycle_stage", Type::Text, "Where it stands with you.", "customer", &["lifecycle_stage"], &["lifecyclestage", "account_status"]),
    TRAITS,
    UPDATED_AT,
];

/// A person of the product.
#[rustfmt::skip]
pub const USERS: &[Field] = &[
    USER_ID,
    field("email", Type::Email, "The e-mail address.", "dana@acme.com", &["email", "email_address"], &["email_address", "e_mail", "mail"]),
    field("name", Type::Text, "The full name.", "Dana Smith", &["name", "full_name"], &["full_name", "user_name", "display_name"]),
    field("first_name", Type::Text, "The first name.", "Dana", &["first_name"], &["firstname", "given_name"]),
    field("last_name", Type::Text, "The last name.", "Smith", &["last_name"], &["lastname", "surname", "family_name"]),
    field("job_title", Type::Text, "The title; seniority and department follow from it.", "VP Engineering", &["title", "job_title"], &["title", "position", "jobtitle"]),
    field("seniority", Type::OneOf(&["student", "ic", "manager", "director", "vp", "c_level"]), "The seniority, where you know better than the title says.", "vp", &["seniority"], &["management_level"]),
    field("department", Type::Text, "The department.", "engineering", &["department"], &["function", "team"]),
    field("email_verified", Type::Flag, "Whether the address was confirmed.", "true", &["email_verified"], &["is_email_verified", "verified"]),
    field("created_at", Type::Time, "When the person signed up.", "2026-01-02T03:04:05Z", &["created_at"], &["created", "created_date", "signup_date", "signed_up_at"]),
    TRAITS,
    UPDATED_AT,
];

/// Who is in which workspace.
#[rustfmt::skip]
pub const MEMBERSHIPS: &[Field] = &[
    USER_ID,
    WORKSPACE_ID,
    field("role", Type::Role, "The role in the workspace: admin, member or viewer. null ends the membership, an empty text says nothing.", "admin", &[], &["user_role", "access_level", "permission"]),
    field("persona", Type::Persona, "The part in buying: builder, champion, evaluator or economic_buyer.", "champion", &[], &["buying_role"]),
    field("joined_at", Type::Time, "When the person joined; the earliest word stands.", "2026-01-02T03:04:05Z", &[], &["joined", "created_at", "member_since", "added_at"]),
    field("left_at", Type::Time, "When the person left. null: is in it; an empty text says nothing.", "2026-06-30T00:00:00Z", &[], &["left", "removed_at", "deleted_at", "deactivated_at"]),
    UPDATED_AT,
];

/// What a workspace pays.
#[rustfmt::skip]
pub const SUBSCRIPTIONS: &[Field] = &[
    required("subscription_id", "The billing system's own id of the subscription.", "sub_1Ab", &["subscription"]),
    WORKSPACE_ID,
    field("status", Type::Status, "How it stands, in Stripe's words. A subscription counts once somebody has said this.", "active", &[], &["subscription_status", "state"]),
    field("plan", Type::Text, "The plan's name.", "pro", &[], &["plan_name", "product", "price"]),
    field("billing_period", Type::Period, "How often it is paid.", "year", &[], &["interval", "billing_interval"]),
    field("currency", Type::Text, "ISO 4217; usd, if nobody has said it.", "eur", &[], &["currency_code"]),
    field("mrr", Type::Amount, "Monthly recurring revenue in the currency's major unit.", "49.90", &[], &["monthly_recurring_revenue"]),
    field("mrr_cents", Type::Whole, "The same in its minor unit; it wins over mrr.", "4990", &[], &[]),
    field("seats_purchased", Type::Whole, "Seats bought.", "25", &[], &["seats", "quantity", "licenses"]),
    field("trial_start_on", Type::Time, "The trial's first day.", "2026-11-01", &[], &["trial_start", "trial_started_at"]),
    field("trial_end_on", Type::Time, "The trial's last day.", "2026-11-15", &[], &["trial_end", "trial_ends_at"]),
    field("started_at", Type::Time, "When it began.", "2026-11-15T00:00:00Z", &[], &["start_date", "created_at", "created"]),
    field("canceled_at", Type::Time, "When it ended, or was cancelled.", "2026-12-01T00:00:00Z", &[], &["cancelled_at", "canceled_on"]),
    field("ends_on", Type::Time, "The day on which it will end, where that is settled.", "2026-12-31", &[], &["ends_at", "cancel_at"]),
    field("renewal_on", Type::Time, "The next renewal.", "2027-11-15", &[], &["renewal_date", "renews_at", "current_period_end"]),
    UPDATED_AT,
];
