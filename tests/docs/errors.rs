//! The page of errors: Tencent's error codes from the provider's own table, and other symptoms.

use std::fmt::Write as _;

use terraform_provider_tencent::tencent::{ApiVersion, Credentials, ErrorCode, Retry};

const INTRODUCTION: &str = "\
---
page_title: \"Errors and what to do\"
subcategory: \"\"
description: |-
  Tencent's error codes, other symptoms, and what to do about them.
---

<!-- Generated from the provider's table of errors by `UPDATE_EXPECT=1 cargo test --test docs`: edit tests/docs/errors.rs. -->

# Errors and what to do

When a call fails, the message shows Tencent's error code, what it means and what to do, the endpoint and the credentials
that the provider used, Tencent's own explanation (`ErrorInfo`), and the `RequestId` that Tencent's support asks for.

## Error codes

The last column says whether the provider retries a call that fails with this code: up to `max_retries` times, within the
operation's `timeouts`. If Tencent or a gateway asks for a longer wait than that, the operation fails at once.

";

const TABLE: &str = "\
| code | meaning | what to do | retried |
| --- | --- | --- | --- |
";

const LEGACY: &str = "
### Error codes of `tencent_legacy_call_callback`

This resource calls another API, where the same number can mean something else. For example, an expired UserSig is 70003, not
70001. Tencent calls any code that is not in its list an internal error. The provider does not retry a call that fails with
one, but reads back what holds.

";

const SYMPTOMS: &str = "
## Other symptoms

### *… no connection could be made …*

The message says why: for example, the host name was not found, the server refused the connection, or this machine does
not trust the certificate. The provider uses [the same proxy as Terraform](security.md#what-leaves-your-machine), and the
system's certificates, or on Linux those in `SSL_CERT_FILE`.

### No events arrive

The plan says *No changes*, so Tencent has the configuration, but your server gets no events. Check these in turn:

- **How calls are started**: The application starts its calls with the function that the resource is for, as the table
  below shows.
- **The application**: The SDKAppID in the app is the one that Terraform manages.
- **The event**: It is listed in `callback_commands` or `callback_actions`.
- **The server**: Tencent reaches it from the internet, and it answers within two seconds, with HTTP status 200 and the JSON
  that Tencent expects. [`tencent_callback_probe`](../actions/callback_probe.md) checks this.
- **The signature**: A server that checks signatures of live streams has the same token as
  [`tencent_live_callback_token`](../resources/live_callback_token.md), and the right time.

Which one do I need? The code that starts a call decides which of Tencent's two APIs sends its events:

| the application starts calls with | resource |
| --- | --- |
| `calls()` | `tencent_call_callback` |
| the deprecated `call()` or `groupCall()` | `tencent_legacy_call_callback` |

Where both are in use, [manage both](../resources/legacy_call_callback.md).

### The plan shows a difference that nobody made

Someone else changed the configuration in the console or through the API. Applying overwrites it with your
configuration. To keep the change, add it to your configuration.

### *Two resources for the … of SDKAppID …*

Two blocks, or two objects in the state, manage the same application and service.
[Reading plans](reading-plans.md#two-objects-of-one-application) explains what happens to them.

### A resource with `create_before_destroy` cannot be replaced and changed at once

Before Terraform 1.16, and on OpenTofu, the old object looks like someone else's when the new one is created, and the apply
says *SDKAppID … already has a …*. Apply the change first and replace the resource then, or set `overwrite_existing = true`
for one apply.

### `terraform destroy` fails with a plan error

`terraform destroy` first refreshes the state with a normal plan. `terraform destroy -refresh=false` skips that.

### *Provider produced inconsistent final plan*

The plan and the apply ran with different environments, such as different values of `TENCENT_SDK_APP_ID`. The provider
reports this itself where it can, but when Terraform creates an object, it gives the provider nothing to compare. Apply with
the same variables, or run a new plan.

### *… doesn't match any of the checksums previously recorded in the dependency lock file*

The installed build of the provider is not the one in `.terraform.lock.hcl`: see [Upgrading](upgrading.md). Your own build
can have the same version number as the build that your team uses.

### A warning appears twice

Terraform validates a configuration more than once, each time in a new process of the provider, which cannot know what was said
before. An apply without a saved plan, and a plan of an older Terraform, end the message with *and one more similar warning
elsewhere*. It is the same mistake in the same place.

### *Unrecognized remote plugin message*

The provider could not start. Its message names the directory in which it could not create its socket. Set `TMPDIR` to an
existing directory that you can write to.

### *could not connect to …*

The provider's source address is `callkit/tencent`. If it is misspelled, `terraform init` asks a registry that does not
have the provider. The same message appears if the provider is not installed on this machine: see *Install* in the
project's README. If your CLI configuration says where to find providers, it hides an installed one: install it with `--dir`.

### More detail

`TF_LOG_PROVIDER=debug terraform plan` logs every call, without secrets. `TF_LOG_PROVIDER_TENCENT` sets the level for this
provider alone, but Terraform shows nothing unless `TF_LOG_PROVIDER` or `TF_LOG` is set as well.
";

/// Returns the page `docs/guides/errors.md`.
pub(crate) fn page() -> String {
    let v4 = format!("{INTRODUCTION}{TABLE}{}", table(ApiVersion::V4));
    v4 + LEGACY + TABLE + &table(ApiVersion::V1) + SYMPTOMS
}

/// Writes the rows of the codes of a version of the API.
fn table(version: ApiVersion) -> String {
    let mut rows = String::new();
    let (key, user_sig) = (Credentials::SecretKey("".to_owned().into()), Credentials::UserSig("".to_owned().into()));
    let mut codes: Vec<_> = ErrorCode::documented(version).collect();
    codes.sort_unstable();
    for code in codes {
        let advice = match (code.advice(&key), code.advice(&user_sig)) {
            (advice, with_user_sig) if advice == with_user_sig => advice.to_owned(),
            (advice, with_user_sig) => format!("{advice} With a ready-made UserSig: {with_user_sig}"),
        };
        let retried = match code.retry() {
            Retry::No => "",
            Retry::Yes => "yes",
            Retry::SlowDown => "yes, more slowly",
            Retry::Resign => "once, with a new UserSig",
        };
        writeln!(rows, "| {code} | {} | {advice} | {retried} |", code.meaning()).expect("memory");
    }
    rows
}
