# The server.
