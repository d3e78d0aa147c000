//! The workflow in a real forge: Gitea, with its own runner. `forge/run` builds both, and runs this test.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use terraform_cli::{Output, python_with, target_directory};

use crate::machine::{Machine, Result, kit, program};
use crate::{Repository, URL, actions, secrets};

/// The owner of the repository.
const USER: &str = "mei";
const REPOSITORY: &str = "repos/mei/tencent-infra";
/// The check that the README says to require, as Gitea names it.
const CHECK: &str = "callback / plan (pull_request)";

/// Gitea. Its runner runs whenever a job waits.
struct Forge<'a> {
    machine: &'a Machine,
    directory: PathBuf,
    /// Gitea's URL, without its scheme.
    host: String,
    token: String,
    server: Option<Child>,
}

impl Drop for Forge<'_> {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // If Gitea has ended already, there is nothing to do.
            let _ = server.kill().and_then(|()| server.wait());
        }
    }
}

impl<'a> Forge<'a> {
    fn start(machine: &'a Machine) -> Result<Self> {
        let directory = machine.path("forge");
        fs::create_dir(&directory)?;
        let host = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let settings = SETTINGS
            .replace("$PORT", &host.port().to_string())
            .replace("$SOURCE", &built("gitea-source")?)
            .replace("$DIRECTORY", &directory.to_string_lossy());
        fs::write(directory.join("app.ini"), settings)?;
        let mut forge = Self { machine, directory, host: host.to_string(), token: String::new(), server: None };
        forge.gitea(&["migrate"])?;
        let user = ["admin", "user", "create", "--admin", "--username", USER, "--email", "a@example.com"];
        let token = ["--random-password", "--access-token", "--access-token-scopes", "all"];
        let created = forge.gitea(&[&user[..], &token].concat())?;
        let token =
            created.stdout().lines().find_map(|line| line.strip_prefix("Access token was successfully created... "));
        forge.token = token.ok_or("no token")?.trim().to_owned();

        // If this process is killed, Gitea ends, too.
        let web = ["setpriv", "--pdeathsig=KILL", &*built("gitea")?, "--config=app.ini", "web"];
        let mut server = machine.command(&web, &forge.directory, &as_root());
        forge.server = Some(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let started = Instant::now();
        while let Err(error) = forge.call("GET", "version", None) {
            assert!(started.elapsed() < Duration::from_secs(60), "Gitea does not answer: {error}");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(forge)
    }

    /// Runs a command of Gitea that must succeed.
    fn gitea(&self, arguments: &[&str]) -> Result<Output> {
        let program = [&*built("gitea")?, "--config=app.ini"];
        let output = self.machine.run(&[&program[..], arguments].concat(), &self.directory, &as_root())?;
        output.expect_success();
        Ok(output)
    }

    /// Calls Gitea's API.
    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("http://{}/api/v1/{path}", self.host);
        let (token, body) = (format!("Authorization: token {}", self.token), body.map(|body| body.to_string()));
        let mut curl = vec!["curl", "--silent", "--show-error", "--fail-with-body", "--request", method, &url];
        curl.extend(["--header", &token, "--header", "Content-Type: application/json"]);
        curl.extend(body.iter().flat_map(|body| ["--data", body]));
        let output = self.machine.run(&curl, &self.directory, &[])?;
        if !output.success() {
            return Err(output.to_string().into());
        }
        Ok(serde_json::from_str(output.stdout()).unwrap_or_default())
    }

    /// Creates the repository, its secrets, and the actions that its workflow uses.
    fn create_repository(&self, repository: &Repository) -> Result {
        self.call("POST", "user/repos", Some(json!({ "name": "tencent-infra", "default_branch": "main" })))?;
        let url = format!("http://{USER}:{}@{}/{USER}/tencent-infra.git", self.token, self.host);
        repository.git(&format!("git remote set-url origin {url} && git push --quiet origin main"))?;
        // Gitea has no environments.
        for (name, value) in self.machine.secrets(None)?.as_object().into_iter().flatten() {
            self.call("PUT", &format!("{REPOSITORY}/actions/secrets/{name}"), Some(json!({ "data": value })))?;
        }
        for (action, text) in actions::stand_ins(&repository.directory, &self.directory)? {
            let (name, version) = action.split_once('@').ok_or("a version")?;
            let (owner, name) = name.split_once('/').ok_or("an owner")?;
            if self.call("GET", &format!("orgs/{owner}"), None).is_err() {
                self.call("POST", "orgs", Some(json!({ "username": owner })))?;
            }
            let new = json!({ "name": name, "auto_init": true, "default_branch": version });
            self.call("POST", &format!("orgs/{owner}/repos"), Some(new))?;
            let content = json!({ "content": STANDARD.encode(text) });
            self.call("POST", &format!("repos/{owner}/{name}/contents/action.yml"), Some(content))?;
        }
        Ok(())
    }

    /// Registers a runner that runs its jobs on this machine.
    fn register_runner(&self) -> Result {
        let new = self.call("GET", "admin/runners/registration-token", None)?;
        let url = format!("http://{}", self.host);
        let command = [&*built("runner")?, "register", "--no-interactive", "--name=runner", "--instance", &url];
        let more = ["--labels=ubuntu-latest:host", "--token", new["token"].as_str().ok_or("no token")?];
        fs::write(self.directory.join("runner.yml"), "cache:\n  enabled: false\n")?;
        self.machine.run(&[&command[..], &more].concat(), &self.directory, &[])?.expect_success();
        Ok(())
    }

    /// Runs jobs until the plan job of the branch's last commit has ended, and returns the state of its check.
    fn check(&self, branch: &str) -> Result<String> {
        let daemon = [&*built("runner")?, "daemon", "--once", "--config=runner.yml"];
        let path = format!("{REPOSITORY}/commits/{branch}/statuses?sort=recentupdate");
        loop {
            // Waits for a job.
            self.machine.run(&daemon, &self.directory, &[])?.expect_success();
            let statuses = self.call("GET", &path, None)?;
            let plan = statuses.as_array().into_iter().flatten().find(|status| status["context"] == CHECK);
            match plan.and_then(|status| status["status"].as_str()) {
                None | Some("pending") => {}
                Some(state) => return Ok(state.to_owned()),
            }
        }
    }

    /// Takes a picture of the pull request's page, from its title to the end of the first comment.
    fn photograph(&self, number: &Value) -> Result {
        let url = format!("http://{}/{USER}/tencent-infra/pulls/{number}", self.host);
        let page = self.directory.join("page.png");
        let screenshot = format!("--screenshot={}", page.display());
        let chromium = [&*built("chromium/run")?, "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=5000"];
        let more = ["--window-size=1280,935", &screenshot, &url];
        self.machine.run(&[&chromium[..], &more].concat(), &self.directory, &[])?.expect_success();
        let (python, picture) = (python_with("pillow", "13.0.0")?, kit().join("pull-request.png"));
        let cropped = Command::new(python).args(["-c", CROP]).args([page, picture]).status()?;
        assert!(cropped.success());
        Ok(())
    }
}

/// Returns the path of something that `forge/run` has built.
fn built(name: &str) -> Result<String> {
    let path = target_directory()?.join("forge").join(name);
    if !path.exists() {
        return Err(format!("there is no {}: run tests/plan_review/forge/run", path.display()).into());
    }
    Ok(path.to_string_lossy().into_owned())
}

/// Returns the variable that lets Gitea run even as root, which is the only user of many a container.
fn as_root() -> [(String, String); 1] {
    [("GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT".to_owned(), "true".to_owned())]
}

#[test]
#[ignore = "needs Gitea; tests/plan_review/forge/run builds it, and runs the test"]
fn gitea_shows_the_plan_of_a_pull_request_and_what_the_policy_refuses() -> Result {
    let Some(repository) = Repository::new()? else { return Ok(()) };
    let machine = &repository.machine;
    // A server on the internet. Nothing runs for this push: the apply would probe that server.
    repository.edit("main.tf", &repository.url("call"), URL)?;
    repository.edit("policy.json", "127.0.0.1", "hooks.example.com")?;
    // The simulator stands in for every region.
    repository.edit("versions.tf", "  region = \"singapore\"\n", "")?;
    repository.git("git commit --quiet --all --message='Start [skip ci]'")?;
    machine.bash("terraform apply -auto-approve", &repository.directory, &secrets())?;

    let forge = Forge::start(machine)?;
    forge.create_repository(&repository)?;
    forge.register_runner()?;
    program(&machine.path("bin/gh"), GH)?;

    // Another host, which the policy refuses.
    let title = "Send call events to the new host";
    repository.edit("main.tf", URL, "https://hooks.example.net/call")?;
    repository.git(&format!(
        "git switch --quiet --create=next-version; git commit --quiet --all --message='{title}'; git push --quiet origin HEAD"
    ))?;
    let body = "The receiver has moved to `hooks.example.net`.";
    let new = json!({ "title": title, "body": body, "head": "next-version", "base": "main" });
    let number = forge.call("POST", &format!("{REPOSITORY}/pulls"), Some(new))?["number"].take();
    assert_eq!(forge.check("next-version")?, "failure");
    let comments = || forge.call("GET", &format!("{REPOSITORY}/issues/{number}/comments"), None);
    let refused = comments()?;
    let text = refused[0]["body"].as_str().ok_or("a comment")?;
    for part in [
        r#"~ url                = "https://hooks.example.com/tencent/call" -> "https://hooks.example.net/call""#,
        "Plan: 0 to add, 1 to change, 0 to destroy.",
        "\n- :x: tencent_call_callback.this: the host hooks.example.net is not allowed\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    if env::var_os("UPDATE_EXPECT").is_some() {
        forge.photograph(&number)?;
    }

    // The next commit changes the comment.
    repository.edit("main.tf", "https://hooks.example.net/call", "https://hooks.example.com/tencent/v2")?;
    repository.commit("next-version")?;
    assert_eq!(forge.check("next-version")?, "success");
    let accepted = comments()?;
    assert_eq!(accepted.as_array().map(Vec::len), Some(1), "{accepted}");
    assert_eq!(accepted[0]["id"], refused[0]["id"]);
    let text = accepted[0]["body"].as_str().ok_or("a comment")?;
    assert!(text.contains(r#"-> "https://hooks.example.com/tencent/v2""#) && !text.contains(":x:"), "{text}");
    assert_eq!(repository.configured().as_deref(), Some(URL));
    Ok(())
}

const SETTINGS: &str = "RUN_MODE = prod
WORK_PATH = $DIRECTORY
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = $PORT
ROOT_URL = http://127.0.0.1:$PORT/
STATIC_ROOT_PATH = $SOURCE
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
[security]
INSTALL_LOCK = true
[actions]
DEFAULT_ACTIONS_URL = self
[webhook]
ALLOWED_HOST_LIST = loopback
[log]
LEVEL = warn
";

/// Crops a picture, and reduces its colours.
const CROP: &str = "import sys
from PIL import Image
page = Image.open(sys.argv[1]).convert('RGB')
page.crop((0, 140, page.width, page.height)).quantize(256).save(sys.argv[2], optimize=True)";

/// A `gh` for Gitea, which the workflow's own token lets comment.
const GH: &str = r#"#!/usr/bin/env python3
import json, os, sys, urllib.request

_, pr, comment, number, body_file, file, *edit = sys.argv
assert (pr, comment, body_file, edit) == ("pr", "comment", "--body-file", ["--edit-last", "--create-if-none"]), sys.argv
repository = "/".join((os.environ["GITHUB_API_URL"], "repos", os.environ["GITHUB_REPOSITORY"]))

def call(method, path, **body):
    headers = {"Authorization": "token " + os.environ["GH_TOKEN"], "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(repository + path, data, headers, method=method)) as answer:
        return json.load(answer)

text = open(file).read()
comments = f"/issues/{number}/comments"
own = [comment["id"] for comment in call("GET", comments) if comment["user"]["login"] == "gitea-actions"]
if own:
    call("PATCH", f"/issues/comments/{own[-1]}", body=text)
else:
    call("POST", comments, body=text)
"#;
