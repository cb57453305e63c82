"""The sandbox: a worker process that compiles and runs one script, and the host's end of its socket."""
