//! The page for what went wrong: what happened, whose turn it is, the way out.
//!
//! `web::errors` decides which status an error has; here stands what people read about it.

use askama::Template;
use askama_web::WebTemplate;

use super::shell::Shell;

/// A way out of an error page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub label: String,
}

impl WayOut {
    fn to(href: &str, label: &str) -> Self {
        Self { href: href.to_owned(), label: label.to_owned() }
    }
}

/// The whole page, for somebody signed in or out.
#[derive(Clone, Debug, Template, WebTemplate)]
#[template(path = "errors/page.html")]
pub struct ErrorPage {
    /// Its title is the heading; the rest is as on any page.
    pub shell: Shell,
    /// The status of the answer.
    pub status: u16,
    /// What happened, in one or two sentences.
    pub happened: String,
    /// Whose turn it is now.
    pub turn: String,
    /// The ways out, the best one first.
    pub ways: Vec<WayOut>,
    /// What to quote to whoever runs this Ripen.
    pub request_id: String,
}

impl ErrorPage {
    /// The page of a status. `detail` is the sentence that the error carries for people (who changed
    /// what, which field is wrong); it may be empty and must never hold an internal cause.
    /// `retry_after` is in seconds, where the answer has one.
    #[must_use]
    pub fn new(
        mut shell: Shell,
        status: u16,
        detail: &str,
        retry_after: Option<u32>,
        request_id: impl Into<String>,
    ) -> Self {
        let signed_in = shell.member.is_some();
        let home = shell.member.as_ref().map_or("/", |member| member.role.home());
        let (title, happened, turn) = words(status, signed_in, retry_after);
        shell.title = title.to_owned();
        let happened = match detail {
            "" => happened,
            _ => format!("{happened} {detail}"),
        };
        let mut ways = Vec::new();
        if status == 401 || !signed_in {
            ways.push(WayOut::to("/login", "Sign in"));
        } else {
            ways.push(WayOut::to(home, "Go to your start page"));
            ways.push(WayOut::to("/workspaces", "See all workspaces"));
        }
        Self { shell, status, happened, turn, ways, request_id: request_id.into() }
    }
}

/// Heading, what happened, whose turn it is.
fn words(status: u16, signed_in: bool, retry_after: Option<u32>) -> (&'static str, String, String) {
    let wait = retry_after.map_or_else(|| "a few".to_owned(), |seconds| seconds.to_string());
    match status {
        401 => (
            "Please sign in",
            "This page is for members of the team, and nobody is signed in here.".to_owned(),
            "Sign in; you will come back to this page.".to_owned(),
        ),
        403 => (
            "This is not yours to do",
            "Your role does not allow this. Nothing was changed.".to_owned(),
            "If you need it, ask an admin: roles are given under Team.".to_owned(),
        ),
        404 => (
            "There is nothing here",
            "It was removed or merged, the address is mistyped, or you may not see it.".to_owned(),
            if signed_in {
                "Look for it in the list, or ask whoever sent you the link.".to_owned()
            } else {
                "Sign in first: most pages are for members of the team.".to_owned()
            },
        ),
        409 => (
            "Somebody was faster",
            "This was changed while you were at it, so your change was not made.".to_owned(),
            "Go back, reload, look at what is there now, and decide again.".to_owned(),
        ),
        422 => (
            "This cannot be used as it is",
            "Something in what you sent is missing or does not fit. Nothing was changed.".to_owned(),
            "Go back, mend it, and send it again.".to_owned(),
        ),
        429 => (
            "Too many attempts",
            "This was tried too often in a short time. Nothing was changed.".to_owned(),
            format!("Wait {wait} s, then try again."),
        ),
        503 => (
            "Ripen is busy",
            "The database can't take this right now. Nothing was changed; events that products send are kept.".to_owned(),
            format!("Try again in {wait} s. If it stays so, tell whoever runs this Ripen."),
        ),
        400..=499 => (
            "This was not understood",
            "The browser sent something that Ripen can't read. Nothing was changed.".to_owned(),
            "Go back, reload the page, and try again.".to_owned(),
        ),
        _ => (
            "Something went wrong on our side",
            "It is not your fault, and it has been written to the log.".to_owned(),
            "Try again. If it happens again, tell whoever runs this Ripen and quote the number below.".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn every_status_says_what_happened_whose_turn_and_the_way_out() {
        for status in [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503] {
            let shell = Shell::new("", DateTime::UNIX_EPOCH);
            let page = ErrorPage::new(shell, status, "<b>Grace</b> took it.", Some(7), "req-1");
            assert!(!page.turn.is_empty() && !page.ways.is_empty());
            let html = page.render().unwrap();
            assert!(html.contains(&format!("<h1>{}", page.shell.title)), "{status}");
            assert!(html.contains("&#60;b&#62;Grace"), "{status}");
            assert!(html.contains("req-1"), "{status}");
        }
    }

    #[test]
    fn waiting_has_a_number() {
        let page = ErrorPage::new(Shell::new("", DateTime::UNIX_EPOCH), 429, "", Some(30), "");
        assert!(page.turn.contains("30 s"));
    }
}
