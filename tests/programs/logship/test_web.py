"""What is told of the shipper over HTTP."""

import threading
from http.client import HTTPConnection

from stack.programs.logship.web import server

from .conftest import Place


def test_figures_are_told_over_a_connection_that_stays(place: Place) -> None:
    shipper = place.start()
    with server(shipper) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        asked = HTTPConnection("127.0.0.1", listening.server_address[1], timeout=5)
        for _ in range(2):
            asked.request("GET", "/metrics")
            kept, answer = asked.sock, asked.getresponse()
            told = answer.read().decode()
            assert answer.status == 200
            assert "promtail_files_active_total 0.0" in told
            assert "_created" not in told  # Promtail has none
            assert asked.sock is kept is not None
        asked.close()
        listening.shutdown()
