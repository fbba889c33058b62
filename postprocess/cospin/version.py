"""The version of the package: that of the program beside which it stands."""
VERSION = "0.2.0"
