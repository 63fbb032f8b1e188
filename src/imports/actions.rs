//! The forms of imports.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::PgConnection;
use futures_util::StreamExt;
use serde_json::json;
use uuid::Uuid;

use super::encoding::{ENCODINGS, Look};
use super::file::{self, PART};
use super::known_names::KnownNames;
use super::pages::{self, NewPage};
use super::sheet::{self, DELIMITERS, HEAD};
use super::store::{self, Reading};
use super::{ops, store_parts};
use crate::app::App;
use crate::bulk::kind::Kind;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::{self, Actor};
use crate::values::text::trimmed;
use crate::web::answer::{self, Htmx};
use crate::web::form::Fields;
use crate::web::permit::{Import, Permit};
use crate::web::{body, csrf};

/// Bytes of a file.
pub(super) const LARGEST: usize = 50 * 1024 * 1024;
/// A larger upload is not even read to its end to be refused in words.
const PATIENCE: usize = 4 * LARGEST;
/// Parts of the form: the token, the kind, the file.
const MOST_PARTS: usize = 3;
/// A piece of a body that has not come by then does not come; nor may the whole be slower than 16 KB a
/// second by then.
const DEADLINE: Duration = Duration::from_secs(30);
const CHOOSE_KIND: &str = "Choose what the rows of the file are.";
/// Columns of a file, and characters of a column's name.
const WIDEST: (usize, usize) = (255, 200);

/// An upload that was refused, in words at the form.
enum Refused {
    /// What is wrong, at which field.
    At(&'static str, String),
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn at_file(text: impl Into<String>) -> Refused {
    Refused::At("file", text.into())
}

/// `POST /imports`: a file, kept as it came.
pub async fn upload(
    app: web::Data<App>,
    me: Permit<Import>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let mut kind = String::new();
    let id = Uuid::now_v7();
    let (text, field) = match receive(&app, &me, &request, payload, id, &mut kind).await {
        Ok(()) => return Ok(answer::see_other(&format!("/imports/{id}"))),
        Err(Refused::At(field, text)) => (text, field),
        Err(Refused::Error(error)) => {
            app.db.tx_web(move |conn| store::remove(conn, id)).await?;
            return Err(error);
        }
    };
    app.db.tx_web(move |conn| store::remove(conn, id)).await?;
    let errors = FieldErrors::from([(field.to_owned(), vec![text])]);
    answer::unprocessable(&NewPage::new(&me, kind, errors))
}

async fn receive(
    app: &web::Data<App>,
    me: &Permit<Import>,
    request: &HttpRequest,
    payload: web::Payload,
    id: Uuid,
    kind: &mut String,
) -> std::result::Result<(), Refused> {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/")) {
        return Err(at_file("Choose the CSV file to import."));
    }
    let pieces = body::paced(payload, PATIENCE, DEADLINE);
    let mut form = Multipart::new(request.headers(), pieces);
    let mut is_ours = false;
    let mut received = None;
    let mut parts = 0_usize;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|_| not_whole())?;
        parts += 1;
        if parts > MOST_PARTS {
            return Err(unasked());
        }
        match field.name().unwrap_or_default() {
            csrf::FIELD => {
                csrf::verify(request, &text(&mut field).await?)?;
                is_ours = true;
            }
            _ if !is_ours => csrf::verify(request, "")?,
            "kind" => *kind = text(&mut field).await?,
            "file" if received.is_none() => {
                // Said before anything of the file is stored.
                if Kind::named(kind).is_none() {
                    pass_over(&mut field).await?;
                    return Err(Refused::At("kind", CHOOSE_KIND.to_owned()));
                }
                let name = field
                    .content_disposition()
                    .and_then(|about| about.get_filename())
                    .unwrap_or_default();
                let name: String =
                    name.chars().filter(|letter| !letter.is_control()).take(200).collect();
                if !name.is_empty() {
                    let (look, size) = keep(app, me, &mut field, id, kind, &name).await?;
                    received = Some((name, look, size));
                }
            }
            _ => return Err(unasked()),
        }
    }
    if !is_ours {
        csrf::verify(request, "")?;
    }
    let Some((name, look, size)) = received else {
        return Err(at_file("Choose the CSV file to import."));
    };
    if Kind::named(kind).is_none() {
        return Err(Refused::At("kind", CHOOSE_KIND.to_owned()));
    }
    if size == 0 {
        return Err(at_file("The file is empty: there is nothing to import."));
    }
    if let Some(text) = look.wrong_kind() {
        return Err(at_file(text));
    }
    let (db, kind, by, now) = (app.db.clone(), kind.clone(), Actor::from(&**me), me.now);
    let read = web::block(move || read_head(&db, id, kind, look)).await;
    let (reading, sample) =
        read.map_err(|_| Error::Unavailable(2, "the server is shutting down".to_owned()))??;
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    app.db
        .tx_web(move |conn| {
            let upload = ops::Upload { id, file_name: &name, size, encoding_sample: &sample };
            ops::receive(conn, upload, reading.clone(), &by, now)
        })
        .await?;
    Ok(())
}

fn not_whole() -> Refused {
    at_file("The file did not arrive whole, or too slowly. Upload it again.")
}

/// What no form of ours sends is not read.
fn unasked() -> Refused {
    Refused::Error(Error::invalid(
        "",
        "The form has a field that it should not have. Reload the page and upload the file again.",
    ))
}

/// A short field as text.
async fn text(field: &mut Field) -> std::result::Result<String, Refused> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|_| not_whole())?;
        if bytes.len().saturating_add(piece.len()) > 4096 {
            return Err(Refused::Error(Error::invalid("", "A field of the form is too long.")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Stores the bytes of the file part by part, looking at them on the way.
async fn keep(
    app: &web::Data<App>,
    me: &Permit<Import>,
    field: &mut Field,
    id: Uuid,
    kind: &str,
    name: &str,
) -> std::result::Result<(Look, usize), Refused> {
    let (kind, name, member, now) = (kind.to_owned(), name.to_owned(), me.member, me.now);
    app.db.tx_web(move |conn| store::begin(conn, id, &kind, &name, member, now)).await?;
    let (mut look, mut size, mut number) = (Look::default(), 0_usize, 0_i32);
    let mut part = Vec::with_capacity(PART);
    while let Some(piece) = field.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            // Much too large to be read to its end.
            Err(_) if size > LARGEST => break,
            Err(_) => return Err(not_whole()),
        };
        size = size.saturating_add(piece.len());
        if size > LARGEST {
            continue;
        }
        look.see(&piece);
        part.extend_from_slice(&piece);
        if part.len() >= PART {
            store_part(app, id, number, std::mem::take(&mut part)).await?;
            number = number.saturating_add(1);
        }
    }
    if size > LARGEST {
        let text = "The file is larger than 50 MB. Split it, or send the records to the API, which has no such limit.";
        return Err(at_file(text));
    }
    if !part.is_empty() {
        store_part(app, id, number, part).await?;
    }
    Ok((look, size))
}

/// Reads a file to its end and keeps nothing: an answer before that would not be shown by browsers.
async fn pass_over(field: &mut Field) -> std::result::Result<(), Refused> {
    while let Some(piece) = field.next().await {
        piece.map_err(|_| not_whole())?;
    }
    Ok(())
}

async fn store_part(app: &web::Data<App>, id: Uuid, number: i32, bytes: Vec<u8>) -> Result<()> {
    app.db.check_room()?;
    app.db.tx_web(move |conn| store_parts::insert(conn, id, number, &file::packed(&bytes)?)).await
}

/// The file's encoding, delimiter and header, as they are guessed.
fn read_head(
    db: &crate::db::Database,
    id: Uuid,
    kind: String,
    mut look: Look,
) -> std::result::Result<(Reading, Vec<u8>), Refused> {
    let encoding = look.encoding();
    let known = KnownNames::default();
    let delimiter = sheet::delimiter(&look.start(encoding), |row| known.count(row));
    let (header_row, header) = header(db, id, encoding, delimiter, None)?;
    let reading = Reading {
        kind,
        encoding: encoding.to_owned(),
        delimiter: delimiter.to_owned(),
        header_row,
        mapping: vec![String::new(); header.len()],
        header,
        clears_blanks: false,
    };
    Ok((reading, look.sample()))
}

/// Which row names the columns, as chosen or as it is guessed, and the names, when the file is read in
/// this way.
fn header(
    db: &crate::db::Database,
    id: Uuid,
    encoding: &str,
    delimiter: &str,
    chosen: Option<i32>,
) -> std::result::Result<(i32, Vec<String>), Refused> {
    let rows = file::first_rows(db, id, encoding, delimiter, HEAD.saturating_mul(3))?;
    let known = KnownNames::default();
    let at = chosen
        .and_then(|row| usize::try_from(row).ok())
        .unwrap_or_else(|| sheet::header_at(&rows, |row| known.count(row)));
    let Some(header) = rows.get(at) else {
        return Err(at_file("The file is empty: there is nothing to import."));
    };
    if header.is_too_long {
        return Err(at_file(
            "The first row is far too long; it must name the columns. Perhaps a quote is never closed.",
        ));
    }
    if header.cells.len() > WIDEST.0 {
        return Err(at_file(format!(
            "The file has {} columns, the limit is {}.",
            header.cells.len(),
            WIDEST.0
        )));
    }
    if let Some(long) = header.cells.iter().find(|name| name.chars().count() > WIDEST.1) {
        return Err(at_file(format!(
            "The first row has a cell of {} characters; it must name the columns. Perhaps a quote is never closed.",
            long.chars().count()
        )));
    }
    if rows.len() < at.saturating_add(2) {
        return Err(at_file(
            "The file has a header and no row below it: there is nothing to import.",
        ));
    }
    let names = header.cells.iter().map(|name| trimmed(name).replace('\0', "\u{fffd}"));
    Ok((i32::try_from(at).unwrap_or_default(), names.collect()))
}

/// `POST /imports/{id}/mapping`: read the file otherwise, or have it checked.
pub async fn map(
    app: web::Data<App>,
    me: Permit<Import>,
    htmx: Htmx,
    id: web::Path<Uuid>,
    fields: Fields,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), me.now);
    let import = app.db.read_web(move |conn| store::find(conn, id)).await?;
    ops::kept(&import)?;
    let one_of = |name: &str, choices: &[(&str, &str)], standing: &str| {
        let said = fields.text(name);
        choices.iter().find(|(key, _)| *key == said).map_or(standing, |(key, _)| *key).to_owned()
    };
    let mut reading = Reading {
        kind: Kind::named(fields.text("kind"))
            .map_or(import.kind.clone(), |kind| kind.key().to_owned()),
        encoding: one_of("encoding", &ENCODINGS, &import.encoding),
        delimiter: one_of("delimiter", &DELIMITERS, &import.delimiter),
        header_row: sheet::row_named(fields.text("header_row")).unwrap_or(import.header_row),
        header: import.header.clone(),
        mapping: (0..import.header.len())
            .map(|at| fields.text(&format!("column_{at}")).to_owned())
            .collect(),
        clears_blanks: fields.text("blanks") == "clear",
    };
    let is_chosen = reading.header_row != import.header_row;
    if is_chosen || (&reading.encoding, &reading.delimiter) != (&import.encoding, &import.delimiter)
    {
        let (db, encoding, delimiter) =
            (app.db.clone(), reading.encoding.clone(), reading.delimiter.clone());
        // Cut at other places, the file may have another row for its header.
        let is_same_cut = reading.delimiter == import.delimiter;
        let chosen = (is_chosen || is_same_cut).then_some(reading.header_row);
        let read = web::block(move || header(&db, id, &encoding, &delimiter, chosen)).await;
        match read.map_err(|_| Error::Unavailable(2, "the server is shutting down".to_owned()))? {
            Ok((row, names)) => (reading.header_row, reading.header) = (row, names),
            Err(Refused::Error(error)) => return Err(error),
            Err(Refused::At(_, text)) => {
                let field = if is_chosen { "header_row" } else { "delimiter" };
                let errors = FieldErrors::from([(field.to_owned(), vec![text])]);
                return refuse(&app, &me, &import, reading, errors).await;
            }
        }
    }
    let is_other = reading.kind != import.kind || reading.header != import.header;
    if is_other || fields.text("step") == "read" {
        app.db
            .tx_web(move |conn| {
                let mut reading = reading.clone();
                if is_other {
                    reading.mapping = ops::suggest(conn, &reading.kind, &reading.header)?;
                }
                ops::read_as(conn, id, &reading)
            })
            .await?;
        return Ok(answer::done(&htmx, &format!("/imports/{id}/mapping")));
    }
    let (typed, by) = (reading.clone(), Actor::from(&*me));
    let check = move |conn: &mut PgConnection| {
        ops::check(conn, id, &typed, now)?;
        let detail = json!({ "kind": typed.kind, "columns": typed.mapping });
        audit::record(conn, &by, "import.mapped", ("import", &id.to_string()), &detail, now)
    };
    match app.db.tx_web(check).await {
        Ok(()) => Ok(answer::done(&htmx, &format!("/imports/{id}"))),
        Err(Error::Invalid(errors)) => refuse(&app, &me, &import, reading, errors).await,
        Err(error) => Err(error),
    }
}

/// The mapping again, with what was chosen and what is wrong with it.
async fn refuse(
    app: &web::Data<App>,
    me: &Permit<Import>,
    import: &store::Import,
    reading: Reading,
    errors: FieldErrors,
) -> Result<HttpResponse> {
    answer::unprocessable(&pages::mapping_page(app, me, import.clone(), reading, errors).await?)
}

/// `POST /imports/{id}/run`: import what was checked, or go on with it.
pub async fn start(
    app: web::Data<App>,
    me: Permit<Import>,
    htmx: Htmx,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let (id, by, now) = (id.into_inner(), Actor::from(&*me), me.now);
    app.db.tx_web(move |conn| ops::start(conn, id, &by, now)).await?;
    Ok(answer::done(&htmx, &format!("/imports/{id}")))
}

/// `POST /imports/{id}/cancellation`.
pub async fn cancel(
    app: web::Data<App>,
    me: Permit<Import>,
    htmx: Htmx,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let (id, by, now) = (id.into_inner(), Actor::from(&*me), me.now);
    app.db.tx_web(move |conn| ops::cancel(conn, id, &by, now)).await?;
    answer::told(&htmx, &format!("/imports/{id}"), "Cancelled. What was stored by then stays.")
}
