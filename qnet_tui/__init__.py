"""qnet: active learning for DESI's quasar line finder, in a terminal."""

__version__ = "0.1.0"
