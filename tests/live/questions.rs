//! What Tencent's documentation leaves open, asked of Tencent.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::api::{Answer, Api, Result};

/// The segments of the API's paths, each with two of the service's events.
pub(crate) const SERVICES: [(&str, [&str; 2]); 3] = [
    ("call_config", ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]),
    ("room_config", ["Room.CallbackAfterCreateRoom", "Room.CallbackAfterDestroyRoom"]),
    ("live_config", ["Live.CallbackAfterCreateRoom", "Live.CallbackAfterDestroyRoom"]),
];

/// Nobody is there.
const URL: &str = "https://example.com/terraform-provider-tencent";

/// The report, as far as it has come.
#[derive(Default)]
pub(crate) struct Report(String);

impl Report {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    fn heading(&mut self, text: &str) {
        let _ = write!(self.0, "\n## {text}\n\n| asked | answered |\n| --- | --- |\n");
    }

    fn row(&mut self, asked: &str, answered: impl std::fmt::Display) {
        let _ = writeln!(self.0, "| {asked} | {answered} |");
    }
}

/// Everything, one after the other. Starts where there is no configuration, and leaves whatever the last question left.
pub(crate) async fn ask(api: &Api, report: &mut Report) -> Result<()> {
    for (service, commands) in SERVICES {
        report.heading(service);
        a_life(api, report, service, commands).await?;
        spellings(api, report, service, commands[0]).await?;
        lists(api, report, service, commands).await?;
    }
    report.heading("live_config, callback token");
    token(api, report).await?;
    report.heading("Errors");
    // Once only: Tencent refuses everything for a minute if it happens too often.
    let wrong = api.call_with(&"0".repeat(64), "call_config/get_callback", &json!({})).await?;
    report.row("get, signed with a wrong key", wrong);
    report.row("get_callback of a service that does not exist", api.get("no_such_config").await?);
    Ok(())
}

async fn a_life(api: &Api, report: &mut Report, service: &str, [one, two]: [&str; 2]) -> Result<()> {
    report.row("get without a configuration", api.get(service).await?);
    report.row("delete without a configuration", api.delete(service).await?);
    report.row("update without a configuration", api.write(service, "update", URL, &[one]).await?);
    report.row("then get", stored(&api.get(service).await?));
    api.delete(service).await?;
    report.row("set without a configuration", api.write(service, "set", URL, &[one]).await?);
    report.row("then get", stored(&api.get(service).await?));
    report.row("set, equal", api.write(service, "set", URL, &[one]).await?);
    report.row("set, different", api.write(service, "set", URL, &[two]).await?);
    report.row("then get", stored(&api.get(service).await?));
    report.row("update, different", api.write(service, "update", URL, &[one, two]).await?);
    report.row("update, equal", api.write(service, "update", URL, &[one, two]).await?);
    report.row("then get", stored(&api.get(service).await?));
    report.row("delete", api.delete(service).await?);
    report.row("then get", api.get(service).await?);
    Ok(())
}

/// In which form a URL is stored, and how long it may be.
async fn spellings(api: &Api, report: &mut Report, service: &str, command: &str) -> Result<()> {
    for url in [
        "https://example.com",
        "https://EXAMPLE.com/Path",
        "https://example.com:443/",
        "https://example.com:8443/a/../b/",
        "https://example.com/%7euser?a=1&b=%2F#fragment",
        "https://user:password@example.com/",
        "https://bücher.example/ü",
        "http://192.0.2.1/",
    ] {
        let written = api.write(service, "set", url, &[command]).await?;
        report.row(&format!("set {url}"), format!("{written}; {}", stored(&api.get(service).await?)));
        api.delete(service).await?;
    }
    for length in [512, 1024, 2048, 4096, 16384] {
        let url = format!("{URL}?{}", "x".repeat(length - URL.len() - 1));
        let written = api.write(service, "set", &url, &[command]).await?;
        let kept = api.get(service).await?.response["Url"] == url;
        report.row(&format!("set a URL of {length} characters"), format!("{written}; stored whole: {kept}"));
        api.delete(service).await?;
    }
    Ok(())
}

/// Which lists of commands are taken, and how they are stored.
async fn lists(api: &Api, report: &mut Report, service: &str, [one, two]: [&str; 2]) -> Result<()> {
    let lower = one.to_lowercase();
    let lists: [&[&str]; 10] = [
        &[],
        &[""],
        &["No.CallbackAfterSuchEvent"],
        &[one, "No.CallbackAfterSuchEvent"],
        &[&lower],
        &[two, one, two],
        &["Mic.CallbackAfterSeatInfoChanged"],
        &["Live.CallbackBeforeSendGift", "Live.CallbackBeforeCallBackNotBlock"],
        &["Group.CallbackAfterSendMsg", "Group.CallbackBeforeSendMsg"],
        &["Follow.CallbackAfterFollowAdd", "Follow.CallbackAfterFollowDelete"],
    ];
    for commands in lists {
        let written = api.write(service, "set", URL, commands).await?;
        report.row(&format!("set {}", json!(commands)), format!("{written}; {}", stored(&api.get(service).await?)));
        api.delete(service).await?;
    }
    Ok(())
}

async fn token(api: &Api, report: &mut Report) -> Result<()> {
    let call = async |action: &str, body: Value| api.call(&format!("live_config/{action}_callback_token"), &body).await;
    report.row("get without a token", call("get", json!({})).await?);
    report.row("delete without a token", call("delete", json!({})).await?);
    for length in [1, 8, 32, 128, 129, 1024] {
        let token = json!({ "Token": "x".repeat(length), "IsTokenEnable": false });
        let written = call("set", token.clone()).await?;
        let kept = call("get", json!({})).await?.response == token;
        report.row(&format!("set a token of {length} characters"), format!("{written}; stored whole: {kept}"));
    }
    report.row("set an empty token", call("set", json!({ "Token": "", "IsTokenEnable": false })).await?);
    report.row("delete", call("delete", json!({})).await?);
    report.row("then get", call("get", json!({})).await?);
    Ok(())
}

/// What get answers, in short.
fn stored(answer: &Answer) -> String {
    match answer.code {
        0 => format!("stored: {}", answer.response.to_string().replace('|', "/")),
        _ => format!("get: {answer}"),
    }
}
