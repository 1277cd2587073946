//! Messages on a stream: a header with the length, an empty line, JSON.

use std::io::{self, BufRead, Read as _, Write};

use serde_json::Value;

/// A longer line in a header is cut into several; none of the known ones is as long.
const LONGEST_LINE: u64 = 4096;
/// Longer messages are passed over: no file above 20 MB is analysed.
const LONGEST_MESSAGE: u64 = 128 << 20;

/// What was read.
#[derive(Debug, PartialEq)]
pub enum Incoming {
    /// JSON, whatever it says.
    Message(Value),
    /// Something else, and what is wrong with it. Reading goes on behind it.
    Malformed(String),
}

/// Reads one message; `None` at the end of the stream.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let length = match header(input)? {
        Header::Length(length) => length,
        Header::Useless => return Ok(Some(Incoming::Malformed("a header without `Content-Length`".into()))),
        Header::End => return Ok(None),
    };
    if length > LONGEST_MESSAGE {
        io::copy(&mut input.take(length), &mut io::sink())?;
        return Ok(Some(Incoming::Malformed(format!("a message of {length} bytes"))));
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(error.to_string()),
    }))
}

/// What a header says.
enum Header {
    /// How long the message is.
    Length(u64),
    /// Not that.
    Useless,
    /// The stream has ended.
    End,
}

/// Reads up to the empty line.
fn header(input: &mut impl BufRead) -> io::Result<Header> {
    let mut length = None;
    let mut empty = true;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(Header::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            if empty {
                continue; // between two messages
            }
            return Ok(length.map_or(Header::Useless, Header::Length));
        }
        empty = false;
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

/// Writes one message.
pub fn write(output: &mut impl Write, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn all(mut input: &[u8]) -> Vec<Incoming> {
        let mut found = Vec::new();
        while let Some(incoming) = read(&mut input).expect("a slice can be read") {
            found.push(incoming);
        }
        found
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut stream = Vec::new();
        for message in [json!({"a": "ü"}), json!([1])] {
            write(&mut stream, &message).expect("a vector takes it");
        }
        assert_eq!(
            all(&stream),
            [Incoming::Message(json!({"a": "ü"})), Incoming::Message(json!([1]))]
        );
    }

    #[test]
    fn reading_goes_on_behind_what_is_malformed() {
        let found = all(b"nonsense\r\n\r\nContent-Length: 3\r\n\r\n{]}content-length:2\r\nX: y\r\n\r\n{}");
        assert!(matches!(found[0], Incoming::Malformed(_)), "{found:?}");
        assert!(matches!(found[1], Incoming::Malformed(_)), "{found:?}");
        assert_eq!(found[2], Incoming::Message(json!({})));
        let deep = "[".repeat(100_000);
        let found = all(format!("Content-Length: {}\r\n\r\n{deep}", deep.len()).as_bytes());
        assert!(matches!(found[0], Incoming::Malformed(_)));
    }

    #[test]
    fn a_stream_that_ends_within_a_message_ends() {
        assert_eq!(all(b"Content-Length: 10\r\n\r\n{}"), []);
        assert_eq!(all(b"Content-Length: 10"), []);
        assert_eq!(all(b"Content-Length: 99999999999\r\n\r\n{}").len(), 1);
    }
}
