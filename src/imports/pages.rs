//! What people see of imports.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::stream;
use uuid::Uuid;

use super::encoding::{self, ENCODINGS, Preview};
use super::mapping;
use super::record::Cells;
use super::sheet::{DELIMITERS, HEAD, delimiter_byte};
use super::store::{self, Import, Reading};
use super::store_parts::{self, Told};
use super::{errors, file, ops};
use crate::app::App;
use crate::bulk::kind::Kind;
use crate::error::{Error, FieldErrors, Result};
use crate::team::audit::Actor;
use crate::values::text::trimmed;
use crate::web::answer::{self, Htmx};
use crate::web::format::{self, Moment};
use crate::web::permit::{Import as MayImport, Permit};
use crate::web::shell::{NavItem, Shell};

/// Imports of the list.
const LISTED: i64 = 100;
/// Refused rows on the page; the file has all of them.
const SHOWN: i64 = 20;
/// Rows of the file that are shown beside the mapping.
const SAMPLES: usize = 5;
/// Rows of the file of errors that are in memory at once.
const BATCH: i64 = 200;

/// An import in words.
pub(super) struct Line {
    import: Import,
    kind: &'static str,
    made: Moment,
    finished: Option<Moment>,
    status: &'static str,
    size: String,
}

impl Line {
    fn of(import: Import, me: &Permit<MayImport>) -> Self {
        let moment = |at| format::moment(at, me.now, me.zone);
        Self {
            kind: Kind::named(&import.kind).map_or("Records", Kind::label),
            made: moment(import.created_at),
            finished: import.finished_at.map(moment),
            status: match import.status.as_str() {
                _ if import.is_stuck => "Stopped by a fault",
                "mapping" | "checked" if !import.is_kept => "Deleted, not imported",
                "mapping" => "Waits for its mapping",
                "checking" => "Being checked",
                "checked" => "Checked, not imported",
                "importing" => "Being imported",
                "done" => "Imported",
                _ => "Cancelled",
            },
            size: size(import.size_bytes),
            import,
        }
    }

    /// For the bar: done and all, never a bar without an end.
    fn bar(&self) -> (i64, i64) {
        (self.import.done_rows, self.import.total_rows.unwrap_or(0).max(1))
    }
}

fn size(bytes: i64) -> String {
    match bytes {
        ..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{} MB", bytes / 1_048_576),
    }
}

/// `GET /imports`.
#[derive(Template)]
#[template(path = "imports/index.html")]
struct Index {
    shell: Shell,
    lines: Vec<Line>,
}

/// The history of imports.
pub async fn index(app: web::Data<App>, me: Permit<MayImport>) -> Result<HttpResponse> {
    let imports = app.db.read_web(|conn| store::newest(conn, LISTED)).await?;
    let lines = imports.into_iter().map(|import| Line::of(import, &me)).collect();
    answer::page(&Index { shell: me.shell("Imports").at(NavItem::Imports), lines })
}

/// `GET /imports/new`, and what a refused upload answers with.
#[derive(Template)]
#[template(path = "imports/new.html")]
pub(super) struct NewPage {
    shell: Shell,
    kinds: Vec<Kind>,
    kind: String,
    errors: FieldErrors,
}

impl NewPage {
    pub(super) fn new(me: &Permit<MayImport>, kind: String, errors: FieldErrors) -> Self {
        let shell = me.shell("Import a file").at(NavItem::Imports);
        Self { shell, kinds: Kind::ALL.to_vec(), kind, errors }
    }

    fn is_chosen(&self, kind: &Kind) -> bool {
        self.kind == kind.key()
    }
}

/// The form for a file.
pub async fn new(me: Permit<MayImport>) -> Result<HttpResponse> {
    answer::page(&NewPage::new(&me, String::new(), FieldErrors::new()))
}

/// A column and where it goes.
struct Column {
    at: usize,
    name: String,
    samples: Vec<String>,
    choices: Vec<(String, String)>,
    chosen: String,
    error: String,
}

/// `GET /imports/{id}/mapping`, and what a refused mapping answers with.
#[derive(Template)]
#[template(path = "imports/mapping.html")]
pub(super) struct MappingPage {
    shell: Shell,
    line: Line,
    columns: Vec<Column>,
    kinds: Vec<(String, String)>,
    /// The first rows, any of which may name the columns.
    rows: Vec<(String, String)>,
    /// How letters look in the encodings to choose from; empty where it makes no difference.
    previews: Vec<Preview>,
    /// What is chosen, which need not be how the columns and their samples were read.
    chosen: Reading,
    errors: FieldErrors,
}

/// Reads the page of a mapping, with what was chosen.
pub(super) async fn mapping_page(
    app: &web::Data<App>,
    me: &Permit<MayImport>,
    import: Import,
    chosen: Reading,
    errors: FieldErrors,
) -> Result<MappingPage> {
    let kind = Kind::named(&chosen.kind).unwrap_or(Kind::Workspaces);
    let (db, read) = (app.db.clone(), import.clone());
    let above = usize::try_from(import.header_row).unwrap_or_default();
    let below = above.saturating_add(1);
    let rows = web::block(move || {
        let most = HEAD.max(below.saturating_add(SAMPLES));
        file::first_rows(&db, read.id, &read.encoding, &read.delimiter, most)
    });
    let rows = rows
        .await
        .map_err(|_| Error::Unavailable(2, "the server is shutting down".to_owned()))??;
    let columns = import.header.iter().enumerate().map(|(at, name)| Column {
        at,
        name: if name.is_empty() {
            format!("column {}, without a name", at.saturating_add(1))
        } else {
            name.clone()
        },
        samples: rows
            .iter()
            .skip(below)
            .take(SAMPLES)
            .map(|row| {
                row.cells.get(at).map_or_else(String::new, |cell| cell.chars().take(60).collect())
            })
            .collect(),
        choices: mapping::choices(kind, name),
        chosen: chosen.mapping.get(at).cloned().unwrap_or_default(),
        error: errors.get(&format!("column_{at}")).map(|all| all.join(" ")).unwrap_or_default(),
    });
    Ok(MappingPage {
        shell: me.shell(format!("Map the columns of {}", import.file_name)).at(NavItem::Imports),
        columns: columns.collect(),
        kinds: Kind::ALL
            .iter()
            .map(|kind| (kind.key().to_owned(), kind.label().to_owned()))
            .collect(),
        rows: rows.iter().take(HEAD).enumerate().map(|(at, row)| row_choice(at, row)).collect(),
        previews: encoding::previews(&import.encoding_sample, &chosen.encoding),
        line: Line::of(import, me),
        chosen,
        errors,
    })
}

/// A row that may name the columns: its place, its line and how it begins.
fn row_choice(at: usize, row: &Cells) -> (String, String) {
    let cells: Vec<&str> =
        row.cells.iter().map(|cell| trimmed(cell)).filter(|cell| !cell.is_empty()).collect();
    let text = cells.join(", ");
    let short: String = text.chars().take(50).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    (at.to_string(), format!("Line {}: {short}{more}", row.line))
}

impl MappingPage {
    fn header_row(&self) -> String {
        self.chosen.header_row.to_string()
    }

    fn encodings(&self) -> &'static [(&'static str, &'static str)] {
        &ENCODINGS
    }

    fn delimiters(&self) -> &'static [(&'static str, &'static str)] {
        &DELIMITERS
    }
}

/// The mapping of a file that is not being worked on.
pub async fn map(
    app: web::Data<App>,
    me: Permit<MayImport>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let import = app.db.read_web(move |conn| store::find(conn, *id)).await?;
    if matches!(import.status.as_str(), "checking" | "importing" | "done") || !import.is_kept {
        return Ok(answer::see_other(&format!("/imports/{}", import.id)));
    }
    let standing = import.reading();
    answer::page(&mapping_page(&app, &me, import, standing, FieldErrors::new()).await?)
}

/// `GET /imports/{id}`: how it stands.
#[derive(Template)]
#[template(path = "imports/show.html", blocks = ["state"])]
struct ShowPage {
    shell: Shell,
    line: Line,
    refused: Vec<Told>,
}

/// The page, or its state alone for whoever polls. A file without a mapping shows that first.
pub async fn show(
    app: web::Data<App>,
    me: Permit<MayImport>,
    htmx: Htmx,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let (import, refused) = app
        .db
        .read_web(move |conn| {
            let import = store::find(conn, id)?;
            let most = if import.is_running() { 0 } else { SHOWN };
            Ok((import, store_parts::told(conn, id, most)?))
        })
        .await?;
    if import.status == "mapping" && import.is_kept && !htmx.asks {
        let standing = import.reading();
        return answer::page(&mapping_page(&app, &me, import, standing, FieldErrors::new()).await?);
    }
    let shell = me.shell(format!("Import of {}", import.file_name)).at(NavItem::Imports);
    let page = ShowPage { shell, line: Line::of(import, &me), refused };
    if htmx.wants("state") { answer::page(&page.as_state()) } else { answer::page(&page) }
}

/// `GET /imports/{id}/errors`: the refused rows as a CSV file, each with what is wrong with it.
pub async fn errors(
    app: web::Data<App>,
    me: Permit<MayImport>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse> {
    let (id, by, now) = (id.into_inner(), Actor::from(&*me), me.now);
    let import = app.db.tx_web(move |conn| ops::hand_out_errors(conn, id, &by, now)).await?;
    let delimiter = delimiter_byte(&import.delimiter);
    let writer = errors::Writer::new(&import.header, &import.mapping, delimiter);
    let head = writer.head(&import.header).map_err(Error::internal)?;
    let rows = stream::try_unfold(0_i64, move |after| {
        let app = app.clone();
        async move {
            let rows =
                app.db.read_web(move |conn| store_parts::refused(conn, id, after, BATCH)).await?;
            let Some(last) = rows.last().map(|row| row.line) else { return Ok::<_, Error>(None) };
            let rows = rows.iter().map(|row| (row.message.as_str(), row.cells.as_slice()));
            let text = writer.lines(rows).map_err(Error::internal)?;
            Ok(Some((Bytes::from(text), last)))
        }
    });
    let body = stream::StreamExt::chain(stream::iter([Ok(Bytes::from(head))]), rows);
    let name = format!("attachment; filename=\"errors-{id}.csv\"");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("content-disposition", name))
        .streaming(body))
}
