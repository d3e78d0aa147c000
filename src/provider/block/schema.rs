//! The schema of the provider block.

use crate::terraform::{Attribute, Nesting, Schema, Type};

pub(in crate::provider) fn schema() -> Schema {
    let apps = Attribute::nested(
        "apps",
        Nesting::Map,
        entry(),
        "More applications, by SDKAppID, each with its own credentials, for one provider block that manages a fleet. The \
         default application can be among them.",
    );
    Schema {
        version: 0,
        description: "Manages the callback configurations (webhooks) of Tencent RTC applications: which events of \
                      calls, rooms and live streams Tencent posts to which URL."
            .into(),
        attributes: vec![
            number(
                "sdk_app_id",
                "The SDKAppID of the default application, which a resource uses unless it sets its own. \
                 Environment variable: `TENCENT_SDK_APP_ID`.",
            ),
            text(
                "secret_key",
                "The SecretKey of the default application. The provider signs UserSigs with it, and never sends it \
                 anywhere. Conflicts with `user_sig`. Environment variable: `TENCENT_SECRET_KEY`.",
            )
            .sensitive(),
            text(
                "user_sig",
                "A UserSig for the default application, for pipelines that may not hold the SecretKey. Conflicts with \
                 `secret_key`. Environment variable: `TENCENT_USER_SIG`.",
            )
            .sensitive(),
            text(
                "identifier",
                "The app administrator account that the provider calls as. Default: `administrator`, which the Tencent \
                 RTC console creates. Environment variable: `TENCENT_IDENTIFIER`.",
            ),
            text(
                "region",
                "The region in which the application was created: `china` (the default), `singapore`, `seoul`, \
                 `frankfurt`, `silicon_valley`, `jakarta` or `tokyo`. Environment variable: `TENCENT_REGION`.",
            ),
            text(
                "endpoint",
                "The base URL to call instead of the region's, such as a gateway's. It must be `https`, except for \
                 loopback addresses. Environment variable: `TENCENT_ENDPOINT`.",
            ),
            text("request_timeout", "How long one attempt of a call may take, such as `10s` (the default)."),
            number("max_retries", "How many times the provider retries a call after a transient error. Default: 4."),
            number(
                "requests_per_second",
                "The most requests to send per second, for each of the API's calls. Default: 200, Tencent's documented \
                 limit. `tencent_legacy_call_callback` sends 10 at most, the limit of its API.",
            ),
            text(
                "requests_per_second_scope",
                "Which calls share `requests_per_second`: those of all applications of an endpoint (`endpoint`, the \
                 default), or only those of one application (`application`). With `application`, the provider finds \
                 out how much an endpoint takes: it calls faster and faster until Tencent refuses a call because of a \
                 rate limit, and halves the rate then.",
            ),
            apps,
        ],
    }
}

fn entry() -> Vec<Attribute> {
    vec![
        text("secret_key", "The application's SecretKey. Conflicts with `user_sig`.").sensitive(),
        text("user_sig", "A UserSig for the application. Conflicts with `secret_key`.").sensitive(),
        text(
            "identifier",
            "The app administrator account that the provider calls as. Default: the provider's `identifier`.",
        ),
        text(
            "region",
            "The region in which the application was created. Default: the provider's `endpoint` or `region`.",
        ),
        text("endpoint", "The base URL to call instead of the region's."),
    ]
}

fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute::new(name, Type::String, description)
}

fn number(name: &'static str, description: &'static str) -> Attribute {
    Attribute::new(name, Type::Number, description)
}
