//! The provider, served by the test itself, so that it can record the RPCs of a host.
//!
//! With `TF_REATTACH_PROVIDERS`, a host connects once for each process that it would start. So each connection gets a provider
//! of its own, and stands for a process.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::result::Result as StdResult;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use terraform_cli::REGISTRY_HOSTS;
use terraform_provider_tencent::provider::TencentProvider;
use terraform_provider_tencent::terraform::Server;
use terraform_provider_tencent::terraform::proto::provider_server::{Provider, ProviderServer};
use terraform_provider_tencent::terraform::proto::{
    DynamicValue, apply_resource_change, configure_provider, get_functions, get_metadata, get_provider_schema,
    get_resource_identity_schemas, import_resource_state, plan_resource_change, read_resource, stop_provider,
    upgrade_resource_identity, upgrade_resource_state, validate_provider_config, validate_resource_config,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tonic::{Request, Response, Status};

use crate::harness::Result;

/// The objects that calls can name.
const OBJECTS: [char; 3] = ['a', 'b', 'd'];

/// Returns the timeout that marks an object in its configuration and its state. Two objects of one application may differ in
/// their timeouts, because Tencent does not hold those.
pub(crate) fn mark(object: char) -> String {
    format!("{}s", 10_000 + u32::from(object))
}

/// An RPC about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The RPC, with a `+` for a creation and a `-` for a destruction.
    pub(crate) rpc: &'static str,
    pub(crate) object: char,
    /// The RPC whose answer the private data comes from, or `state` if an earlier command has stored it.
    private: Option<String>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.rpc, self.object)?;
        self.private.as_ref().map_or(Ok(()), |private| write!(f, " [{private}]"))
    }
}

/// The calls of one process, in order.
pub(crate) type Process = Vec<Call>;

#[derive(Debug, Default)]
struct Tape {
    /// The number of the command. Private data remembers it.
    command: u64,
    /// An object whose calls wait for this long first, so that whatever does not depend on them overtakes them.
    held_up: Option<(char, Duration)>,
    processes: Vec<(usize, Process)>,
}

/// A provider on a socket.
pub(crate) struct Recorder {
    tape: Arc<Mutex<Tape>>,
    address: SocketAddr,
    _runtime: Runtime,
}

impl Recorder {
    pub(crate) fn start() -> Result<Self> {
        let (tape, runtime) = (Arc::default(), Runtime::new()?);
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let recorder = Self { tape, address: listener.local_addr()?, _runtime: runtime };
        let tape = Arc::clone(&recorder.tape);
        recorder._runtime.spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let server = Server::new(TencentProvider::default());
                let service = ProviderServer::new(Recording { server, connection, tape: Arc::clone(&tape) });
                let incoming = stream::iter([io::Result::Ok(stream)]).chain(stream::pending());
                tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
            }
        });
        Ok(recorder)
    }

    /// Returns the value of `TF_REATTACH_PROVIDERS` that makes a host use this provider.
    pub(crate) fn reattach(&self) -> String {
        let entry = json!({
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": process::id(),
            "Test": true,
            "Addr": { "Network": "tcp", "String": self.address },
        });
        let entries = REGISTRY_HOSTS.map(|host| (format!("{host}/{}", terraform_cli::PROVIDER_SOURCE), entry.clone()));
        Value::from_iter(entries).to_string()
    }

    /// Begins a command, which may hold up an object's calls.
    pub(crate) fn begin(&self, held_up: Option<(char, Duration)>) {
        let mut tape = lock(&self.tape);
        *tape = Tape { command: tape.command + 1, held_up, processes: Vec::new() };
    }

    /// Returns the calls since [`begin`](Self::begin).
    pub(crate) fn processes(&self) -> Vec<Process> {
        lock(&self.tape).processes.iter().map(|(_, calls)| calls.clone()).collect()
    }
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The provider of one connection.
struct Recording {
    server: Server<TencentProvider>,
    connection: usize,
    tape: Arc<Mutex<Tape>>,
}

impl Recording {
    async fn record(&self, rpc: &'static str, object: char, private: &[u8]) {
        let held_up = lock(&self.tape).held_up;
        if let Some((_, pause)) = held_up.filter(|(held_up, _)| *held_up == object) {
            sleep(pause).await;
        }
        let mut tape = lock(&self.tape);
        let private = serde_json::from_slice::<Value>(private).ok().map(|private| match &private["tag"] {
            tag if tag[0] == tape.command => tag[1].as_str().unwrap_or_default().trim_end().to_owned(),
            _ => "state".to_owned(),
        });
        let call = Call { rpc, object, private };
        match tape.processes.iter_mut().find(|(connection, _)| *connection == self.connection) {
            Some((_, calls)) => calls.push(call),
            None => tape.processes.push((self.connection, vec![call])),
        }
    }

    /// Marks private data, which is a JSON object or nothing. The provider ignores what it does not know.
    fn tag(&self, rpc: &'static str, private: &mut Vec<u8>) {
        let mut tagged = serde_json::from_slice(private).unwrap_or_else(|_| json!({}));
        tagged["tag"] = json!([lock(&self.tape).command, rpc]);
        *private = tagged.to_string().into_bytes();
    }
}

/// A request about one object.
trait Recorded {
    /// Returns the RPC, the object and the private data.
    fn call(&self) -> (&'static str, char, &[u8]);
}

/// The answer to such a request.
trait Answer {
    fn private(&mut self) -> Option<&mut Vec<u8>>;
}

impl Recorded for read_resource::Request {
    fn call(&self) -> (&'static str, char, &[u8]) {
        ("read ", object_of([&self.current_state]), &self.private)
    }
}

impl Recorded for plan_resource_change::Request {
    fn call(&self) -> (&'static str, char, &[u8]) {
        let (rpc, object) = change(["plan +", "plan -", "plan "], &self.prior_state, &self.proposed_new_state);
        (rpc, object, &self.prior_private)
    }
}

impl Recorded for apply_resource_change::Request {
    fn call(&self) -> (&'static str, char, &[u8]) {
        let (rpc, object) = change(["apply +", "apply -", "apply "], &self.prior_state, &self.planned_state);
        (rpc, object, &self.planned_private)
    }
}

impl Recorded for import_resource_state::Request {
    fn call(&self) -> (&'static str, char, &[u8]) {
        ("import ", object_of([]), &[])
    }
}

impl Answer for read_resource::Response {
    fn private(&mut self) -> Option<&mut Vec<u8>> {
        Some(&mut self.private)
    }
}

impl Answer for plan_resource_change::Response {
    fn private(&mut self) -> Option<&mut Vec<u8>> {
        Some(&mut self.planned_private)
    }
}

impl Answer for apply_resource_change::Response {
    fn private(&mut self) -> Option<&mut Vec<u8>> {
        Some(&mut self.private)
    }
}

impl Answer for import_resource_state::Response {
    fn private(&mut self) -> Option<&mut Vec<u8>> {
        self.imported_resources.first_mut().map(|imported| &mut imported.private)
    }
}

fn is_null(value: &Option<DynamicValue>) -> bool {
    const NIL: u8 = 0xc0;
    value.as_ref().is_none_or(|value| value.msgpack == [NIL])
}

/// Returns the name of a call that creates, destroys or changes an object, and the object.
fn change(
    [creates, destroys, changes]: [&'static str; 3],
    prior: &Option<DynamicValue>,
    planned: &Option<DynamicValue>,
) -> (&'static str, char) {
    let rpc = match (is_null(prior), is_null(planned)) {
        (true, _) => creates,
        (false, true) => destroys,
        (false, false) => changes,
    };
    (rpc, object_of([planned, prior]))
}

/// Returns the object that one of the values belongs to. What was just imported has no mark: only object `a` is imported.
fn object_of<const N: usize>(values: [&Option<DynamicValue>; N]) -> char {
    let has_mark = |object: &char| {
        let mark = mark(*object);
        let is_in = |value: &DynamicValue| value.msgpack.windows(mark.len()).any(|bytes| bytes == mark.as_bytes());
        values.iter().any(|value| value.as_ref().is_some_and(is_in))
    };
    OBJECTS.into_iter().find(has_mark).unwrap_or(OBJECTS[0])
}

macro_rules! serve {
    (recorded { $($recorded:ident)* } passed_on { $($passed_on:ident)* }) => {
        #[tonic::async_trait]
        impl Provider for Recording {
            $(async fn $recorded(
                &self,
                request: Request<$recorded::Request>,
            ) -> StdResult<Response<$recorded::Response>, Status> {
                let (rpc, object, private) = request.get_ref().call();
                self.record(rpc, object, private).await;
                let mut answer = self.server.$recorded(request).await?;
                if let Some(private) = answer.get_mut().private() {
                    self.tag(rpc, private);
                }
                Ok(answer)
            })*

            $(async fn $passed_on(
                &self,
                request: Request<$passed_on::Request>,
            ) -> StdResult<Response<$passed_on::Response>, Status> {
                self.server.$passed_on(request).await
            })*
        }
    };
}

serve! {
    recorded {
        read_resource plan_resource_change apply_resource_change import_resource_state
    }
    passed_on {
        configure_provider get_functions get_metadata get_provider_schema get_resource_identity_schemas stop_provider
        upgrade_resource_identity upgrade_resource_state validate_provider_config validate_resource_config
    }
}
