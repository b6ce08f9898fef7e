//! A server that speaks as much of S3 as a volume needs, and fails on command.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How requests are answered.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// Status 500.
    Failing,
    /// Status 403, with a page that repeats the request's headers as some servers do.
    Denying,
    /// Status 404, since there is no such bucket.
    Bucketless,
    /// Only this much later.
    Slow(Duration),
    /// Objects are taken only this much later; everything else goes well.
    SlowToTake(Duration),
    /// Bodies of answers break off in the middle.
    Half,
    /// Requests are read and not answered; their connections break when the mood changes.
    Silent,
}

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: BTreeMap<String, String>,
    modified: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    mood: watch::Sender<Mood>,
    /// Keys without the bucket.
    pub(crate) objects: Mutex<BTreeMap<String, Stored>>,
    pub(crate) requests: AtomicUsize,
    /// Requests that bring an object.
    pub(crate) puts: AtomicUsize,
    address: Mutex<String>,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Server {
    pub(crate) async fn start() -> Arc<Server> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Server::default());
        *server.address.lock().unwrap() = listener.local_addr().unwrap().to_string();
        let this = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = Arc::clone(&this);
                // A client that goes away ends its connection with an error nobody needs.
                tokio::spawn(async move { this.serve(BufStream::new(stream)).await.ok() });
            }
        });
        server
    }

    pub(crate) fn bucket(&self) -> String {
        format!("http://{}/bucket", self.address.lock().unwrap())
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    async fn serve(&self, mut stream: BufStream<TcpStream>) -> std::io::Result<()> {
        while let Some(request) = read_request(&mut stream).await? {
            self.requests.fetch_add(1, Ordering::Relaxed);
            if request.method == "PUT" {
                self.puts.fetch_add(1, Ordering::Relaxed);
            }
            let mood = self.mood.borrow().clone();
            let (status, headers, body) = match &mood {
                Mood::Failing => (
                    500,
                    String::new(),
                    b"<Error><Code>InternalError</Code></Error>".to_vec(),
                ),
                Mood::Denying => {
                    let words = format!(
                        "<Error><Code>AccessDenied</Code><Message>{:?}</Message></Error>",
                        request.headers
                    );
                    (403, String::new(), words.into_bytes())
                }
                Mood::Bucketless => (
                    404,
                    String::new(),
                    b"<Error><Code>NoSuchBucket</Code></Error>".to_vec(),
                ),
                Mood::Silent => {
                    let silent = |mood: &Mood| matches!(mood, Mood::Silent);
                    let _ = self.mood.subscribe().wait_for(|mood| !silent(mood)).await;
                    return Ok(());
                }
                Mood::Slow(by) => {
                    tokio::time::sleep(*by).await;
                    self.answer(&request)
                }
                Mood::SlowToTake(by) => {
                    if request.method == "PUT" {
                        tokio::time::sleep(*by).await;
                    }
                    self.answer(&request)
                }
                Mood::Well | Mood::Half => self.answer(&request),
            };
            let body = if request.method == "HEAD" {
                Vec::new()
            } else {
                body
            };
            let length = match headers.contains("content-length") {
                true => String::new(),
                false => format!("content-length: {}\r\n", body.len()),
            };
            let head = format!("HTTP/1.1 {status} -\r\n{length}{headers}\r\n");
            stream.write_all(head.as_bytes()).await?;
            if matches!(mood, Mood::Half) && !body.is_empty() {
                stream.write_all(&body[..body.len() / 2]).await?;
                stream.flush().await?;
                return Ok(());
            }
            stream.write_all(&body).await?;
            stream.flush().await?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> (u16, String, Vec<u8>) {
        let missing = || {
            (
                404,
                String::new(),
                b"<Error><Code>NoSuchKey</Code></Error>".to_vec(),
            )
        };
        let path = request.path.strip_prefix("/bucket").unwrap_or_default();
        let key = path.trim_start_matches('/').to_owned();
        let mut objects = self.objects.lock().unwrap();
        match request.method.as_str() {
            "PUT" => {
                let stored = Stored {
                    body: request.body.clone(),
                    headers: request.headers.clone(),
                    modified: Timestamp::now(),
                };
                objects.insert(key, stored);
                (200, "etag: \"1\"\r\n".to_owned(), Vec::new())
            }
            "DELETE" => {
                objects.remove(&key);
                (204, String::new(), Vec::new())
            }
            "GET" if key.is_empty() => (200, String::new(), list(&objects, &request.query).into_bytes()),
            _ => {
                let Some(stored) = objects.get(&key) else {
                    return missing();
                };
                let modified = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&stored.modified);
                let mut headers = format!("etag: \"1\"\r\nlast-modified: {}\r\n", modified.unwrap());
                if let Some(sum) = stored.headers.get("x-amz-meta-crc32c") {
                    headers.push_str(&format!("x-amz-meta-crc32c: {sum}\r\n"));
                }
                if request.method == "HEAD" {
                    headers.push_str(&format!("content-length: {}\r\n", stored.body.len()));
                    return (200, headers, Vec::new());
                }
                match request
                    .headers
                    .get("range")
                    .and_then(|range| range.strip_prefix("bytes="))
                {
                    None => (200, headers, stored.body.clone()),
                    Some(range) => {
                        let (from, to) = range.split_once('-').unwrap();
                        let from: usize = from.parse().unwrap();
                        let to = to.parse::<usize>().map_or(stored.body.len(), |to| to + 1);
                        if from >= stored.body.len() {
                            return (
                                416,
                                String::new(),
                                b"<Error><Code>InvalidRange</Code></Error>".to_vec(),
                            );
                        }
                        let to = to.min(stored.body.len());
                        headers.push_str(&format!(
                            "content-range: bytes {from}-{}/{}\r\n",
                            to - 1,
                            stored.body.len()
                        ));
                        (206, headers, stored.body[from..to].to_vec())
                    }
                }
            }
        }
    }
}

/// A page of `ListObjectsV2`.
fn list(objects: &BTreeMap<String, Stored>, query: &BTreeMap<String, String>) -> String {
    let text = |name: &str| query.get(name).cloned().unwrap_or_default();
    let after = text("continuation-token").max(text("start-after"));
    let most = text("max-keys").parse().unwrap_or(1000);
    let mut found: Vec<_> = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&text("prefix")) && **key > after)
        .take(most + 1)
        .collect();
    let more = found.len() > most;
    found.truncate(most);
    let contents: String = found
        .iter()
        .map(|(key, stored)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>{:.3}</LastModified>\
                 <ETag>\"1\"</ETag><Size>{}</Size></Contents>",
                stored.modified,
                stored.body.len()
            )
        })
        .collect();
    let next = match found.last() {
        Some((key, _)) if more => format!("<NextContinuationToken>{key}</NextContinuationToken>"),
        _ => String::new(),
    };
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>"
    )
}

async fn read_request(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let url = url::Url::parse(&format!("http://host{target}")).unwrap();
    Ok(Some(Request {
        method,
        path: decoded(url.path()),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body,
    }))
}

/// A path without its percent signs; clients send a plus sign as one of those, never as itself.
fn decoded(path: &str) -> String {
    let pair = format!("path={path}");
    url::form_urlencoded::parse(pair.as_bytes())
        .map(|(_, value)| value.into_owned())
        .next()
        .unwrap()
}
