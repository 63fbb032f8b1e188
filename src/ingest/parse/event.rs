//! One event: which of its fields matter, and whether they make a message.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::scan::{Flaw, Scan, Shape, Value};
use super::time::{self, Corrected};
use crate::ingest::failure::Code;
use crate::ingest::message::{Json, Kind, Message, Notes};
use crate::ingest::moment;
use crate::values::id;
use crate::values::time::of_clock;

/// Ids stand in indexes, and PostgreSQL's index rows end at 2.7 KB.
const ID_LIMIT: usize = 512;
const NAME_LIMIT: usize = 512;

type Field<'a> = Option<Value<'a>>;
type Text<'a> = Option<Cow<'a, str>>;
/// Why the event is refused, and how to mend it.
pub type Refusal = (Code, Cow<'static, str>);

/// What an event or a batch says around the call.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    group_id: Field<'a>,
    traits: Field<'a>,
    library_name: Field<'a>,
    library_version: Field<'a>,
    page_path: Field<'a>,
}

impl<'a> Context<'a> {
    /// Reads a context at the cursor; anything but an object says nothing.
    pub fn read(scan: &mut Scan<'a>, depth: usize) -> Result<(Self, Value<'a>), Flaw> {
        let mut found = Self::default();
        let whole = scan.watched(depth, |scan, key, depth| {
            match &*key {
                "groupId" => found.group_id = Some(scan.value(depth)?),
                "traits" => found.traits = Some(scan.value(depth)?),
                "library" => {
                    scan.watched(depth, |scan, key, depth| {
                        let value = scan.value(depth)?;
                        match &*key {
                            "name" => found.library_name = Some(value),
                            "version" => found.library_version = Some(value),
                            _ => {}
                        }
                        Ok(())
                    })?;
                }
                "page" => {
                    scan.watched(depth, |scan, key, depth| {
                        let value = scan.value(depth)?;
                        if key == "path" {
                            found.page_path = Some(value);
                        }
                        Ok(())
                    })?;
                }
                _ => drop(scan.value(depth)?),
            }
            Ok(())
        })?;
        Ok((found, whole))
    }

    /// The workspace that it names, unless its id is too long to be one.
    pub fn group_id(&self) -> Field<'a> {
        said(self.group_id).filter(|value| value.raw.len() <= ID_LIMIT)
    }

    fn or(self, batch: &Self) -> Self {
        let own_library = self.library_name.is_some();
        Self {
            group_id: said(self.group_id).or(batch.group_id),
            traits: said(self.traits).or(batch.traits),
            library_name: self.library_name.or(batch.library_name),
            library_version: if own_library { self.library_version } else { batch.library_version },
            page_path: said(self.page_path).or(batch.page_path),
        }
    }
}

/// What the request says about each of its events.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    /// The type by the path.
    pub kind: Option<Kind>,
    /// `sentAt` of the batch.
    pub sent_at: Field<'a>,
    /// `context` of the batch; the event's own wins.
    pub context: Context<'a>,
}

/// The fields of one event, where they stand.
#[derive(Clone, Copy, Default)]
pub struct Event<'a> {
    kind: Field<'a>,
    message_id: Field<'a>,
    user_id: Field<'a>,
    anonymous_id: Field<'a>,
    previous_id: Field<'a>,
    group_id: Field<'a>,
    event: Field<'a>,
    name: Field<'a>,
    timestamp: Field<'a>,
    original_timestamp: Field<'a>,
    pub sent_at: Field<'a>,
    traits: Field<'a>,
    properties: Field<'a>,
    workspace_id: Field<'a>,
    context: Context<'a>,
    /// A single call carries the key in the event itself.
    pub write_key: Field<'a>,
}

impl<'a> Event<'a> {
    /// Reads an event at the cursor.
    ///
    /// # Errors
    /// When it is no JSON object or breaks the limits of depth and keys; the cursor is then
    /// somewhere within.
    pub fn read(scan: &mut Scan<'a>) -> Result<Self, Flaw> {
        let mut found = Self::default();
        if scan.peek() != Some(b'{') {
            return Err(scan.broken());
        }
        scan.watched(1, |scan, key, depth| {
            match &*key {
                "context" => {
                    found.context = Context::read(scan, depth)?.0;
                    return Ok(());
                }
                "properties" => {
                    found.workspace_id = None;
                    let whole = scan.watched(depth, |scan, key, depth| {
                        let value = scan.value(depth)?;
                        if matches!(&*key, "workspace_id" | "workspaceId") {
                            found.workspace_id = said(found.workspace_id).or(Some(value));
                        }
                        Ok(())
                    })?;
                    found.properties = Some(whole);
                    return Ok(());
                }
                _ => {}
            }
            let value = scan.value(depth)?;
            let field = match &*key {
                "type" => &mut found.kind,
                "messageId" => &mut found.message_id,
                "userId" => &mut found.user_id,
                "anonymousId" => &mut found.anonymous_id,
                "previousId" => &mut found.previous_id,
                "groupId" => &mut found.group_id,
                "event" => &mut found.event,
                "name" => &mut found.name,
                "timestamp" => &mut found.timestamp,
                "originalTimestamp" => &mut found.original_timestamp,
                "sentAt" => &mut found.sent_at,
                "traits" => &mut found.traits,
                "writeKey" => &mut found.write_key,
                _ => return Ok(()),
            };
            *field = Some(value);
            Ok(())
        })?;
        Ok(found)
    }

    /// The client's id of the event, if it gave one.
    pub fn message_id(&self) -> Text<'a> {
        let id = said(self.message_id)?.text()?;
        // Longer than an index takes, but a retry must still be recognised by it.
        let long = id.len() > ID_LIMIT;
        Some(if long {
            Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()).to_string().into()
        } else {
            id
        })
    }

    /// What the event calls itself, for people who look at one that was refused.
    pub fn called(&self) -> Text<'a> {
        said(self.event).or(said(self.name)).and_then(Value::text).map(short)
    }

    /// The message, or why there is none. `item` is its place in the request.
    pub fn judge(
        &self,
        around: &Around<'a>,
        received_at: DateTime<Utc>,
        item: usize,
        made_id: impl FnOnce() -> String,
    ) -> Result<Message<'a>, Refusal> {
        let mut cleaned = false;
        let kind = self.kind(around)?;
        let context = self.context.or(&around.context);
        let user_id = id_of("userId", self.user_id, &mut cleaned)?;
        let anonymous_id = id_of("anonymousId", self.anonymous_id, &mut cleaned)?;
        let mut previous_id = None;
        let mut group_id = None;
        match kind {
            Kind::Alias => {
                previous_id = id_of("previousId", self.previous_id, &mut cleaned)?
                    .or_else(|| anonymous_id.clone());
                if user_id.is_none() || previous_id.is_none() {
                    return Err((Code::MissingIdentity, ALIAS_IDS.into()));
                }
            }
            Kind::Group => {
                group_id = id_of("groupId", self.group_id, &mut cleaned)?;
                if group_id.is_none() {
                    return Err((Code::MissingIdentity, GROUP_ID.into()));
                }
            }
            _ => {}
        }
        if user_id.is_none() && anonymous_id.is_none() {
            return Err((Code::MissingIdentity, NOBODY.into()));
        }
        let workspace_hint = match kind {
            Kind::Group => None,
            _ => {
                // On any call: "groupId of the call, context.groupId, properties.workspace_id".
                let hint =
                    said(self.group_id).or(said(context.group_id)).or(said(self.workspace_id));
                id_of("the workspace's id", hint, &mut cleaned)?
            }
        };
        let event = self.event_name(kind, &mut cleaned)?;
        let (at, clock) = self.at(around, received_at)?;
        let traits = match kind {
            // RudderStack's Python and browser SDKs send them in the context only.
            Kind::Identify => full(self.traits).or(context.traits),
            Kind::Group => self.traits,
            _ => None,
        };
        let traits = object(traits, &mut cleaned);
        let properties = object(self.properties, &mut cleaned);
        let message_id = self.message_id();
        let id_made = message_id.is_none();
        cleaned |= self.message_id.is_some_and(|value| value.dirty);
        Ok(Message {
            kind,
            message_id: message_id.unwrap_or_else(|| made_id().into()),
            user_id,
            anonymous_id,
            previous_id,
            group_id,
            workspace_hint,
            event,
            at,
            seq: moment::seq(received_at, item),
            notes: Notes {
                clock_ahead: clock.is_ahead,
                clock_unset: clock.is_unset,
                cleaned,
                id_made,
            },
            traits,
            properties,
            library: library(&context),
            page_path: said(context.page_path).and_then(Value::text).map(short),
        })
    }

    fn kind(&self, around: &Around<'a>) -> Result<Kind, Refusal> {
        let Some(given) = said(self.kind) else {
            return around.kind.ok_or((Code::InvalidType, NO_TYPE.into()));
        };
        given.text().and_then(|name| Kind::named(&name)).ok_or_else(|| {
            let given: String = given.raw.chars().take(60).collect();
            (Code::InvalidType, format!("The type {given} is not one of ours. {NO_TYPE}").into())
        })
    }

    fn event_name(&self, kind: Kind, cleaned: &mut bool) -> Result<Text<'a>, Refusal> {
        let field = match kind {
            Kind::Track => self.event,
            Kind::Page | Kind::Screen => self.name,
            _ => return Ok(None),
        };
        let name = said(field).and_then(Value::text);
        if name.is_none() && kind == Kind::Track {
            return Err((Code::MissingEvent, NO_EVENT.into()));
        }
        *cleaned |= field.is_some_and(|value| value.dirty);
        *cleaned |= name.as_ref().is_some_and(|name| name.len() > NAME_LIMIT);
        Ok(name.map(short))
    }

    fn at(
        &self,
        around: &Around<'a>,
        received: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, Corrected), Refusal> {
        let original = match said(self.timestamp).or(said(self.original_timestamp)) {
            None => None,
            Some(given) => {
                Some(given.text().and_then(|text| of_clock(&text)).ok_or_else(|| bad_time(given))?)
            }
        };
        // A sentAt that cannot be read corrects nothing, but costs nobody the event.
        let sent = said(self.sent_at)
            .or(said(around.sent_at))
            .and_then(Value::text)
            .and_then(|text| of_clock(&text));
        let receipt = received.timestamp_micros();
        let clock = time::corrected(original, sent, receipt);
        Ok((DateTime::from_timestamp_micros(clock.at).unwrap_or(received), clock))
    }
}

const NO_TYPE: &str = "Set \"type\" to track, identify, group, alias, page or screen.";
const NOBODY: &str = "Neither userId nor anonymousId is set. Send at least one of them as a non-empty \
                      text; null and \"\" count as not set.";
const ALIAS_IDS: &str = "An alias needs userId (the new id) and previousId (the one before).";
const GROUP_ID: &str = "A group call needs groupId, the product's id of the workspace.";
const NO_EVENT: &str =
    "A track call needs \"event\", the name of what happened, as a non-empty text.";

fn bad_time(given: Value<'_>) -> Refusal {
    let given: String = given.raw.chars().take(60).collect();
    let message = format!(
        "The timestamp {given} is no time. Send it like \"2026-11-20T10:52:37.378Z\", or \
         leave it out to use the time of receipt."
    );
    (Code::BadTimestamp, message.into())
}

/// A field that says something: null and blank text are how SDKs say nothing.
fn said(field: Field<'_>) -> Field<'_> {
    field.filter(|value| !value.is_nothing())
}

fn full(field: Field<'_>) -> Field<'_> {
    field.filter(|value| value.shape == Shape::Object && value.raw.contains('"'))
}

fn id_of<'a>(name: &str, field: Field<'a>, cleaned: &mut bool) -> Result<Text<'a>, Refusal> {
    let Some(value) = said(field) else { return Ok(None) };
    let text = value.text().map(without_wrapping).filter(|text| !text.is_empty());
    *cleaned |= value.dirty || text.is_none();
    if text.as_ref().is_some_and(|text| text.len() > ID_LIMIT) {
        let message =
            format!("In this event {name} is longer than {ID_LIMIT} bytes. Send a shorter id.");
        return Err((Code::EventTooLarge, message.into()));
    }
    Ok(text)
}

/// The id alone: see [`id::clean`].
fn without_wrapping(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(id::clean(text)),
        Cow::Owned(text) if id::clean(&text).len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(id::clean(&text).to_owned()),
    }
}

fn object<'a>(field: Field<'a>, cleaned: &mut bool) -> Option<Json<'a>> {
    let value = said(field)?;
    *cleaned |= value.dirty || value.shape != Shape::Object;
    (value.shape == Shape::Object).then(|| Json::checked(value.json()))
}

fn library<'a>(context: &Context<'a>) -> Text<'a> {
    let name = said(context.library_name).and_then(Value::text)?;
    let version = said(context.library_version).and_then(Value::text);
    Some(short(match version {
        Some(version) => format!("{name}/{version}").into(),
        None => name,
    }))
}

fn short(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= NAME_LIMIT { text } else { cut(&text, NAME_LIMIT).to_owned().into() }
}

/// The longest beginning of at most so many bytes that ends between two characters.
pub fn cut(text: &str, limit: usize) -> &str {
    (0..=limit).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}
