"""The bench: foster beside the bare floor and its peers. See ../README.md."""
