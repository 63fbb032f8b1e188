//! Whom PostgreSQL runs as: ourselves, or an ordinary account when we are root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::LocalError;

/// An account of the system other than ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, for messages.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Account {
    /// The account to change to: none when we are not root. The owner of existing data, else
    /// `postgres`, else `nobody`: `initdb` wants one that is in the list of accounts.
    ///
    /// # Errors
    /// `NoAccount` when root has nobody to run it as, `NotOurs` when the data belongs to another.
    pub fn to_run_as(data: &Path) -> Result<Option<Self>, LocalError> {
        let me = rustix::process::geteuid();
        let owner = std::fs::metadata(data).ok();
        if !me.is_root() {
            return match owner {
                Some(owner) if owner.uid() != me.as_raw() => {
                    Err(LocalError::NotOurs { dir: data.to_owned() })
                }
                _ => Ok(None),
            };
        }
        let accounts = std::fs::read_to_string("/etc/passwd")
            .map_err(LocalError::io("reading /etc/passwd"))?;
        if let Some(owner) = owner.filter(|owner| owner.uid() != 0) {
            let name = name_of(&accounts, owner.uid()).unwrap_or_else(|| owner.uid().to_string());
            return Ok(Some(Self { name, uid: owner.uid(), gid: owner.gid() }));
        }
        find(&accounts, "postgres")
            .or_else(|| find(&accounts, "nobody"))
            .map(Some)
            .ok_or(LocalError::NoAccount)
    }

    /// Checks that this account can reach `dir`: every folder above must let it through.
    ///
    /// # Errors
    /// `NotEnterable` naming the first folder that does not.
    pub fn may_enter(&self, dir: &Path) -> Result<(), LocalError> {
        let mut folders: Vec<&Path> = dir.ancestors().collect();
        folders.reverse();
        for folder in folders {
            let Ok(meta) = std::fs::metadata(folder) else { continue };
            let bit = if meta.uid() == self.uid {
                0o100
            } else if meta.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if meta.mode() & bit == 0 {
                return Err(LocalError::NotEnterable {
                    account: self.name.clone(),
                    folder: folder.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// The account of this name in the text of `/etc/passwd`.
fn find(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next().filter(|found| *found == name)?;
        let _password = fields.next()?;
        let uid = fields.next()?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name: found.to_owned(), uid, gid })
    })
}

fn name_of(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/bash\n\
        nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn finds_accounts() {
        let nobody = find(ACCOUNTS, "nobody").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (65534, 65533));
        assert_eq!(find(ACCOUNTS, "postgres"), None);
        assert_eq!(name_of(ACCOUNTS, 65534).as_deref(), Some("nobody"));
    }

    #[test]
    fn names_the_folder_that_keeps_an_account_out() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account { name: "stranger".into(), uid: 4_000_001, gid: 4_000_001 };
        let error = stranger.may_enter(&inner).unwrap_err().to_string();
        assert!(error.contains(&format!("chmod o+x {}", outer.path().display())), "{error}");
    }
}
