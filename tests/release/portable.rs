//! Terraform starts the provider in a root directory that holds only the provider, the configuration of host name look-up,
//! and the trusted certificates.

use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nix::unistd::geteuid;
use tempfile::TempDir;
use tencent_simulator::{Service, Simulator};
use terraform_cli::{Mirror, Output, Terraform, Workspace, not_run};

use crate::dns::NameServer;
use crate::tls::{Gate, NAME};
use crate::{EXECUTABLE, Result};

/// The files in which distributions store trusted certificates.
const CERTIFICATES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS, RHEL 7
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/etc/ssl/cert.pem",                                 // Alpine
];

#[test]
fn the_executable_is_small() -> Result {
    let size = fs::metadata(&*EXECUTABLE)?.len();
    assert!(size <= 8_000_000, "{size} bytes");
    Ok(())
}

#[test]
fn host_names_are_looked_up_in_the_hosts_file() -> Result {
    as_root(|| {
        let machine = Machine::new()?;
        machine.write("/etc/hosts", &format!("127.0.0.1 localhost {NAME}\n"))?;
        machine.trust(CERTIFICATES[0])?;
        machine.applies()?;

        // Name servers are not asked for names in the hosts file.
        machine.write("/etc/resolv.conf", "nameserver 192.0.2.1\n")?;
        machine.applies()
    })
}

#[test]
fn host_names_are_looked_up_in_dns() -> Result {
    as_root(|| {
        let mut machine = Machine::new()?;
        let server = NameServer::start(NAME, Ipv4Addr::LOCALHOST)?;
        machine.trust(CERTIFICATES[0])?;
        machine.write("/etc/resolv.conf", &format!("nameserver {}\n", server.address()))?;
        machine.applies()?;
        assert!(server.asked().contains(&NAME.to_owned()), "{:?}", server.asked());

        // A search domain, and a machine whose own programs look names up with glibc's plugins.
        let (host, domain) = NAME.split_once('.').ok_or("a domain")?;
        machine.write("/etc/resolv.conf", &format!("search {domain}\nnameserver {}\n", server.address()))?;
        machine.write("/etc/nsswitch.conf", "hosts: mymachines mdns4_minimal [NOTFOUND=return] resolve wins\n")?;
        machine.host = host.to_owned();
        machine.applies()?;

        machine.host = format!("no-such-host.{domain}");
        machine.fails("the server's host name was not found. Check")?;
        drop(server);
        fs::remove_file(machine.path("/etc/resolv.conf"))?;
        machine.fails("it is not in /etc/hosts, and there is no /etc/resolv.conf to name a DNS server")
    })
}

#[test]
fn certificates_are_found_where_distributions_store_them() -> Result {
    as_root(|| {
        let mut machine = Machine::new()?;
        machine.write("/etc/hosts", &format!("127.0.0.1 {NAME}\n"))?;
        machine.fails("No CA certificates were found on this machine")?;
        for place in CERTIFICATES {
            machine.trust(place)?;
            machine.plan()?.expect_success();
            fs::remove_file(machine.path(place))?;
        }
        machine.trust("/elsewhere.pem")?;
        machine.workspace.env("SSL_CERT_FILE", "/elsewhere.pem");
        machine.plan()?.expect_success();
        Ok(())
    })
}

/// A root directory with only the provider.
struct Machine {
    root: TempDir,
    workspace: Workspace,
    simulator: Simulator,
    gate: Gate,
    /// The name of the endpoint.
    host: String,
}

impl Machine {
    fn new() -> Result<Self> {
        let root = tempfile::Builder::new().prefix("empty-root-").tempdir()?;
        fs::copy(&*EXECUTABLE, root.path().join("provider"))?;
        // The only directory that the provider writes to. It has the same path inside and outside.
        let outside = root.path().join("sockets");
        let inside = root.path().join(outside.strip_prefix("/")?);
        fs::create_dir_all(&inside)?;
        symlink(&inside, &outside)?;
        // The program that Terraform starts.
        let chroot = which("chroot")?;
        let start = root.path().join("start");
        fs::write(
            &start,
            format!(
                r#"#!/bin/sh
exec {} {} /provider "$@"
"#,
                chroot.display(),
                root.path().display()
            ),
        )?;
        fs::set_permissions(&start, fs::Permissions::from_mode(0o755))?;

        let simulator = Simulator::start()?;
        let gate = Gate::to(simulator.url().trim_start_matches("http://").parse()?)?;
        let mut workspace = Workspace::new(&Terraform::find()?, &Mirror::new(&start, env!("CARGO_PKG_VERSION"))?)?;
        for (name, _) in env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper.ends_with("_PROXY") || upper.starts_with("SSL_CERT_") {
                workspace.remove_env(name);
            }
        }
        workspace
            .env("TMPDIR", &outside)
            .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
            .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
        workspace.write("main.tf", MAIN)?;
        workspace.init()?.expect_success();
        Ok(Self { root, workspace, simulator, gate, host: NAME.to_owned() })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) -> Result {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(fs::write(path, text)?)
    }

    /// Makes the machine trust the endpoint's certificate.
    fn trust(&self, place: &str) -> Result {
        self.write(place, self.gate.ca_certificate_pem())
    }

    fn run(&self, command: &[&str]) -> Result<Output> {
        let endpoint = format!("-var=endpoint=https://{}:{}", self.host, self.gate.port());
        Ok(self.workspace.run(&[command, &[&endpoint]].concat())?)
    }

    fn plan(&self) -> Result<Output> {
        self.run(&["plan"])
    }

    /// Asserts that a plan fails with this message, however Terraform wraps it.
    fn fails(&self, said: &str) -> Result {
        let plan = self.plan()?;
        plan.expect_failure();
        let text = plan.text().replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "expected {said:?} in: {text}");
        Ok(())
    }

    fn applies(&self) -> Result {
        self.run(&["apply", "-auto-approve"])?.expect_success();
        assert!(self.simulator.configuration(Service::Call, Simulator::SDK_APP_ID).is_some());
        self.run(&["destroy", "-auto-approve"])?.expect_success();
        assert!(self.simulator.configuration(Service::Call, Simulator::SDK_APP_ID).is_none());
        Ok(())
    }
}

const MAIN: &str = r#"
terraform {
  required_providers {
    tencent = { source = "callkit/tencent" }
  }
}

variable "endpoint" {
  type = string
}

provider "tencent" {
  endpoint    = var.endpoint
  max_retries = 0
}

resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent"
  callback_commands = ["Call.CallbackAfterEndCall"]
}
"#;

fn which(program: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|place| place.join(program)).find(|program| program.exists());
    found.ok_or_else(|| format!("there is no {program} on this machine").into())
}

/// Marks a process that [`as_root`] started.
const INSIDE: &str = "TEST_RUNS_IN_NAMESPACE";

/// Runs a test that changes its root directory and listens on port 53: directly if this user is root, otherwise as root of
/// new namespaces, in a new process of this test.
fn as_root(test: impl FnOnce() -> Result) -> Result {
    if geteuid().is_root() {
        return test();
    }
    assert!(env::var_os(INSIDE).is_none(), "the namespace has another user than root");
    let namespaces = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", &format!("ip link set lo up && {script}")]);
        command
    };
    match namespaces("true").output() {
        Ok(tried) if tried.status.success() => {}
        tried => {
            not_run(format!(
                "because it needs root, or a machine that lets its users make namespaces, with util-linux and iproute2 \
                 ({tried:?})"
            ));
            return Ok(());
        }
    }
    // libtest names each thread after its test.
    let name = thread::current();
    let status = namespaces("exec \"$0\" \"$@\"")
        .arg(env::current_exe()?)
        .args(["--exact", name.name().expect("a test's thread"), "--nocapture"])
        .env(INSIDE, "1")
        .status()?;
    assert!(status.success(), "the same test in a namespace: {status}");
    Ok(())
}
