"""The typed configuration: a module per group of sections."""
