"""A worker for a task type of its own, written from docs/protocol.md: raw TCP lines, a connection for each message.

Usage: resize_worker.py WORKER_UUID HOST PORT

It handles RESIZE. The payload has the image, its width, the number of steps of the work, and further widths, which it submits as
tasks with its result. It reports its progress after each step, and ends when the server answers CANCEL.
"""

import json
import socket
import sys
import time

TYPE = "RESIZE"
STEP = 0.1  # seconds

worker, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def ask(message):
    """Sends one message, and returns the reply. None when there is none within five seconds."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
            with connection.makefile("rb") as reader:
                line = reader.readline()
        return json.loads(line) if line else None
    except (OSError, ValueError):
        return None


def status(task, word, **more):
    return {"STATUS": word, "TASK": TYPE, "WORKER_UUID": worker, "TASK_ID": task["TASK_ID"], **more}


def report(message):
    """Sends the end of an attempt until it is acknowledged."""
    while (reply := ask(message)) is None or reply.get("STATUS") != "ACK":
        time.sleep(0.5)


def resize(task):
    """Runs one attempt, and returns the status that ends it."""
    image, width, steps = (task["PAYLOAD"][name] for name in ("image", "width", "steps"))
    for step in range(steps):
        time.sleep(STEP)
        reply = ask(status(task, "RUNNING", PROGRESS=(step + 1) / steps))
        if reply is not None and reply.get("CANCEL"):
            return status(task, "NOK", ERROR="cancelled")
    end = status(task, "OK", RESULT={"image": image, "bytes": width * 16})
    if further := task["PAYLOAD"].get("further"):
        end["THEN"] = [{"type": TYPE, "id": f"{image}-{width}", "payload": {"image": image, "width": width, "steps": 1}} for width in further]
    return end


while True:
    answer = ask({"WORKER": "ALIVE", "WORKER_UUID": worker, "TASKS": [TYPE]})
    if answer is None:
        time.sleep(0.5)
    elif answer.get("TASK") == TYPE:
        report(resize(answer))
    elif answer.get("TASK") != "NO_TASK":
        sys.exit(f"unexpected answer: {answer}")
