"""What the shipper shows over HTTP."""

import threading
from http.client import HTTPConnection

from stack.programs.logship.web import server

from .conftest import Place


def test_figures_are_shown_over_a_connection_that_stays(place: Place) -> None:
    shipper = place.start()
    with server(shipper) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        asked = HTTPConnection("127.0.0.1", listening.server_address[1], timeout=5)
        for _ in range(2):
            asked.request("GET", "/metrics")
            kept, answer = asked.sock, asked.getresponse()
            text = answer.read().decode()
            assert answer.status == 200
            assert "promtail_files_active_total 0.0" in text
            assert "_created" not in text  # Promtail has none
            assert asked.sock is kept is not None
        asked.close()
        listening.shutdown()
