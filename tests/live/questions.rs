//! The questions that Tencent's documentation leaves open.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::api::{Answer, Api, Result};
use crate::services::{CALL, LEGACY_CALL, Of, SERVICES};

/// A URL without a receiver.
const URL: &str = "https://example.com/terraform-provider-tencent";

/// The report so far.
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

/// Asks everything, one after the other. Needs an application without configurations, and cleans nothing up.
pub(crate) async fn ask(api: &Api, report: &mut Report) -> Result<()> {
    for of in SERVICES {
        let commands = of.examples;
        report.heading(of.title);
        lifecycle(api, report, of, commands).await?;
        spellings(api, report, of, commands[0]).await?;
        lists(api, report, of, commands).await?;
    }
    report.heading("Call and Legacy Call");
    for (of, other) in [(CALL, LEGACY_CALL), (LEGACY_CALL, CALL)] {
        let written = api.write(of, "set", URL, &[of.examples[0]]).await?;
        let outcome = format!("{written}; {}", stored(&api.get(other).await?));
        report.row(&format!("set for {}, then get for {}", of.title, other.title), outcome);
        api.delete(of).await?;
    }
    report.heading("Live, callback token");
    token(api, report).await?;
    report.heading("Errors");
    // Only once: after several wrong signatures, Tencent refuses all calls for a minute.
    let wrong = api.call_with(&"0".repeat(64), &CALL.path("get"), &json!({})).await?;
    report.row("get, signed with a wrong key", wrong);
    report.row(
        "get_callback of a service that does not exist",
        api.call("v4/no_such_config/get_callback", &json!({})).await?,
    );
    Ok(())
}

async fn lifecycle(api: &Api, report: &mut Report, of: Of, [one, two]: [&str; 2]) -> Result<()> {
    report.row("get without a configuration", api.get(of).await?);
    report.row("delete without a configuration", api.delete(of).await?);
    report.row("update without a configuration", api.write(of, "update", URL, &[one]).await?);
    report.row("then get", stored(&api.get(of).await?));
    api.delete(of).await?;
    report.row("set without a configuration", api.write(of, "set", URL, &[one]).await?);
    report.row("then get", stored(&api.get(of).await?));
    report.row("set, equal", api.write(of, "set", URL, &[one]).await?);
    report.row("set, different", api.write(of, "set", URL, &[two]).await?);
    report.row("then get", stored(&api.get(of).await?));
    report.row("update, different", api.write(of, "update", URL, &[one, two]).await?);
    report.row("update, equal", api.write(of, "update", URL, &[one, two]).await?);
    report.row("then get", stored(&api.get(of).await?));
    report.row("delete", api.delete(of).await?);
    report.row("then get", api.get(of).await?);
    Ok(())
}

/// Asks in which form a URL is stored, and how long it may be.
async fn spellings(api: &Api, report: &mut Report, of: Of, command: &str) -> Result<()> {
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
        let written = api.write(of, "set", url, &[command]).await?;
        report.row(&format!("set {url}"), format!("{written}; {}", stored(&api.get(of).await?)));
        api.delete(of).await?;
    }
    for length in [512, 1024, 2048, 4096, 16384] {
        let url = format!("{URL}?{}", "x".repeat(length - URL.len() - 1));
        let written = api.write(of, "set", &url, &[command]).await?;
        let kept = api.get(of).await?.response == of.json(&url, &json!([command]));
        report.row(&format!("set a URL of {length} characters"), format!("{written}; stored whole: {kept}"));
        api.delete(of).await?;
    }
    Ok(())
}

/// Asks which lists of commands are accepted, and how they are stored.
async fn lists(api: &Api, report: &mut Report, of: Of, [one, two]: [&str; 2]) -> Result<()> {
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
        let written = api.write(of, "set", URL, commands).await?;
        report.row(&format!("set {}", json!(commands)), format!("{written}; {}", stored(&api.get(of).await?)));
        api.delete(of).await?;
    }
    Ok(())
}

async fn token(api: &Api, report: &mut Report) -> Result<()> {
    let call =
        async |action: &str, body: Value| api.call(&format!("v4/live_config/{action}_callback_token"), &body).await;
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

/// Summarizes an answer to get.
fn stored(answer: &Answer) -> String {
    match answer.code {
        0 => format!("stored: {}", answer.response.to_string().replace('|', "/")),
        _ => format!("get: {answer}"),
    }
}
