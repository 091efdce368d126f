"""Runs a command in a terminal, closes that once the command has printed what is waited for, and prints how it ended: as Python's subprocess tells it."""

import os
import pty
import sys

expected = sys.argv[1].encode()
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
printed = b""
while expected not in printed:
    printed += os.read(terminal, 65536)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
