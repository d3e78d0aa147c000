//! The socket that the host connects to.

use std::io;

use super::ServeError;
use super::host::Host;

#[cfg(unix)]
pub(super) use unix::{CALLERS, Listener, Stream};
#[cfg(windows)]
pub(super) use windows::{CALLERS, Listener, Stream};

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::net::SocketAddr;
    use std::path::{Path, PathBuf, absolute};

    use nix::unistd::Group;
    use tempfile::TempDir;
    use tokio::net::UnixListener;

    use super::super::host::{UNIX_SOCKET_DIR, UNIX_SOCKET_GROUP};
    use super::*;

    pub(in super::super) type Stream = tokio::net::UnixStream;

    /// The variable for temporary files, as [`std::env::temp_dir`] reads it.
    const TMPDIR: &str = "TMPDIR";
    /// The directory for sockets if no other can be used: every unix has it, and no path is shorter.
    const SHORT_DIRECTORY: &str = "/tmp";
    /// The first part of the name of the socket's directory; six letters follow.
    const PREFIX: &str = "plugin";
    /// The name of the socket.
    const SOCKET: &str = "socket";

    /// The processes that can connect, for people.
    pub(in super::super) const CALLERS: &str = "Any process of this user";

    /// A unix socket in a directory of its own, which is removed with the listener.
    #[derive(Debug)]
    pub(in super::super) struct Listener {
        socket: UnixListener,
        path: PathBuf,
        _directory: TempDir,
    }

    impl Listener {
        pub(in super::super) fn bind(host: &Host) -> Result<Self, ServeError> {
            let (parent, variable) = directory(host);
            let unusable = |source: io::Error| {
                let reason = match source.kind() {
                    io::ErrorKind::NotFound => "it does not exist".to_owned(),
                    io::ErrorKind::NotADirectory => "it is not a directory".to_owned(),
                    io::ErrorKind::PermissionDenied => "this user may not write to it".to_owned(),
                    _ => source.to_string(),
                };
                ServeError::Directory { directory: parent.clone(), reason, variable }
            };
            let failed = |place: &Path, source| ServeError::Listen { place: place.display().to_string(), source };
            // Only the owner can read the directory from its creation on, so the steps below have no race.
            let directory = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&parent)
                .map_err(unusable)?;
            let path = directory.path().join(SOCKET);
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

    /// Chooses the parent of the socket's directory, and returns it with the variable that can name another: the host's
    /// choice, else the directory for temporary files, if the host can be told a path there.
    fn directory(host: &Host) -> (PathBuf, &'static str) {
        let temporary = Some(std::env::temp_dir()).filter(|directory| !directory.as_os_str().is_empty());
        let wished = [(host.socket_dir.clone(), UNIX_SOCKET_DIR), (temporary, TMPDIR)];
        for (directory, variable) in wished {
            // If a path cannot be made absolute, creating the socket there reports the error.
            let Some(directory) = directory.map(|d| absolute(&d).unwrap_or(d)) else { continue };
            if can_be_told(&directory) {
                return (directory, variable);
            }
            let directory = directory.display();
            tracing::warn!(variable, %directory, "the socket cannot be there: the path is too long or not plain text");
        }
        (SHORT_DIRECTORY.into(), TMPDIR)
    }

    /// Returns whether the path of a socket in `directory` fits into a socket's address and into the handshake line.
    fn can_be_told(directory: &Path) -> bool {
        let socket = directory.join(format!("{PREFIX}XXXXXX")).join(SOCKET);
        let is_field = |path: &str| !path.contains(|c: char| c == '|' || c.is_control());
        // The system's own limit: 107 bytes on Linux, 103 on macOS.
        SocketAddr::from_pathname(&socket).is_ok() && socket.to_str().is_some_and(is_field)
    }

    /// Looks up a group, which is given by its name or its number.
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

    /// The processes that can connect, for people. With AutoMTLS, the server refuses all but the host.
    pub(in super::super) const CALLERS: &str = "Any process on this machine, other users' too,";

    /// A TCP socket on the loopback address.
    #[derive(Debug)]
    pub(in super::super) struct Listener {
        socket: TcpListener,
        address: SocketAddr,
    }

    impl Listener {
        pub(in super::super) fn bind(host: &Host) -> Result<Self, ServeError> {
            // The system chooses a port for 0.
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
            let (stream, _) = self.socket.accept().await?;
            // Otherwise, the second part of each answer waits some 40 ms until the host has acknowledged the first.
            stream.set_nodelay(true)?;
            Ok(stream)
        }
    }
}
