//! Calls with a UserSig made elsewhere, and a comparison of ours with those of Tencent's SDK.
//!
//! Tencent's SDK is PyPI's `tls-sig-api-v2`. The first run installs it into a virtual environment below Cargo's target
//! directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tencent_simulator::Action::{Get, Set};
use tencent_simulator::App;
use terraform_cli::Output;
use terraform_provider_tencent::tencent::{SdkAppId, UserSig};

use crate::harness::{ID, KEY, Result, START, Scenario, URL, diagnostic, key, sends, this};

const HOUR: Duration = Duration::from_secs(3600);

fn signed(identifier: &str, id: u64, at: SystemTime) -> Result<String> {
    let id = SdkAppId::try_from(id)?;
    Ok(UserSig::sign(&KEY.to_owned().into(), identifier, id, at, HOUR).expose().to_owned())
}

/// Starts with a provider that has this UserSig, and no key.
fn with_user_sig(user_sig: &str) -> Result<Scenario> {
    let mut scenario = Scenario::new()?;
    scenario.workspace.remove_env("TENCENT_SECRET_KEY").env("TENCENT_USER_SIG", user_sig);
    scenario.configure(&this(&sends(&[START], URL)))?;
    Ok(scenario)
}

#[test]
fn a_user_sig_suffices_without_the_key() -> Result {
    let user_sig = signed("administrator", ID, SystemTime::now())?;
    let scenario = with_user_sig(&user_sig)?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()?;
    assert!(scenario.simulator.requests().iter().all(|r| r.user_sig.as_ref() == Some(&user_sig)));
    Ok(())
}

#[test]
fn the_executable_signs_a_user_sig_for_a_job_without_the_key() -> Result {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    command.args(["user-sig", "--expires-in", "30d"]).env_clear();
    command.envs([("TENCENT_SDK_APP_ID", ID.to_string()), ("TENCENT_SECRET_KEY", KEY.to_owned())]);
    command.env("TENCENT_IDENTIFIER", "terraform");
    let printed = command.output()?;
    let user_sig = String::from_utf8(printed.stdout)?.trim_end().to_owned();
    assert_eq!((printed.status.code(), String::from_utf8(printed.stderr)?), (Some(0), String::new()));
    assert_eq!(UserSig::from(user_sig.clone()).claims()?.lifetime, 30 * 24 * HOUR.as_secs());

    let mut scenario = with_user_sig(&user_sig)?;
    scenario.workspace.env("TENCENT_IDENTIFIER", "terraform");
    scenario.simulator.add_app(App::new(ID, KEY).administrator("terraform"));
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn an_unusable_user_sig_is_refused_before_any_call() -> Result {
    let now = SystemTime::now();
    let whole = signed("administrator", ID, now)?;
    for (user_sig, said) in [
        (signed("administrator", ID + 1, now)?, "it was made for SDKAppID 1400000002"),
        (signed("someone", ID, now)?, "it was made for the identifier \"someone\""),
        (signed("administrator", ID, now - 2 * HOUR)?, "it expired at"),
        (whole[..whole.len() - 8].to_owned(), "it is not a UserSig of version 2.0"),
        ("nonsense".to_owned(), "it is not a UserSig of version 2.0"),
    ] {
        let scenario = with_user_sig(&user_sig)?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_code(1).expect_lacks(&user_sig);
        let error = diagnostic(&plan, said);
        assert!(error.starts_with("Error") && error.contains("TENCENT_USER_SIG"), "{error}");
        assert_eq!(scenario.calls(), []);
    }
    Ok(())
}

#[test]
fn a_user_sig_of_another_administrator_needs_its_identifier() -> Result {
    let mut scenario = with_user_sig(&signed("terraform", ID, SystemTime::now())?)?;
    scenario.simulator.add_app(App::new(ID, KEY).administrator("terraform"));
    diagnostic(&scenario.run(&["plan"])?, "Set identifier (TENCENT_IDENTIFIER)");
    scenario.workspace.env("TENCENT_IDENTIFIER", "terraform");
    scenario.apply()?;
    scenario.expect_no_changes()
}

#[test]
fn a_user_sig_that_expires_soon_is_a_warning() -> Result {
    let day = 24 * HOUR;
    for (lifetime, warns) in [(day, false), (2 * day, true), (6 * day, true), (8 * day, false), (180 * day, false)] {
        let user_sig = UserSig::sign(
            &KEY.to_owned().into(),
            "administrator",
            SdkAppId::try_from(ID)?,
            SystemTime::now(),
            lifetime,
        );
        let scenario = with_user_sig(user_sig.expose())?;
        let plan = scenario.run(&["plan"])?;
        plan.expect_success();
        assert_eq!(plan.text().contains("A UserSig expires soon"), warns, "{lifetime:?}: {plan}");
        if warns {
            let warning = diagnostic(&plan, "A UserSig expires soon");
            assert!(warning.contains("(TENCENT_USER_SIG) expires at 2") && warning.contains(" UTC."), "{warning}");
        }
    }
    Ok(())
}

#[test]
fn the_refusal_of_a_user_sig_is_explained() -> Result {
    let scenario = with_user_sig(&signed("administrator", ID, SystemTime::now())?)?;
    scenario.simulator.add_app(App::new(ID, "another key"));
    let applied = scenario.try_apply()?;
    applied.expect_failure();
    let error = diagnostic(&applied, "Error: ");
    for said in
        ["error 70009", "The UserSig must be signed", "as \"administrator\" with the UserSig (TENCENT_USER_SIG)"]
    {
        assert!(error.contains(said), "{error}");
    }
    Ok(())
}

#[test]
fn a_user_sig_works_for_one_application_only() -> Result {
    // The resource names another application than the UserSig.
    let scenario = with_user_sig(&signed("administrator", ID, SystemTime::now())?)?;
    scenario.simulator.add_app(App::new(ID + 1, key(ID + 1)));
    scenario.configure(&this(&(sends(&[START], URL) + &format!("sdk_app_id = {}", ID + 1))))?;
    let refused = |output: &Output| {
        output.expect_failure();
        let error = diagnostic(output, "has no credentials for SDKAppID 1400000002");
        assert!(error.contains("It has credentials for SDKAppID 1400000001."), "{error}");
        assert!(!error.contains("destroy"), "nothing is in the state: {error}");
    };
    refused(&scenario.run(&["plan"])?);
    refused(&scenario.try_apply()?);
    assert_eq!((scenario.calls(), scenario.instances()?), (vec![], 0));
    Ok(())
}

#[test]
fn a_user_sig_signed_with_another_key_is_refused_by_tencent() -> Result {
    let scenario = with_user_sig(&signed("administrator", ID, SystemTime::now())?)?;
    scenario.simulator.add_app(App::new(ID, "another key"));
    let applied = scenario.try_apply()?;
    applied.expect_failure().expect_contains("error 70009");
    assert!(scenario.calls().contains(&Get));
    assert_eq!(scenario.remote(), None);
    Ok(())
}

#[test]
fn a_plan_made_with_a_user_sig_can_be_applied_with_the_key() -> Result {
    // The job of a pull request may not hold the key.
    let mut scenario = with_user_sig(&signed("administrator", ID, SystemTime::now())?)?;
    scenario.run(&["plan", "-out=tfplan"])?.expect_success();
    scenario.workspace.remove_env("TENCENT_USER_SIG").env("TENCENT_SECRET_KEY", KEY);
    scenario.simulator.clear_requests();
    scenario.run(&["apply", "tfplan"])?.expect_success();
    assert_eq!(scenario.writes(), [Set]);
    scenario.expect_no_changes()
}

/// Python with Tencent's SDK for UserSigs.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    tls_sig_api().unwrap_or_else(|cause| {
        panic!("PyPI's tls-sig-api-v2 is needed, and for that Python 3 with venv and pip, and a way to PyPI: {cause}")
    })
});

/// Installs the SDK unless it is there. The directory appears complete or not at all; the first process wins.
fn tls_sig_api() -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let complete = target.join("tls-sig-api-v2-1.1");
    let python = complete.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    let partial = target.join(format!("tls-sig-api-v2-1.1.partial-{}", process::id()));
    let partial_python = partial.join("bin/python");
    run(Command::new("python3").args(["-m", "venv"]).arg(&partial))?;
    run(Command::new(partial_python).args(["-m", "pip", "install", "--quiet", "--no-input", "tls-sig-api-v2==1.1"]))?;
    let renamed = fs::rename(&partial, &complete);
    if renamed.is_err() {
        fs::remove_dir_all(&partial)?;
    }
    if python.exists() { Ok(python) } else { renamed.map(|()| python).map_err(Into::into) }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|cause| format!("{command:?}: {cause}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a script that may use `TLSSigAPIv2` and `arguments`, and returns its output.
fn python(script: &str, arguments: &Value) -> Result<String> {
    let script = format!("import json, sys, time, zlib, TLSSigAPIv2\narguments = json.loads(sys.argv[1])\n{script}");
    run(Command::new(&*PYTHON).args(["-I", "-c", &script, &arguments.to_string()])).map(|text| text.trim().to_owned())
}

/// Signs a UserSig with Tencent's SDK, as if at this time.
fn signed_by_tencent(identifier: &str, id: u64, at: u64, lifetime: u64) -> Result<String> {
    let script = "
time.time = lambda: arguments['at']
print(TLSSigAPIv2.TLSSigAPIv2(arguments['id'], arguments['key']).gen_sig(arguments['identifier'], arguments['lifetime']))
";
    python(script, &json!({ "id": id, "key": KEY, "identifier": identifier, "at": at, "lifetime": lifetime }))
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

#[test]
fn a_user_sig_made_by_tencents_sdk_is_accepted() -> Result {
    let now = now()?;
    let user_sig = signed_by_tencent("administrator", ID, now, 3600)?;
    let claims = UserSig::from(user_sig.clone()).claims()?;
    assert_eq!((claims.identifier.as_str(), claims.sdk_app_id), ("administrator", ID));
    assert_eq!((claims.issued_at, claims.lifetime), (now, 3600));

    let scenario = with_user_sig(&user_sig)?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    scenario.expect_no_changes()
}

#[test]
fn user_sigs_equal_those_of_tencents_sdk() -> Result {
    let unpack = "
print(json.dumps([json.loads(zlib.decompress(TLSSigAPIv2.base64_decode_url(sig.encode()))) for sig in arguments]))
";
    for (identifier, id, at, lifetime) in [
        ("administrator", ID, now()?, 3600),
        ("管理员 \"1\"", 4_294_967_295, 1_700_000_000, 86400 * 180),
        ("a\\b/c+d", 1, 1, 0),
    ] {
        let theirs = signed_by_tencent(identifier, id, at, lifetime)?;
        let when = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let ours = UserSig::sign(
            &KEY.to_owned().into(),
            identifier,
            SdkAppId::try_from(id)?,
            when,
            Duration::from_secs(lifetime),
        );
        let documents: Vec<Value> = serde_json::from_str(&python(unpack, &json!([theirs, ours.expose()]))?)?;
        assert_eq!(documents[0], documents[1], "the same document, signature included");
        assert_eq!(documents[0]["TLS.identifier"], identifier);
        assert!(documents[0]["TLS.sig"].as_str().is_some_and(|sig| sig.len() == 44), "{documents:?}");
        assert_eq!(UserSig::from(theirs).claims()?, ours.claims()?);
    }
    Ok(())
}
