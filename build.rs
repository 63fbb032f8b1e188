//! Makes the static files part of the program: one style sheet out of `static/css`, a content hash
//! in every name, a gzip twin beside every body, one constant a file.
//!
//! `static/css/tokens.css` and its neighbours become `assets::CSS`; `static/js/ripen.js` becomes
//! `assets::RIPEN_JS`. A template that names a file that is not there does not compile.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The order of the cascade; a later layer wins over an earlier one.
const LAYERS: [&str; 8] =
    ["reset", "tokens", "base", "layout", "components", "pages", "utilities", "print"];

fn main() -> Result<(), Box<dyn Error>> {
    // The migrations are compiled into the binary, which must notice a new one.
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=static");
    println!("cargo::rerun-if-changed=templates");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    // Keyed by constant, so that two files that would share one are found here.
    let mut files = BTreeMap::new();
    files.insert("CSS".to_owned(), ("ripen".to_owned(), "css".to_owned(), style_sheet()?));
    for folder in ["static/js", "static/js/vendor", "static/img"] {
        for path in listed(Path::new(folder))? {
            let (Some(stem), Some(extension)) = (
                path.file_stem().and_then(|stem| stem.to_str()),
                path.extension().and_then(|extension| extension.to_str()),
            ) else {
                continue;
            };
            if media_type(extension).is_none() {
                continue;
            }
            let name = stem.split(['-', '.']).next().unwrap_or(stem);
            let constant = format!("{name}_{extension}").to_uppercase();
            let entry = (name.to_owned(), extension.to_owned(), fs::read(&path)?);
            if files.insert(constant.clone(), entry).is_some() {
                return Err(format!("two static files want the constant {constant}").into());
            }
        }
    }

    let mut code = String::new();
    for (constant, (name, extension, body)) in &files {
        let hash = hex::encode(Sha256::digest(body));
        let hash = hash.get(..12).unwrap_or(&hash);
        let file = format!("{name}-{hash}.{extension}");
        let (plain, gzip) = (out.join(&file), out.join(format!("{file}.gz")));
        fs::write(&plain, body)?;
        fs::write(&gzip, gzipped(body)?)?;
        let media_type = media_type(extension).ok_or("no media type")?;
        code.push_str(&format!(
            "/// `{file}`\npub static {constant}: Asset = Asset {{\n    url: \"/assets/{file}\",\n    \
             name: \"{file}\",\n    media_type: {media_type:?},\n    body: include_bytes!({plain:?}),\n    \
             gzip: include_bytes!({gzip:?}),\n}};\n"
        ));
    }
    let all: Vec<String> = files.keys().map(|constant| format!("&{constant}")).collect();
    code.push_str(&format!(
        "/// Every file there is.\npub static ALL: [&Asset; {}] = [{}];\n",
        all.len(),
        all.join(", ")
    ));
    fs::write(out.join("assets.rs"), code)?;
    Ok(())
}

/// All of `static/css`: the order of the layers first, then the files of each layer by name.
fn style_sheet() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut by_layer: BTreeMap<usize, String> = BTreeMap::new();
    for path in listed(Path::new("static/css"))? {
        let text = without_comments(&fs::read_to_string(&path)?);
        let layer = text
            .trim_start()
            .strip_prefix("@layer ")
            .and_then(|rest| rest.split([' ', '{']).next())
            .and_then(|name| LAYERS.iter().position(|layer| *layer == name))
            .ok_or_else(|| format!("{} does not begin with @layer <known>", path.display()))?;
        let lines = by_layer.entry(layer).or_default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    let mut sheet = format!("@layer {};\n", LAYERS.join(","));
    for text in by_layer.values() {
        sheet.push_str(text);
    }
    Ok(sheet.into_bytes())
}

/// The text without `/* .. */`; our style sheets hold no such signs inside strings.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// The files of a folder by name, so that two builds of one tree are equal.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn gzipped(body: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

fn media_type(extension: &str) -> Option<&'static str> {
    match extension {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
