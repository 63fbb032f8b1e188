//! The pages of workspaces and accounts.

mod accounts;
mod list;
mod looks;
mod score;
mod tabs;

/// Writes a page and the files it needs where RIPEN_GALLERY says, for a person to look at.
pub fn show(name: &str, html: &str) {
    let Ok(folder) = std::env::var("RIPEN_GALLERY") else { return };
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in ripen::web::assets::ALL {
        std::fs::write(folder.join("assets").join(asset.name), asset.body).unwrap();
    }
    std::fs::write(folder.join(name), html.replace("\"/assets/", "\"assets/")).unwrap();
}
