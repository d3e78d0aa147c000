//! The simulator on the command line, for trying the provider out without Tencent.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use lexopt::prelude::*;
use tencent_simulator::{App, Outcome, Request, Service, Simulator};

const HELP: &str = "\
A stand-in for Tencent RTC's callback-configuration API, on this machine alone.

Usage: tencent-simulator [OPTIONS]

  --listen ADDRESS:PORT  where to listen; loopback only; port 0 takes a free one [default: 127.0.0.1:8910]
  --state-file FILE      keep the configurations and tokens in FILE, unencrypted
  --app SDKAPPID=KEY     an application and its SecretKey, not a real one; may be repeated; the first is the provider's
                         default [default: 1400000001 with a fixed key]
  --set-overwrites SERVICES
                         where set_callback replaces a configuration that exists, such as call,live; elsewhere it
                         answers 100300, and update_callback replaces; '' for nowhere; the services are call, room
                         and live [default: call]
  --log                  also print each request's user agent and body; never a token
  --help                 print this

Press Ctrl-C to stop it.
";

struct Options {
    listen: SocketAddr,
    state_file: Option<PathBuf>,
    apps: Vec<App>,
    set_overwrites: Option<Vec<Service>>,
    log: bool,
}

fn main() -> ExitCode {
    match options().and_then(|options| options.map_or(Ok(()), |options| run(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("tencent-simulator: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line; `None` if it asked for help, which is then printed.
fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        listen: (Ipv4Addr::LOCALHOST, 8910).into(),
        state_file: None,
        apps: Vec::new(),
        set_overwrites: None,
        log: false,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => options.listen = arguments.value()?.parse()?,
            Long("state-file") => options.state_file = Some(arguments.value()?.into()),
            Long("app") => options.apps.push(arguments.value()?.parse_with(app)?),
            Long("set-overwrites") => options.set_overwrites = Some(arguments.value()?.parse_with(services)?),
            Long("log") => options.log = true,
            Short('h') | Long("help") => {
                io::stdout().write_all(HELP.as_bytes())?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if options.apps.is_empty() {
        options.apps.push(App::new(Simulator::SDK_APP_ID, Simulator::SECRET_KEY));
    }
    Ok(Some(options))
}

/// Parses `SDKAPPID=KEY`.
fn app(text: &str) -> Result<App, &'static str> {
    let (id, key) = text.split_once('=').filter(|(_, key)| !key.is_empty()).ok_or("expected SDKAPPID=KEY")?;
    let id = id.parse().map_err(|_| "the SDKAppID before = is not a number")?;
    Ok(App::new(id, key))
}

/// Parses names of services, separated by commas.
fn services(text: &str) -> Result<Vec<Service>, String> {
    let service = |name: &str| {
        let service = Service::ALL.into_iter().find(|service| service.to_string() == name);
        service.ok_or_else(|| {
            let known = Service::ALL.map(|service| service.to_string());
            format!("{name:?} is not one of the services {}", known.join(", "))
        })
    };
    text.split(',').filter(|name| !name.is_empty()).map(service).collect()
}

/// Runs until the process is interrupted.
fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut builder = Simulator::builder().listen(options.listen);
    for app in &options.apps {
        builder = builder.app(app.clone());
    }
    if let Some(overwriting) = &options.set_overwrites {
        for service in Service::ALL {
            builder = builder.let_set_overwrite(service, overwriting.contains(&service));
        }
    }
    if let Some(file) = &options.state_file {
        builder = builder.state_file(file);
    }
    let simulator = builder.start()?;
    let mut out = io::stdout();
    writeln!(out, "# The provider's environment:")?;
    writeln!(out, "export TENCENT_ENDPOINT={}", simulator.url())?;
    let default = &options.apps[0];
    writeln!(out, "export TENCENT_SDK_APP_ID={}", default.sdk_app_id)?;
    writeln!(out, "export TENCENT_SECRET_KEY='{}'", default.secret_key)?;
    if options.apps.len() > 1 {
        writeln!(out, "# Its applications, for the provider block:")?;
        writeln!(out, "# apps = {{")?;
        for app in &options.apps {
            writeln!(out, "#   \"{}\" = {{ secret_key = {:?} }}", app.sdk_app_id, app.secret_key)?;
        }
        writeln!(out, "# }}")?;
    }
    writeln!(out, "# Requests, in UTC (press Ctrl-C to stop the simulator):")?;
    loop {
        simulator.wait_for(|requests| !requests.is_empty(), Duration::MAX);
        for request in simulator.take_requests() {
            writeln!(out, "{}", line(&request))?;
            if options.log {
                writeln!(out, "  from {}", request.user_agent.as_deref().unwrap_or("an unnamed client"))?;
                writeln!(out, "  body {}", request.printable_body())?;
            }
        }
    }
}

/// Formats a request as `12:34:56  call set           1400000001  0`: time, service and action, SDKAppID, error code.
/// The UserSig is never shown.
fn line(request: &Request) -> String {
    let seconds = request.arrived.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let what = match (request.service, request.action) {
        (Some(service), Some(action)) => format!("{service} {action}"),
        _ => format!("{} {}", request.method, request.path),
    };
    let sdk_app_id = request.sdk_app_id.map_or("-".to_owned(), |id| id.to_string());
    let outcome = match request.outcome {
        Outcome::Answered { error_code } => error_code.to_string(),
        Outcome::Fault(name) => name.to_owned(),
    };
    format!("{hour:02}:{minute:02}:{second:02}  {what:<17}  {sdk_app_id:<10}  {outcome}")
}
