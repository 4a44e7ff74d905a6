"""A program that files are dragged from, as a file manager is: `drop.py WINDOW X Y FILE...`.

It lets the files go over a window at a place on the display by the X protocol's drag and drop
(https://www.freedesktop.org/wiki/Specifications/XDND/), without a mouse, and ends with 0 once the
window has said that it took them.
"""

import select
import sys
import time
from pathlib import Path

from Xlib import X, Xatom, display
from Xlib.protocol import event

PATIENCE = 30.0


def main():
    target, x, y = (int(number) for number in sys.argv[1:4])
    uris = "".join(Path(file).as_uri() + "\r\n" for file in sys.argv[4:]).encode()
    shown = display.Display()
    atom = shown.intern_atom
    source = shown.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent, override_redirect=True)
    window = shown.create_resource_object("window", target)
    if window.get_full_property(atom("XdndAware"), Xatom.ATOM) is None:
        sys.exit("the window takes nothing")
    source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)

    def tell(name, *data):
        data = [source.id, *data] + [0] * (4 - len(data))
        told = event.ClientMessage(window=window, client_type=atom(name), data=(32, data))
        window.send_event(told)
        shown.flush()

    asked = taken = False
    position = ("XdndPosition", 0, x << 16 | y, X.CurrentTime, atom("XdndActionCopy"))
    tell("XdndEnter", 5 << 24, atom("text/uri-list"))
    tell(*position)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not shown.pending_events():
            _ = select.select([shown], [], [], 0.5)
            continue
        heard = shown.next_event()
        if heard.type == X.SelectionRequest:
            heard.requestor.change_property(heard.property, heard.target, 8, uris)
            notify = event.SelectionNotify(
                time=heard.time,
                requestor=heard.requestor,
                selection=heard.selection,
                target=heard.target,
                property=heard.property,
            )
            heard.requestor.send_event(notify)
            # A hand moves on before it lets go, so what is dragged is known by then.
            tell(*position)
            asked = True
        elif heard.type == X.ClientMessage and heard.client_type == atom("XdndStatus"):
            if not heard.data[1][1] & 1:
                sys.exit("the window does not want them")
            if asked and not taken:
                taken = True
                shown.sync()
                tell("XdndDrop", 0, X.CurrentTime)
        elif heard.type == X.ClientMessage and heard.client_type == atom("XdndFinished"):
            return
    sys.exit("the window never said that it took them")


main()
