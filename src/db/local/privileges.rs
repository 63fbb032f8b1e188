//! What a server that was started as root gives up before it does anything else.
//!
//! Root has every capability of the system. The private PostgreSQL needs a few of them (it runs as
//! another account); a server with a database of somebody's needs none. The others are dropped, for
//! this process and whatever it starts, so that a fault in Ripen is not a fault in the machine.

use std::io;

/// What the server does that a system asks a capability for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// It runs a private PostgreSQL as another account.
    pub private_database: bool,
    /// Its database is somebody's, behind a socket in a folder that may not be everybody's.
    pub database_socket: bool,
    /// It listens on a port below 1024.
    pub low_port: bool,
}

/// Drops every capability that is not needed, also from what children can get, and any way to get
/// them back. For a process of a single thread: the others keep what they have.
///
/// # Errors
/// The system's; nothing is half dropped that would be needed.
#[cfg(target_os = "linux")]
pub fn drop_all_but(needs: Needs) -> io::Result<()> {
    use rustix::thread::{
        CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
        clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
        set_no_new_privs,
    };

    let mut kept = CapabilitySet::empty();
    if needs.private_database {
        // Its folder belongs to another account, which initdb and the server are started as; and who
        // holds the folder is read from /proc, where another account's processes are closed.
        kept |= CapabilitySet::CHOWN
            | CapabilitySet::DAC_OVERRIDE
            | CapabilitySet::DAC_READ_SEARCH
            | CapabilitySet::FOWNER
            | CapabilitySet::KILL
            | CapabilitySet::SETGID
            | CapabilitySet::SETUID
            | CapabilitySet::SYS_PTRACE;
    }
    if needs.database_socket {
        // Connecting to a socket asks for write access to it, which another account may keep to itself.
        kept |= CapabilitySet::DAC_OVERRIDE;
    }
    if needs.low_port {
        kept |= CapabilitySet::NET_BIND_SERVICE;
    }
    let held = capabilities(None)?;
    if held.effective.contains(CapabilitySet::SETPCAP) {
        for one in CapabilitySet::all().difference(kept).iter() {
            // A kernel that does not know one says so, and has nothing to drop.
            if capability_is_in_bounding_set(one).unwrap_or(false) {
                remove_capability_from_bounding_set(one)?;
            }
        }
    }
    clear_ambient_capability_set()?;
    let kept = held.permitted.intersection(kept);
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Other systems have no capabilities.
#[cfg(not(target_os = "linux"))]
pub fn drop_all_but(_: Needs) -> io::Result<()> {
    Ok(())
}
