//! `ACTION FORM\nBYTES`: the answer to `get`, `set` or `delete`: a `body` with a valid head, or the whole `http`. In it, `{sig}`
//! becomes the UserSig of the request, and `{url}` the URL it sets. The public client calls a server on loopback in the same
//! thread.

#![no_main]

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use terraform_provider_tencent::tencent::{
    ApiVersion, App, CallbackConfiguration, Client, Credentials, Error, Overwrite, Patience, SdkAppId, Service, Settings,
};
use terraform_provider_tencent_fuzz::block_on;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const CALLS: Service = Service { version: ApiVersion::V4, path_segment: "call_config", overwrite: Overwrite::BySet };

/// The number of paths that the inputs use in turn: after a "too fast" answer, calls to a path stay slow for a while.
const PATHS: u32 = 1000;

struct World {
    listener: TcpListener,
    client: Client,
    paths: u32,
}

impl World {
    fn new() -> Self {
        let listener = block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let settings = Settings {
            request_timeout: Duration::from_secs(1),
            max_retries: 1,
            requests_per_second: NonZeroU32::MAX,
            ..Settings::default()
        };
        let world = Self { listener, client: Client::new(settings), paths: 0 };
        // The first call takes longer, because it reads the system's certificates.
        let ok = br#"{"ActionStatus":"OK","ErrorCode":0}"#;
        world.exchange("delete", "body", ok, "", Duration::from_secs(10)).0.expect("success");
        world
    }

    /// Makes a call that is answered with `bytes`, and returns its result and its UserSig.
    fn exchange(
        &self,
        action: &str,
        form: &str,
        bytes: &[u8],
        url: &str,
        time: Duration,
    ) -> (Result<(), Error>, String) {
        let address = self.listener.local_addr().expect("an address");
        let endpoint = format!("http://{address}/{}/", self.paths).parse().expect("an endpoint");
        let id = SdkAppId::try_from(1_400_000_001).expect("an SDKAppID");
        let key = Credentials::SecretKey("tok3n".to_owned().into());
        let app = App::new(id, "administrator".into(), key, endpoint);
        let mut user_sig = String::new();
        let patience = Patience::of(time);
        let bytes = quote(bytes, b"{url}", url);
        let outcome = block_on(async {
            tokio::select! {
                outcome = call(&self.client, &app, action, url, &patience) => outcome,
                never = serve(&self.listener, form, &bytes, &mut user_sig) => match never {},
            }
        });
        (outcome, user_sig)
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Some((action, form)) = std::str::from_utf8(&data[..end]).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let bytes = &data[end + 1..];
    if !matches!(action, "get" | "set" | "delete") || !matches!(form, "body" | "http") {
        return;
    }
    WORLD.with_borrow_mut(|world| {
        // A URL that the input cannot contain.
        let secret = format!("{:016x}", RandomState::new().hash_one(data));
        let url = format!("https://user:{secret}@hooks.example.com/?token={secret}");
        // Little time, because a retry waits up to half a second.
        let (outcome, user_sig) = world.exchange(action, form, bytes, &url, Duration::from_millis(20));
        let Err(error) = outcome else { return };
        let text = format!("{error} {error:?} {}", error.kind.advice(&Credentials::SecretKey(String::new().into())));
        assert!(user_sig.is_empty() || !text.contains(&user_sig), "{text}");
        assert!(!text.contains(&secret), "{text}");
        world.paths += 1;
        if world.paths == PATHS {
            *world = World::new();
        }
    });
});

async fn call(client: &Client, app: &App, action: &str, url: &str, patience: &Patience) -> Result<(), Error> {
    match action {
        "get" => client.get::<CallbackConfiguration>(app, CALLS, patience).await.map(|_| ()),
        "set" => {
            let configuration = CallbackConfiguration {
                url: url.to_owned().into(),
                callback_commands: ["Call.CallbackAfterEndCall".to_owned()].into(),
            };
            client.put(app, CALLS, &configuration, false, &mut patience.clone()).await.map(|_| ())
        }
        _ => client.delete::<CallbackConfiguration>(app, CALLS, &mut patience.clone()).await.map(|_| ()),
    }
}

enum Never {}

/// Answers every request with `bytes`, until it is dropped.
async fn serve(listener: &TcpListener, form: &str, bytes: &[u8], user_sig: &mut String) -> Never {
    let mut connections = Vec::new();
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        // Avoids TIME_WAIT, because there are more connections than ports.
        let _ = stream.set_zero_linger();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                break;
            }
        }
        let request = String::from_utf8_lossy(&request);
        if let Some((sig, _)) = request.split_once("usersig=").and_then(|(_, rest)| rest.split_once('&')) {
            sig.clone_into(user_sig);
        }
        let bytes = quote(bytes, b"{sig}", user_sig);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
        let head = if form == "body" { head.as_bytes() } else { b"" };
        let _ = stream.write_all(&[head, &bytes].concat()).await;
        let _ = stream.shutdown().await;
        connections.push(stream);
    }
}

/// Replaces `name` in `bytes` by `text`.
fn quote(bytes: &[u8], name: &[u8], text: &str) -> Vec<u8> {
    let mut quoted = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(name.len()).position(|window| window == name) {
        quoted.extend_from_slice(&rest[..at]);
        quoted.extend_from_slice(text.as_bytes());
        rest = &rest[at + name.len()..];
    }
    quoted.extend_from_slice(rest);
    quoted
}
