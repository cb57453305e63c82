"""The answers kept on this machine: looking after them, claiming a step, and handing answers on."""
