"""Starts the server that comes with the tests: serve.py CHECKOUT CONFIG ALIASES."""
import sys

checkout, config, aliases = sys.argv[1:]
sys.path.insert(0, checkout)
from tools import localpaths  # noqa: E402,F401  (puts the server's own packages on the path)
from tools.serve import serve  # noqa: E402

if __name__ == "__main__":
    sys.exit(serve.run(config_path=config, alias_file=aliases))
