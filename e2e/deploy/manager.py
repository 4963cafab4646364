"""A service manager as small as can be: passes a socket, receives notifications, tells its standard output of both.

usage: manager.py '{"notify": NAME, "listen": PATH or null, "listen_pid": NUMBER or null, "env": {...}}' PROGRAM ARGUMENT...
"""

import json
import os
import select
import signal
import socket
import struct
import sys

options, command = json.loads(sys.argv[1]), sys.argv[2:]


def tell(**event):
    print(json.dumps(event), flush=True)


name = options["notify"]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
notify.bind("\0" + name[1:] if name.startswith("@") else name)

listener = None
if options["listen"]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(options["listen"])
    listener.listen(128)

starter = os.getppid()
child = 0
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
child = os.fork()
if child == 0:
    env = {**os.environ, "NOTIFY_SOCKET": name, **options["env"]}
    if listener:
        os.dup2(listener.fileno(), 3, inheritable=True)
        env["LISTEN_FDS"] = env.get("LISTEN_FDS", "1")
        env["LISTEN_PID"] = str(options["listen_pid"] or os.getpid())
    os.execvpe(command[0], command, env)

tell(pid=child)
ended = None
while True:
    if os.getppid() != starter:
        os.kill(child, signal.SIGKILL)
        break
    ready, _, _ = select.select([notify], [], [], 0.05)
    if ready:
        message, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(12))
        sender = struct.unpack("iii", ancillary[0][2])[0]
        tell(message=message.decode(), sender=sender)
    elif ended is not None:
        break
    else:
        waited, status = os.waitpid(child, os.WNOHANG)
        if waited:
            ended = os.waitstatus_to_exitcode(status)
tell(exit=ended)
