"""Runs a program on a terminal of its own: what comes on standard input is typed, what the terminal shows goes to standard output.

The standard library's pty.spawn lets the program live on when its own standard input ends; here it is hung up on, so that a
killed test leaves no shell behind.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

ROWS, COLUMNS = 50, 160

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
while True:
    ready, _, _ = select.select([0, terminal], [], [])
    try:
        if terminal in ready:
            shown = os.read(terminal, 65536)
            if not shown:
                break
            os.write(1, shown)
        if 0 in ready:
            typed = os.read(0, 65536)
            if not typed:
                break
            while typed:
                typed = typed[os.write(terminal, typed):]
    except OSError:  # Linux says EIO when the last program on the terminal has ended
        break
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
