"""What a script may ask the host for: `agent`, `workflow`, phases, log lines and budgets, served frame by frame."""
