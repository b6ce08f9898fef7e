"""As much of an S3 server as a volume needs, in a thread of its own; objects are kept in memory."""

import http.server
import threading
import urllib.parse
import xml.sax.saxutils


class Store:
    """The server, with one bucket."""

    def __init__(self):
        self.objects = {}
        handler = type("Handler", (Handler,), {"objects": self.objects})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def bucket(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/bucket"

    def blocks(self):
        return sum("/chunks/" in key for key in self.objects)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict

    def key(self):
        return urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).removeprefix("/bucket").lstrip("/")

    def reply(self, status, body=b"", length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 05 Jan 2026 09:30:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        self.objects[self.key()] = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(200)

    def do_DELETE(self):
        self.objects.pop(self.key(), None)
        self.reply(204)

    def do_HEAD(self):
        body = self.objects.get(self.key())
        self.reply(404) if body is None else self.reply(200, b"", len(body))

    def do_GET(self):
        key = self.key()
        if not key:
            return self.reply(200, self.listing())
        body = self.objects.get(key)
        if body is None:
            return self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        wanted = self.headers.get("Range")
        if wanted is None:
            return self.reply(200, body)
        first, last = wanted.removeprefix("bytes=").split("-")
        return self.reply(206, body[int(first) : int(last) + 1])

    def listing(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        prefix = query.get("prefix", [""])[0]
        found = "".join(
            f"<Contents><Key>{xml.sax.saxutils.escape(key)}</Key><Size>{len(body)}</Size>"
            "<LastModified>2026-01-05T09:30:00Z</LastModified><ETag>1</ETag></Contents>"
            for key, body in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()

    def log_message(self, *_):
        pass
