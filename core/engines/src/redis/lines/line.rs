//! One connection: a request, then its answers.

use std::io::{self, ErrorKind, Read, Write as _};
use std::time::{Duration, Instant};

use redis::{Client, Parser, RedisResult, Value, cmd};

use super::MOMENT;
use super::stream::Stream;

/// A connection without a request under way.
pub(super) struct Line {
    stream: Stream,
    /// Keeps the part of an answer that has arrived.
    parser: Parser,
    pub(super) used: Instant,
}

impl Line {
    /// Connects and logs in. Blocks for at most the first limit per address and the second one for the login.
    pub(super) fn open(client: &Client, dial_timeout: Duration, read_timeout: Duration) -> RedisResult<Line> {
        let info = client.get_connection_info();
        let mut line = Line {
            stream: Stream::connect(info.addr(), dial_timeout)?,
            parser: Parser::new(),
            used: Instant::now(),
        };
        line.stream.wait_at_most(read_timeout)?;
        let settings = info.redis_settings();
        if let Some(password) = settings.password() {
            let mut login = cmd("AUTH");
            login.arg(settings.username()).arg(password);
            line.ask(&login.get_packed_command())?;
        }
        if settings.db() != 0 {
            line.ask(&cmd("SELECT").arg(settings.db()).get_packed_command())?;
        }
        line.stream.wait_at_most(MOMENT)?;
        Ok(line)
    }

    fn ask(&mut self, request: &[u8]) -> RedisResult<Value> {
        self.send(request)?;
        self.parser.parse_value(&mut self.stream)?.extract_error()
    }

    /// Sends a request that fits into what the system keeps for a connection, so that it does not wait for the server.
    pub(super) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Waits for so many answers: in place for a moment, from then on as a task. Not cancel-safe: the line is lost.
    pub(super) async fn receive(self, count: usize, limit: Duration) -> RedisResult<(Line, Vec<Value>)> {
        let mut answers = Vec::with_capacity(count);
        let Line {
            mut stream,
            mut parser,
            used,
        } = self;
        match gather(&mut parser, &mut stream, &mut answers, count) {
            Ok(()) => {}
            Err(error) if error.is_timeout() => {
                let awaited = stream.awaited()?;
                let rest = async {
                    loop {
                        awaited.readable().await?;
                        match gather(&mut parser, &mut &awaited, &mut answers, count) {
                            Err(error) if error.is_timeout() => {}
                            done => return done,
                        }
                    }
                };
                tokio::time::timeout(limit, rest)
                    .await
                    .unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut).into()))?;
                stream = awaited.blocking()?;
            }
            Err(error) => return Err(error),
        }
        Ok((Line { stream, parser, used }, answers))
    }
}

/// Reads answers until there are so many; what has arrived so far is kept when nothing more is there yet.
fn gather(
    parser: &mut Parser,
    reader: &mut impl Read,
    answers: &mut Vec<Value>,
    count: usize,
) -> RedisResult<()> {
    while answers.len() < count {
        answers.push(parser.parse_value(&mut *reader)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::thread;

    use redis::ConnectionAddr;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    /// A line to a server that answers the first request with these pieces, with a pause before each.
    fn line_to(pieces: Vec<&'static [u8]>, pause: Duration) -> std::io::Result<Line> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || -> io::Result<()> {
            let (mut client, _) = listener.accept()?;
            let mut request = [0; 64];
            let _ = client.read(&mut request)?;
            for piece in pieces {
                thread::sleep(pause);
                client.write_all(piece)?;
            }
            // Open until the other side has enough.
            client.read(&mut request).map(drop)
        });
        let address = ConnectionAddr::Tcp(address.ip().to_string(), address.port());
        Client::open(redis::IntoConnectionInfo::into_connection_info(address).map_err(io::Error::other)?)
            .and_then(|client| Line::open(&client, LIMIT, LIMIT))
            .map_err(io::Error::other)
    }

    #[tokio::test]
    async fn answers_that_come_in_pieces_and_late_are_put_together() {
        let pieces: Vec<&[u8]> = vec![b"$5\r\nhe", b"llo\r", b"\n:4", b"2\r\n+OK\r\n"];
        let mut line = line_to(pieces, MOMENT * 20).unwrap();
        line.send(b"whatever").unwrap();
        let (line, answers) = line.receive(2, LIMIT).await.unwrap();
        assert_eq!(answers, [Value::BulkString(b"hello".to_vec()), Value::Int(42)]);
        let (_, answers) = line.receive(1, LIMIT).await.unwrap();
        assert_eq!(answers, [Value::Okay], "what came along is kept for the next");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up() {
        let mut line = line_to(vec![], MOMENT).unwrap();
        line.send(b"whatever").unwrap();
        let error = line.receive(1, MOMENT * 20).await.err().unwrap();
        assert!(error.is_timeout(), "{error}");
    }
}
