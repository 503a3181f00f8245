"""Whether a running stack is as closed as somebody who takes it to a server believes."""
