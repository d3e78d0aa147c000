//! An S3 bucket on loopback: only what Terraform's backend uses, with the conditional writes its lock file relies on.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tencent_simulator::HttpRequest;

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The bucket, and the STS that identifies its client.
pub(crate) struct Bucket {
    address: SocketAddr,
    objects: Objects,
}

impl Bucket {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let bucket = Self { address: listener.local_addr()?, objects: Objects::default() };
        let objects = Arc::clone(&bucket.objects);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let objects = Arc::clone(&objects);
                // A failure here is a failure at the client, too.
                thread::spawn(move || answer(stream, &objects));
            }
        });
        Ok(bucket)
    }

    /// Returns the environment variables of a client.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        let url = format!("http://{}", self.address);
        [
            ("AWS_ENDPOINT_URL_S3", url.clone()),
            ("AWS_ENDPOINT_URL_STS", url),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "example".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            // Otherwise, the bucket's name would be part of the host name.
            ("TF_CLI_ARGS_init", "-backend-config=use_path_style=true".to_owned()),
        ]
    }

    /// Returns the names of the objects, with the bucket's name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Removes all objects.
    pub(crate) fn clear(&self) {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, objects: &Objects) -> io::Result<()> {
    let request = HttpRequest::read(&mut BufReader::new(&stream))?;
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match request.method.as_str() {
        "POST" => ("200 OK", IDENTITY.into()),
        "GET" if query.contains("prefix=") => ("200 OK", b"<ListBucketResult></ListBucketResult>".to_vec()),
        "GET" | "HEAD" => match objects.get(path) {
            Some(object) => ("200 OK", object.clone()),
            None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        },
        "PUT" if request.header("if-none-match").is_some() && objects.contains_key(path) => {
            ("412 Precondition Failed", b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
        }
        "PUT" => {
            objects.insert(path.to_owned(), request.body);
            ("200 OK", Vec::new())
        }
        "DELETE" => {
            objects.remove(path);
            ("204 No Content", Vec::new())
        }
        _ => ("501 Not Implemented", Vec::new()),
    };
    drop(objects);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}

const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/example</Arn><UserId>EXAMPLE</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"#;
