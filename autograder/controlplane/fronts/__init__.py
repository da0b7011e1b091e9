"""How the world reaches an embedded cluster: sockets, TLS, files and the wall clock live here and nowhere below."""
