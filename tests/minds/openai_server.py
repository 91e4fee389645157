"""A small server that speaks OpenAI's chat protocol; the name of the model says how it behaves.

Run as a process of its own: `python openai_server.py` prints its port. What it answers is a hash of the request, so it
is the same for the same request, whatever came before.

    keen     keeps to the schema
    crowd    the same, a little later, so that requests overlap
    deaf     ignores the schema: says one of the offered words in plain text, in its own spelling
    plain    refuses schemas with 400, else as deaf
    picky    refuses schemas that offer "counter" with 400, else as keen
    moody    says nonsense to every other seed, else as keen
    rude     always says nonsense
    busy     429 to the first two tries of each request, then as keen
    slow     answers when it is too late
    broken   500
    page     an HTML page
    guarded  401, and says back the key
    stubborn 400, and says back the key
    keyed    its title is the key that it was given
"""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODELS = (
    *("keen", "crowd", "deaf", "plain", "picky", "moody", "rude"),
    *("busy", "slow", "broken", "page", "guarded", "stubborn", "keyed"),
)
CROWD_S = 0.02
SLOW_S = 1.0

lock = threading.Lock()
seen: dict[str, dict[str, int]] = {}  # by model: requests, now, peak
tries: dict[bytes, int] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": model, "object": "model"} for model in MODELS]})
        else:
            self.reply(200, seen)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        model = request["model"]
        with lock:
            count = seen.setdefault(model, {"requests": 0, "now": 0, "peak": 0})
            count["requests"] += 1
            count["now"] += 1
            count["peak"] = max(count["peak"], count["now"])
            tries[body] = tries.get(body, 0) + 1
        try:
            if model in ("crowd", "slow"):
                time.sleep(CROWD_S if model == "crowd" else SLOW_S)
        finally:
            with lock:
                count["now"] -= 1
        self.answer(model, request, tries[body])

    def answer(self, model: str, request: dict, num_tries: int) -> None:
        schema = request.get("response_format")
        words = schema["json_schema"]["schema"]["properties"]["answer"]["enum"] if schema else offered(request)
        key = self.headers["Authorization"].removeprefix("Bearer ")
        if self.path != "/v1/chat/completions" or model not in MODELS:
            self.reply(404, {"error": {"message": f"no model {model}"}})
        elif model == "broken":
            self.reply(500, {"error": {"message": "out of order"}})
        elif model == "busy" and num_tries <= 2:
            self.reply(429, {"error": {"message": "too many"}})
        elif model in ("guarded", "stubborn"):
            self.reply(401 if model == "guarded" else 400, {"error": {"message": f"not with key {key}"}})
        elif schema and (model == "plain" or (model == "picky" and "counter" in words)):
            self.reply(400, {"error": {"message": "no schemas"}})
        elif model == "page":
            self.reply(200, "<html>hello</html>")
        else:
            self.reply(200, completion(said(model, request, words, bool(schema), key)))

    def reply(self, status: int, data: object) -> None:
        text = (data if isinstance(data, str) else json.dumps(data)).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(data, str) else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Retry-After-Ms", "1")
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            self.close_connection = True  # the client did not wait

    def log_message(self, *args: object) -> None:
        pass


def said(model: str, request: dict, words: list[str], has_schema: bool, key: str) -> str:
    chance = draw(request)
    if model == "keyed":
        return key
    if model == "rude" or (model == "moody" and chance // 1000 % 2):
        return "I would rather\nnot say."
    if not words:
        return f"\n  Title number {chance % 1000}, said at some length  \nand more"
    word = words[chance % len(words)]
    if model == "deaf" or not has_schema:
        return f" **{word.upper()}**.\n"
    return json.dumps({"answer": word})


def draw(request: dict) -> int:
    return int(hashlib.sha256(json.dumps([request["messages"], request["seed"]]).encode()).hexdigest()[:12], 16)


def offered(request: dict) -> list[str]:
    """The words that the user's message offers, none where it asks for a text."""
    rules = [line for line in request["messages"][-1]["content"].splitlines() if line.startswith("Reply with exactly")]
    return rules[-1].partition(": ")[2].split(" | ") if rules else []


def completion(text: str) -> dict:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": usage}


class Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
