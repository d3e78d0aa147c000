//! Requests over the real socket, through TLS and gRPC, that call nothing remote: the provider's own time.

use std::time::Instant;

use tencent_simulator::Simulator;
use terraform_provider_tencent::terraform::Value;
use terraform_provider_tencent::terraform::proto::{get_provider_schema, validate_resource_config};

use crate::Result;
use crate::host::Host;
use crate::page::Page;
use crate::process::memory;
use crate::session::{RESOURCE, Session, encode, nothing, number, text, type_of, with};
use crate::statistics::Samples;
use crate::subject::Subject;

const FIRST: u64 = Simulator::SDK_APP_ID;
const WHY: &str =
    "Much of a request is its way through TLS and gRPC, there and back, and the client that measures does as much.";
const URL: &str = "https://hooks.example.com/call";

pub(crate) fn measure(requests: usize, subject: &Subject, page: &mut Page) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure_all(requests, subject, page))
}

async fn measure_all(requests: usize, subject: &Subject, page: &mut Page) -> Result {
    let simulator = Simulator::start()?;
    let mut session = Session::start_by(&Host::new(&subject.executable)).await;
    // One application for each request, because two objects of one application cause a warning.
    let apps = session.apps(keys(requests));
    let config = with(session.provider_config(&simulator), [("apps", apps)]);
    session.configure(&with(config, [("sdk_app_id", Value::Null), ("secret_key", Value::Null)])).await;

    let object = |id: u64, url: &str| {
        let id_text = text(&id.to_string());
        with(session.state(url), [("sdk_app_id", number(id)), ("id", id_text)])
    };
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for id in (FIRST..).take(requests) {
        let begin = Instant::now();
        session.provider().get_provider_schema(get_provider_schema::Request {}).await?;
        times[0].push(begin.elapsed());

        let config = with(session.config(URL), [("sdk_app_id", number(id))]);
        let request = validate_resource_config::Request {
            type_name: RESOURCE.into(),
            config: session.encode(&config),
            ..Default::default()
        };
        let begin = Instant::now();
        let valid = session.provider().validate_resource_config(request).await?.into_inner();
        times[1].push(begin.elapsed());
        assert_eq!(valid.diagnostics, []);

        let prior = object(id, URL);
        let kept = with(config, [("deletion_policy", text("ABANDON"))]);
        let begin = Instant::now();
        let plan = session.plan(&prior, &kept).await;
        times[2].push(begin.elapsed());
        assert_eq!(plan.diagnostics, []);

        let planned = session.decode(&plan.planned_state);
        let begin = Instant::now();
        let applied = session.apply(&prior, &planned).await;
        times[3].push(begin.elapsed());
        assert_eq!(applied.diagnostics, []);
    }
    assert!(simulator.requests().is_empty(), "these reach nothing remote");
    session.shut_down().await;

    page.section("Requests");
    page.text(&format!(
        "Over the real socket, through TLS and gRPC, one at a time, {requests} of each; the figures include the client \
         that measures. The plan and the apply are of a change that sends nothing to Tencent."
    ));
    let names = ["GetProviderSchema", "ValidateResourceConfig", "PlanResourceChange", "ApplyResourceChange"];
    let mut rows = Vec::new();
    for (name, times) in names.into_iter().zip(times) {
        let times = Samples::of(times.into_iter().map(|time| time.as_secs_f64() * 1e6));
        rows.push(vec![name.to_owned(), format!("{:.0}", times.median()), format!("{:.0}", times.percentile(99))]);
        if name == "PlanResourceChange" {
            page.budget("PlanResourceChange, µs, p50", 0, 200.0, times.median(), WHY);
        }
    }
    page.table(&["", "p50, µs", "p99, µs"], rows);
    measure_large_configuration(&simulator, subject, page).await
}

/// Measures configuration. Signing waits for an application's first call, so a large fleet starts as fast as a small one.
async fn measure_large_configuration(simulator: &Simulator, subject: &Subject, page: &mut Page) -> Result {
    const APPLICATIONS: usize = 10_000;
    let mut session = Session::start_by(&Host::new(&subject.executable)).await;
    let resident = |session: &Session| memory(session.plugin.process.id(), "VmRSS:").unwrap_or_default();
    let before = resident(&session);
    let apps = session.apps(keys(APPLICATIONS));
    let config = with(nothing(session.provider_schema()), [("apps", apps)]);
    let config = with(config, [("endpoint", text(simulator.url()))]);
    let begin = Instant::now();
    session.configure(&config).await;
    page.text(&format!(
        "ConfigureProvider with {APPLICATIONS} entries in `apps` took {:.0} ms, most of it for moving {:.1} MB through the \
         socket, and {:.1} MB of memory.",
        begin.elapsed().as_secs_f64() * 1e3,
        encode(&config, &type_of(session.provider_schema())).msgpack.len() as f64 / 1e6,
        resident(&session) - before
    ));
    session.shut_down().await;
    Ok(())
}

/// Returns `apps` of this many applications, each with a key.
fn keys(count: usize) -> impl Iterator<Item = (u64, String)> {
    (FIRST..).take(count).map(|id| (id, format!("{id:064}")))
}
