//! The socket on which the server accepts connections, and how many of them there may be.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::error::{Error, Result};

/// A connection whose peer takes nothing of what is sent to it for so long is cut: a client that never
/// reads its answer holds memory no longer than this.
const UNREAD: Duration = Duration::from_secs(30);
/// When a silent connection is asked whether its peer still lives.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// In so long the server accepts what waits.
const ACCEPTED_WITHIN: Duration = Duration::from_millis(200);
/// File descriptors that are none of connections: the database's, files, the runtime's own.
const OTHER_FILES: u64 = 256;

/// Listens; accepted connections inherit its options.
///
/// # Errors
/// Internal when the address can't be bound.
pub fn listen(bind: SocketAddr) -> Result<TcpListener> {
    open(bind).map_err(|error| Error::Internal(format!("can't listen on {bind}: {error}")))
}

fn open(bind: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(bind), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNREAD))?;
    socket.bind(&bind.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Has the kernel take no more connections, and gives the server the time to take those that it took
/// already: closing the socket at once would reset them. `listener` is a clone of the server's.
pub async fn stop_accepting(listener: TcpListener) {
    match SockRef::from(&listener).listen(0) {
        Ok(()) => tokio::time::sleep(ACCEPTED_WITHIN).await,
        Err(error) => tracing::warn!(%error, "connections that wait to be accepted are reset"),
    }
}

/// Allows this process as many open files as so many connections need, as far as the system lets it.
pub fn allow_files(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    if limit.current.is_some_and(|current| current < wanted) {
        tracing::warn!(
            limit = limit.current,
            wanted,
            "fewer files may be open than --max-connections needs: raise the limit (ulimit -n)"
        );
    }
}
