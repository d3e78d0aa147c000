//! The socket that the host connects to.

use std::io;

use super::ServeError;
use super::host::Host;

#[cfg(unix)]
pub(super) use unix::{Listener, Stream};
#[cfg(windows)]
pub(super) use windows::{Listener, Stream};

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::path::{Path, PathBuf};

    use nix::unistd::Group;
    use tempfile::TempDir;
    use tokio::net::UnixListener;

    use super::super::host::{UNIX_SOCKET_DIR, UNIX_SOCKET_GROUP};
    use super::*;

    pub(in super::super) type Stream = tokio::net::UnixStream;

    /// A unix socket in a directory of its own, which is removed with the listener.
    #[derive(Debug)]
    pub(in super::super) struct Listener {
        socket: UnixListener,
        path: PathBuf,
        _directory: TempDir,
    }

    impl Listener {
        pub(in super::super) fn bind(host: &Host) -> Result<Self, ServeError> {
            let parent = host.socket_dir.clone().unwrap_or_else(std::env::temp_dir);
            let unusable = |source: io::Error| match &host.socket_dir {
                Some(_) => {
                    let reason = format!("no socket can be made there: {source}");
                    ServeError::Environment { name: UNIX_SOCKET_DIR, reason }
                }
                None => ServeError::Listen { place: parent.display().to_string(), source },
            };
            let failed = |place: &Path, source| ServeError::Listen { place: place.display().to_string(), source };
            // Readable by the owner alone from its creation on: what follows has no race.
            let directory = tempfile::Builder::new()
                .prefix("plugin")
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&parent)
                .map_err(unusable)?;
            let path = directory.path().join("socket");
            let socket = UnixListener::bind(&path).map_err(|error| failed(&path, error))?;
            let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
            match &host.socket_group {
                None => mode(&path, 0o600).map_err(|error| failed(&path, error))?,
                Some(group) => {
                    let gid = group_id(group)?;
                    chown(&path, None, Some(gid))
                        .and_then(|()| chown(directory.path(), None, Some(gid)))
                        .and_then(|()| mode(&path, 0o660))
                        .and_then(|()| mode(directory.path(), 0o710))
                        .map_err(|error| failed(&path, error))?;
                }
            }
            Ok(Self { socket, path, _directory: directory })
        }

        pub(in super::super) fn network(&self) -> &'static str {
            "unix"
        }

        pub(in super::super) fn address(&self) -> String {
            self.path.display().to_string()
        }

        pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
            self.socket.accept().await.map(|(stream, _)| stream)
        }
    }

    /// A group is given by its name or its number.
    fn group_id(group: &str) -> Result<u32, ServeError> {
        if let Ok(gid) = group.parse() {
            return Ok(gid);
        }
        match Group::from_name(group) {
            Ok(Some(group)) => Ok(group.gid.as_raw()),
            _ => {
                Err(ServeError::Environment { name: UNIX_SOCKET_GROUP, reason: format!("there is no group {group:?}") })
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::net::TcpListener;

    use super::*;

    pub(in super::super) type Stream = tokio::net::TcpStream;

    /// A TCP socket on the loopback address.
    #[derive(Debug)]
    pub(in super::super) struct Listener {
        socket: TcpListener,
        address: SocketAddr,
    }

    impl Listener {
        pub(in super::super) fn bind(host: &Host) -> Result<Self, ServeError> {
            // Port 0: the system chooses.
            let ports = host.ports.clone().unwrap_or(0..=0);
            let mut last = io::Error::from(io::ErrorKind::AddrInUse);
            for port in ports.clone() {
                let bound = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|socket| {
                    socket.set_nonblocking(true)?;
                    let address = socket.local_addr()?;
                    Ok(Self { socket: TcpListener::from_std(socket)?, address })
                });
                match bound {
                    Ok(listener) => return Ok(listener),
                    Err(error) => last = error,
                }
            }
            let place = format!("127.0.0.1, ports {} to {}", ports.start(), ports.end());
            Err(ServeError::Listen { place, source: last })
        }

        pub(in super::super) fn network(&self) -> &'static str {
            "tcp"
        }

        pub(in super::super) fn address(&self) -> String {
            self.address.to_string()
        }

        pub(in super::super) async fn accept(&self) -> io::Result<Stream> {
            self.socket.accept().await.map(|(stream, _)| stream)
        }
    }
}
