# SPDX-License-Identifier: GPL-2.0-or-later
# mirror.py FOLDER PORT-FILE: serves a folder on localhost as mirrors of Debian's do, parts of files included, and writes
# its port into a file. Each request is a line of standard output.
import http.server, os, re, sys


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            self.answer(404, b"")
            return
        with open(path, "rb") as file:
            data = file.read()
        part = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        if part and int(part[1]) < len(data):
            first = int(part[1])
            self.answer(206, data[first:], f"bytes {first}-{len(data) - 1}/{len(data)}")
        else:
            self.answer(200, data)

    def answer(self, status, data, part=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, form, *words):
        print(form % words, flush=True)


os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
