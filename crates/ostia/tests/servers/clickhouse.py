"""ClickHouse's own engine in this process (chdb), asked as its server is over HTTP.

    python clickhouse.py FOLDER [PORT]

Says where it listens. Its tables are in FOLDER; there is a database `ostia`. The user is `ostia`, with the password in the variable
CLICKHOUSE_PASSWORD. Every Nth answer to what is written is lost after the work is done, where LOSE_EVERY says so.

It knows what the gateway needs of the interface (https://clickhouse.com/docs/interfaces/http): a POST with the statement in its
body, or in `query` with the data in the body, which may be packed by zstd; `database`, `param_...` and settings in the query; the
status and the words of an exception. What it does not know it refuses.
"""

import os
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

DATABASE = "ostia"
USER = "ostia"
# Statuses of exceptions, as the server has them; 500 for all others.
STATUSES = {60: 404, 81: 404, 62: 400, 27: 400, 33: 400, 36: 400, 47: 404, 48: 501, 159: 408, 516: 403}
# Of the connection and not of the engine.
NOT_FOR_THE_ENGINE = {"wait_end_of_query", "cancel_http_readonly_queries_on_client_close"}


class Refused(Exception):
    """What the server says of a statement: `Code: 60. DB::Exception: ...`."""


class Engine:
    def __init__(self, folder):
        self.session = session.Session(folder)
        self.session.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self.lock = threading.Lock()

    def run(self, database, statement, parameters):
        with self.lock:
            try:
                self.session.query(f"USE `{database}`")
                return self.session.query(statement, "RowBinary", params=parameters).bytes()
            except Exception as error:  # chdb has several
                words = re.search(r"Code: \d+\..*", str(error), re.DOTALL)
                raise Refused(words[0] if words else f"Code: 1001. DB::Exception: {error}") from error

    def insert(self, database, into, form, settings, data, packed):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            compression = "COMPRESSION 'zstd'" if packed else ""
            self.run(database, f"{into} FROM INFILE '{file.name}' {compression} {settings} FORMAT {form}", {})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            answer = self.work(body)
        except Refused as refused:
            words = str(refused)
            code = int(re.match(r"Code: (\d+)", words)[1])
            return self.answer(STATUSES.get(code, 500), words.encode(), code)
        if answer is None:
            self.close_connection = True
        else:
            self.answer(200, answer)

    def work(self, body):
        server = self.server
        known = (self.headers["x-clickhouse-user"], self.headers["x-clickhouse-key"])
        if known != (USER, server.password):
            raise Refused(
                f"Code: 516. DB::Exception: {known[0]}: Authentication failed: password is incorrect, or there is no "
                "user with such name. (AUTHENTICATION_FAILED)"
            )
        query = parse_qsl(urlsplit(self.path).query, keep_blank_values=True, strict_parsing=True)
        parameters = {name[6:]: value for name, value in query if name.startswith("param_")}
        settings = {name: value for name, value in query if not name.startswith("param_")}
        database, statement = settings.pop("database"), settings.pop("query", None)
        settings = ", ".join(f"{name} = {value}" for name, value in settings.items() if name not in NOT_FOR_THE_ENGINE)
        settings = f"SETTINGS {settings}" if settings else ""
        if statement is not None:
            into, form = statement.rsplit(" FORMAT ", 1)
            server.engine.insert(database, into, form, settings, body, self.headers["content-encoding"] == "zstd")
            return None if server.loses() else b""
        statement = body.decode()
        if statement.startswith("SELECT"):
            text, form = statement.rsplit(" FORMAT ", 1)
            statement = f"{text} {settings} FORMAT {form}"
        return server.engine.run(database, statement, parameters)

    def answer(self, status, body, code=None):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if code is not None:
            self.send_header("x-clickhouse-exception-code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = Engine(folder)
        self.password = os.environ.get("CLICKHOUSE_PASSWORD", "")
        self.lose_every = int(os.environ.get("LOSE_EVERY", "0"))
        self.written = 0

    def loses(self):
        """Is this the answer to something written that gets lost?"""
        self.written += 1
        return self.lose_every and self.written % self.lose_every == 0


server = Server(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
print("listens on %s:%s" % server.server_address, flush=True)
server.serve_forever()
