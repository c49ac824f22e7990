"""Serve a model with llama.cpp's own server; run with the interpreter that has `xllamacpp`.

Usage: python llama_cpp_server.py MODEL_FILE. Prints the server's URL and serves until its standard
input is closed.
"""

import sys

import xllamacpp


def main() -> None:
    """Start the server on a free port of loopback."""
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx = 1024
    params.port = 0
    params.embedding = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
