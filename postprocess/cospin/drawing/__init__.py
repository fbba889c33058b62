"""The parts of cospin.plot, each of which knows one thing about pictures."""
