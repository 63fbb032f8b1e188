//! What one call of an SDK says, read and checked.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::values::id::{clean, is_nobody};

use super::moment::Moment;

/// The six calls of the Segment spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody did something: [`Message::event`] names it.
    Track,
    /// Who somebody is: [`Message::traits`] are the user's.
    Identify,
    /// Somebody belongs to a workspace: [`Message::traits`] are the workspace's.
    Group,
    /// `previous_id` and `user_id` are one person.
    Alias,
    /// Somebody saw a page; [`Message::event`] is the page's name, if it has one.
    Page,
    /// Somebody saw a screen of an app; as for [`Kind::Page`].
    Screen,
}

impl Kind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Group => "group",
            Self::Alias => "alias",
            Self::Page => "page",
            Self::Screen => "screen",
        }
    }

    /// The call of that name; case does not matter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Track, Self::Identify, Self::Group, Self::Alias, Self::Page, Self::Screen]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

/// The text of a JSON object that serde_json and PostgreSQL's `jsonb` both accept: valid, without
/// U+0000 and lone surrogates, without numbers beyond a double, at most 16 levels deep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    /// For the scanner and the journal, which both have checked the text.
    pub(super) const fn checked(text: Cow<'a, str>) -> Self {
        Self(text)
    }

    /// The text of members that hold no NUL character, which is the caller's to see to.
    #[must_use]
    pub fn of(members: &serde_json::Map<String, serde_json::Value>) -> Json<'static> {
        Json(Cow::Owned(serde_json::to_string(members).unwrap_or_else(|_| "{}".to_owned())))
    }

    /// The text, for a `jsonb` parameter or for storing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The members. Integers beyond 64 bits become floats; of equal keys the last wins.
    #[must_use]
    pub fn members(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The same, owning its text.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        Json(Cow::Owned(self.0.into_owned()))
    }
}

/// What the parser had to decide about a message; shown beside the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The clock said more than 5 minutes ahead of the receipt: the time was set to the receipt.
    pub clock_ahead: bool,
    /// The clock said before 2000: the time was set to the receipt.
    pub clock_unset: bool,
    /// Something that cannot be stored was replaced (NUL and lone surrogates by U+FFFD, NaN and
    /// infinite numbers by null), shortened (names over 512 bytes) or left out (an id that is
    /// neither text nor number, properties or traits that are no object).
    pub cleaned: bool,
    /// The client sent no `messageId`, so a retry of it cannot be recognised.
    pub id_made: bool,
}

/// One accepted call. Texts borrow from the body (or the journal line) wherever they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Which call.
    pub kind: Kind,
    /// The client's id, unique per source; never empty, at most 512 bytes.
    pub message_id: Cow<'a, str>,
    /// The product's id of the user; for [`Kind::Alias`] the new id. Never blank, as all ids here,
    /// and at most 512 bytes. May be junk: ask [`is_junk_id`] before anything is stitched by it.
    pub user_id: Option<Cow<'a, str>>,
    /// The device's id. At least one of the two is set.
    pub anonymous_id: Option<Cow<'a, str>>,
    /// [`Kind::Alias`] only, and always there: the id before. May equal `user_id` (a no-op).
    pub previous_id: Option<Cow<'a, str>>,
    /// [`Kind::Group`] only, and always there: the workspace.
    pub group_id: Option<Cow<'a, str>>,
    /// Where a call other than group says it happened: `groupId` of the call, else `context.groupId` of
    /// the event or of the batch, else `properties.workspace_id` or `workspaceId`.
    pub workspace_hint: Option<Cow<'a, str>>,
    /// [`Kind::Track`]: the event's name, as sent, always there. [`Kind::Page`] and
    /// [`Kind::Screen`]: the name, if any. At most 512 bytes.
    pub event: Option<Cow<'a, str>>,
    /// When it happened by the server's clock, in whole microseconds, never before 2000.
    pub at: DateTime<Utc>,
    /// Its place among events of the same time, see [`super::moment::seq`]; 0 when that is not known.
    pub seq: i64,
    /// What the parser had to decide.
    pub notes: Notes,
    /// [`Kind::Identify`]: the user's traits (`traits`, else `context.traits`). [`Kind::Group`]: the
    /// workspace's (`traits` only: `context.traits` are the user's). Otherwise none.
    pub traits: Option<Json<'a>>,
    /// The properties, for any kind that sent some.
    pub properties: Option<Json<'a>>,
    /// `context.library`, as `name/version`.
    pub library: Option<Cow<'a, str>>,
    /// `context.page.path`.
    pub page_path: Option<Cow<'a, str>>,
}

impl Message<'_> {
    /// The workspace that the call itself names, if it does.
    #[must_use]
    pub fn workspace(&self) -> Option<&str> {
        self.group_id.as_deref().or(self.workspace_hint.as_deref())
    }

    /// When it was said, to tell which of two calls is the newer.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        Moment::new(self.at, self.seq)
    }

    /// Rids ids of what files and clients write around them, see [`clean`]: what the journal holds may be
    /// older than the parser that does so.
    pub fn clean_ids(&mut self) {
        let ids = [
            &mut self.user_id,
            &mut self.anonymous_id,
            &mut self.previous_id,
            &mut self.group_id,
            &mut self.workspace_hint,
        ];
        for id in ids.into_iter().flatten() {
            if clean(id).len() != id.len() {
                *id = Cow::Owned(clean(id).to_owned());
            }
        }
    }

    /// The call as a body for `POST /v1/batch`: posted again, it means the same at the same time.
    #[must_use]
    pub fn as_body(&self) -> String {
        let name = if self.kind == Kind::Track { "event" } else { "name" };
        let texts = [
            ("messageId", Some(&self.message_id)),
            ("userId", self.user_id.as_ref()),
            ("anonymousId", self.anonymous_id.as_ref()),
            ("previousId", self.previous_id.as_ref()),
            ("groupId", self.group_id.as_ref()),
            (name, self.event.as_ref()),
        ];
        let context = [
            ("groupId", self.workspace_hint.as_ref().map(|id| json!(id))),
            ("page", self.page_path.as_ref().map(|path| json!({ "path": path }))),
            ("library", self.library.as_ref().map(|name| json!({ "name": name }))),
        ];
        let context: serde_json::Map<String, serde_json::Value> =
            context.into_iter().filter_map(|(name, said)| Some((name.to_owned(), said?))).collect();
        let mut members = vec![
            ("type", json!(self.kind.as_str()).to_string()),
            ("timestamp", json!(self.at.to_rfc3339()).to_string()),
        ];
        let said = |(name, text): (&'static str, Option<&Cow<'_, str>>)| {
            text.map(|text| (name, json!(text).to_string()))
        };
        members.extend(texts.into_iter().filter_map(said));
        if !context.is_empty() {
            members.push(("context", serde_json::Value::Object(context).to_string()));
        }
        // Verbatim: read and written again, a long number would be another one.
        for (name, json) in [("traits", &self.traits), ("properties", &self.properties)] {
            members.extend(json.as_ref().map(|json| (name, json.as_str().to_owned())));
        }
        let members: Vec<String> =
            members.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
        format!("{{\"batch\":[{{{}}}]}}", members.join(","))
    }

    /// The same, owning its texts.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        let own = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Message {
            kind: self.kind,
            message_id: Cow::Owned(self.message_id.into_owned()),
            user_id: own(self.user_id),
            anonymous_id: own(self.anonymous_id),
            previous_id: own(self.previous_id),
            group_id: own(self.group_id),
            workspace_hint: own(self.workspace_hint),
            event: own(self.event),
            at: self.at,
            seq: self.seq,
            notes: self.notes,
            traits: self.traits.map(Json::into_owned),
            properties: self.properties.map(Json::into_owned),
            library: own(self.library),
            page_path: own(self.page_path),
        }
    }
}

/// Ids that broken clients send for «nobody»: events under them are accepted by the parser, but they
/// never stitch, or strangers would become one person (`spec/ingest.md`, Identity).
#[must_use]
pub fn is_junk_id(id: &str) -> bool {
    is_nobody(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_their_names_in_any_case() {
        assert_eq!(Kind::named("Track"), Some(Kind::Track));
        assert_eq!(Kind::named("screen"), Some(Kind::Screen));
        assert_eq!(Kind::named("t"), None);
    }
}
