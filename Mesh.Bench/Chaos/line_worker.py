"""A worker as others write it: raw TCP, a connection for each message, QUERY alone.

Usage: line_worker.py WORKER_UUID HOME_UUID HOST PORT

Polls every half second, names its home only when it is away, obeys RETURN only to the very address it is
configured with, goes home when the server that it is at cannot be reached. One attempt in twenty fails.
"""

import json
import random
import socket
import sys
import time


def ask(address, message):
    """One message, one line of reply; None when there is none within five seconds."""
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
            with connection.makefile("rb") as reader:
                line = reader.readline()
        return json.loads(line) if line else None
    except (OSError, ValueError):
        return None


def main():
    worker, home_id, host, port = sys.argv[1:]
    home = (host, int(port))
    at = home
    misses = 0
    while True:
        message = {"WORKER": "ALIVE", "WORKER_UUID": worker}
        if at != home:
            message["SERVER_UUID"] = home_id
        reply = ask(at, message)
        task = reply.get("TASK") if reply else None
        misses = 0 if reply else misses + 1
        if misses >= 3 and at != home:
            print(f"lost {at}, going home", flush=True)
            at, misses = home, 0
        elif task == "QUERY":
            status = "NOK" if random.random() < 0.05 else "OK"
            ask(at, {"STATUS": status, "TASK": "QUERY", "WORKER_UUID": worker})
        elif task == "REDIRECT":
            target = reply["SERVER_REDIRECT"]
            at = (target["ip"], target["port"])
            print(f"redirected to {at}", flush=True)
        elif task == "RETURN":
            target = reply["SERVER_RETURN"]
            if (target["ip"], target["port"]) == home:
                at = home
                print("home", flush=True)
            else:
                print(f"RETURN to a strange address {target}", flush=True)
        elif task not in (None, "NO_TASK"):
            sys.exit(f"got {reply}, which is not for a worker that named no TASKS")
        time.sleep(0.5)


main()
