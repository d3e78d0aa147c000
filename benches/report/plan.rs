//! One plan of one resource: what this provider takes of it, part by part.
//!
//! Terraform 1.11 starts three processes for a plan: for the schema, to validate, and to plan. The same requests are sent
//! here, without Terraform's own work in between.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::json;
use tencent_simulator::{Configuration, Service, Simulator};
use terraform_provider_tencent::plugin::proto::Empty;
use terraform_provider_tencent::plugin::proto::grpc_controller_client::GrpcControllerClient;
use terraform_provider_tencent::terraform::proto::{
    RawState, configure_provider, get_provider_schema, upgrade_resource_state, validate_provider_config,
    validate_resource_config,
};
use tonic::transport::Channel;

use crate::Result;
use crate::chart::{Bar, Group, OURS, TERRAFORM};
use crate::host::{Host, Plugin};
use crate::page::Page;
use crate::process::{page_faults, processor_seconds};
use crate::session::{RESOURCE, Session, encode, is_healthy, provider, type_of};
use crate::statistics::Samples;
use crate::subject::Subject;

const URL: &str = "https://hooks.example.com/call";
const COMMANDS: [&str; 2] = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];

/// The times of whole processes and commands, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    /// Spawning a C program.
    pub(crate) hello: f64,
    /// A plan of one `terraform_data`.
    pub(crate) alone: f64,
    /// A plan of one resource, above that.
    pub(crate) above: f64,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Start,
    Connect,
    Schema,
    Configure,
    Read,
    Plan,
    End,
}

const NAMES: [&str; 7] = ["3 starts", "3 connections", "schema", "configuration", "read", "state and plan", "3 ends"];

/// The costs of all parts: milliseconds, milliseconds of CPU, page faults.
#[derive(Debug, Default)]
struct Costs([[f64; 3]; NAMES.len()]);

/// A process of the provider, and the counters at the end of its last part.
struct Process {
    plugin: Plugin,
    channel: Channel,
    counters: Counters,
}

struct Counters {
    at: Instant,
    computed: f64,
    page_faults: f64,
}

impl Counters {
    /// Adds what has happened since the last part to this one.
    fn end(&mut self, part: Part, plugin: &Plugin, costs: &mut Costs) {
        let (id, took) = (plugin.process.id(), self.at.elapsed());
        let computed = processor_seconds(id).unwrap_or_default() * 1e3;
        let page_faults = page_faults(id).unwrap_or_default();
        let more = [took.as_secs_f64() * 1e3, computed - self.computed, page_faults - self.page_faults];
        costs.0[part as usize].iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        *self = Self { at: Instant::now(), computed, page_faults };
    }
}

impl Process {
    async fn start(host: &Host, costs: &mut Costs) -> Self {
        let mut counters = Counters { at: Instant::now(), computed: 0.0, page_faults: 0.0 };
        let plugin = host.start().await;
        counters.end(Part::Start, &plugin, costs);
        let channel = plugin.connect().await;
        counters.end(Part::Connect, &plugin, costs);
        Self { plugin, channel, counters }
    }

    fn end_part(&mut self, part: Part, costs: &mut Costs) {
        self.counters.end(part, &self.plugin, costs);
    }

    /// Shuts the process down, whose other counters end with it.
    async fn shut_down(mut self, costs: &mut Costs) -> Result {
        GrpcControllerClient::new(self.channel).shutdown(Empty {}).await?;
        self.plugin.process.end().await;
        costs.0[Part::End as usize][0] += self.counters.at.elapsed().as_secs_f64() * 1e3;
        Ok(())
    }
}

pub(crate) fn measure(runs: usize, subject: &Subject, whole: Whole, page: &mut Page) -> Result {
    let simulator = Simulator::start()?;
    simulator.put_configuration(Service::Call, Simulator::SDK_APP_ID, Configuration::new(URL, COMMANDS));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure_all(runs, subject, &simulator))?;
    report(measured, whole, page);
    Ok(())
}

/// The costs of each run, and what a request and a call take at least, in milliseconds.
struct Measured {
    runs: Vec<Costs>,
    request: f64,
    call: f64,
}

async fn measure_all(runs: usize, subject: &Subject, simulator: &Simulator) -> Result<Measured> {
    let host = Host::new(&subject.executable).env("NO_PROXY", "127.0.0.1");
    let mut session = Session::start_by(&host).await;
    let config = Some(encode(&session.provider_config(simulator), &type_of(session.provider_schema())));
    let validate_provider = validate_provider_config::Request { config: config.clone() };
    let configure = configure_provider::Request { config, ..Default::default() };
    let state = json!({ "url": URL, "callback_commands": COMMANDS, "sdk_app_id": Simulator::SDK_APP_ID });
    let upgrade = upgrade_resource_state::Request {
        type_name: RESOURCE.into(),
        version: 0,
        raw_state: Some(RawState { json: state.to_string().into_bytes(), ..Default::default() }),
    };
    let validate = validate_resource_config::Request {
        type_name: RESOURCE.into(),
        config: session.encode(&session.config(URL)),
        ..Default::default()
    };
    let (read, plan) =
        (session.read_request(&session.state(URL)), session.plan_request(&session.state(URL), &session.config(URL)));
    session.shut_down().await;

    let (mut all, mut requests, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let mut costs = Costs::default();
        let mut process = Process::start(&host, &mut costs).await;
        provider(&process.channel).get_provider_schema(get_provider_schema::Request {}).await?;
        process.end_part(Part::Schema, &mut costs);
        process.shut_down(&mut costs).await?;

        let mut process = Process::start(&host, &mut costs).await;
        provider(&process.channel).validate_resource_config(validate.clone()).await?;
        process.end_part(Part::Plan, &mut costs);
        process.shut_down(&mut costs).await?;

        let mut process = Process::start(&host, &mut costs).await;
        let mut client = provider(&process.channel);
        client.validate_provider_config(validate_provider.clone()).await?;
        client.configure_provider(configure.clone()).await?;
        process.end_part(Part::Configure, &mut costs);
        client.upgrade_resource_state(upgrade.clone()).await?;
        process.end_part(Part::Plan, &mut costs);
        let read = client.read_resource(read.clone()).await?.into_inner();
        process.end_part(Part::Read, &mut costs);
        client.validate_resource_config(validate.clone()).await?;
        let planned = client.plan_resource_change(plan.clone()).await?.into_inner();
        process.end_part(Part::Plan, &mut costs);
        assert_eq!((read.diagnostics, planned.diagnostics), (vec![], vec![]));

        let begin = Instant::now();
        assert!(is_healthy(&process.channel).await, "it serves");
        requests.push(begin.elapsed().as_secs_f64() * 1e3);
        calls.push(call(simulator)?);
        process.counters.at = Instant::now();
        process.shut_down(&mut costs).await?;
        all.push(costs);
    }
    Ok(Measured { runs: all, request: Samples::of(requests).median(), call: Samples::of(calls).median() })
}

/// Calls the simulator over a new connection without any library, and returns the milliseconds that takes.
fn call(simulator: &Simulator) -> Result<f64> {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(simulator.url().trim_start_matches("http://"))?;
    stream.write_all(
        b"POST /v4/call_config/get_callback HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
    )?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

fn report(Measured { runs, request, call }: Measured, whole: Whole, page: &mut Page) {
    let of = |figure: &dyn Fn(&Costs) -> f64| Samples::of(runs.iter().map(figure));
    let all = of(&|costs| costs.0.iter().map(|[milliseconds, ..]| milliseconds).sum());
    let share = |milliseconds: f64| format!("{:.0} %", milliseconds / whole.above * 100.0);
    let mut bars = vec![
        Bar { name: "Terraform", series: TERRAFORM, value: whole.alone },
        Bar { name: "for a provider", series: TERRAFORM, value: whole.above - all.median() },
    ];
    let at_least = [
        Some(3.0 * whole.hello),
        None,
        Some(request),
        Some(2.0 * request),
        Some(request + call),
        Some(4.0 * request),
        None,
    ];
    let mut rows = Vec::new();
    for (part, name) in NAMES.into_iter().enumerate() {
        let took = of(&|costs| costs.0[part][0]);
        let (mut computed, mut page_faults) = (String::new(), String::new());
        if part != Part::End as usize {
            computed = format!("{:.2}", of(&|costs| costs.0[part][1]).median());
            page_faults = format!("{:.0}", of(&|costs| costs.0[part][2]).median());
        }
        let at_least = at_least[part].map(|least| format!("{least:.2}")).unwrap_or_default();
        bars.push(Bar { name, series: OURS, value: took.median() });
        rows.push(vec![name.to_owned(), took.show(2), at_least, share(took.median()), computed, page_faults]);
    }
    rows.push(vec!["all".into(), all.show(2), String::new(), share(all.median()), String::new(), String::new()]);

    page.section("A plan, part by part");
    page.text(&format!(
        "What this provider takes of a `plan` of one resource, {} times. Terraform 1.11 starts three processes for it: for \
         the schema, to validate, and to plan. Here, a benchmark starts them, and sends the same requests, without \
         Terraform's work in between. **Of the plan** is the share of the {:.0} ms that a plan takes above \
         `terraform_data`. **At least** is what as many starts of **hello**, empty requests over the same connection, and \
         calls of the simulator without any library take.",
        runs.len(),
        whole.above,
    ));
    page.table(&["", "ms: median (range)", "at least, ms", "of the plan", "CPU, ms", "page faults"], rows);
    page.text(
        "- **Starts**: the system loads the executable, and the process makes a key and a certificate.\n\
         - **Connections**: TLS 1.3 with a certificate on either side. The host's has a P-521 key, whose signature takes \
         longest. The figure includes the host's half.\n\
         - **Read**: the first call of a process creates the HTTP client, which reads the system's certificates.\n\
         - **Ends**: until the system has taken back the process's memory and the host has seen its end.\n\
         - All else is Terraform's: it hashes the executable, makes a P-521 key for each process, and waits for its end.",
    );
    page.parts(Group { title: "A plan of one resource, ms".to_owned(), bars });
}
