//! Terraform's half of a conversation with the provider: a configured client, and the values it sends.

use std::time::Duration;

use tencent_simulator::{Request as ApiRequest, Simulator};
use terraform_provider_tencent::terraform::proto::provider_client::ProviderClient;
use terraform_provider_tencent::terraform::proto::schema::object::NestingMode;
use terraform_provider_tencent::terraform::proto::schema::{Attribute, Block};
use terraform_provider_tencent::terraform::proto::{
    self, ClientCapabilities, Diagnostic, DynamicValue, Schema, diagnostic,
};
use terraform_provider_tencent::terraform::{Type, Value, codec};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::host::{Ended, Host, Plugin, within};

/// The executable under test.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_terraform-provider-tencent");
pub(crate) const RESOURCE: &str = "tencent_call_callback";

/// The capabilities of a client that understands deferral.
pub(crate) const DEFERRAL: Option<ClientCapabilities> = Some(ClientCapabilities {
    deferral_allowed: true,
    write_only_attributes_allowed: false,
    store_planned_private: false,
    computed_blocks_allowed: false,
});

/// Creates a host of the provider.
pub(crate) fn host() -> Host {
    Host::new(EXECUTABLE)
}

/// Starts a provider that must fail to start, and asserts that it says why both on standard error and on standard output,
/// where a host looks for the handshake line.
pub(crate) async fn failure(host: &Host) -> Ended {
    let mut process = host.spawn();
    let line = process.line().await;
    assert!(line.starts_with("The provider cannot start: ") && line.ends_with('.'), "{line}");
    assert!(!line.contains('|'), "a host takes it for a handshake: {line}");
    let ended = process.end().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "", "one line is all that a host reads");
    assert_eq!(ended.stderr.replace('|', " "), format!("{line}\n"));
    ended
}

/// A running provider, and Terraform's connection to it.
pub(crate) struct Session {
    pub(crate) plugin: Plugin,
    pub(crate) channel: Channel,
    schema: proto::get_provider_schema::Response,
}

impl Session {
    /// Starts a provider without configuring it.
    pub(crate) async fn start() -> Self {
        Self::start_by(&host()).await
    }

    pub(crate) async fn start_by(host: &Host) -> Self {
        let plugin = host.start().await;
        let channel = plugin.connect().await;
        let schema = provider(&channel).get_provider_schema(proto::get_provider_schema::Request {}).await;
        Self { plugin, channel, schema: schema.expect("the schema").into_inner() }
    }

    /// Starts a provider and configures it for the simulator's application.
    pub(crate) async fn on(simulator: &Simulator) -> Self {
        let session = Self::start().await;
        session.configure(&session.provider_config(simulator)).await;
        session
    }

    /// Starts a provider and configures it with a SecretKey that is not known yet.
    pub(crate) async fn on_unknown(simulator: &Simulator) -> Self {
        let session = Self::start().await;
        let config = session.provider_config(simulator);
        session.configure(&with(config, [("secret_key", Value::Unknown)])).await;
        session
    }

    pub(crate) async fn configure(&self, config: &Value) {
        self.configure_by("1.11.4", config).await;
    }

    /// Configures the provider as a host of this version does.
    pub(crate) async fn configure_by(&self, version: &str, config: &Value) {
        let config = encode(config, &type_of(self.provider_schema()));
        let request = proto::configure_provider::Request {
            terraform_version: version.into(),
            config: Some(config),
            client_capabilities: None,
        };
        let answer = self.provider().configure_provider(request).await.expect("an answer").into_inner();
        assert_eq!(answer.diagnostics, []);
    }

    /// Returns a client for one call.
    pub(crate) fn provider(&self) -> ProviderClient<Channel> {
        provider(&self.channel)
    }

    pub(crate) fn provider_schema(&self) -> &Schema {
        self.schema.provider.as_ref().expect("a provider schema")
    }

    pub(crate) fn resource_schema(&self) -> &Schema {
        self.schema_of(RESOURCE)
    }

    pub(crate) fn schema_of(&self, resource: &str) -> &Schema {
        &self.schema.resource_schemas[resource]
    }

    /// Returns every data source.
    pub(crate) fn data_sources(&self) -> impl Iterator<Item = (&str, &Schema)> {
        self.schema.data_source_schemas.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    pub(crate) fn list_schema(&self) -> &Schema {
        &self.schema.list_resource_schemas[RESOURCE]
    }

    pub(crate) fn ephemeral_schema(&self, name: &str) -> &Schema {
        &self.schema.ephemeral_resource_schemas[name]
    }

    pub(crate) fn action_schema(&self, name: &str) -> &Schema {
        self.schema.action_schemas[name].schema.as_ref().expect("a schema")
    }

    /// Returns all schemas.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Schema> {
        let Self { schema, .. } = self;
        let ours = [
            &schema.resource_schemas,
            &schema.data_source_schemas,
            &schema.list_resource_schemas,
            &schema.ephemeral_resource_schemas,
        ];
        let actions = schema.action_schemas.values().filter_map(|action| action.schema.as_ref());
        schema.provider.iter().chain(ours.into_iter().flat_map(|schemas| schemas.values())).chain(actions)
    }

    /// Returns a provider block for the simulator's application.
    pub(crate) fn provider_config(&self, simulator: &Simulator) -> Value {
        with(
            nothing(self.provider_schema()),
            [
                ("sdk_app_id", number(Simulator::SDK_APP_ID)),
                ("secret_key", text(Simulator::SECRET_KEY)),
                ("endpoint", text(simulator.url())),
            ],
        )
    }

    /// Returns the provider's `apps`, with a SecretKey for each SDKAppID.
    pub(crate) fn apps(&self, keys: impl IntoIterator<Item = (u64, String)>) -> Value {
        let apps = block(self.provider_schema()).attributes.iter().find(|attribute| attribute.name == "apps");
        let entry = apps.and_then(|apps| apps.nested_type.as_ref()).expect("the nested argument apps");
        let nothing = Value::Object(entry.attributes.iter().map(|a| (a.name.clone(), Value::Null)).collect());
        let entry = |(id, key): (u64, String)| (id.to_string(), with(nothing.clone(), [("secret_key", text(&key))]));
        Value::Object(keys.into_iter().map(entry).collect())
    }

    /// Returns a resource block with the required arguments.
    pub(crate) fn config(&self, url: &str) -> Value {
        let commands = set(["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]);
        with(nothing(self.resource_schema()), [("url", text(url)), ("callback_commands", commands)])
    }

    /// Returns the state of a resource as an apply leaves it.
    pub(crate) fn state(&self, url: &str) -> Value {
        with(
            self.config(url),
            [
                ("sdk_app_id", number(Simulator::SDK_APP_ID)),
                ("id", text(&Simulator::SDK_APP_ID.to_string())),
                ("overwrite_existing", Value::Bool(false)),
                ("deletion_policy", text("DELETE")),
                ("last_request_id", text("Id-1")),
            ],
        )
    }

    /// Encodes a resource's value.
    pub(crate) fn encode(&self, value: &Value) -> Option<DynamicValue> {
        Some(encode(value, &type_of(self.resource_schema())))
    }

    /// Decodes a resource's value.
    pub(crate) fn decode(&self, value: &Option<DynamicValue>) -> Value {
        let value = value.as_ref().expect("a value");
        codec::decode(Some(value), &type_of(self.resource_schema())).expect("a value of the resource's type")
    }

    /// Returns the state that Terraform proposes: the configuration, with prior values for computed attributes it leaves out.
    pub(crate) fn proposed(&self, prior: &Value, config: &Value) -> Value {
        let unset = |attribute: &&Attribute| attribute.computed && config.attribute(&attribute.name).is_null();
        let attributes = block(self.resource_schema()).attributes.iter().filter(unset);
        let left = attributes.map(|attribute| match prior {
            Value::Null => (attribute.name.as_str(), Value::Unknown),
            prior => (attribute.name.as_str(), prior.attribute(&attribute.name).clone()),
        });
        with(config.clone(), left)
    }

    /// Plans. The configuration `Value::Null` plans a destroy.
    pub(crate) async fn plan(&self, prior: &Value, config: &Value) -> proto::plan_resource_change::Response {
        let request = self.plan_request(prior, config);
        self.provider().plan_resource_change(request).await.expect("a plan").into_inner()
    }

    pub(crate) fn plan_request(&self, prior: &Value, config: &Value) -> proto::plan_resource_change::Request {
        let proposed = if config.is_null() { Value::Null } else { self.proposed(prior, config) };
        proto::plan_resource_change::Request {
            type_name: RESOURCE.into(),
            prior_state: self.encode(prior),
            proposed_new_state: self.encode(&proposed),
            config: self.encode(config),
            ..Default::default()
        }
    }

    /// Applies a planned state.
    pub(crate) async fn apply(&self, prior: &Value, planned: &Value) -> proto::apply_resource_change::Response {
        let request = proto::apply_resource_change::Request {
            type_name: RESOURCE.into(),
            prior_state: self.encode(prior),
            planned_state: self.encode(planned),
            config: self.encode(planned),
            ..Default::default()
        };
        self.provider().apply_resource_change(request).await.expect("an answer").into_inner()
    }

    /// Refreshes a state.
    pub(crate) async fn read(&self, state: &Value) -> proto::read_resource::Response {
        let request = self.read_request(state);
        self.provider().read_resource(request).await.expect("an answer").into_inner()
    }

    pub(crate) fn read_request(&self, state: &Value) -> proto::read_resource::Request {
        proto::read_resource::Request {
            type_name: RESOURCE.into(),
            current_state: self.encode(state),
            ..Default::default()
        }
    }

    /// Shuts the provider down as Terraform does, and asserts that it succeeded.
    pub(crate) async fn shut_down(&mut self) {
        let ended = self.plugin.shut_down().await;
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(ended.stdout, "", "the handshake line is all there is on standard output");
    }
}

pub(crate) fn provider(channel: &Channel) -> ProviderClient<Channel> {
    let limit = 256 * 1024 * 1024;
    ProviderClient::new(channel.clone()).max_decoding_message_size(limit).max_encoding_message_size(limit)
}

/// Returns whether the plugin reports that it is serving.
pub(crate) async fn is_healthy(channel: &Channel) -> bool {
    let request = HealthCheckRequest { service: "plugin".into() };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}

/// Waits until the simulator's requests satisfy the predicate. (The simulator's `wait_for` would block this thread, and
/// with it the connection to the provider.)
pub(crate) async fn arrived(simulator: &Simulator, predicate: impl Fn(&[ApiRequest]) -> bool) {
    within("a request to the simulator", async {
        while !predicate(&simulator.requests()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub(crate) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub(crate) fn number(number: u64) -> Value {
    Value::Number(number.into())
}

pub(crate) fn set<'a>(elements: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Set(elements.into_iter().map(text).collect())
}

/// Replaces some attributes of an object.
pub(crate) fn with<'a>(object: Value, attributes: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let Value::Object(mut object) = object else { panic!("{object:?} is no object") };
    for (name, value) in attributes {
        assert!(object.insert(name.to_owned(), value).is_some(), "the schema has no attribute {name}");
    }
    Value::Object(object)
}

/// Returns a block without arguments.
pub(crate) fn nothing(schema: &Schema) -> Value {
    Value::Object(block(schema).attributes.iter().map(|a| (a.name.clone(), Value::Null)).collect())
}

pub(crate) fn encode(value: &Value, ty: &Type) -> DynamicValue {
    codec::encode(value, ty).expect("a value of the type")
}

pub(crate) fn block(schema: &Schema) -> &Block {
    schema.block.as_ref().expect("a block")
}

/// Returns the type of the values that a schema describes.
pub(crate) fn type_of(schema: &Schema) -> Type {
    object_of(&block(schema).attributes)
}

fn object_of(attributes: &[Attribute]) -> Type {
    Type::object(attributes.iter().map(|attribute| (attribute.name.clone(), attribute_type(attribute))))
}

fn attribute_type(attribute: &Attribute) -> Type {
    let Some(nested) = &attribute.nested_type else {
        return Type::from_json(&attribute.r#type).expect("a type");
    };
    let object = object_of(&nested.attributes);
    match nested.nesting() {
        NestingMode::Single => object,
        NestingMode::List => Type::list(object),
        NestingMode::Set => Type::set(object),
        NestingMode::Map => Type::map(object),
        NestingMode::Invalid => panic!("{} has no nesting mode", attribute.name),
    }
}

pub(crate) fn summaries(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}

/// Returns the only diagnostic, which must be an error with a summary and a detail.
#[track_caller]
pub(crate) fn the_error(diagnostics: &[Diagnostic]) -> &Diagnostic {
    let [error] = diagnostics else { panic!("not one error: {diagnostics:#?}") };
    assert_eq!(error.severity(), diagnostic::Severity::Error, "{error:#?}");
    assert!(!error.summary.is_empty() && !error.detail.is_empty(), "{error:#?}");
    error
}

/// Returns the name of the attribute that a diagnostic blames.
pub(crate) fn blamed(diagnostic: &Diagnostic) -> Option<&str> {
    use proto::attribute_path::step::Selector;
    match diagnostic.attribute.as_ref()?.steps.first()?.selector.as_ref()? {
        Selector::AttributeName(name) => Some(name),
        _ => None,
    }
}
