//! Log lines in the host's format: hclog's JSON, one object per line, on standard error.

use std::fmt;
use std::io::{self, Write as _};
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Logs this crate's events and the places of panics from now on.
///
/// `name` is the provider's name in capitals, as in the variable that sets the level of this provider only. Events of
/// dependencies are not logged, because dependencies do not know what is secret.
pub fn init(name: &str) {
    let level = level(|variable| std::env::var(variable).ok(), name);
    let subscriber = Registry::default().with(HcLog { level });
    // This fails only if there is a subscriber already, which then logs.
    let _ = tracing::subscriber::set_global_default(subscriber);
    // The panic's message is not logged, because it may contain a secret.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the provider panicked: this is a bug");
    }));
}

/// Returns the most verbose level to log, from the first variable that is set.
fn level(variable: impl Fn(&str) -> Option<String>, name: &str) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{name}");
    let set =
        [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"].into_iter().find_map(|v| variable(v).filter(|v| !v.is_empty()));
    match set.map(|level| level.to_uppercase()).as_deref() {
        None => LevelFilter::WARN,
        Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        // In Terraform, "JSON" means TRACE in JSON, and an unknown level means TRACE as well.
        Some(_) => LevelFilter::TRACE,
    }
}

struct HcLog {
    level: LevelFilter,
}

/// The fields of a span, which are logged with the events inside it.
struct SpanFields(Map<String, Value>);

impl HcLog {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && module(metadata.target()).is_some()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HcLog {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Fields(&mut fields));
        if let Some(span) = cx.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut line = Map::new();
        for span in cx.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.extend(fields.clone());
            }
        }
        event.record(&mut Fields(&mut line));
        let message = line.remove("message").unwrap_or_default();
        line.insert("@level".into(), json!(level_name(*event.metadata().level())));
        line.insert("@message".into(), message);
        line.insert("@module".into(), json!(module(event.metadata().target()).unwrap_or_default()));
        line.insert("@timestamp".into(), json!(humantime::format_rfc3339_micros(SystemTime::now()).to_string()));
        // One write per line keeps lines from mixing. A host that no longer reads is no reason to fail.
        let _ = io::stderr().write_all(format!("{}\n", Value::Object(line)).as_bytes());
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// Returns the name of a module of this crate for hclog; `None` for other crates.
fn module(target: &str) -> Option<String> {
    let mut segments = target.split("::");
    (segments.next() == Some(env!("CARGO_CRATE_NAME"))).then(|| match segments.next() {
        None | Some("provider") => "provider".to_owned(),
        Some(module) => format!("provider.{module}"),
    })
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_variable_sets_the_level() {
        let level_of = |set: &[(&str, &str)]| {
            let variable = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            level(variable, "TENCENT")
        };
        for (set, expected) in [
            (&[][..], LevelFilter::WARN),
            (&[("TF_LOG", "debug")], LevelFilter::DEBUG),
            (&[("TF_LOG", "JSON")], LevelFilter::TRACE),
            (&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "off")], LevelFilter::OFF),
            (&[("TF_LOG_PROVIDER", "INFO"), ("TF_LOG_PROVIDER_TENCENT", "ERROR")], LevelFilter::ERROR),
            (&[("TF_LOG", "INFO"), ("TF_LOG_PROVIDER_TENCENT", "")], LevelFilter::INFO),
        ] {
            assert_eq!(level_of(set), expected, "{set:?}");
        }
    }

    #[test]
    fn only_this_crate_logs() {
        assert_eq!(module("terraform_provider_tencent::tencent::client").as_deref(), Some("provider.tencent"));
        assert_eq!(module("terraform_provider_tencent").as_deref(), Some("provider"));
        assert_eq!(module("hyper_util::client"), None);
    }
}
