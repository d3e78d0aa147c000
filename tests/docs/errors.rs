//! The page of errors: Tencent's error codes from the provider's own table, and what else can go wrong.

use std::fmt::Write as _;

use terraform_provider_tencent::tencent::{Credentials, ErrorCode, Retry};

const INTRODUCTION: &str = "\
---
page_title: \"Errors and what to do\"
subcategory: \"\"
description: |-
  Every error code of Tencent's, other symptoms, and what to do about them.
---

<!-- Generated from the provider's table of errors by `UPDATE_EXPECT=1 cargo test --test docs`: edit tests/docs/errors.rs. -->

# Errors and what to do

The message of a failed call shows Tencent's error code, what it means, what to do, where the provider called and with
which credentials, Tencent's own words (`ErrorInfo`), and the `RequestId` that Tencent's support asks for.

## Error codes

A code that says *retried* is tried again up to `max_retries` times, as long as the operation's `timeouts` allow. If
Tencent or a gateway asks to wait for longer than that, the operation fails at once.

| code | meaning | what to do | retried |
| --- | --- | --- | --- |
";

const SYMPTOMS: &str = "
## Other symptoms

### *… no connection could be made …*

The message says why: the name was not found, the connection was refused, the certificate is not trusted. The provider
uses `HTTPS_PROXY` and `NO_PROXY`, and the system's certificates or those in `SSL_CERT_FILE`.

### The plan shows a difference that nobody made

Somebody changed the configuration in the console or with the API. Applying overwrites it with what your configuration
says. To keep the change, write it into your configuration.

### *Two resources for the … of SDKAppID …*

Two blocks, or two objects in the state, manage the same application and service.
[Reading plans](reading-plans.md#two-objects-of-one-application) says what becomes of them.

### A guarded resource cannot be replaced and changed at once

With `overwrite_existing = false` and `create_before_destroy`, the old object looks like somebody else's when Terraform
creates the new one. Set `overwrite_existing` to `true` for one apply.

### `terraform destroy` fails with an error of a plan

Terraform first plans what it would do otherwise. `terraform destroy -refresh=false` skips that.

### *Provider produced inconsistent final plan*

The plan and the apply ran with different environments, such as another `TENCENT_SDK_APP_ID`. Where the provider can see
that, it says so in its own words, but Terraform gives it nothing to compare a creation with. Apply with the same variables,
or run a new plan.

### *Unrecognized remote plugin message*

The provider could not start. Its message names the directory in which it could not make its socket: set `TMPDIR` to a
directory that exists.

### *could not connect to …*

The provider's address is `callkit/tencent`. With a misspelled one, `terraform init` asks a registry that does not have it.
The same message appears if the provider is not installed on this machine: see *Install* in the project's README.

### More detail

`TF_LOG_PROVIDER=debug terraform plan` logs every call, without secrets. `TF_LOG_PROVIDER_TENCENT` sets the level of this
provider alone; Terraform shows nothing unless `TF_LOG_PROVIDER` or `TF_LOG` is set as well.
";

/// The page `docs/guides/errors.md`.
pub(crate) fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let (key, user_sig) = (Credentials::SecretKey("".to_owned().into()), Credentials::UserSig("".to_owned().into()));
    let mut codes: Vec<_> = ErrorCode::documented().collect();
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
        writeln!(page, "| {code} | {} | {advice} | {retried} |", code.meaning()).expect("memory");
    }
    page + SYMPTOMS
}
